"""Figures of merit of a classifier, with their uncertainty."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm


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
    return np.bincount(true * classes + guess, minlength=classes**2).reshape(classes, classes)


def f_scores(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 per class: 2 TP / (2 TP + FP + FN), 0 where nothing is there."""
    part = 2 * np.diag(confusion)
    whole = confusion.sum(axis=0) + confusion.sum(axis=1)
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)


def macro_f(confusion: NDArray[np.int64]) -> float:
    """Mean of the F1 of the classes, each weighing the same."""
    return float(f_scores(confusion).mean())


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of a proportion; (0, 1) without any trial."""
    if trials == 0:
        return 0.0, 1.0
    z = float(norm.ppf(0.5 + confidence / 2))
    share = successes / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def calibration_error(
    probabilities: NDArray[np.float64], truth: NDArray[np.integer], bins: int = 10
) -> float:
    """Expected calibration error: mean distance of confidence and accuracy over equal bins.

    Args:
        probabilities: shape (N, classes), rows sum to 1.
        truth: shape (N,), true classes.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for one in range(bins):
        inside = which == one
        if inside.any():
            error += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    return float(error)
