"""Scores of classifiers, of probabilities, of ordered classes and of distributions over grades."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.spatial.distance import jensenshannon
from scipy.special import log_softmax
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

from snakescope.learning.intervals import (
    Difference,
    Interval,
    bootstrap_interval,
    rows_of_groups,
    wilson_interval,
)

TEMPERATURES = np.geomspace(0.3, 5.0, 200)


def confusion_matrix(
    truth: Sequence[int] | NDArray[np.integer],
    predicted: Sequence[int] | NDArray[np.integer],
    classes: int,
) -> NDArray[np.int64]:
    """Counts, shape (classes, classes): row = true class, column = predicted class.

    Raises:
        ValueError: the lengths differ, or a label lies outside 0 .. classes - 1.
    """
    true, guess = np.asarray(truth, dtype=np.int64), np.asarray(predicted, dtype=np.int64)
    if true.shape != guess.shape or true.ndim != 1:
        raise ValueError(
            f"labels of shapes {true.shape} and {guess.shape}, expected two equal rows"
        )
    if true.size and (min(true.min(), guess.min()) < 0 or max(true.max(), guess.max()) >= classes):
        raise ValueError(f"a label outside 0 .. {classes - 1}")
    # Not scikit-learn's, which refuses empty labels.
    return np.bincount(true * classes + guess, minlength=classes**2).reshape(classes, classes)


def f_scores(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 per class: 2 TP / (2 TP + FP + FN), 0 where nothing is there."""
    part = 2 * np.diag(confusion)
    whole = confusion.sum(axis=0) + confusion.sum(axis=1)
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)


def macro_f(confusion: NDArray[np.int64]) -> float:
    """Mean of the F1 of the classes, each weighing the same."""
    return float(f_scores(confusion).mean())


def accuracy(confusion: NDArray[np.int64]) -> Interval:
    """Share of the diagonal, with its 95 % Wilson interval; NaN of no items."""
    right, whole = int(np.trace(confusion)), int(confusion.sum())
    return Interval(right / whole if whole else np.nan, *wilson_interval(right, whole))


def balanced_accuracy(confusion: NDArray[np.int64]) -> float:
    """Mean recall of the classes that have items; NaN of no items."""
    whole = confusion.sum(axis=1)
    there = whole > 0
    return float((np.diag(confusion)[there] / whole[there]).mean()) if there.any() else np.nan


# ROC


class Roc(NamedTuple):
    """A ROC curve: shares of false and true positives at thresholds, from (0, 0) to (1, 1)."""

    false_positive: NDArray[np.float64]
    true_positive: NDArray[np.float64]
    threshold: NDArray[np.float64]


