"""How far a partition of a volume is from the truth.

Everything follows from the overlaps of segments with true objects, so scores of a volume are
computed from the overlaps that its blocks were counted with.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snakescope.neurites.fragments.pair_counts import overlaps


@dataclass(frozen=True)
class PartitionScores:
    """Scores of a partition; of errors, 0 is best.

    Attributes:
        arand: adapted Rand error, 1 - F-score over pairs of voxels (SNEMI3D's).
        precision: of pairs in one segment, those that are in one object.
        recall: of pairs in one object, those that are in one segment.
        voi_split: conditional entropy of segments given objects (bits).
        voi_merge: conditional entropy of objects given segments (bits).
        v_rand: Arganda-Carreras et al. 2015, equation 3 with alpha 1/2; 1 is best.
        v_rand_split, v_rand_merge: its two parts.
        v_info: equation 6 of the same, 1 is best.
        voxels: voxels that were compared.
        segments, objects: how many there are among them.
    """

    arand: float
    precision: float
    recall: float
    voi_split: float
    voi_merge: float
    v_rand: float
    v_rand_split: float
    v_rand_merge: float
    v_info: float
    voxels: int
    segments: int
    objects: int

    @property
    def voi(self) -> float:
        """Variation of information (bits)."""
        return self.voi_split + self.voi_merge


def scores_of_overlaps(
    segments: NDArray[np.int64], objects: NDArray[np.int64], voxels: NDArray[np.int64]
) -> PartitionScores:
    """Score a partition by its overlaps with the truth.

    Args:
        segments, objects, voxels: shape (N,), label, true label, voxels; pairs may come again.

    Raises:
        ValueError: there is no voxel.
    """
    if not voxels.sum():
        raise ValueError("no voxel to compare")
    segment_names, segment = np.unique(segments, return_inverse=True)
    object_names, true = np.unique(objects, return_inverse=True)
    pair = np.unique(segment * len(object_names) + true, return_inverse=True)[1]
    joint = np.bincount(pair, weights=voxels)
    by_segment = np.bincount(segment, weights=voxels)
    by_object = np.bincount(true, weights=voxels)
    total = float(voxels.sum())
    joint_squares, segment_squares, object_squares = (
        float(counts @ counts) for counts in (joint, by_segment, by_object)
    )
    # Pairs of different voxels: a voxel is no pair with itself.
    joint_pairs, segment_pairs, object_pairs = (
        squares - total for squares in (joint_squares, segment_squares, object_squares)
    )
    precision = joint_pairs / segment_pairs if segment_pairs else 1.0
    recall = joint_pairs / object_pairs if object_pairs else 1.0
    either = segment_pairs + object_pairs
    f_score = 2 * joint_pairs / either if either else 1.0
    joint_entropy, segment_entropy, object_entropy = (
        _entropy(counts / total) for counts in (joint, by_segment, by_object)
    )
    shared = segment_entropy + object_entropy - joint_entropy
    entropies = segment_entropy + object_entropy
    return PartitionScores(
        arand=1 - f_score,
        precision=precision,
        recall=recall,
        voi_split=max(0.0, joint_entropy - object_entropy),
        voi_merge=max(0.0, joint_entropy - segment_entropy),
        v_rand=2 * joint_squares / (segment_squares + object_squares),
        v_rand_split=joint_squares / object_squares,
        v_rand_merge=joint_squares / segment_squares,
        v_info=2 * shared / entropies if entropies else 1.0,
        voxels=int(total),
        segments=len(segment_names),
        objects=len(object_names),
    )


def _entropy(shares: NDArray[np.float64]) -> float:
    there = shares[shares > 0]
    return float(-(there @ np.log2(there)))


def score_partition(
    labels: NDArray[np.integer], truth: NDArray[np.integer], ignore_truth_zero: bool = True
) -> PartitionScores:
    """Compare two label volumes of one shape.

    Raises:
        ValueError: the shapes differ, or there is no voxel to compare.
    """
    if labels.shape != truth.shape:
        raise ValueError(f"labels of the shape {labels.shape}, truth of {truth.shape}")
    segments, objects, voxels = overlaps(
        _compact(labels, 2**31 - 2).astype(np.int32), _compact(truth, 2**32 - 1).astype(np.int64)
    )
    if ignore_truth_zero:
        known = objects != 0
        segments, objects, voxels = segments[known], objects[known], voxels[known]
    return scores_of_overlaps(segments, objects, voxels)


def _compact(labels: NDArray[np.integer], largest: int) -> NDArray[np.integer]:
    """Number labels anew where they are too large to be counted; 0 stays 0."""
    if labels.min() >= 0 and labels.max() <= largest:
        return labels
    names, numbers = np.unique(labels, return_inverse=True)
    zero = int(np.searchsorted(names, 0))
    order = np.arange(1, len(names) + 1)
    if zero < len(names) and names[zero] == 0:
        order[zero] = 0
    return order[numbers].reshape(labels.shape)
