"""Rules of two thresholds, and the earlier method that counts hours of immobility."""

import numpy as np
import pytest

from snakescope.healthspan.paper.state_examples import (
    TESTING,
    TUNING,
    StateExamples,
    draw_state_examples,
    shape_difference,
    steps_back,
)
from snakescope.healthspan.paper.state_rules import (
    MEASURES,
    by_duration,
    by_thresholds,
    tuned,
    tuned_duration,
)
from snakescope.healthspan.training.evidence_examples import EvidenceExamples
from snakescope.imaging.masks import Instance

HEALTHY, IMMOBILE, DEAD = range(3)


def followed(steps: list[int], gap_h: float, length: int = 8) -> StateExamples:
    """Worms that lay still for so many steps, the rest of the frames unlike."""
    unlike = np.array([[0.0] * one + [5.0] * (length - one) for one in steps])
    empty = EvidenceExamples(
        np.zeros((len(steps), 128, 128, 3), np.uint8),
        np.zeros((len(steps), 2)),
        np.zeros(len(steps), np.int64),
    )
    scenes = np.arange(len(steps))
    return StateExamples(
        empty, scenes, np.zeros_like(unlike), unlike, np.full(len(steps), float(gap_h))
    )


@pytest.mark.parametrize(
    ("gap_h", "steps", "states"),
    [
        (12, [0, 1, 4, 5, 8], [HEALTHY, IMMOBILE, IMMOBILE, DEAD, DEAD]),
        (24, [0, 2, 3], [HEALTHY, IMMOBILE, DEAD]),
        (8, [6, 7], [IMMOBILE, DEAD]),
    ],
)
def test_dead_from_48_hours_of_immobility_on(
    gap_h: float, steps: list[int], states: list[int]
) -> None:
    assert by_duration(followed(steps, gap_h), 10, 1).tolist() == states


def test_a_worm_that_left_its_place_once_is_immobile_since_then_only() -> None:
    worms = followed([8], 12)
    worms.distances[0, 2] = 50.0
    assert by_duration(worms, 10, 1).tolist() == [IMMOBILE]
    assert by_duration(worms, 60, 1).tolist() == [DEAD]


def test_thresholds_that_separate_are_found_among_quantiles() -> None:
    states = np.repeat([HEALTHY, IMMOBILE, DEAD], 20)
    values = np.concatenate([np.linspace(*ends, 20) for ends in ((5, 9), (2, 4), (0, 1))])
    called = by_thresholds(values, *tuned(values, states))
    # Thresholds are chosen among quantiles 3 % apart.
    assert (called != states).sum() <= 2


def test_the_earlier_method_is_tuned_to_what_separates() -> None:
    worms = followed([0, 2, 6] * 6, 12)
    worms.examples.states[:] = [HEALTHY, IMMOBILE, DEAD] * 6
    worms.unlikeness[:, 1:] += 0.01
    called = by_duration(worms, *tuned_duration(worms))
    assert called.tolist() == worms.examples.states.tolist()


def bar(top: int, left: int, height: int, width: int) -> Instance:
    return Instance(0, 0, top, left, np.ones((height, width), bool), 1.0)


def test_a_worm_is_followed_to_the_nearest_mask_of_each_frame() -> None:
    worm = bar(10, 10, 4, 40)
    distances, unlikeness = steps_back(
        worm, [[bar(13, 10, 4, 40), bar(90, 10, 40, 4)], [bar(13, 14, 4, 40)], [], [worm]]
    )
    assert distances == pytest.approx([3, 4, np.inf, np.inf])
    assert unlikeness[:2] == pytest.approx([0, 0], abs=1e-6)


def test_shapes_are_told_apart_whatever_their_place_and_turn() -> None:
    bent = np.ones((20, 20), bool)
    bent[5:, 5:] = False
    same = shape_difference(np.ones((4, 40), bool), np.ones((40, 4), bool))
    assert same < 0.01 < shape_difference(np.ones((4, 40), bool), bent)


def test_purposes_share_no_worm_and_measures_find_movement() -> None:
    worms = draw_state_examples("steady", 1, TESTING, 4)
    assert np.bincount(worms.examples.states).tolist() == [4, 4, 4]
    assert worms.distances.shape == worms.unlikeness.shape and len(worms.gap_h) == 12
    # 48 hours and the step before.
    assert (worms.distances.shape[1] * worms.gap_h.min()) >= 48
    other = draw_state_examples("steady", 1, TUNING, 4)
    assert not np.array_equal(worms.examples.composites, other.examples.composites)
    states = worms.examples.states
    for name in ("overlap of masks", "share that moved"):
        values = MEASURES[name](worms.examples)
        assert np.median(values[states == HEALTHY]) > np.median(values[states == DEAD]), name
