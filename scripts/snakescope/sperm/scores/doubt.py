"""How large the error of a predicted distribution is expected to be, from the distribution alone.

An even distribution is no doubtful one: forty persons do disagree about a middling sperm, and a
network that says so is right. Errors are large where a network rarely goes, and where its mean is
between those of two kinds. So the expected error is learnt: a ridge regression of held-out errors
on predicted shares.
"""

import numpy as np
from numpy.typing import NDArray

RIDGE = 10.0
"""Of standardised shares; between 1 and 100 it makes no difference."""
Shares = NDArray[np.float64]
Errors = NDArray[np.float64]


def expected_errors(shares: Shares, errors: Errors, folds: NDArray[np.int64]) -> Errors:
    """Expected error of each clip, learnt on those of all other folds, shape (N,).

    Args:
        shares: predicted, (N, 5).
        errors: of the predictions, (N,).
        folds: (N,); of one fold nothing is learnt, and all are as doubtful.
    """
    found = np.zeros(len(errors))
    for fold in np.unique(folds):
        test = folds == fold
        if not test.all():
            found[test] = _ridge(shares[~test], errors[~test], shares[test])
    return found


def _ridge(shares: Shares, errors: Errors, others: Shares) -> Errors:
    mean, sd = shares.mean(axis=0), np.maximum(shares.std(axis=0), 1e-6)
    x, y = (shares - mean) / sd, errors - errors.mean()
    slopes = np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ y)
    return np.asarray((others - mean) / sd @ slopes + errors.mean())
