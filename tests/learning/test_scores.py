"""Scores against values worked out by hand, and against scikit-learn, SciPy and torch."""

import numpy as np
import pytest
import torch
from sklearn import metrics

from snakescope.learning.intervals import bootstrap_interval
from snakescope.learning.scores import (
    TEMPERATURES,
    accuracy,
    auc,
    auc_difference,
    auc_of_groups,
    balanced_accuracy,
    best_temperature,
    brier_score,
    calibration_error,
    calibration_line,
    class_distance,
    confusion_matrix,
    distribution_errors,
    f_scores,
    macro_f,
    quadratic_kappa,
    reliability,
    risk_coverage,
    roc,
)

CONFUSION = np.array([[8, 2, 0], [1, 6, 3], [0, 0, 10]])


def test_rows_are_true_classes():
    found = confusion_matrix([0, 0, 1, 2], [0, 1, 1, 1], 3)
    assert found.tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]


def test_no_examples_give_an_empty_matrix():
    assert confusion_matrix([], [], 2).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(("truth", "predicted"), [([0, 1], [0]), ([0, 3], [0, 0]), ([0], [-1])])
def test_labels_out_of_place_are_refused(truth, predicted):
    with pytest.raises(ValueError):
        confusion_matrix(truth, predicted, 3)


def test_scores_of_a_known_matrix():
    assert f_scores(CONFUSION) == pytest.approx([16 / 19, 12 / 18, 20 / 23])
    assert macro_f(CONFUSION) == pytest.approx((16 / 19 + 12 / 18 + 20 / 23) / 3)


def test_a_class_that_is_absent_scores_zero_without_a_warning():
    assert f_scores(np.array([[4, 0], [0, 0]])).tolist() == [1.0, 0.0]


def test_calibration_error_is_the_gap_of_confidence_and_accuracy():
    sure = np.tile([0.9, 0.1], (10, 1))
    assert calibration_error(sure, np.zeros(10, dtype=int)) == pytest.approx(0.1)
    assert calibration_error(sure, np.array([0] * 9 + [1])) == pytest.approx(0.0)


def draw(seed, n=200, classes=4):
    rng = np.random.default_rng(seed)
    return rng.integers(classes, size=n), rng.integers(classes, size=n)


def test_scores_are_those_of_scikit_learn():
    truth, predicted = draw(1)
    confusion = confusion_matrix(truth, predicted, 4)
    assert confusion.tolist() == metrics.confusion_matrix(truth, predicted).tolist()
    assert macro_f(confusion) == pytest.approx(metrics.f1_score(truth, predicted, average="macro"))
    assert balanced_accuracy(confusion) == pytest.approx(
        metrics.balanced_accuracy_score(truth, predicted)
    )
    assert class_distance(confusion) == pytest.approx(np.abs(truth - predicted).mean())


def test_the_accuracy_has_its_wilson_interval():
    # 97 of 120: the pooled figure and interval that ten test sets of 12 give.
    found = accuracy(np.array([[57, 13], [10, 40]]))
    assert found == pytest.approx((0.808, 0.729, 0.869), abs=5e-4)
    assert np.isnan(accuracy(np.zeros((2, 2), int)).value)


# ROC


def components(truth, score):
    """DeLong's structural components by their definition, one comparison after the other."""
    yes, no = score[truth], score[~truth]
    psi = (yes[:, None] > no[None]) + 0.5 * (yes[:, None] == no[None])
    return psi.mean(axis=1), psi.mean(axis=0)


def scores_of_two(seed, n=80):
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.4
    common = truth + rng.normal(size=n)
    first = np.round(common + 0.5 * rng.normal(size=n), 1)  # rounded: there are ties
    return truth, first, np.round(common + 1.5 * rng.normal(size=n), 1)


@pytest.mark.parametrize("seed", range(4))
def test_auc_and_its_interval_are_delongs(seed):
    truth, score, _ = scores_of_two(seed)
    yes, no = components(truth, score)
    error = np.sqrt(yes.var(ddof=1) / len(yes) + no.var(ddof=1) / len(no))
    area = metrics.roc_auc_score(truth, score)
    expected = (area, area - 1.959964 * error, min(1, area + 1.959964 * error))
    assert auc(truth, score) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_the_difference_of_two_auc_is_delongs(seed):
    truth, one, other = scores_of_two(seed)
    first, second = components(truth, one), components(truth, other)
    variance = sum((a - b).var(ddof=1) / len(a) for a, b in zip(first, second, strict=True))
    difference = first[0].mean() - second[0].mean()
    found = auc_difference(truth, one, other)
    half = 1.959964 * np.sqrt(variance)
    assert found[:3] == pytest.approx((difference, difference - half, difference + half), abs=1e-6)
    back = auc_difference(truth, other, one)
    assert back.p == pytest.approx(found.p)
    assert back.value == pytest.approx(-found.value)


def test_delongs_test_keeps_its_level():
    rng = np.random.default_rng(5)
    small = 0
    for _ in range(300):
        truth = rng.random(60) < 0.5
        common = truth + rng.normal(size=60)
        one, other = common + rng.normal(size=60), common + rng.normal(size=60)
        small += auc_difference(truth, one, other).p < 0.05
    assert 4 <= small <= 30


def test_equal_scores_do_not_differ():
    truth, score, _ = scores_of_two(0)
    assert auc_difference(truth, score, score) == (0.0, 0.0, 0.0, 1.0)


