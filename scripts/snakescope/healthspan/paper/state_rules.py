"""Rules of two thresholds that tell the states, tuned on worms of other scenes.

The shape of table 5 (Hu moments), the overlap of the masks, the share of a body that moved by its
grey values, and the earlier method of Matsuo et al. (section 2.2.2).
"""

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.paper.state_examples import EARLIER_H, StateExamples, shape_difference
from snakescope.healthspan.simulation.life_course import DEAD, HEALTHY, IMMOBILE
from snakescope.healthspan.states.fusion import both_sides
from snakescope.healthspan.training.evidence_examples import EvidenceExamples
from snakescope.learning.scores import confusion_matrix, macro_f

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNLIKE = 9.0
"""Difference of shape to an empty mask: greater than that of any two worms."""


def hu_difference(examples: EvidenceExamples) -> Floats:
    """Greatest difference of the worm's shape to that of either neighbour (N,)."""
    return np.array(
        [
            max(
                shape_difference(one[:, :, side] > 127, one[:, :, 1] > 127)
                if one[:, :, side].any()
                else UNLIKE
                for side in (0, 2)
            )
            for one in examples.composites
        ]
    )


def not_shared(examples: EvidenceExamples) -> Floats:
    """1 - intersection over union of the masks with either neighbour, the greatest (N,)."""
    bits = examples.composites > 127
    at = bits[..., 1]
    sides = []
    for side in (0, 2):
        both = (bits[..., side] & at).sum(axis=(1, 2))
        sides.append(1 - both / np.maximum((bits[..., side] | at).sum(axis=(1, 2)), 1))
    return np.asarray(np.max(sides, axis=0), dtype=np.float64)


def moved_share(examples: EvidenceExamples) -> Floats:
    """The lesser share of the body that moved, by the grey values (N,)."""
    return np.asarray(both_sides(examples.moved).min(axis=1), dtype=np.float64)


MEASURES: dict[str, Callable[[EvidenceExamples], Floats]] = {
    "Hu moments": hu_difference,
    "overlap of masks": not_shared,
    "share that moved": moved_share,
}
"""Measures of movement, by the name of the method that puts two thresholds to it."""


def by_thresholds(values: Floats, low: float, high: float) -> Ints:
    """Dead below ``low``, healthy from ``high`` on, else immobile; indices of states (N,)."""
    return np.where(values < low, DEAD, np.where(values >= high, HEALTHY, IMMOBILE))


def tuned(values: Floats, states: Ints) -> tuple[float, float]:
    """The two thresholds with the best macro F."""
    grid = np.unique(np.quantile(values, np.linspace(0.02, 0.98, 33)))
    grid = np.append(grid, np.nextafter(grid[0], np.inf))
    scored = [
        (macro_f(confusion_matrix(states, by_thresholds(values, a, b), 3)), float(a), float(b))
        for a, b in product(grid, grid)
        if a <= b
    ]
    return max(scored)[1:]


def by_duration(worms: StateExamples, near_px: float, unlike: float) -> Ints:
    """States (N,) by the earlier method: immobile while near and alike, dead after 48 hours.

    A worm is immobile if the nearest one of the frame before is nearer than ``near_px`` and its
    shape differs by less than ``unlike``; it is dead if it was first immobile 48 hours ago.
    """
    alike = (worms.distances < near_px) & (worms.unlikeness < unlike)
    steps = np.cumprod(alike, axis=1).sum(axis=1)
    since_h = (steps - 1) * worms.gap_h
    return np.where(steps == 0, HEALTHY, np.where(since_h >= EARLIER_H, DEAD, IMMOBILE))


def tuned_duration(worms: StateExamples) -> tuple[float, float]:
    """Distance (px) and unlikeness with the best macro F of :func:`by_duration`."""
    first = worms.unlikeness[:, 0]
    grid = np.unique(np.quantile(first[np.isfinite(first)], np.linspace(0.05, 0.98, 25)))
    states = worms.examples.states
    scored = [
        (
            macro_f(confusion_matrix(states, by_duration(worms, near, unlike), 3)),
            near,
            float(unlike),
        )
        for near, unlike in product((5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 70.0), grid)
    ]
    return max(scored)[1:]
