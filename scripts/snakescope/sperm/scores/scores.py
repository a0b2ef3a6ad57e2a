"""Scores of a cross-validation of networks that predict distributions over grades."""

import argparse
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.imaging.style import save_figure
from snakescope.learning.cross_validation.folds import (
    PROBABILITY,
    add_score_options,
    read_predictions,
)
from snakescope.learning.intervals import bootstrap_interval, paired_difference
from snakescope.learning.scores import risk_coverage
from snakescope.learning.splits import read_items, read_splits, roles
from snakescope.sperm.networks.catalogue import ABOUT
from snakescope.sperm.scores import metrics as of
from snakescope.sperm.scores.doubt import expected_errors
from snakescope.sperm.scores.figures import (
    agreement_figure,
    calibration_figure,
    errors_figure,
    risk_figure,
)
from snakescope.sperm.scores.settings import GradeScoreSettings
from snakescope.sperm.training.data import votes_of
from snakescope.sperm.videos.sheet import GRADES
from snakescope.step.errors import StepError
from snakescope.step.tables import write_table

MEAN = "mean predictor"
FLOOR = "floor of the raters"
PICTURES = ("folds", "agreement", "calibration", "risk")


class Score(NamedTuple):
    """A line of the table; ``p`` of differences only, ``sd`` over folds."""

    model: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    groups: int
    p: float = np.nan
    sd: float = np.nan


class Predicted(NamedTuple):
    """Of one network: predicted and true shares (N, 5), votes (N,), donors and folds (N,)."""

    shares: NDArray[np.float64]
    truth: NDArray[np.float64]
    votes: NDArray[np.float64]
    groups: NDArray[np.str_]
    folds: NDArray[np.int64]


def of_model(table: pd.DataFrame, model: str, truth: pd.Series) -> Predicted:
    """The predictions of one network, in the order of items.

    Args:
        truth: votes as text, by item.
    """
    rows = table[table["model"] == model].sort_values("item")
    counts = np.array([votes_of(truth[item]) for item in rows["item"]], np.float64)
    if (counts.sum(axis=1) == 0).any():
        raise StepError("items: expected votes on every clip of the cross-validation, found none")
    return Predicted(
        rows[[f"{PROBABILITY}{name}" for name in GRADES]].to_numpy(np.float64),
        counts / counts.sum(axis=1, keepdims=True),
        counts.sum(axis=1),
        rows["group"].to_numpy(str),
        rows["fold"].to_numpy(np.int64),
    )


def mean_predictor(one: Predicted) -> Predicted:
    """What the training clips of each fold got on average."""
    found = np.zeros_like(one.shares)
    for fold in np.unique(one.folds):
        kept = roles(one.folds, int(fold)) == "train"
        found[one.folds == fold] = one.truth[kept].mean(axis=0)
    return one._replace(shares=found)


def scores_of(model: str, one: Predicted, settings: GradeScoreSettings) -> Iterator[Score]:
    """All scores of a network, with intervals by a bootstrap of donors, and SDs over folds."""
    n, groups = len(one.shares), len(np.unique(one.groups))
    drawn = (one.groups, settings.seed, settings.resamples)
    found = of.errors(one.shares, one.truth)
    found["js_follow_up_e2"] = 100 * of.follow_up_js(one.shares, one.truth)
    for metric, values in found.items():
        by_fold = [values[one.folds == fold].mean() for fold in np.unique(one.folds)]

        def mean(rows: NDArray[np.intp], values: NDArray[np.float64] = values) -> float:
            return float(values[rows].mean())

        yield Score(
            model, metric, *bootstrap_interval(mean, *drawn), n, groups,
            sd=float(np.std(by_fold, ddof=1)),
        )  # fmt: skip
    share = explained(one)
    yield Score(model, "explained", *bootstrap_interval(share, *drawn), n, groups)
    measures: dict[str, Callable[[NDArray[np.intp]], float]] = {
        "balanced_accuracy": lambda rows: of.balanced_accuracy(one.shares[rows], one.truth[rows]),
        "balanced_accuracy_follow_up": lambda rows: of.balanced_accuracy(
            one.shares[rows], one.truth[rows], least=True
        ),
        "correlation": lambda rows: of.correlation(one.shares[rows], one.truth[rows]),
    }
    for metric, measure in measures.items():
        yield Score(model, metric, *bootstrap_interval(measure, *drawn), n, groups)
    inside = of.covered(one.shares, one.truth, one.folds).astype(float)
    covered = bootstrap_interval(lambda rows: float(inside[rows].mean()), *drawn)
    yield Score(model, "coverage_90", *covered, n, groups)
    squared, doubt = found["mse_e2"], doubts(one)

    def least_doubtful(rows: NDArray[np.intp]) -> float:
        kept, risk = risk_coverage(squared[rows], doubt[rows])
        return float(risk[int(np.searchsorted(kept, 0.7))])

    yield Score(model, "mse_at_70_coverage", *bootstrap_interval(least_doubtful, *drawn), n, groups)


