"""The worms on which the methods of table 5 are compared: composites, grey values, earlier frames.

The earlier method of Matsuo et al. (section 2.2.2) looks at consecutive frames up to 48 hours back,
so worms are followed that long: from the mask of the frame in question to the nearest of the frame
before, and on from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.simulation.life_course import DEAD, HEALTHY, IMMOBILE
from snakescope.healthspan.training.evidence_examples import (
    UNSTEADY,
    EvidenceExamples,
    PixelRanges,
    draw_lived_scene,
    examples_of,
)
from snakescope.healthspan.training.example_ranges import HELD_OUT, ExampleRanges
from snakescope.imaging.masks import Instance

Floats = NDArray[np.float64]

SETS: dict[str, ExampleRanges] = {"steady": HELD_OUT, "unsteady": UNSTEADY}
"""Masks as the detector draws them on plates like those of its training, and on unlike ones."""

TUNING, TESTING = 1, 2
EARLIER_H = 48.0
"""A worm is dead that has been immobile for so long (h), by the earlier method."""


@dataclass(frozen=True)
class StateExamples:
    """Worms of one set.

    Attributes:
        examples: composites (N, 128, 128, 3), shares that moved (N, 2), states (N,).
        scenes: number of each worm's scene (N,).
        distances: px from each frame's mask to the nearest of the frame before, (N, steps), the
            latest first; infinite where there is none.
        unlikeness: difference of shape (OpenCV's I1) of the same pairs, (N, steps).
        gap_h: time (h) between frames (N,).
    """

    examples: EvidenceExamples
    scenes: NDArray[np.int64]
    distances: Floats
    unlikeness: Floats
    gap_h: Floats


def shape_difference(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Difference of two masks by their Hu moments (OpenCV's I1).

    Masks count 255 a pixel: at 1 the first moment of a worm is near 1, where I1 has a pole.
    """
    first, second = (np.where(mask, np.uint8(255), np.uint8(0)) for mask in (one, other))
    return float(cv2.matchShapes(first, second, cv2.CONTOURS_MATCH_I1, 0))


def steps_back(
    worm: Instance, earlier: Sequence[Sequence[Instance]]
) -> tuple[list[float], list[float]]:
    """Distance and unlikeness of a worm to the nearest mask of each earlier frame in turn.

    Args:
        earlier: the masks of the frames before, the latest first.
    """
    distances, unlikeness = [], []
    at: Instance | None = worm
    for frame in earlier:
        if at is None or not frame:
            distances.append(np.inf)
            unlikeness.append(np.inf)
            at = None
            continue
        away = [float(np.hypot(*np.subtract(one.centroid, at.centroid))) for one in frame]
        nearest = int(np.argmin(away))
        distances.append(away[nearest])
        unlikeness.append(shape_difference(at.mask, frame[nearest].mask))
        at = frame[nearest]
    return distances, unlikeness


def draw_state_examples(name: str, seed: int, purpose: int, per_state: int) -> StateExamples:
    """Draw ``per_state`` worms of each state of a set; no two purposes share a scene."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, list(SETS).index(name), purpose]))
    missing = {HEALTHY: per_state, IMMOBILE: per_state, DEAD: per_state}
    scenes: list[EvidenceExamples] = []
    numbers: list[int] = []
    gaps: list[float] = []
    chains: list[tuple[list[float], list[float]]] = []
    while any(missing.values()):
        lived = draw_lived_scene(rng, SETS[name], PixelRanges(), EARLIER_H + 24)
        drawn, worms = examples_of(rng, lived, SETS[name], PixelRanges())
        kept = []
        for row, state in enumerate(drawn.states.tolist()):
            if missing[state]:
                missing[state] -= 1
                kept.append(row)
                chains.append(steps_back(worms[row], lived.frames[-3::-1]))
                gaps.append(24 * lived.plate.gap_d)
        numbers += [len(scenes)] * len(kept)
        scenes.append(
            EvidenceExamples(drawn.composites[kept], drawn.moved[kept], drawn.states[kept])
        )
    longest = max(len(one) for one, _ in chains)
    padded = [[one + [np.inf] * (longest - len(one)) for one in pair] for pair in chains]
    table = np.array(padded, dtype=np.float64)
    return StateExamples(
        joined(scenes), np.array(numbers), table[:, 0], table[:, 1], np.array(gaps)
    )


def joined(parts: Sequence[EvidenceExamples]) -> EvidenceExamples:
    """All examples in one."""
    return EvidenceExamples(
        np.concatenate([one.composites for one in parts]),
        np.concatenate([one.moved for one in parts]),
        np.concatenate([one.states for one in parts]),
    )
