"""Scores of nearest-neighbour affinities against labels, without a segmentation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import from_numpy

from snakescope.neurites.networks.affinity_targets import NEAREST, affinity_targets


@dataclass(frozen=True)
class AffinityScores:
    """Scores from 0 to 1, 1 is best.

    Attributes:
        balanced_accuracy: mean of the recalls of joined and of separate pairs of voxels.
        outline_accuracy: share of voxels rightly classified as boundary or interior; a voxel is
            boundary if one of its three nearest affinities is below 0.5 (the accuracy of Koyama et
            al., who do not define it further).
        outline_f: F-score of the boundary voxels.
    """

    balanced_accuracy: float
    outline_accuracy: float
    outline_f: float


def score_affinities(
    affinities: NDArray[np.float32], labels: NDArray[np.integer]
) -> AffinityScores:
    """Compare affinities 0 to 1, shape (3, z, y, x), with labels (z, y, x), 0 outside of objects.

    Pairs that reach out of the volume are joined by definition and do not count.
    """
    target, present = affinity_targets(from_numpy(labels.astype(np.int64))[None])
    joined = target[0, :NEAREST].numpy() > 0.5
    there = present[0, :NEAREST].numpy() > 0.5
    called = affinities >= 0.5
    right = called == joined
    shares = [_share(right & there & kind, there & kind) for kind in (joined, ~joined)]
    outline = (~joined & there).any(axis=0)
    called_outline = (~called & there).any(axis=0)
    both = int((outline & called_outline).sum())
    either = int(outline.sum() + called_outline.sum())
    return AffinityScores(
        balanced_accuracy=float(np.mean(shares)),
        outline_accuracy=float((outline == called_outline).mean()),
        outline_f=2 * both / either if either else 1.0,
    )


def _share(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float:
    count = int(whole.sum())
    return int(part.sum()) / count if count else 1.0
