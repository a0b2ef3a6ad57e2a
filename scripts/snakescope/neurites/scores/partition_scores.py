"""Scores of a partition of a volume, given as label volumes."""

import numpy as np
from numpy.typing import NDArray

from snakescope.learning.partition_scores import PartitionScores, scores_of_table
from snakescope.neurites.fragments.pair_counts import contingency_table


def score_partition(
    labels: NDArray[np.integer], truth: NDArray[np.integer], ignore_truth_zero: bool = True
) -> PartitionScores:
    """Compare two label volumes of one shape.

    Raises:
        ValueError: the shapes differ, or there is no voxel to compare.
    """
    if labels.shape != truth.shape:
        raise ValueError(f"labels of the shape {labels.shape}, truth of {truth.shape}")
    segments, objects, voxels = contingency_table(
        _compact(labels, 2**31 - 2).astype(np.int32), _compact(truth, 2**32 - 1).astype(np.int64)
    )
    if ignore_truth_zero:
        known = objects != 0
        segments, objects, voxels = segments[known], objects[known], voxels[known]
    return scores_of_table(segments, objects, voxels)


def _compact(labels: NDArray[np.integer], largest: int) -> NDArray[np.integer]:
    """Relabel if a label exceeds ``largest``; 0 stays 0."""
    if labels.min() >= 0 and labels.max() <= largest:
        return labels
    names, numbers = np.unique(labels, return_inverse=True)
    zero = int(np.searchsorted(names, 0))
    order = np.arange(1, len(names) + 1)
    if zero < len(names) and names[zero] == 0:
        order[zero] = 0
    return order[numbers].reshape(labels.shape)
