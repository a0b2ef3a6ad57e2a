"""Errors of predicted distributions over the grades A to E, and what they are held against.

The mean predictor says of every clip what the training clips got on average. The floor is the error
that remains when the true distribution is known, since 40 persons are a sample: with n votes a
share p varies by p (1 - p) / n.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from snakescope.learning.scores import distribution_errors

Shares = NDArray[np.float64]
GRADE_VALUES = np.arange(5.0)
"""A is 0, E is 4."""


def mean_grade(shares: Shares) -> NDArray[np.float64]:
    """Mean grade, shape (N,), 0 (A) to 4 (E)."""
    return np.asarray(shares @ GRADE_VALUES)


def floor_error(truth: Shares, votes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared error that sampling the voters alone would make, shape (N,), mean over grades.

    The unbiased estimate p (1 - p) / (n - 1) of the variance of each share.

    Args:
        votes: number of votes of each clip, shape (N,).
    """
    spread = truth * (1 - truth)
    return np.asarray(spread.mean(axis=1) / np.maximum(votes - 1, 1))


def errors(predicted: Shares, truth: Shares) -> dict[str, NDArray[np.float64]]:
    """Error of each clip by name: mse_e2, js_e2 (true divergence, nats), emd (grades)."""
    found = distribution_errors(predicted, truth)
    return {
        "mse_e2": 100 * found["squared"].to_numpy(),
        "js_e2": 100 * found["jensen_shannon"].to_numpy(),
        "emd": found["emd"].to_numpy(),
    }


def follow_up_js(predicted: Shares, truth: Shares) -> NDArray[np.float64]:
    """The divergence as the code of the paper's follow-up computes it: KL(p, m) + KL(q, m) / 2.

    For comparison with its published figures only; the Jensen-Shannon divergence halves both.
    """
    middle = (predicted + truth) / 2

    def kl(p: Shares) -> NDArray[np.float64]:
        inside = p > 0
        terms = np.where(inside, p * np.log(np.where(inside, p, 1) / middle), 0.0)
        return np.asarray(terms.sum(axis=1))

    return kl(predicted) + kl(truth) / 2


def balanced_accuracy(predicted: Shares, truth: Shares, least: bool = False) -> float:
    """Mean over grades of the share of clips whose most frequent grade is predicted.

    Args:
        least: of the least frequent one, as the follow-up's code has it by an ascending sort.
    """
    of = (lambda p: p.argmin(axis=1)) if least else (lambda p: p.argmax(axis=1))
    true, named = of(truth), of(predicted)
    return float(np.mean([(named[true == grade] == grade).mean() for grade in np.unique(true)]))


def correlation(predicted: Shares, truth: Shares) -> float:
    """Pearson correlation of mean grades; NaN where all predictions are equal."""
    one, other = mean_grade(predicted), mean_grade(truth)
    if np.ptp(one) < 1e-9 or np.ptp(other) < 1e-9:
        return np.nan
    return float(np.corrcoef(one, other)[0, 1])


def covered(predicted: Shares, truth: Shares, folds: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the mean grade of each clip lies in its 90 % interval.

    The spread of a fold is that of the residuals of all other folds, so no clip sets its own.
    """
    residual = mean_grade(truth) - mean_grade(predicted)
    inside = np.zeros(len(folds), bool)
    for fold in np.unique(folds):
        test = folds == fold
        others = residual[~test]
        low, high = np.quantile(others, [0.05, 0.95]) if len(others) else (-np.inf, np.inf)
        inside[test] = (residual[test] >= low) & (residual[test] <= high)
    return inside


def entropy(shares: Shares) -> NDArray[np.float64]:
    """Entropy of each distribution (nats)."""
    return np.asarray(stats.entropy(np.maximum(shares, 1e-12), axis=1))
