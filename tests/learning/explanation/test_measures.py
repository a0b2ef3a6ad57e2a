"""Measures of explanations on maps whose answer is known."""

import numpy as np
import pytest

from snakescope.learning.explanation import measures as of

SHAPE = (2, 60, 60)


@pytest.fixture
def masks() -> np.ndarray:
    found = np.zeros(SHAPE, bool)
    found[:, 10:20, 10:20] = True
    return found


def test_a_map_on_the_object_points_and_concentrates(masks):
    good, bad = masks.astype(float), np.roll(masks, 35, 2).astype(float)
    assert of.pointing(good, masks) == 1 and of.pointing(bad, masks) == 0
    assert of.pointing(np.zeros(SHAPE), masks) == 0
    assert of.pointing(np.roll(good, 14, 2), masks) == 1  # within eight pixels
    assert of.share_within(good, masks) == 1 and np.isnan(of.share_within(-good, masks))
    assert of.concentration(good, masks) == pytest.approx(36)
    assert of.concentration(np.ones(SHAPE), masks) == pytest.approx(1)


def test_the_rival_lies_in_the_middle():
    rival = of.centred_gaussian((61, 81))
    assert np.unravel_index(rival.argmax(), rival.shape) == (30, 40) and rival[0, 0] < 0.01


def test_equal_maps_agree_and_others_do_not():
    rng = np.random.default_rng(0)
    one, other = rng.random((2, *SHAPE))
    assert of.rank_correlation(one, 2 * one + 1) == pytest.approx(1)
    assert abs(of.rank_correlation(one, other)) < 0.1
    assert np.isnan(of.rank_correlation(one, np.ones(SHAPE)))


def test_deleting_what_counts_changes_the_score_soon(masks):
    rng = np.random.default_rng(1)
    clip = rng.normal(0, 0.1, SHAPE).astype(np.float32)
    clip[masks] += np.where(np.indices(SHAPE)[2][masks] % 2, 2.0, -2.0)

    def score(frames: np.ndarray) -> float:
        return float(np.abs(frames[masks]).mean())

    good, poor = masks + 0.0, np.roll(masks, 30, 1) + 0.0
    assert of.curve_area(clip, good, score) > of.curve_area(clip, poor, score) + 0.3
    assert of.curve_area(clip, good, score, True) < of.curve_area(clip, poor, score, True) - 0.3


def test_maps_take_the_size_of_frames():
    found = of.resized(np.eye(4)[None], (40, 80))
    assert found.shape == (1, 40, 80) and found[0, 2, 2] > found[0, 2, 40]
