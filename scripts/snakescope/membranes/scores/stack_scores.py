"""Scores of the sections of a stack: pixels and cells, at thresholds chosen on other sections."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.learning.intervals import Interval, bootstrap_interval
from snakescope.membranes.scores.partitions import (
    OFFICIAL_THRESHOLDS,
    SectionScores,
    section_scores,
    true_cells,
)
from snakescope.membranes.scores.pixels import best_iou_threshold, counts_of, pixel_scores
from snakescope.step.progress import progress

THRESHOLDS = tuple(n / 20 for n in range(1, 20))
DEFAULT_THRESHOLD = 0.5
METRICS = ("iou", "pixel_error", "area_ratio", "v_rand", "v_info", "v_rand_max", "v_info_max")
SEED = 1

Pair = tuple[NDArray[np.uint8], NDArray[np.bool_]]
"""Probability (bytes) and true membrane of a section, shape (Y, X) both."""


@dataclass(frozen=True)
class Thresholds:
    """Thresholds on the probability of membrane.

    Attributes:
        pixels: greatest mean IoU on the tuning sections.
        cells: greatest mean of V_Rand and V_Info there.
        tuned: whether there were tuning sections; else both are 0.5.
    """

    pixels: float
    cells: float
    tuned: bool


def cell_curve(
    sections: Sequence[Pair], thresholds: Sequence[float], what: str = "sections"
) -> NDArray[np.float64]:
    """V_Rand and V_Info, shape (sections, thresholds, 2)."""
    rows = []
    for probability, membrane in progress(sections, f"{what} scored"):
        cells = true_cells(membrane)
        rows.append([section_scores(probability, cells, one) for one in thresholds])
    return np.array(rows, np.float64)


def choose_thresholds(
    sections: Sequence[Pair], thresholds: Sequence[float] = THRESHOLDS
) -> Thresholds:
    """Choose thresholds on tuning sections."""
    if not sections:
        return Thresholds(DEFAULT_THRESHOLD, DEFAULT_THRESHOLD, False)
    means = cell_curve(sections, thresholds, "tuning sections").mean(axis=(0, 2))
    best = np.flatnonzero(np.isclose(means, means.max()))
    return Thresholds(
        pixels=best_iou_threshold([counts_of(*one) for one in sections], thresholds),
        cells=thresholds[int(best[(len(best) - 1) // 2])],
        tuned=True,
    )


def score_sections(sections: Sequence[Pair], thresholds: Thresholds) -> pd.DataFrame:
    """Score test sections; a row a section with the columns ``METRICS``.

    ``v_rand_max`` and ``v_info_max`` are at the threshold of the challenge (0, 0.1, ... 1) that is
    best for the mean of these very sections: for comparison with published figures only.
    """
    curve = cell_curve(sections, (thresholds.cells, *OFFICIAL_THRESHOLDS), "test sections")
    best = curve[:, 1:].mean(axis=0).argmax(axis=0)
    rows = []
    for place, (probability, membrane) in enumerate(sections):
        pixels = pixel_scores(counts_of(probability, membrane), thresholds.pixels)
        tuned = SectionScores(*curve[place, 0])
        official = [float(curve[place, 1 + best[n], n]) for n in range(2)]
        rows.append([*pixels, *tuned, *official])
    return pd.DataFrame(rows, columns=list(METRICS))


def means_of(scores: pd.DataFrame) -> dict[str, Interval]:
    """Mean of every metric over sections, with the bootstrap interval over sections.

    Neighbouring sections resemble each other, so that the intervals are rather too narrow.
    """
    numbers = np.arange(len(scores))

    def mean_of(values: NDArray[np.float64]) -> Interval:
        return bootstrap_interval(lambda rows: float(np.nanmean(values[rows])), numbers, SEED)

    return {name: mean_of(scores[name].to_numpy(np.float64)) for name in METRICS}