def doubts(one: Predicted) -> NDArray[np.float64]:
    """The squared error that is expected of each clip, learnt on the other folds."""
    squared = of.errors(one.shares, one.truth)["mse_e2"]
    return expected_errors(one.shares, squared, one.folds)


def explained(one: Predicted) -> Callable[[NDArray[np.intp]], float]:
    """Share of what can be explained: 0 is the mean predictor, 1 the floor of the raters."""
    error = of.errors(one.shares, one.truth)["mse_e2"]
    constant = of.errors(mean_predictor(one).shares, one.truth)["mse_e2"]
    floor = 100 * of.floor_error(one.truth, one.votes)

    def share(rows: NDArray[np.intp]) -> float:
        whole = constant[rows].mean() - floor[rows].mean()
        return float((constant[rows].mean() - error[rows].mean()) / whole) if whole > 0 else np.nan

    return share


def differences(models: dict[str, Predicted], settings: GradeScoreSettings) -> Iterator[Score]:
    """Squared error of the first network minus that of each other, paired, by donor."""
    (first, best), *others = models.items()
    one = of.errors(best.shares, best.truth)["mse_e2"]
    for model, other in others:
        error = of.errors(other.shares, other.truth)["mse_e2"]
        found = paired_difference(one, error, best.groups, settings.seed, settings.resamples)
        groups = len(np.unique(best.groups))
        yield Score(f"{first} - {model}", "mse_e2", *found[:3], len(error), groups, found.p)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_score_options(parser, PICTURES)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = GradeScoreSettings.model_validate_json(arguments.settings)
    table, _ = read_predictions(arguments.predictions, read_splits(arguments.splits))
    items = read_items(arguments.items)
    truth = items.set_index("item")["truth"]
    names = list(dict.fromkeys(table["model"]))
    models = {name: of_model(table, name, truth) for name in names}
    first = models[names[0]]
    constant = mean_predictor(first)
    floor = 100 * of.floor_error(first.truth, first.votes)
    groups = len(np.unique(first.groups))
    rows = [
        *(row for name, one in models.items() for row in scores_of(name, one, settings)),
        *scores_of(MEAN, constant, settings),
        Score(FLOOR, "mse_e2", float(floor.mean()), np.nan, np.nan, len(floor), groups),
        *differences({**models, MEAN: constant}, settings),
    ]
    found = pd.DataFrame(rows, columns=list(Score._fields))
    found["paper"] = [
        ABOUT[row.model].paper if row.metric == "mse_e2" and row.model in ABOUT else ""
        for row in rows
    ]
    mse = {name: of.errors(one.shares, one.truth)["mse_e2"] for name, one in models.items()}
    save_figure(
        errors_figure(mse, first.folds, float(constant_error(constant)), float(floor.mean())),
        arguments.folds,
    )
    save_figure(agreement_figure(first.shares, first.truth, names[0]), arguments.agreement)
    save_figure(calibration_figure(first.shares, first.truth, names[0]), arguments.calibration)
    curves = {name: risk_coverage(mse[name], doubts(one)) for name, one in models.items()}
    save_figure(risk_figure(curves), arguments.risk)
    votes = table["item"].map(truth)
    write_table(arguments.table, table.assign(votes=votes))
    write_table(arguments.scores, found)


def constant_error(constant: Predicted) -> float:
    """Mean squared error (1e-2) of the mean predictor."""
    return float(of.errors(constant.shares, constant.truth)["mse_e2"].mean())
