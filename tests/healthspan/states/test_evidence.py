"""A body that lies still has not moved, however its masks flicker; a head that turns has."""

import json
from dataclasses import replace

import numpy as np
import pytest

from snakescope.healthspan.detection.channel_overlay import (
    GROUND,
    contrast_of,
    overlay,
    overlay_of_contrast,
)
from snakescope.healthspan.simulation.worm_body import Worm, body_pixels, place
from snakescope.healthspan.states.evidence import (
    EVIDENCE_COLUMNS,
    Frame,
    evidence_of,
    evidence_table,
)
from snakescope.healthspan.states.pixels import distance_to, window_of
from snakescope.healthspan.states.settings import CompositeSettings, EvidenceSettings
from snakescope.healthspan.training.composite_examples import bend_end
from snakescope.healthspan.training.evidence_examples import (
    PixelRanges,
    draw_evidence_examples,
    draw_overlay,
)

SIDE = 300
STILL = PixelRanges(gain=(1.0, 1.0), blur_px=(0.8, 0.8), grain_px=(0.6, 0.6))
WORM = Worm(0.0, 0.0, 0.4, np.array([2.0, 1, 0, 0, 0, 0, 0]), 110.0, 8.0)


def frame(worms, seed, contrast=12.0, ranges=STILL, shift=(0, 0)):
    rng = np.random.default_rng(seed)
    picture = draw_overlay(rng, worms, [], contrast, 0.0, ranges, SIDE)
    found = []
    for k, worm in enumerate(worms):
        body = body_pixels(worm.moved(SIDE / 2 + shift[0], SIDE / 2 + shift[1]))
        found.append(place(body, (SIDE, SIDE), seed, 100_000 * seed + k))
    return Frame(found, picture)


def moved(before, at, after, tolerance=1.5):
    (one, *_) = evidence_of(at, before, after, 128, tolerance)
    return one.moved_before, one.moved_after


def test_overlay_and_contrast_are_inverse():
    contrast = np.array([-3.0, 0.0, 5.0, 40.0], np.float32)
    assert contrast_of(overlay_of_contrast(contrast)) == pytest.approx(contrast, rel=0.03, abs=0.05)
    assert contrast_of(np.array([GROUND], np.uint8))[0] == 0


def test_a_corpse_has_not_moved_though_its_mask_is_cut_and_shifted():
    at, before, after = (frame([WORM], seed, shift=s) for seed, s in
                         ((1, (2, 0)), (0, (0, 0)), (2, (0, -2))))  # fmt: skip
    cut = at.worms[0]
    half = cut.mask.copy()
    half[:, : half.shape[1] // 2] = False
    assert moved(before, at, after) == (0, 0)
    one = Frame([replace(cut, mask=half)], at.picture)
    assert max(moved(before, one, after)) < 0.02


def test_half_the_contrast_and_more_blur_are_no_movement():
    dim = replace(STILL, gain=(0.7, 0.7), blur_px=(1.4, 1.4))
    assert moved(frame([WORM], 0, ranges=dim), frame([WORM], 1), frame([WORM], 2)) == (0, 0)


def test_a_turned_head_has_moved_and_the_side_on_which_it_did_is_told():
    turned = bend_end(np.random.default_rng(8), WORM)
    before, after = moved(frame([WORM], 0), frame([WORM], 1), frame([turned], 2))
    assert before == 0
    assert 0.02 < after < 0.7


def test_a_worm_that_left_has_moved_whole():
    away = WORM.moved(60, 0)
    before, after = moved(frame([away], 0), frame([WORM], 1), None)
    assert before > 0.8
    assert np.isnan(after)


def test_a_stranger_that_lies_across_is_not_the_worms_movement():
    stranger = Worm(0.0, 20.0, 1.9, np.zeros(7), 110.0, 8.0)
    at = frame([WORM], 1)
    crossed = frame([WORM, stranger], 0)
    (one,) = evidence_of(at, crossed, None, 128, 1.5)
    alone = Frame(crossed.worms[:1], crossed.picture)
    (naive,) = evidence_of(at, alone, None, 128, 1.5)
    # The stranger overlaps the body, so it counts as its own until the masks tell them apart.
    assert one.moved_before <= naive.moved_before


def test_contrast_tells_faint_bodies():
    strong = evidence_of(frame([WORM], 1), frame([WORM], 0), None, 128, 1.5)[0].contrast
    faint = evidence_of(
        frame([WORM], 1, contrast=1.0), frame([WORM], 0, contrast=1.0), None, 128, 1.5
    )[0].contrast
    assert faint < EvidenceSettings().min_contrast < strong


def test_windows_beyond_the_frame_are_ground():
    picture = np.full((40, 40), 200, np.uint8)
    window = window_of(picture, -20, 30, 60, 1.0)
    assert window.shape == (60, 60)
    assert window[:10].max() == pytest.approx(0, abs=1e-3)
    assert window[30, 3] > 10


def test_distance_is_zero_within_a_mask():
    mask = np.zeros((20, 20), bool)
    mask[5:8, 5:8] = True
    away = distance_to(mask)
    assert away[6, 6] == 0
    assert away[6, 12] == pytest.approx(5, abs=0.1)


def test_tolerance_is_a_raw_pixel_unless_it_is_set():
    assert EvidenceSettings().tolerance_of(9.74) == 1.5
    assert EvidenceSettings().tolerance_of(30.0) == pytest.approx(3.08, abs=0.01)
    assert EvidenceSettings(tolerance_px=0.5).tolerance_of(30.0) == 0.5


def test_the_table_has_a_row_per_worm_and_reads_only_the_frames_it_needs():
    frames = {t: frame([WORM], t) for t in range(3)}
    read = []

    def picture(timepoint):
        read.append(timepoint)
        return frames[timepoint].picture

    worms = [one for t in frames for one in frames[t].worms]
    table = evidence_table(
        [1], {0: 0.0, 1: 12.0, 2: 60.0}, worms, picture, CompositeSettings(), 1.5
    )
    assert list(table.columns) == list(EVIDENCE_COLUMNS)
    assert table["instance"].tolist() == [worms[1].identifier]
    assert table["moved_before"].tolist() == [0]
    assert table["moved_after"].isna().all()
    assert sorted(read) == [0, 1]


def test_examples_are_repeatable_and_of_every_state():
    first, second = (draw_evidence_examples(np.random.default_rng(4), 4) for _ in range(2))
    assert np.bincount(first.states).tolist() == [4, 4, 4]
    assert np.array_equal(first.composites, second.composites)
    assert np.array_equal(first.moved, second.moved, equal_nan=True)
    assert json.dumps(first.moved.tolist()) == json.dumps(second.moved.tolist())


def test_the_overlay_of_a_real_frame_keeps_a_body_dark():
    image = np.full((200, 200), 200, np.uint8)
    image[95:105, 50:150] = 120
    noisy = np.clip(image + np.random.default_rng(1).normal(0, 2, image.shape), 0, 255)
    assert contrast_of(overlay({"bright_field": noisy.astype(np.uint8)}))[100, 100] > 10
