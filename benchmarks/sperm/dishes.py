"""Sperm ranked within simulated dishes by the shipped weights, which saw other dishes.

    python -m benchmarks.sperm.dishes [--dishes 20] [--more 100] [--each 20]

writes docs/tables/sperm-dishes.tsv, of ``dishes`` and, so that intervals say something, of
``more_dishes``, which are others: Kendall's tau of predicted mean grades and those of the votes,
how often the best by true quality is among the first three, how often the 90 % interval of the card
holds the mean grade of the votes, and the error when the 30 % of which most error is expected, as
learnt on other dishes, are left out. One network
trained once on a few hundred simulated clips of 64 px: not the cross-validation of the compact
protocol.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy import stats

from benchmarks import ROOT
from benchmarks.sperm import COLUMNS
from snakescope.learning.intervals import bootstrap_interval
from snakescope.learning.scores import risk_coverage
from snakescope.sperm.results.grade import Residuals, residuals_of
from snakescope.sperm.results.train_grader import Dishes, simulated_dishes
from snakescope.sperm.scores import metrics as of
from snakescope.sperm.scores.doubt import expected_errors
from snakescope.sperm.training.predict import graded, network_of
from snakescope.step.command import run_step
from snakescope.step.tables import write_table

SET, MORE = "dishes", "more_dishes"
Score = tuple[str, str, str, float, float, float, int]


def rows_of(
    dishes: Dishes,
    shares: NDArray[np.float64],
    spread: Residuals,
    set_: str = SET,
    resamples: int = 500,
) -> Iterator[Score]:
    """All scores, with 95 % intervals by a bootstrap of dishes.

    Args:
        shares: predicted distributions, (N, 5).
        spread: errors of clips of other dishes, as the weights state them.
    """
    truth = dishes.clips.votes / dishes.clips.votes.sum(axis=1, keepdims=True)
    given, true = of.mean_grade(shares), of.mean_grade(truth)
    members = [np.flatnonzero(dishes.dishes == name) for name in np.unique(dishes.dishes)]
    tau = np.array([stats.kendalltau(given[one], true[one]).statistic for one in members])
    best = np.array(
        [np.argmax(dishes.quality[one]) in np.argsort(given[one], kind="stable")[:3]
         for one in members], float
    )  # fmt: skip
    squared = of.errors(shares, truth)["mse_e2"]
    mean = of.errors(np.tile(truth.mean(axis=0), (len(truth), 1)), truth)["mse_e2"]
    inside = (true - given >= spread.low) & (true - given <= spread.high)
    each = np.arange(len(members))
    for who, metric, values, groups in (
        ("ours", "kendall_tau", tau, each), ("ours", "best_in_three", best, each),
        ("ours", "mse_e2", squared, dishes.dishes),
        ("mean_predictor", "mse_e2", mean, dishes.dishes),
        ("ours", "coverage_90", inside.astype(float), dishes.dishes),
    ):  # fmt: skip
        found = bootstrap_interval(lambda at, v=values: float(v[at].mean()), groups, 1, resamples)  # type: ignore[misc]
        yield set_, who, metric, *found, len(values)
    doubt = expected_errors(shares, squared, np.unique(dishes.dishes, return_inverse=True)[1] % 5)
    kept, risk = risk_coverage(squared, doubt)
    at = int(np.searchsorted(kept, 0.7))
    yield set_, "ours", "mse_at_70_coverage", float(risk[at]), np.nan, np.nan, len(squared)
    accuracy = of.balanced_accuracy(shares, truth)
    yield set_, "ours", "balanced_accuracy", accuracy, np.nan, np.nan, len(squared)
    yield set_, "ours", "correlation", of.correlation(shares, truth), np.nan, np.nan, len(squared)


def main() -> None:
    """Draw the dishes, grade them, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--dishes", type=int, default=20, help="simulated dishes (count)")
    parser.add_argument("--more", type=int, default=100, help="further dishes (count)")
    parser.add_argument("--each", type=int, default=20, help="sperm of a dish (count)")
    parser.add_argument("--weights", default=str(ROOT / "resources/models/sperm/ours.safetensors"))
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/sperm-dishes.tsv")
    options = parser.parse_args()
    torch.set_num_threads(1)
    network, size_px = network_of(options.weights, torch.device("cpu"))
    rows: list[Score] = []
    first = 0
    for set_, count in ((SET, options.dishes), (MORE, options.more)):
        names = [f"ranked_{number}" for number in range(first, first + count)]
        first += count
        if names:
            dishes = simulated_dishes(names, options.each, size_px)
            shares = graded(network, dishes.clips)
            rows += rows_of(dishes, shares, residuals_of(options.weights), set_)
    write_table(options.table, pd.DataFrame(rows, columns=COLUMNS))


if __name__ == "__main__":
    run_step(main)
