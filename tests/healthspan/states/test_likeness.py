"""Ground to which a worm came looks otherwise in the first frames; what lay there does not."""

import numpy as np
import pytest

from snakescope.healthspan.detection.channel_overlay import contrast_of, overlay_of_contrast
from snakescope.healthspan.simulation.worm_body import Worm, body_pixels, place
from snakescope.healthspan.states.evidence import evidence_table, first_timepoints
from snakescope.healthspan.states.likeness import likeness_before
from snakescope.healthspan.states.settings import CompositeSettings
from snakescope.healthspan.training.evidence_examples import PixelRanges, draw_overlay

SIDE = 300
STILL = PixelRanges(gain=(1.0, 1.0), blur_px=(0.8, 0.8), grain_px=(0.6, 0.6))
WORM = Worm(0.0, 0.0, 0.4, np.array([2.0, 1, 0, 0, 0, 0, 0]), 110.0, 8.0)


def picture(seed, worms, contrast=12.0):
    rng = np.random.default_rng(seed)
    return draw_overlay(rng, worms, [], contrast, 0.0, STILL, SIDE)


def mask(worm=WORM, timepoint=9, number=0):
    body = body_pixels(worm.moved(SIDE / 2, SIDE / 2))
    return place(body, (SIDE, SIDE), timepoint, 100_000 * timepoint + number)


def alike(earlier, tolerance=1.5):
    return likeness_before([mask()], picture(9, [WORM]), earlier, tolerance)[0]


def test_what_lay_there_is_alike_though_fainter_and_a_pixel_aside():
    found = alike([picture(0, [WORM]), picture(1, [WORM.moved(1, -1)], contrast=9.0)])
    assert found.correlation > 0.8
    assert found.contrast == pytest.approx(0.75, abs=0.15)


def test_agar_to_which_a_worm_came_is_not():
    found = alike([picture(0, []), picture(1, [])])
    assert found.contrast < 0.1
    assert found.correlation < 0.5


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_a_worm_that_came_to_lie_along_a_scratch_is_not(share):
    straight = Worm(0.0, 0.0, 0.0, np.array([0.3, 0, 0, 0, 0, 0, 0]), 110.0, 8.0)
    along = Worm(0.0, 0.0, 0.0, np.zeros(7), 280.0, 8.0)

    def drawn(seed, worm_contrast):
        rng = np.random.default_rng(seed)
        scratch = contrast_of(draw_overlay(rng, [along], [], 12.0 * share, 0.0, STILL, SIDE))
        worm = contrast_of(draw_overlay(rng, [straight], [], worm_contrast, 0.0, STILL, SIDE))
        return overlay_of_contrast(scratch + worm)

    earlier = [drawn(0, 0.0), drawn(1, 0.0)]
    found = likeness_before([mask(straight)], drawn(9, 12.0), earlier, 1.5)[0]
    assert found.contrast == 0


def test_a_worm_that_passed_in_one_of_the_first_frames_says_nothing():
    found = alike([picture(0, [WORM]), picture(1, [])])
    assert found.contrast < 0.1


def test_another_worm_in_another_posture_there_is_not_alike():
    across = Worm(0.0, 0.0, 0.4 + np.pi / 2, WORM.amplitudes, 110.0, 8.0)
    found = alike([picture(0, [across]), picture(1, [across])])
    assert found.correlation < 0.5


def test_without_earlier_frames_nothing_is_told():
    assert alike([]) is None


def test_a_table_of_evidence_compares_later_frames_alone_also_where_masks_decide():
    pictures = {0: picture(0, []), 1: picture(1, [WORM]), 9: picture(9, [WORM])}
    worms = [mask(timepoint=1), mask(timepoint=9)]
    table = evidence_table(
        [1, 9], {0: 0.0, 1: 12.0, 9: 108.0}, worms, pictures.__getitem__, CompositeSettings(), 1.5,
        grey_values=False, start=[0, 1],
    )  # fmt: skip
    assert table["moved_before"].isna().all()
    assert table["start_contrast"].isna().tolist() == [True, False]
    assert table["start_contrast"][1] < 0.1


def test_the_first_timepoints_are_those_that_can_be_used(tmp_path):
    rows = ["timepoint\ttime_h\tstatus", "0\t0\tfailed", "1\t12\tregistered",
            "2\t24\tregistered", "3\t36\tregistered"]  # fmt: skip
    (tmp_path / "t.tsv").write_text("\n".join(rows) + "\n")
    assert first_timepoints([tmp_path / "t.tsv"]) == [1, 2]
    assert first_timepoints([]) == []
