"""Scores of a cross-validation: models side by side, with intervals by group and pictures."""

import argparse
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from snakescope.imaging.style import save_figure
from snakescope.learning import scores as of
from snakescope.learning.audit.images import grey_of, scaled
from snakescope.learning.cross_validation.folds import (
    PROBABILITY,
    add_score_options,
    read_predictions,
)
from snakescope.learning.figures import (
    Curve,
    Picture,
    confusion_figure,
    folds_figure,
    picture_sheet,
    reliability_figure,
    roc_figure,
)
from snakescope.learning.intervals import Interval, bootstrap_interval, paired_difference
from snakescope.learning.settings import ScoreSettings
from snakescope.learning.splits import read_items, read_splits, roles
from snakescope.step.tables import write_table

MAJORITY = "majority class"
SHOWN_ERRORS = 24
THUMBNAIL_PX = 160
PICTURES = ("confusion", "roc", "reliability", "folds", "errors")


class Score(NamedTuple):
    """A line of the table; ``p`` of differences only."""

    model: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    groups: int
    p: float = np.nan


class Predictions(NamedTuple):
    """What a model says of all items: truth (N,), probabilities (N, K), groups and folds (N,)."""

    truth: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    groups: NDArray[np.str_]
    folds: NDArray[np.int64]

    @property
    def named(self) -> NDArray[np.int64]:
        """The class of the greatest probability of each item."""
        return self.probabilities.argmax(axis=1)

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Counts, rows are true classes."""
        return of.confusion_matrix(self.truth, self.named, self.probabilities.shape[1])


def of_model(table: pd.DataFrame, model: str, classes: Sequence[str]) -> Predictions:
    """The predictions of one model in the table of all."""
    rows = table[table["model"] == model].sort_values("item")
    place = {name: number for number, name in enumerate(classes)}
    return Predictions(
        np.array([place[name] for name in rows["class"]], dtype=np.int64),
        rows[[f"{PROBABILITY}{name}" for name in classes]].to_numpy(np.float64),
        rows["group"].to_numpy(str),
        rows["fold"].to_numpy(np.int64),
    )


def majority(one: Predictions) -> Predictions:
    """What the most frequent class of the training items of each fold would score."""
    found = np.zeros_like(one.probabilities)
    for fold in np.unique(one.folds):
        test = one.folds == fold
        kept = one.truth[roles(one.folds, int(fold)) == "train"]
        found[test, np.bincount(kept, minlength=found.shape[1]).argmax()] = 1
    return one._replace(probabilities=found)


def scores_of(
    model: str, one: Predictions, classes: Sequence[str], settings: ScoreSettings
) -> Iterator[Score]:
    """Accuracy and what follows, with intervals by a bootstrap of groups; AUC of each class."""
    n, groups, count = len(one.truth), len(np.unique(one.groups)), len(classes)
    drawn = (one.groups, settings.seed, settings.resamples)

    def f_of(rows: NDArray[np.intp]) -> float:
        return of.macro_f(of.confusion_matrix(one.truth[rows], one.named[rows], count))

    def balanced(rows: NDArray[np.intp]) -> float:
        return of.balanced_accuracy(of.confusion_matrix(one.truth[rows], one.named[rows], count))

    right = one.named == one.truth
    measures = {
        "accuracy": lambda rows: float(right[rows].mean()),
        "balanced_accuracy": balanced,
        "macro_f": f_of,
        "brier": lambda rows: of.brier_score(one.probabilities[rows], one.truth[rows]),
    }
    for metric, measure in measures.items():
        yield Score(model, metric, *bootstrap_interval(measure, *drawn), n, groups)
    error = of.calibration_error(one.probabilities, one.truth)
    yield Score(model, "calibration_error", error, np.nan, np.nan, n, groups)
    for name, area in areas(one, classes, settings).items():
        yield Score(model, f"auc_{name}", *area, n, groups)


def areas(one: Predictions, classes: Sequence[str], settings: ScoreSettings) -> dict[str, Interval]:
    """AUC of each class against the rest, of two classes that of the second only.

    DeLong's interval where each item is a group of its own, else a bootstrap of groups.
    """
    found = {}
    for place, name in list(enumerate(classes))[1 if len(classes) == 2 else 0 :]:
        positive, score = one.truth == place, one.probabilities[:, place]
        if positive.all() or not positive.any():
            continue
        if len(np.unique(one.groups)) == len(one.groups):
            found[name] = of.auc(positive, score)
        else:
            found[name] = of.auc_of_groups(
                positive, score, one.groups, settings.seed, settings.resamples
            )
    return found


def differences(models: dict[str, Predictions], settings: ScoreSettings) -> Iterator[Score]:
    """Accuracy of the first model minus that of each other, paired, with the sign-flip p."""
    (first, best), *others = models.items()
    for model, other in others:
        found = paired_difference(
            best.named == best.truth, other.named == other.truth, best.groups, settings.seed,
            settings.resamples,
        )  # fmt: skip
        n, groups = len(best.truth), len(np.unique(best.groups))
        yield Score(f"{first} - {model}", "accuracy", *found[:3], n, groups, found.p)


def curves(
    models: dict[str, Predictions], classes: Sequence[str], settings: ScoreSettings
) -> dict[str, dict[str, Curve]]:
    """ROC curves by class and model."""
    found: dict[str, dict[str, Curve]] = {}
    for model, one in models.items():
        for name, area in areas(one, classes, settings).items():
            place = classes.index(name)
            positive, score = one.truth == place, one.probabilities[:, place]
            band = of.roc_band(positive, score, one.groups, settings.seed)
            found.setdefault(name, {})[model] = Curve(of.roc(positive, score), area, band)
    return found


def surest_errors(
    table: pd.DataFrame, classes: Sequence[str], items: pd.DataFrame
) -> list[Picture]:
    """The images that the first model is surest of and wrong about, surest first."""
    probabilities = table[[f"{PROBABILITY}{name}" for name in classes]].to_numpy(np.float64)
    named = np.array(classes)[probabilities.argmax(axis=1)]
    shown = table.assign(named=named, sure=probabilities.max(axis=1))
    wrong = shown[shown["named"] != shown["class"]].sort_values(
        ["sure", "item"], ascending=[False, True]
    )
    paths = dict(zip(items["item"], items["path"], strict=True))
    found = []
    for row in wrong.head(SHOWN_ERRORS).to_dict("records"):
        with Image.open(paths[row["item"]]) as image:
            grey = scaled(grey_of(image))
        small = Image.fromarray(grey)
        small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
        caption = f"{row['item']}\n{row['class']}, not {row['named']} ({row['sure']:.2f})"
        found.append(Picture(np.asarray(small), caption))
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_score_options(parser, PICTURES)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = ScoreSettings.model_validate_json(arguments.settings)
    table, classes = read_predictions(arguments.predictions, read_splits(arguments.splits))
    names = list(dict.fromkeys(table["model"]))
    models = {name: of_model(table, name, classes) for name in names}
    constant = majority(models[names[0]])
    rows = [
        *(row for name, one in models.items() for row in scores_of(name, one, classes, settings)),
        Score(MAJORITY, "accuracy", *of.accuracy(constant.confusion),
              len(constant.truth), len(np.unique(constant.groups))),
        *differences({**models, MAJORITY: constant}, settings),
    ]  # fmt: skip
    pooled = {row.model: Interval(row.value, row.low, row.high) for row in rows
              if row.metric == "accuracy"}  # fmt: skip
    by_fold = {
        name: [
            of.accuracy(
                of.confusion_matrix(
                    one.truth[one.folds == fold], one.named[one.folds == fold], len(classes)
                )
            )
            for fold in np.unique(one.folds)
        ]
        for name, one in models.items()
    }
    save_figure(
        confusion_figure({name: one.confusion for name, one in models.items()}, classes),
        arguments.confusion,
    )
    save_figure(roc_figure(curves(models, classes, settings)), arguments.roc)
    tables = {name: of.reliability(one.probabilities, one.truth) for name, one in models.items()}
    errors = {
        name: of.calibration_error(one.probabilities, one.truth) for name, one in models.items()
    }
    save_figure(reliability_figure(tables, errors), arguments.reliability)
    save_figure(folds_figure(by_fold, pooled, "accuracy (share)"), arguments.folds)
    first = table[table["model"] == names[0]]
    pictures = surest_errors(first, classes, read_items(arguments.items))
    save_figure(
        picture_sheet(pictures, f"{names[0]}: the errors it is surest of"), arguments.errors
    )
    write_table(arguments.table, table)
    write_table(arguments.scores, pd.DataFrame(rows, columns=list(Score._fields)))
