"""Scores of the sections of a stack: pixels and cells, at thresholds chosen on other sections."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.learning.intervals import Interval, bootstrap_interval
from snakescope.membranes.prediction.joining import basins_of, lines_between
from snakescope.membranes.scores.partitions import (
    OFFICIAL_THRESHOLDS,
    SectionScores,
    partition_scores,
    section_scores,
    true_cells,
)
from snakescope.membranes.scores.pixels import best_iou_threshold, counts_of, pixel_scores
from snakescope.step.progress import progress

THRESHOLDS = tuple(n / 20 for n in range(1, 20))
HEIGHTS = tuple(n / 20 for n in range(3, 17))
"""Mean probabilities of a border, below which basins may be joined."""

DEFAULT_THRESHOLD = 0.5
METRICS = (
    "iou", "pixel_error", "area_ratio", "v_rand", "v_info", "v_rand_joined", "v_info_joined",
    "v_rand_max", "v_info_max",
)  # fmt: skip
SEED = 1

Pair = tuple[NDArray[np.uint8], NDArray[np.bool_]]
"""Probability (bytes) and true membrane of a section, shape (Y, X) both."""


@dataclass(frozen=True)
class Thresholds:
    """Thresholds on the probability of membrane.

    Attributes:
        pixels: greatest mean IoU on the tuning sections.
        cells: greatest mean of V_Rand and V_Info there.
        joined: on the mean probability of a border, for basins that are joined: the same, of the
            mean over neighbouring heights, since one more merge of two large cells may cost much.
        tuned: whether there were tuning sections; else all are 0.5.
    """

    pixels: float
    cells: float
    joined: float
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


def joined_curve(sections: Sequence[Pair], heights: Sequence[float]) -> NDArray[np.float64]:
    """V_Rand and V_Info of basins joined below heights, shape (sections, heights, 2)."""
    rows = []
    for probability, membrane in progress(sections, "sections joined"):
        cells, basins = true_cells(membrane), basins_of(probability)
        found = (basins.joined(height) for height in heights)
        with_lines = (np.where(lines_between(one), 0, one) for one in found)
        rows.append([partition_scores(one, cells) for one in with_lines])
    return np.array(rows, np.float64)


def choose_thresholds(
    sections: Sequence[Pair], thresholds: Sequence[float] = THRESHOLDS
) -> Thresholds:
    """Choose thresholds on tuning sections."""
    if not sections:
        return Thresholds(DEFAULT_THRESHOLD, DEFAULT_THRESHOLD, DEFAULT_THRESHOLD, False)
    return Thresholds(
        pixels=best_iou_threshold([counts_of(*one) for one in sections], thresholds),
        cells=_best(cell_curve(sections, thresholds, "tuning sections"), thresholds),
        joined=best_height(joined_curve(sections, HEIGHTS)),
        tuned=True,
    )


def best_height(curve: NDArray[np.float64]) -> float:
    """That of ``HEIGHTS`` whose scores, with those of the heights next to it, are best on average.

    Args:
        curve: of :func:`joined_curve`.
    """
    padded = np.pad(curve, ((0, 0), (1, 1), (0, 0)), mode="edge")
    return _best((padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3, HEIGHTS)


def _best(curve: NDArray[np.float64], thresholds: Sequence[float]) -> float:
    """That of the greatest mean; the middle one where several are."""
    means = curve.mean(axis=(0, 2))
    best = np.flatnonzero(np.isclose(means, means.max()))
    return thresholds[int(best[(len(best) - 1) // 2])]


def score_sections(sections: Sequence[Pair], thresholds: Thresholds) -> pd.DataFrame:
    """Score test sections; a row a section with the columns ``METRICS``.

    ``v_rand_max`` and ``v_info_max`` are at the threshold of the challenge (0, 0.1, ... 1) that is
    best for the mean of these very sections: for comparison with published figures only.
    """
    curve = cell_curve(sections, (thresholds.cells, *OFFICIAL_THRESHOLDS), "test sections")
    best = curve[:, 1:].mean(axis=0).argmax(axis=0)
    joined = joined_curve(sections, (thresholds.joined,))
    rows = []
    for place, (probability, membrane) in enumerate(sections):
        pixels = pixel_scores(counts_of(probability, membrane), thresholds.pixels)
        tuned = SectionScores(*curve[place, 0])
        official = [float(curve[place, 1 + best[n], n]) for n in range(2)]
        rows.append([*pixels, *tuned, *joined[place, 0], *official])
    return pd.DataFrame(rows, columns=list(METRICS))


def means_of(scores: pd.DataFrame) -> dict[str, Interval]:
    """Mean of every metric over sections, with the bootstrap interval over sections.

    Neighbouring sections resemble each other, so that the intervals are rather too narrow.
    """
    numbers = np.arange(len(scores))

    def mean_of(values: NDArray[np.float64]) -> Interval:
        return bootstrap_interval(lambda rows: float(np.nanmean(values[rows])), numbers, SEED)

    known = [name for name in METRICS if name in scores]
    return {name: mean_of(scores[name].to_numpy(np.float64)) for name in known}