def _positive(truth: ArrayLike, score: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    positive, values = np.asarray(truth).astype(bool), np.asarray(score, dtype=np.float64)
    if positive.shape != values.shape or positive.ndim != 1:
        raise ValueError(f"truth {positive.shape} and score {values.shape}, expected equal rows")
    if positive.all() or not positive.any():
        raise ValueError("expected positive and negative items, found items of one kind")
    return positive, values


def roc(truth: ArrayLike, score: ArrayLike) -> Roc:
    """The ROC curve of ``score`` (N,) against ``truth`` (N,), true where positive.

    Raises:
        ValueError: the lengths differ, or items of one kind are missing.
    """
    return Roc(*metrics.roc_curve(*_positive(truth, score)))


def roc_band(
    truth: ArrayLike, score: ArrayLike, groups: ArrayLike, seed: int, resamples: int = 500
) -> pd.DataFrame:
    """95 % band of the ROC curve at given shares of false positives, by a bootstrap of groups.

    Pointwise, not for the curve as a whole; resamples of one kind are left out.

    Returns:
        Columns false_positive (0 to 1 in steps of 0.01), low, high (of true_positive).

    Raises:
        ValueError: the lengths differ, or items of one kind are missing.
    """
    positive, values = _positive(truth, score)
    rows = rows_of_groups(groups)
    rng = np.random.default_rng(seed)
    grid = np.linspace(0, 1, 101)
    curves = []
    for _ in range(resamples):
        drawn = np.concatenate([rows[one] for one in rng.integers(len(rows), size=len(rows))])
        if 0 < positive[drawn].sum() < len(drawn):
            one = roc(positive[drawn], values[drawn])
            # The upper end of each step: a curve rises where it has no width.
            place = np.searchsorted(one.false_positive, grid, side="right") - 1
            curves.append(one.true_positive[place])
    if not curves:
        curves = [np.full(len(grid), np.nan)]
    low, high = np.quantile(curves, [0.025, 0.975], axis=0)
    return pd.DataFrame({"false_positive": grid, "low": low, "high": high})


def _components(
    positive: NDArray[np.bool_], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """AUC (K,) of scores (K, N) and its covariance (K, K), by mid-ranks.

    Sun and Xu, IEEE Signal Process. Lett. 21 (2014) 1389-1393, algorithm 2.
    """
    yes, no = scores[:, positive], scores[:, ~positive]
    m, n = yes.shape[1], no.shape[1]
    both = stats.rankdata(np.hstack([yes, no]), axis=1)
    of_yes = (both[:, :m] - stats.rankdata(yes, axis=1)) / n
    of_no = 1 - (both[:, m:] - stats.rankdata(no, axis=1)) / m
    spread = [
        np.atleast_2d(np.cov(part)) / size if size > 1 else np.full((len(scores),) * 2, np.nan)
        for part, size in ((of_yes, m), (of_no, n))
    ]
    return of_yes.mean(axis=1), spread[0] + spread[1]


def auc(truth: ArrayLike, score: ArrayLike, confidence: float = 0.95) -> Interval:
    """Area under the ROC curve with DeLong's interval, cut to 0..1.

    DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988) 837-845, equation 5. The rows must be
    independent: one score a patient. The interval has no width where classes are separated.

    Raises:
        ValueError: the lengths differ, or items of one kind are missing.
    """
    positive, values = _positive(truth, score)
    area, variance = _components(positive, values[None])
    half = stats.norm.ppf(0.5 + confidence / 2) * np.sqrt(variance[0, 0])
    value = float(area[0])
    return Interval(value, float(np.maximum(0, value - half)), float(np.minimum(1, value + half)))


def auc_of_groups(
    truth: ArrayLike, score: ArrayLike, groups: ArrayLike, seed: int, resamples: int
) -> Interval:
    """Area under the ROC curve with an interval by a bootstrap of groups.

    For rows that are not independent. Resamples of one kind are left out.

    Args:
        truth: shape (N,), true where positive.
        score: shape (N,).
        groups: shape (N,), what is drawn; see
            :func:`snakescope.learning.intervals.bootstrap_interval`.

    Raises:
        ValueError: the lengths differ, or items of one kind are missing.
    """
    positive, values = _positive(truth, score)

    def area(rows: NDArray[np.intp]) -> float:
        both = 0 < positive[rows].sum() < len(rows)
        return auc(positive[rows], values[rows]).value if both else np.nan

    return bootstrap_interval(area, groups, seed, resamples)


def auc_difference(
    truth: ArrayLike, one: ArrayLike, other: ArrayLike, confidence: float = 0.95
) -> Difference:
    """AUC of ``one`` minus that of ``other`` on the same items, with DeLong's interval and test.

    Raises:
        ValueError: the lengths differ, or items of one kind are missing.
    """
    positive, first = _positive(truth, one)
    _, second = _positive(truth, other)
    area, cov = _components(positive, np.stack([first, second]))
    difference = float(area[0] - area[1])
    error = np.sqrt(max(float(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]), 0.0))
    half = float(stats.norm.ppf(0.5 + confidence / 2) * error)
    if error == 0:
        p = 1.0 if difference == 0 else 0.0
    else:
        p = float(2 * stats.norm.sf(abs(difference) / error))
    return Difference(difference, difference - half, difference + half, p)


# Calibration


def calibration_error(
    probabilities: NDArray[np.float64], truth: NDArray[np.integer], bins: int = 10
) -> float:
    """Expected calibration error: mean distance of confidence and accuracy over equal bins.

    Args:
        probabilities: shape (N, classes), rows sum to 1.
        truth: shape (N,), true classes.
    """
    error = 0.0
    for inside, confidence, right in _bins(probabilities, truth, bins):
        if inside.any():
            error += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    return float(error)


def _bins(
    probabilities: NDArray[np.float64], truth: NDArray[np.integer], bins: int
) -> list[tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.bool_]]]:
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    return [(which == one, confidence, right) for one in range(bins)]


