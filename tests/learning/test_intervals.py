"""Intervals and tests against values worked out by hand, and against SciPy."""

import numpy as np
import pytest
from scipy import stats

from snakescope.learning.intervals import (
    bootstrap_interval,
    holm,
    of_folds,
    paired_difference,
    rows_of_groups,
    sign_flip_test,
    wilson_interval,
)


def test_wilson_interval_of_eight_in_ten():
    assert wilson_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_wilson_interval_is_the_published_formula():
    z = stats.norm.ppf(0.975)
    for successes, trials in ((0, 3), (5, 9), (97, 120), (1441, 1500)):
        share, wide = successes / trials, z**2 / trials
        half = z * np.sqrt(share * (1 - share) / trials + wide / (4 * trials))
        ends = (share + wide / 2 + np.array([-half, half])) / (1 + wide)
        assert wilson_interval(successes, trials) == pytest.approx(ends, abs=1e-14)


def test_wilson_interval_stays_within_zero_and_one():
    assert wilson_interval(0, 5)[0] == 0.0
    assert wilson_interval(5, 5)[1] == 1.0
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_rows_are_sorted_into_groups():
    assert [rows.tolist() for rows in rows_of_groups(["b", "a", "b"])] == [[0, 2], [1]]


def test_the_bootstrap_of_a_mean_is_that_of_scipy():
    values = np.random.default_rng(3).normal(size=40)
    found = bootstrap_interval(lambda rows: float(values[rows].mean()), np.arange(40), seed=5)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=2000, method="percentile", rng=np.random.default_rng(5)
    ).confidence_interval
    assert found == pytest.approx((values.mean(), expected.low, expected.high))


def test_the_bootstrap_draws_groups_and_not_rows():
    groups = np.repeat(np.arange(10), 100)
    values = groups.astype(float)
    found = bootstrap_interval(lambda rows: float(values[rows].mean()), groups, seed=1)
    by_row = bootstrap_interval(lambda rows: float(values[rows].mean()), np.arange(1000), seed=1)
    assert found.high - found.low > 5 * (by_row.high - by_row.low)
    assert found == bootstrap_interval(lambda rows: float(values[rows].mean()), groups, seed=1)


def test_the_bootstrap_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(100):
        of_group = np.repeat(rng.normal(size=40), 3)
        values = of_group + 0.3 * rng.normal(size=120)
        groups = np.repeat(np.arange(40), 3)
        found = bootstrap_interval(
            lambda rows, values=values: float(values[rows].mean()), groups, seed, resamples=300
        )
        covered += found.low <= 0 <= found.high
    assert 88 <= covered <= 99


def test_a_single_group_has_no_interval():
    found = bootstrap_interval(lambda rows: 1.0, ["a", "a"], seed=1)
    assert found.value == 1.0
    assert np.isnan(found.low)


def test_resamples_without_a_value_are_left_out():
    truth = np.array([0, 0, 1, 1])
    found = bootstrap_interval(
        lambda rows: float(len(set(truth[rows]))) if len(set(truth[rows])) > 1 else np.nan,
        range(4),
        seed=1,
    )
    assert found == (2.0, 2.0, 2.0)


def test_the_sign_flip_test_is_exact_for_few_groups():
    # Of the 2^5 flips of equal signs, 2 are as far from 0 as what was found.
    assert sign_flip_test([1.0, 2.0, 3.0, 4.0, 5.0]) == pytest.approx(2 / 32)
    # Sums of the three groups: 3, 3, -1. Of 8 flips, |sum| >= 5 for 4: +-(3, 3, -1), +-(3, 3, 1).
    assert sign_flip_test([1, 2, 3, -1], ["a", "a", "b", "c"]) == pytest.approx(4 / 8)


def test_the_sign_flip_test_sees_no_difference_where_there_is_none():
    assert sign_flip_test(np.zeros(20)) == 1.0
    assert sign_flip_test([1.0]) == 1.0


def test_a_paired_difference_is_surer_than_two_intervals():
    rng = np.random.default_rng(2)
    hard = rng.normal(size=60)
    found = paired_difference(hard + 0.2, hard + 0.01 * rng.normal(size=60), np.arange(60), seed=1)
    assert found.low < 0.2 < found.high
    assert found.high - found.low < 0.02
    assert found.p < 0.001
    with pytest.raises(ValueError, match="shapes"):
        paired_difference([1.0], [1.0, 2.0], ["a"], seed=1)


def test_folds_are_given_with_their_extremes():
    assert of_folds([0.5, 0.75, 1.0]) == (0.75, 0.5, 1.0)


def test_holm_against_a_worked_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    corrected = holm(np.array([0.02, np.nan, 0.9]))
    assert corrected[[0, 2]] == pytest.approx([0.04, 0.9]) and np.isnan(corrected[1])
    assert holm([0.9, 0.8]).tolist() == [1, 1] and holm([]).shape == (0,)
