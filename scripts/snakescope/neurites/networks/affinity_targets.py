"""Training targets: affinities of pairs of voxels, computed from labels.

Lee et al. 2017, "Superhuman Accuracy on the SNEMI3D Connectomics Challenge", sections 2.2 (nearest
neighbours and long-range pairs) and 3 (class-balanced cross-entropy). The affinity of a voxel and
the one ``offset`` before it is 1 where both carry the same label and that label is not 0.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

OFFSETS: tuple[tuple[int, int, int], ...] = (
    (1, 0, 0), (0, 1, 0), (0, 0, 1),
    (0, 3, 0), (0, 0, 3), (0, 9, 0), (0, 0, 9), (0, 27, 0), (0, 0, 27),
    (2, 0, 0), (3, 0, 0), (4, 0, 0),
)  # fmt: skip
"""Distance (z, y, x; voxels) of each channel's pair; the first three are waterz's channels."""

ISOTROPIC_OFFSETS: tuple[tuple[int, int, int], ...] = (
    (1, 0, 0), (0, 1, 0), (0, 0, 1),
    (3, 0, 0), (0, 3, 0), (0, 0, 3),
    (9, 0, 0), (0, 9, 0), (0, 0, 9), (15, 0, 0), (0, 15, 0), (0, 0, 15),
)  # fmt: skip
"""The same for isotropic voxels."""

NEAREST = 3
"""Number of channels of nearest neighbours, in the order z, y, x."""


def with_outlines(labels: Tensor, thickness: int) -> Tensor:
    """Set voxels to 0 that are fewer than ``thickness`` steps from another label.

    Objects that touch are separated by a face only, which is thinner than a membrane.

    Args:
        labels: whole numbers, shape (N, z, y, x), 0 where there is no object.
    """
    for _ in range(thickness):
        outline = torch.zeros_like(labels, dtype=torch.bool)
        for axis in (1, 2, 3):
            sides = labels.shape[axis] - 1
            one, other = labels.narrow(axis, 1, sides), labels.narrow(axis, 0, sides)
            # In later steps, 0 is the boundary of the step before.
            differ = one != other
            outline.narrow(axis, 1, sides).logical_or_(differ)
            outline.narrow(axis, 0, sides).logical_or_(differ)
        labels = labels.masked_fill(outline, 0)
    return labels


def affinity_targets(
    labels: Tensor, offsets: Sequence[tuple[int, int, int]] = OFFSETS
) -> tuple[Tensor, Tensor]:
    """Return the affinities of all pairs of voxels, and which pairs exist.

    Channel c at voxel v is the pair of v and v - offsets[c].

    Args:
        labels: whole numbers, shape (N, z, y, x), 0 where there is no object.
        offsets: distance of every channel's pair along z, y, x (voxels).

    Returns:
        Affinities 0 or 1 and presence 0 or 1, float32, both of shape (N, C, z, y, x); presence is
        0 if the partner is outside of the volume.
    """
    shape = (labels.shape[0], len(offsets), *labels.shape[1:])
    affinity = torch.zeros(shape, device=labels.device)
    present = torch.zeros(shape, device=labels.device)
    for channel, offset in enumerate(offsets):
        if any(far >= size for far, size in zip(offset, labels.shape[1:], strict=True)):
            continue
        sizes = labels.shape[1:]
        whole = [slice(None)]
        here = whole + [slice(far, None) for far in offset]
        there = whole + [slice(0, size - far) for far, size in zip(offset, sizes, strict=True)]
        one, other = labels[tuple(here)], labels[tuple(there)]
        affinity[:, channel][tuple(here)] = ((one == other) & (one != 0)).float()
        present[:, channel][tuple(here)] = 1.0
    return affinity, present


def balanced_weights(affinity: Tensor, present: Tensor, rarest: float = 0.02) -> Tensor:
    """Return weights that balance joined and separate pairs in every channel.

    Args:
        affinity, present: see :func:`affinity_targets`.
        rarest: minimum of the share of a class that the weights assume, so that a few voxels do
            not dominate the gradient.

    Returns:
        Shape of ``affinity``; the weights of a channel sum to 1 where both classes are common,
        and are 0 where there is no pair.
    """
    over = (0, 2, 3, 4)
    pairs = present.sum(over, keepdim=True).clamp(min=1.0)
    joined = ((affinity * present).sum(over, keepdim=True) / pairs).clamp(rarest, 1 - rarest)
    weights = affinity * (0.5 / joined) + (1 - affinity) * (0.5 / (1 - joined))
    weighted: Tensor = weights * present / pairs
    return weighted


def balanced_loss(
    logits: Tensor, labels: Tensor, offsets: Sequence[tuple[int, int, int]] = OFFSETS
) -> Tensor:
    """Class-balanced binary cross-entropy, mean over the channels that have pairs; scalar.

    Args:
        logits: shape (N, C, z, y, x), the first C of ``offsets``.
        labels: shape (N, z, y, x).
    """
    affinity, present = affinity_targets(labels, offsets[: logits.shape[1]])
    weights = balanced_weights(affinity, present)
    total = functional.binary_cross_entropy_with_logits(
        logits.float(), affinity, weights, reduction="sum"
    )
    return total / present.amax(dim=(0, 2, 3, 4)).sum().clamp(min=1.0)