def test_an_auc_of_groups_leaves_out_resamples_of_one_kind():
    truth, score, _ = scores_of_two(1, n=24)
    groups = np.arange(24) // 8

    def area(rows):
        one_kind = len(set(truth[rows])) < 2
        return np.nan if one_kind else metrics.roc_auc_score(truth[rows], score[rows])

    found = auc_of_groups(truth, score, groups, seed=3, resamples=50)
    assert found == pytest.approx(bootstrap_interval(area, groups, 3, 50))
    assert found.low < found.value == pytest.approx(auc(truth, score).value)
    # Each group is of one kind, so that a quarter of the resamples tell nothing.
    pure = auc_of_groups([0, 0, 1, 1], [0.1, 0.7, 0.4, 0.9], [1, 1, 2, 2], seed=3, resamples=50)
    assert pure == (0.75, 0.75, 0.75)


def test_an_auc_needs_both_kinds():
    for truth in ([0, 0], [1, 1]):
        with pytest.raises(ValueError, match="one kind"):
            auc(truth, [0.1, 0.2])
        with pytest.raises(ValueError, match="one kind"):
            auc_of_groups(truth, [0.1, 0.2], [1, 2], 0, 10)
    with pytest.raises(ValueError, match="equal rows"):
        roc([0, 1], [0.1])


def test_a_roc_curve_runs_from_corner_to_corner():
    found = roc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    assert found.false_positive.tolist() == [0, 0, 0.5, 0.5, 1]
    assert found.true_positive.tolist() == [0, 0.5, 0.5, 1, 1]


# Calibration


def test_reliability_gives_each_bin_with_items():
    found = np.array([[0.9, 0.1]] * 10 + [[0.55, 0.45]] * 4)
    table = reliability(found, np.array([0] * 9 + [1] + [0, 0, 1, 1]))
    assert table["items"].tolist() == [4, 10]
    assert table["confidence"].tolist() == pytest.approx([0.55, 0.9])
    assert table["accuracy"].tolist() == [0.5, 0.9]
    assert (table["low"] < table["accuracy"]).all()
    gap = (table["items"] * (table["accuracy"] - table["confidence"]).abs()).sum() / 14
    assert calibration_error(found, np.array([0] * 9 + [1] + [0, 0, 1, 1])) == pytest.approx(gap)


@pytest.mark.parametrize("seed", range(3))
def test_the_temperature_is_that_of_least_cross_entropy_in_torch(seed):
    generator = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(300, 3, generator=generator)
    truth = torch.distributions.Categorical(logits=logits / 2.2).sample()
    losses = [
        torch.nn.functional.cross_entropy(logits.double() / one, truth).item()
        for one in TEMPERATURES
    ]
    expected = round(float(TEMPERATURES[int(np.argmin(losses))]), 4)
    assert best_temperature(logits.numpy(), truth.numpy()) == expected


def test_brier_counts_both_classes():
    assert brier_score(np.array([[0.75, 0.25]]), np.array([0])) == pytest.approx(0.125)


def test_the_calibration_line_is_steep_where_probabilities_are_too_cautious():
    rng = np.random.default_rng(0)
    logit = rng.normal(size=20000)
    truth = rng.random(20000) < 1 / (1 + np.exp(-logit))
    slope, intercept = calibration_line(1 / (1 + np.exp(-2 * logit)), truth)
    assert slope == pytest.approx(0.5, abs=0.03)
    assert intercept == pytest.approx(0, abs=0.05)


# Ordered classes and distributions


def test_kappa_is_quadratic():
    truth, predicted = draw(3)
    weights = np.subtract.outer(np.arange(4), np.arange(4)) ** 2
    observed = confusion_matrix(truth, predicted, 4)
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / 200
    by_hand = 1 - (weights * observed).sum() / (weights * expected).sum()
    assert quadratic_kappa(truth, predicted, 4) == pytest.approx(by_hand)
    assert quadratic_kappa(truth, truth, 5) == 1.0
    assert np.isnan(quadratic_kappa([1, 1], [1, 1], 3))


def test_errors_of_distributions_by_hand():
    found = distribution_errors([[0, 0, 1.0], [0.5, 0.5, 0]], [[1.0, 0, 0], [0.5, 0.5, 0]])
    assert found.loc[0].to_dict() == pytest.approx(
        {
            "squared": 2 / 3,
            "absolute": 2 / 3,
            "jensen_shannon": np.log(2),
            "emd": 2.0,
            "mean_grade": 2.0,
        }
    )
    assert found.loc[1].tolist() == [0, 0, 0, 0, 0]


def test_what_is_no_distribution_is_refused():
    with pytest.raises(ValueError, match="sum to 1"):
        distribution_errors([[0.5, 0.4]], [[0.5, 0.5]])
    with pytest.raises(ValueError, match="shapes"):
        distribution_errors([[1.0]], [[0.5, 0.5]])


def test_risk_falls_with_coverage_where_doubt_is_right():
    coverage, risk = risk_coverage([0.0, 4.0, 2.0], [0.1, 0.9, 0.5])
    assert coverage == pytest.approx([1 / 3, 2 / 3, 1]) and risk == pytest.approx([0, 1, 2])
    # Of equal doubt, in their order; wrong or right counts as 1 or 0.
    _, risk = risk_coverage(np.array([True, False]), np.array([-0.5, -0.5]))
    assert risk == pytest.approx([1, 0.5])
