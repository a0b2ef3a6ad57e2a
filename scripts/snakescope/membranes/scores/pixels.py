"""Scores of membrane pixels at every threshold, from one histogram.

Probabilities are bytes; a pixel is membrane where its byte is at least 255 times the threshold.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEVELS = 256


class PixelScores(NamedTuple):
    """Scores of a section at a threshold.

    Attributes:
        iou: intersection over union of membrane pixels; 1 where there is none in either.
        pixel_error: share of pixels that are told wrongly.
        area_ratio: predicted by true membrane pixels; NaN without true ones.
    """

    iou: float
    pixel_error: float
    area_ratio: float


def level_of(threshold: float) -> int:
    """The smallest byte that is membrane at a threshold."""
    return int(np.ceil(np.round(threshold * (LEVELS - 1), 6)))


def counts_of(probability: NDArray[np.uint8], membrane: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Pixels of every byte, shape (2, 256): outside of membranes, on membranes."""
    return np.stack(
        [np.bincount(probability[membrane == value], minlength=LEVELS) for value in (False, True)]
    )


def pixel_scores(counts: NDArray[np.int64], threshold: float) -> PixelScores:
    """Scores by the histogram of :func:`counts_of`."""
    level = level_of(threshold)
    false, true = counts[:, level:].sum(axis=1).tolist()
    missed = int(counts[1, :level].sum())
    total, of_truth = int(counts.sum()), true + missed
    union = of_truth + false
    return PixelScores(
        iou=true / union if union else 1.0,
        pixel_error=(false + missed) / total,
        area_ratio=(true + false) / of_truth if of_truth else float("nan"),
    )


def best_iou_threshold(counts: Sequence[NDArray[np.int64]], thresholds: Sequence[float]) -> float:
    """The threshold of the greatest mean IoU over sections; the middle one where several are."""
    means = [np.mean([pixel_scores(one, t).iou for one in counts]) for t in thresholds]
    best = np.flatnonzero(np.isclose(means, max(means)))
    return thresholds[int(best[(len(best) - 1) // 2])]
