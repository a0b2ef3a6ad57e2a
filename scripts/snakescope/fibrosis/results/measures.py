"""Scores of scans and patients at the two clinical thresholds, each with its interval."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from snakescope.fibrosis.classes import CLASSES, class_names, class_of
from snakescope.fibrosis.training.models import class_probabilities
from snakescope.learning import scores as of
from snakescope.learning.cross_validation.folds import PROBABILITY
from snakescope.learning.intervals import bootstrap_interval, wilson_interval

THRESHOLDS = {"ge_f2": 2, "ge_f4": 4}
DECISIONS = np.arange(0.05, 0.96, 0.01)


class Score(NamedTuple):
    """A row of the table of scores."""

    model: str
    unit: str
    metric: str
    value: float
    low: float
    high: float
    n: int


def with_thresholds(table: pd.DataFrame, classes: int) -> pd.DataFrame:
    """Add the probabilities of stages >= F2 and >= F4 to predictions (columns p_ge_f2, p_ge_f4)."""
    names = class_names(classes)
    found = table.copy()
    for name, least in THRESHOLDS.items():
        those = [
            f"{PROBABILITY}{label}"
            for label, stages in zip(names, CLASSES[classes], strict=True)
            if int(stages[0][1]) >= least
        ]
        found[f"p_{name}"] = found[those].sum(axis=1).clip(0, 1)
    return found


def of_patients(table: pd.DataFrame, pooling: str) -> pd.DataFrame:
    """One row a patient and model: logits of the thresholds, mean or largest over scans.

    Args:
        table: with ``p_ge_f2`` and ``p_ge_f4``, ``group`` and ``stage`` (0 to 4).
    """
    values = table.copy()
    names = [f"p_{name}" for name in THRESHOLDS]
    for name in names:
        values[name] = logit(values[name].clip(1e-4, 1 - 1e-4))
    grouped = values.groupby(["model", "group", "stage"], sort=True)
    found = grouped[names].agg(pooling).reset_index()
    for name in names:
        found[name] = expit(found[name])
    counted = grouped.size().reset_index(name="scans")
    return found.merge(counted, on=["model", "group", "stage"])


def threshold_scores(
    model: str, unit: str, table: pd.DataFrame, resamples: int, seed: int
) -> Iterator[Score]:
    """AUC, sensitivity, specificity, Brier score and calibration of each threshold.

    AUC of patients has both DeLong's interval (``auc``) and that of a bootstrap of patients
    (``auc_bootstrap``); of scans the bootstrap alone, since those of a patient are not independent.
    """
    stage, groups = table["stage"].to_numpy(int), table["group"].to_numpy(str)
    n = len(table)
    for name, least in THRESHOLDS.items():
        positive, score = stage >= least, table[f"p_{name}"].to_numpy(float)
        if positive.all() or not positive.any():
            continue
        if unit == "patient":
            yield Score(model, unit, f"auc_{name}", *of.auc(positive, score), n)
        drawn = of.auc_of_groups(positive, score, groups, seed, resamples)
        yield Score(model, unit, f"auc_bootstrap_{name}", *drawn, n)
        called = score >= 0.5
        for metric, those, right in (
            ("sensitivity", positive, called), ("specificity", ~positive, ~called),
        ):  # fmt: skip
            hits, whole = int((right & those).sum()), int(those.sum())
            yield Score(
                model, unit, f"{metric}_{name}", hits / whole, *wilson_interval(hits, whole), whole
            )
        brier = bootstrap_interval(
            lambda rows, s=score, p=positive: float(((s[rows] - p[rows]) ** 2).mean()),  # type: ignore[misc]
            groups, seed, resamples,
        )  # fmt: skip
        yield Score(model, unit, f"brier_{name}", *brier, n)
        if np.ptp(score) > 0:
            slope, intercept = of.calibration_line(score, positive)
            yield Score(model, unit, f"calibration_slope_{name}", slope, np.nan, np.nan, n)
            yield Score(model, unit, f"calibration_intercept_{name}", intercept, np.nan, np.nan, n)


def class_scores(
    model: str, table: pd.DataFrame, classes: int, resamples: int, seed: int
) -> Iterator[Score]:
    """Accuracy with the interval by patients, kappa, calibration error, Dice of the liver."""
    names = class_names(classes)
    values = table[[f"{PROBABILITY}{name}" for name in names]].to_numpy(float)
    truth = np.array([class_of(f"F{s}", classes) for s in table["stage"]])
    groups, n = table["group"].to_numpy(str), len(table)
    right = values.argmax(axis=1) == truth
    accuracy = bootstrap_interval(lambda rows: float(right[rows].mean()), groups, seed, resamples)
    yield Score(model, "scan", "accuracy", *accuracy, n)
    kappa = of.quadratic_kappa(truth, values.argmax(axis=1), len(names))
    yield Score(model, "scan", "quadratic_kappa", kappa, np.nan, np.nan, n)
    error = of.calibration_error(values, truth)
    yield Score(model, "scan", "ece", error, np.nan, np.nan, n)
    there = table["dice"].notna().to_numpy() if "dice" in table else np.zeros(n, bool)
    if there.any():
        dice = table["dice"].to_numpy(float)[there]
        interval = bootstrap_interval(
            lambda rows: float(dice[rows].mean()), groups[there], seed, resamples
        )
        yield Score(model, "scan", "dice", *interval, int(there.sum()))


def net_benefit(
    positive: NDArray[np.bool_], score: NDArray[np.float64], at: NDArray[np.float64] = DECISIONS
) -> pd.DataFrame:
    """Net benefit of calling scores at or above a threshold positive, and of calling all so.

    Vickers and Elkin, Med. Decis. Making 26 (2006) 565-574: TP / n - FP / n * t / (1 - t).

    Returns:
        Columns threshold, model, all (net benefit, 1 = all true positives found).
    """
    n, odds = len(score), at / (1 - at)
    called = score[None] >= at[:, None]
    true, false = (called & positive).sum(1) / n, (called & ~positive).sum(1) / n
    share = positive.mean()
    return pd.DataFrame(
        {"threshold": at, "model": true - false * odds, "all": share - (1 - share) * odds}
    )


def by_quality(table: pd.DataFrame, right: NDArray[np.bool_]) -> pd.DataFrame:
    """Accuracy of thirds of the scans by the Dice of their liver: the paper's claim, tested.

    Kang et al. (discussion) hold that the segmentation tells how far the class can be trusted.

    Returns:
        Columns third, dice (mean), accuracy, low, high (Wilson), n; empty without Dice.
    """
    dice = table["dice"].to_numpy(float) if "dice" in table else np.full(len(table), np.nan)
    there = np.flatnonzero(np.isfinite(dice))
    rows = []
    if len(there) >= 3:
        order = there[np.argsort(dice[there], kind="stable")]
        for name, part in zip(
            ("lowest", "middle", "highest"), np.array_split(order, 3), strict=True
        ):
            hits = int(right[part].sum())
            ends = wilson_interval(hits, len(part))
            rows.append((name, float(dice[part].mean()), hits / len(part), *ends, len(part)))
    return pd.DataFrame(rows, columns=["third", "dice", "accuracy", "low", "high", "n"])


def confusions(table: pd.DataFrame, classes: int) -> dict[str, tuple[NDArray[np.int64], list[str]]]:
    """Confusion matrices for 3, 4 and 5 classes, as far as a model tells them apart."""
    stage = table["stage"].to_numpy(int)
    thresholds = [f"ge_F{k}" for k in range(1, 5)]
    ordered = all(name in table and table[name].notna().all() for name in thresholds)
    found = {}
    for count in CLASSES:
        names = class_names(count)
        if count == classes:
            values = table[[f"{PROBABILITY}{name}" for name in names]].to_numpy(float)
        elif ordered:
            values = class_probabilities(table[thresholds].to_numpy(float), count)
        else:
            continue
        truth = np.array([class_of(f"F{s}", count) for s in stage])
        counts = of.confusion_matrix(truth, values.argmax(axis=1), len(names))
        found[f"{count} classes"] = (counts, names)
    return found


def in_doubt(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Scans whose probability at a threshold lies between 0.4 and 0.6."""
    values = table[[f"p_{name}" for name in THRESHOLDS]].to_numpy(float)
    return np.asarray(((values > 0.4) & (values < 0.6)).any(axis=1))
