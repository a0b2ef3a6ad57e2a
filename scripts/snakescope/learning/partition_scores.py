"""Scores of a partition of an image or a volume against the truth.

All of them follow from the contingency table of segments and true objects, which blocks count
separately.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import entropy
from skimage.metrics import adapted_rand_error


@dataclass(frozen=True)
class PartitionScores:
    """Scores of a partition; 0 is best for errors.

    Attributes:
        arand: adapted Rand error, 1 - F-score over pairs of voxels (SNEMI3D's).
        precision: share of the pairs in one segment that are in one object.
        recall: share of the pairs in one object that are in one segment.
        voi_split: conditional entropy of segments given objects (bits).
        voi_merge: conditional entropy of objects given segments (bits).
        v_rand: Arganda-Carreras et al. 2015, equation 3 with alpha 1/2; 1 is best.
        v_rand_split, v_rand_merge: its two parts.
        v_info: equation 6 of the same, 1 is best.
        voxels, segments, objects: numbers that were compared.
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


def scores_of_table(
    segments: NDArray[np.int64],
    objects: NDArray[np.int64],
    voxels: NDArray[np.int64],
    singletons: int | None = None,
) -> PartitionScores:
    """Score a partition by its contingency table with the truth.

    Args:
        segments, objects, voxels: shape (N,), label, true label, voxels; pairs may be repeated.
        singletons: label of voxels of which each is a segment of its own, such as those of the
            lines of a watershed (Arganda-Carreras et al. 2015, and the code of their challenge).

    Raises:
        ValueError: there is no voxel.
    """
    if not voxels.sum():
        raise ValueError("no voxel to compare")
    segments, objects, voxels = _apart(segments, objects, voxels, singletons)
    segment_names, segment = np.unique(segments, return_inverse=True)
    object_names, true = np.unique(objects, return_inverse=True)
    # Floats: squares of the sizes of large objects exceed 64 bits.
    table = sparse.coo_array((voxels.astype(np.float64), (true, segment))).tocsr()
    joint, by_segment, by_object = table.data, table.sum(axis=0), table.sum(axis=1)
    # A voxel forms no pair with itself, so segments of one voxel make 0 pairs of 0: no error.
    with np.errstate(invalid="ignore"):
        arand, recall, precision = adapted_rand_error(table=table)
    # variation_of_information(table=...) of scikit-image 0.26 fails without two images.
    joint_entropy, segment_entropy, object_entropy = (
        float(entropy(counts, base=2)) for counts in (joint, by_segment, by_object)
    )
    entropies = segment_entropy + object_entropy
    joint_squares, segment_squares, object_squares = (
        float(counts @ counts) for counts in (joint, by_segment, by_object)
    )
    return PartitionScores(
        arand=float(np.nan_to_num(arand, nan=0.0)),
        precision=float(np.nan_to_num(precision, nan=1.0)),
        recall=float(np.nan_to_num(recall, nan=1.0)),
        voi_split=max(0.0, joint_entropy - object_entropy),
        voi_merge=max(0.0, joint_entropy - segment_entropy),
        v_rand=2 * joint_squares / (segment_squares + object_squares),
        v_rand_split=joint_squares / object_squares,
        v_rand_merge=joint_squares / segment_squares,
        v_info=2 * (entropies - joint_entropy) / entropies if entropies else 1.0,
        voxels=int(voxels.sum()),
        segments=len(segment_names),
        objects=len(object_names),
    )


def _apart(
    segments: NDArray[np.int64],
    objects: NDArray[np.int64],
    voxels: NDArray[np.int64],
    singletons: int | None,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Give each voxel of the label ``singletons`` a row and a label of its own."""
    alone = segments == singletons
    if singletons is None or not alone.any():
        return segments, objects, voxels
    true = np.repeat(objects[alone], voxels[alone])
    own = segments.max() + 1 + np.arange(len(true))
    return (
        np.concatenate([segments[~alone], own]),
        np.concatenate([objects[~alone], true]),
        np.concatenate([voxels[~alone], np.ones(len(true), voxels.dtype)]),
    )
