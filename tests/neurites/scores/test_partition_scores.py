"""Scores agree with scikit-image's and with waterz's own."""

import numpy as np
import pytest
import waterz
from skimage.metrics import adapted_rand_error, variation_of_information

from snakescope.neurites.scores.partition_scores import score_partition


@pytest.fixture
def volumes() -> tuple[np.ndarray, np.ndarray]:
    """A truth with zeros, and a segmentation that splits and merges it."""
    rng = np.random.default_rng(3)
    truth = np.kron(rng.integers(0, 9, (2, 4, 5)), np.ones((3, 6, 6), int))
    labels = np.where(
        rng.random(truth.shape) < 0.1, rng.integers(1, 30, truth.shape), truth // 2 + 1
    )
    return labels, truth


def test_as_scikit_image_says(volumes: tuple[np.ndarray, np.ndarray]) -> None:
    labels, truth = volumes
    for ignored in ((0,), ()):
        scores = score_partition(labels, truth, ignore_truth_zero=bool(ignored))
        # scikit-image 0.26 gives the share of the truth's pairs first, which is the recall.
        error, recall, precision = adapted_rand_error(truth, labels, ignore_labels=ignored)
        assert (scores.arand, scores.precision, scores.recall) == pytest.approx(
            (error, precision, recall), abs=1e-12
        )
        known = truth > 0 if ignored else np.ones(truth.shape, bool)
        split, merge = variation_of_information(truth[known], labels[known])
        assert (scores.voi_split, scores.voi_merge) == pytest.approx((split, merge), abs=1e-9)


def test_as_waterz_says(volumes: tuple[np.ndarray, np.ndarray]) -> None:
    labels, truth = volumes
    # waterz walks its volumes as cubes.
    labels, truth = labels[:6, :6, :6], truth[:6, :6, :6] + 0
    truth[:, :, 3:] += 1
    scores = score_partition(labels, truth)
    theirs = waterz.evaluate(labels.astype(np.uint64), truth.astype(np.uint64))
    assert scores.v_rand_split == pytest.approx(theirs["rand_split"], abs=1e-9)
    assert scores.v_rand_merge == pytest.approx(theirs["rand_merge"], abs=1e-9)
    assert scores.voi_split == pytest.approx(theirs["voi_split"], abs=1e-9)
    assert scores.voi_merge == pytest.approx(theirs["voi_merge"], abs=1e-9)


def test_the_truth_itself_is_best_and_one_object_is_not(
    volumes: tuple[np.ndarray, np.ndarray],
) -> None:
    _, truth = volumes
    best = score_partition(truth * 3 + 5, truth)
    assert (best.arand, best.voi, best.v_rand, best.v_info) == pytest.approx((0, 0, 1, 1))
    merged = score_partition(np.ones_like(truth), truth)
    assert merged.recall == 1 and merged.precision < 0.3 and merged.voi_split == 0
    split = score_partition(np.arange(truth.size).reshape(truth.shape), truth)
    assert split.recall == 0 and split.voi_merge == 0 and split.voi_split > 3


def test_nothing_to_compare_and_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="no voxel"):
        score_partition(np.ones((2, 2, 2), int), np.zeros((2, 2, 2), int))
    with pytest.raises(ValueError, match="shape"):
        score_partition(np.ones((2, 2, 2), int), np.ones((2, 2, 3), int))


def test_names_do_not_count_however_large(volumes: tuple[np.ndarray, np.ndarray]) -> None:
    labels, truth = volumes
    large = np.where(truth > 0, truth.astype(np.uint64) + np.uint64(2**40), np.uint64(0))
    named = labels.astype(np.uint64) * np.uint64(2**33) + np.uint64(7)
    assert score_partition(named, large) == score_partition(labels, truth)


def test_the_largest_true_label_is_told_from_its_neighbours() -> None:
    truth = np.array([[[0, 1, 2**32 - 1, 2**32 - 1]]])
    labels = np.array([[[5, 0, 7, 7]]])
    scores = score_partition(labels, truth)
    assert (scores.arand, scores.voi, scores.objects, scores.segments) == (0, 0, 2, 2)
