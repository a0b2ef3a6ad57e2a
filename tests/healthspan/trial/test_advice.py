"""What a trial advises, by objects and alignments whose truth is known."""

import numpy as np
import pytest

from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.detection.views import Disc
from snakescope.healthspan.registration.motion import Motion, to_reference
from snakescope.healthspan.registration.reference import describe
from snakescope.healthspan.registration.register import prepare
from snakescope.healthspan.registration.settings import RegisterSettings
from snakescope.healthspan.trial.advice import on_alignment, on_objects, on_size, on_unsure
from snakescope.healthspan.trial.alignments import align, needed_kind
from snakescope.healthspan.trial.objects import Found, wall_um
from snakescope.imaging.masks import Instance
from tests.healthspan.inspection.test_inspect import draw

RIGID = RegisterSettings()


def worm(contrast: float, left: float = 0.0, score: float = 0.99, edge_um: float = 5000.0,
         reason: str = "", length_um: float = 1150.0, length_px: int = 30) -> Found:  # fmt: skip
    one = Instance(0, 0, 10, 10, np.ones((4, length_px), bool), score)
    return Found(one, reason, contrast, left, length_um, 80.0, edge_um)


def keys(advice: list) -> dict:
    return {key: value for one in advice for key, value in one.keys.items()}


@pytest.mark.parametrize(
    ("motion", "kind"),
    [
        (Motion(2.0, -3.0, 1.0), "rigid"),
        (Motion(2.0, -3.0, 0.5, 1.015), "similar"),
        (Motion(1.0, 2.0, 0.0, 1.01, 0.02, -0.01), "tilted"),
    ],
)
def test_the_motion_that_a_dish_needs_is_proposed(motion: Motion, kind: str) -> None:
    first = draw(1)
    reference = prepare({"bright_field": first}, describe(0, {"bright_field": first}, RIGID), RIGID)
    moved = to_reference(draw(2), motion)
    one = align(reference, moved, RIGID)
    assert one is not None
    assert needed_kind({1: one}, 1.0) == kind
    proposed = keys(on_alignment({1: one}, {}, RIGID))
    assert ("registration.max_scale_change" in proposed) == (kind != "rigid")
    assert ("registration.max_tilt" in proposed) == (kind == "tilted")
    if proposed:
        RegisterSettings.model_validate(
            {key.removeprefix("registration."): value for key, value in proposed.items()}
        )
        fits = RegisterSettings(max_scale_change=0.06, max_tilt=0.05, tolerance_px=2)
        assert not keys(on_alignment({1: one}, {}, fits))


def test_faint_objects_are_dropped_below_every_worm() -> None:
    worms = [worm(contrast) for contrast in (113, 118, 120, 122, 126, 127)]
    folds = [worm(96, left=0.9, score=0.6), worm(85, left=0.9, score=0.6)]
    advice, *_ = on_objects({0: [*worms, *folds]}, DetectSettings(), None)
    limit = advice.keys["detection.detect.min_contrast"]
    assert 96 < limit < 113
    assert "may be worms" not in advice.text
    moving = worm(96, left=0.1, score=0.6)
    advice, *_ = on_objects({0: [*worms, *folds, moving]}, DetectSettings(), None)
    assert "1 of these moved, and may be worms" in advice.text
    # Where the faint are as bold as worms, no limit tells them apart.
    assert not keys(on_objects({0: [*worms, worm(117, score=0.6)]}, DetectSettings(), None))
    assert not keys(on_objects({0: worms}, DetectSettings(), None))


WORMS = [worm(contrast) for contrast in range(110, 130, 2)]
SURE = DetectSettings(score_threshold=0.5)
UNSURE = [worm(115, score=0.35) for _ in range(6)]


def test_a_lower_confidence_is_proposed_where_it_adds_worms() -> None:
    tried = {0.4: {0: WORMS}, 0.3: {0: [*WORMS, *UNSURE]}, 0.2: {0: [*WORMS, *UNSURE]}}
    (advice,) = on_unsure({0: WORMS}, tried, SURE)
    assert advice.keys["detection.detect.score_threshold"] in (0.2, 0.3)
    assert "6" in advice.title


@pytest.mark.parametrize(
    "others",
    [
        [worm(115, left=1.0, score=0.35)] * 3,
        [worm(60, score=0.35)] * 3,
        [worm(115, score=0.35, length_px=10)] * 3,
    ],
)
def test_no_lower_confidence_is_proposed_where_it_adds_debris_too(others: list) -> None:
    tried = {0.3: {0: [*WORMS, *UNSURE, *others]}}
    assert not on_unsure({0: WORMS}, tried, SURE)


def test_a_few_unsure_worms_are_no_reason() -> None:
    assert not on_unsure({0: WORMS}, {0.3: {0: [*WORMS, *UNSURE[:2]]}}, DetectSettings())


def test_the_rim_follows_the_wall() -> None:
    worms = [worm(120) for _ in range(6)]
    near = worm(113, edge_um=130, reason="edge of dish")
    found = on_objects({0: [*worms, near]}, DetectSettings(), 0.0)
    assert keys(found) == {"detection.detect.rim_um": 80.0} and "adds 1" in found[0].text
    assert keys(on_objects({0: worms}, DetectSettings(), 200.0)) == {"detection.detect.rim_um": 280}
    assert not keys(on_objects({0: worms}, DetectSettings(rim_um=90), 0.0))
    # Nothing lies between: the trial cannot show that a nearer limit helps.
    assert not keys(on_objects({0: worms}, DetectSettings(), 0.0))


def test_a_wall_is_measured_from_the_edge() -> None:
    rows, columns = np.ogrid[:600, :600]
    radius = np.hypot(rows - 300, columns - 300)
    picture = np.where((radius > 238) & (radius < 252), 160, 64).astype(np.uint8)
    assert wall_um([picture], Disc(300, 300, 250), 10.0) == pytest.approx(120, abs=15)
    assert wall_um([np.full((600, 600), 64, np.uint8)], Disc(300, 300, 250), 10.0) == 0


def test_what_lies_still_from_the_first_frame_is_no_death() -> None:
    worms = [worm(120) for _ in range(6)]
    advice = on_objects({0: [*worms, worm(120, left=0.9)], 5: worms}, DetectSettings(), None)
    assert any("static from the start" in one.text for one in advice)


def test_a_wrong_pixel_size_is_seen_by_the_worms() -> None:
    right = {0: [worm(120) for _ in range(6)]}
    assert not on_size(right, 9.74, 9.74)
    small = {0: [worm(120, length_um=600) for _ in range(6)]}
    assert "about 18.7 um" in on_size(small, 9.74, 9.74)[0].text
    assert "0 worms" in on_size({0: []}, 9.74, 9.74)[0].title
