"""Simulated embryologists: how forty persons grade a sperm from A (best) to E.

The quality of a sperm is cut by thresholds after a person's own bias and an error of each look are
added. Bias 0.5 and error 1.2 SD reproduce the published pairs of error and balanced accuracy.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

GRADES = ("A", "B", "C", "D", "E")
RATERS = 40
BIAS_SD, ERROR_SD = 0.5, 1.2
MARGINALS = np.array([0.10, 0.22, 0.30, 0.23, 0.15])
"""Share of each grade among all votes."""
THRESHOLDS = norm.ppf(np.cumsum(MARGINALS)[:-1]) * np.sqrt(1 + ERROR_SD**2 + BIAS_SD**2)
"""Of the negative quality: below the first is grade A."""


def biases(seed: int) -> NDArray[np.float64]:
    """The bias of each person, shape (40,)."""
    return np.random.default_rng([seed, 40]).normal(0, BIAS_SD, RATERS)


def votes(quality: float, bias: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """How many persons give each grade, shape (5,)."""
    seen = -quality + bias + ERROR_SD * rng.standard_normal(len(bias))
    return np.bincount(np.digitize(seen, THRESHOLDS), minlength=len(GRADES))


def expected(quality: ArrayLike, bias: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of each grade when one of the persons votes, shape (N, 5).

    No prediction from pixels does better on average; its error is the floor of the votes.
    """
    at = -np.atleast_1d(np.asarray(quality, np.float64))[:, None, None]
    below = norm.cdf((THRESHOLDS - at - bias[None, :, None]) / ERROR_SD)
    ends = np.zeros((*below.shape[:2], 1))
    return np.diff(np.concatenate([ends, below, ends + 1], axis=2), axis=2).mean(axis=1)
