"""Gains of a detector that learned, on frames of which is known what was found."""

import numpy as np
import pytest

from benchmarks.healthspan.review_learning import FrameCounts, detection_f, gains, state_f


def frame(found: int, false: int = 0, wrong: int = 0) -> FrameCounts:
    """Ten dead worms, some of them found, some of these called immobile."""
    states = np.array([[0, 0, 0], [0, 0, wrong], [found - wrong, 10, found - wrong + false]])
    return FrameCounts(np.array([10, found, false]), states)


def test_a_missed_worm_is_a_missed_state_and_a_false_object_a_wrong_one() -> None:
    assert detection_f([frame(10)]) == state_f([frame(10)]) == 1
    assert detection_f([frame(5)]) == state_f([frame(5)]) == pytest.approx(2 / 3)
    assert state_f([frame(10, wrong=5)]) == pytest.approx(2 / 3)
    assert detection_f([frame(10, false=5)]) == state_f([frame(10, false=5)]) == 0.8
    # States that no worm is in have no F, and frames are pooled.
    assert detection_f([frame(10), frame(0)]) == pytest.approx(2 / 3)


def test_the_gain_has_an_interval_over_frames() -> None:
    rng = np.random.default_rng(1)
    before = [frame(int(found)) for found in rng.integers(2, 7, 20)]
    after = [frame(int(found)) for found in rng.integers(6, 11, 20)]
    found = {metric: value for _, metric, value, _ in gains(before, after)}
    assert found["gain_f"] == pytest.approx(found["f_after"] - found["f_before"])
    for name in ("", "state_"):
        low, high = found[f"{name}gain_f_low"], found[f"{name}gain_f_high"]
        assert 0 < low < found[f"{name}gain_f"] < high
    same = {metric: value for _, metric, value, _ in gains(before, before)}
    assert same["gain_f"] == same["gain_f_low"] == same["gain_f_high"] == 0
