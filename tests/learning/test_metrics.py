"""Figures of merit against values worked out by hand."""

import numpy as np
import pytest

from snakescope.learning.metrics import (
    calibration_error,
    confusion_matrix,
    f_scores,
    macro_f,
    wilson_interval,
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


def test_wilson_interval_of_eight_in_ten():
    assert wilson_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_wilson_interval_stays_within_zero_and_one():
    assert wilson_interval(0, 5)[0] == 0.0
    assert wilson_interval(5, 5)[1] == 1.0
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_calibration_error_is_the_gap_of_confidence_and_accuracy():
    sure = np.tile([0.9, 0.1], (10, 1))
    assert calibration_error(sure, np.zeros(10, dtype=int)) == pytest.approx(0.1)
    assert calibration_error(sure, np.array([0] * 9 + [1])) == pytest.approx(0.0)