def reliability(
    probabilities: NDArray[np.float64], truth: NDArray[np.integer], bins: int = 10
) -> pd.DataFrame:
    """Confidence against accuracy in equal bins of confidence; bins without items are left out.

    Args:
        probabilities: shape (N, classes), rows sum to 1.
        truth: shape (N,), true classes.

    Returns:
        Columns from, to (ends of the bin), items, confidence (mean), accuracy, low, high (95 %,
        Wilson).
    """
    rows = []
    for one, (inside, confidence, right) in enumerate(_bins(probabilities, truth, bins)):
        if inside.any():
            n, hits = int(inside.sum()), int(right[inside].sum())
            ends = (one / bins, (one + 1) / bins)
            mean = float(confidence[inside].mean())
            rows.append((*ends, n, mean, hits / n, *wilson_interval(hits, n)))
    columns = ["from", "to", "items", "confidence", "accuracy", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def best_temperature(logits: ArrayLike, truth: ArrayLike) -> float:
    """The temperature of least cross-entropy, from 0.3 to 5, in steps of 1.4 %.

    Guo et al., ICML 2017, section 4.2.

    Args:
        logits: shape (N, classes).
        truth: shape (N,), true classes.
    """
    values, true = np.asarray(logits, dtype=np.float64), np.asarray(truth, dtype=np.int64)
    rows = np.arange(len(true))
    losses = [-log_softmax(values / one, axis=1)[rows, true].mean() for one in TEMPERATURES]
    return round(float(TEMPERATURES[int(np.argmin(losses))]), 4)


def brier_score(probabilities: NDArray[np.float64], truth: NDArray[np.integer]) -> float:
    """Brier score, 0 to 2: mean over items of sum over classes of (probability - truth) ** 2."""
    wanted = np.eye(probabilities.shape[1])[truth]
    return float(((probabilities - wanted) ** 2).sum(axis=1).mean())


def calibration_line(probability: ArrayLike, truth: ArrayLike) -> tuple[float, float]:
    """Slope and intercept of the logistic regression of truth on the logit of a probability.

    1 and 0 where the probability is calibrated; a slope under 1 is too sure (Cox 1958).

    Args:
        probability: shape (N,), of the positive class.
        truth: shape (N,), true where positive.
    """
    positive, values = _positive(truth, probability)
    clipped = np.clip(values, 1e-6, 1 - 1e-6)
    logit = np.log(clipped / (1 - clipped))[:, None]
    fit: Any = LogisticRegression(C=np.inf, max_iter=1000, tol=1e-8).fit(logit, positive)
    return float(fit.coef_[0, 0]), float(fit.intercept_[0])


def risk_coverage(
    error: ArrayLike, doubt: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of items kept and their mean error, as the most doubtful are left out one by one.

    El-Yaniv and Wiener, J. Mach. Learn. Res. 11 (2010) 1605-1641, section 2.

    Args:
        error, doubt: shape (N,).
    """
    order = np.argsort(np.asarray(doubt), kind="stable")
    kept = np.arange(1, len(order) + 1)
    return kept / len(order), np.cumsum(np.asarray(error)[order]) / kept


# Ordered classes


def class_distance(confusion: NDArray[np.int64]) -> float:
    """Mean absolute error of ordered classes (classes); NaN of no items."""
    steps = np.abs(np.subtract.outer(np.arange(len(confusion)), np.arange(len(confusion))))
    whole = confusion.sum()
    return float((steps * confusion).sum() / whole) if whole else np.nan


def quadratic_kappa(truth: ArrayLike, predicted: ArrayLike, classes: int) -> float:
    """Cohen's kappa of ordered classes 0 .. classes - 1 with quadratic weights.

    Cohen, Psychol. Bull. 70 (1968) 213-220. NaN where both name one and the same class only.
    """
    if len(np.unique(np.concatenate([truth, predicted]))) < 2:
        return np.nan
    labels = np.arange(classes)
    return float(metrics.cohen_kappa_score(truth, predicted, labels=labels, weights="quadratic"))


# Distributions over ordered grades


def distribution_errors(predicted: ArrayLike, truth: ArrayLike) -> pd.DataFrame:
    """Errors of each predicted distribution over ordered grades.

    Args:
        predicted, truth: shape (N, grades), rows of shares that sum to 1.

    Returns:
        A row an item: ``squared`` and ``absolute`` (mean over grades), ``jensen_shannon``
        (divergence, not its root, in nats: 0 to ln 2), ``emd`` (earth mover's distance in
        grades, 0 to grades - 1) and ``mean_grade`` (predicted minus true mean grade, in grades).

    Raises:
        ValueError: the shapes differ, or a row is no distribution.
    """
    found, true = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    if found.shape != true.shape or found.ndim != 2:
        raise ValueError(f"distributions of shapes {found.shape} and {true.shape}")
    for rows in (found, true):
        if (rows < 0).any() or not np.allclose(rows.sum(axis=1), 1, atol=1e-4):
            raise ValueError("expected shares that sum to 1 in each row")
    difference = found - true
    return pd.DataFrame(
        {
            "squared": (difference**2).mean(axis=1),
            "absolute": np.abs(difference).mean(axis=1),
            "jensen_shannon": jensenshannon(found, true, axis=1) ** 2,
            "emd": np.abs(difference.cumsum(axis=1)[:, :-1]).sum(axis=1),
            "mean_grade": difference @ np.arange(found.shape[1]),
        }
    )
