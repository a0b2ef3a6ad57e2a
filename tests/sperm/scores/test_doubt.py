"""Which clips are doubtful, and how well intervals cover."""

import numpy as np
import pytest

from snakescope.learning.scores import risk_coverage
from snakescope.sperm.scores.doubt import expected_errors
from snakescope.sperm.scores.metrics import covered, entropy


def shares_of(number: int) -> np.ndarray:
    """Distributions about a mean grade that goes from A to E, narrow and wide ones."""
    rng = np.random.default_rng(1)
    mean = rng.uniform(0, 4, number)[:, None]
    found = np.exp(
        -((np.arange(5) - mean) ** 2) / (2 * rng.uniform(0.6, 1.4, number)[:, None] ** 2)
    )
    return found / found.sum(axis=1, keepdims=True)


def test_clips_with_large_expected_errors_are_left_out_first():
    # Errors are larger the better the sperm, with noise as large as that.
    shares = shares_of(500)
    rng = np.random.default_rng(2)
    errors = 0.5 + shares[:, 0] + rng.exponential(0.3, 500)
    doubt = expected_errors(shares, errors, np.arange(500) % 5)
    assert np.corrcoef(doubt, shares[:, 0])[0, 1] > 0.9
    assert doubt.mean() == pytest.approx(errors.mean(), rel=0.02)
    risks = [
        float(risk[np.searchsorted(kept, 0.7)])
        for kept, risk in (risk_coverage(errors, one) for one in (doubt, entropy(shares)))
    ]
    assert risks[0] < 0.9 * errors.mean() and risks[0] < risks[1]


def test_no_clip_tells_of_its_own_fold():
    shares, folds = shares_of(100), np.arange(100) % 4
    errors = np.random.default_rng(3).exponential(1, 100)
    before = expected_errors(shares, errors, folds)
    changed = np.where(folds == 2, 50.0, errors)
    assert np.array_equal(expected_errors(shares, changed, folds)[folds == 2], before[folds == 2])
    assert not expected_errors(shares, errors, np.zeros(100, int)).any()


def test_intervals_of_a_fold_come_from_the_others():
    shares, folds = shares_of(400), np.arange(400) % 4
    rng = np.random.default_rng(4)
    off = np.array([np.roll(one, rng.integers(0, 2)) for one in shares])
    assert covered(shares, shares, folds).all()
    inside = covered(shares, off, folds)
    assert inside.shape == (400,) and 0.8 < inside.mean() < 0.97
