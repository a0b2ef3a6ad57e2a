"""Intervals and tests that say how sure a figure is.

Items of one patient, donor or plate resemble each other, so that they are resampled, and their
signs flipped, group by group.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

RESAMPLES = 2000


class Interval(NamedTuple):
    """A figure with the ends of its confidence interval."""

    value: float
    low: float
    high: float


class Difference(NamedTuple):
    """A paired difference, the ends of its confidence interval and its two-sided p value."""

    value: float
    low: float
    high: float
    p: float


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of a proportion; (0, 1) without any trial.

    Raises:
        ValueError: not 0 <= successes <= trials.
    """
    if trials == 0 and successes == 0:
        return 0.0, 1.0
    found = stats.binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    return float(found.low), float(found.high)


def rows_of_groups(groups: ArrayLike) -> list[NDArray[np.intp]]:
    """Row numbers of each group, in the order of their first rows.

    Not in that of their names: pseudonyms of patients are others on every machine.
    """
    codes, names = pd.factorize(np.asarray(groups))
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.searchsorted(codes[order], np.arange(1, len(names))))


def bootstrap_interval(
    statistic: Callable[[NDArray[np.intp]], float],
    groups: ArrayLike,
    seed: int,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
) -> Interval:
    """Percentile interval of a statistic, resampling whole groups (cluster bootstrap).

    Field and Welsh, J. R. Stat. Soc. B 69 (2007) 369-390, section 2. Resamples in which the
    statistic is not defined, such as an AUC of one class, are left out.

    Args:
        statistic: of the rows given by their numbers; NaN where it is not defined.
        groups: shape (N,), the group of each row.
        seed: of the resampling.
        resamples: count.
        confidence: share of the interval, 0 to 1.

    Returns:
        The statistic of all rows; low and high are NaN with a single group.
    """
    rows = rows_of_groups(groups)
    value = float(statistic(np.arange(sum(len(one) for one in rows))))
    if len(rows) < 2:
        return Interval(value, np.nan, np.nan)

    def of_groups(drawn: NDArray[np.intp]) -> float:
        return statistic(np.concatenate([rows[one] for one in drawn]))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # of undefined resamples
        drawn = stats.bootstrap(
            (np.arange(len(rows)),),
            of_groups,
            n_resamples=resamples,
            vectorized=False,
            method="percentile",
            rng=np.random.default_rng(seed),
        ).bootstrap_distribution
    drawn = drawn[np.isfinite(drawn)]
    if not drawn.size:
        return Interval(value, np.nan, np.nan)
    low, high = np.quantile(drawn, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return Interval(value, float(low), float(high))


def sign_flip_test(
    differences: ArrayLike, groups: ArrayLike | None = None, seed: int = 0, resamples: int = 9999
) -> float:
    """Two-sided p value of the mean of paired differences, by flipping the signs of groups.

    Exact where 2 ** groups <= resamples, else with a seeded sample of the flips.

    Args:
        differences: shape (N,).
        groups: shape (N,), whose differences change sign together; None: each its own.
    """
    values = np.asarray(differences, dtype=np.float64)
    rows = rows_of_groups(np.arange(len(values)) if groups is None else groups)
    if len(rows) < 2:
        return 1.0
    sums = np.array([values[one].sum() for one in rows])
    found = stats.permutation_test(
        (sums,),
        lambda flipped, axis: np.sum(flipped, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def paired_difference(
    one: ArrayLike,
    other: ArrayLike,
    groups: ArrayLike,
    seed: int,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
) -> Difference:
    """Mean of ``one - other`` over the same rows, with the bootstrap interval and sign-flip p.

    Args:
        one, other: shape (N,), a score or an error of each row by two models.
        groups: shape (N,).

    Raises:
        ValueError: the lengths differ.
    """
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if first.shape != second.shape:
        raise ValueError(f"scores of shapes {first.shape} and {second.shape}, expected equal ones")
    differences = first - second
    found = bootstrap_interval(
        lambda rows: float(differences[rows].mean()), groups, seed, resamples, confidence
    )
    return Difference(*found, sign_flip_test(differences, groups, seed))


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Correct p values, shape (N,), for their number; NaN is kept and not counted as a test.

    Holm, Scand. J. Stat. 6 (1979) 65-70.
    """
    values = np.asarray(p, np.float64)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    scaled = values[order] * (len(order) - np.arange(len(order)))
    corrected = np.full(len(values), np.nan)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return corrected


def of_folds(values: Sequence[float]) -> Interval:
    """Mean of the scores of folds, with the least and the greatest of them.

    No standard error is given: folds share training data, and their spread underestimates it
    (Bengio and Grandvalet, J. Mach. Learn. Res. 5 (2004) 1089-1105).
    """
    found = np.asarray(values, np.float64)
    return Interval(float(found.mean()), float(found.min()), float(found.max()))
