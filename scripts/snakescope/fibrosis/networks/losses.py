"""Losses of Kang et al. (equations 4 to 7), and those of ordered stages."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

MASK_WEIGHTS = (1.0, 0.5, 0.25)
"""Of the resolutions, finest first: half at each, as nnU-Net has it; the paper states none."""

CLASS_WEIGHT = 0.5
"""Of the class against the masks, as in the nearest public precedent; the paper states none."""


def overlap_loss(logits: Tensor, wanted: Tensor) -> Tensor:
    """One minus Dice of probabilities, mean over scans that show liver (Milletari, 3DV 2016).

    Where a network is in doubt, the mask that cross-entropy gives at 0.5 is too small for Dice.

    Args:
        logits: (N, 1, Y, X).
        wanted: shares of equal shape, 0 to 1.
    """
    shows = wanted.flatten(1).sum(1) > 0
    if not bool(shows.any()):
        return logits.sum() * 0
    found, true = torch.sigmoid(logits[shows]).flatten(1), wanted[shows].flatten(1)
    return 1 - (2 * (found * true).sum(1) / (found.sum(1) + true.sum(1))).mean()


def mask_loss(logits: Sequence[Tensor], masks: Tensor, overlap: float = 0.0) -> Tensor:
    """Equations 4 to 6, as means over pixels: weighted mean of the resolutions.

    Args:
        overlap: weight of :func:`overlap_loss` beside them, which the paper does not have.
        logits: (N, 1, Y, X) each, finest first.
        masks: (N, 1, Y, X), 0 to 1, of the finest resolution; coarser ones are area means. A scan
            without a mask has NaN and does not count.
    """
    there = ~torch.isnan(masks).flatten(1).any(dim=1)
    if not bool(there.any()):
        return logits[0].sum() * 0
    truth = masks[there]
    total = logits[0].new_zeros(())
    weights = MASK_WEIGHTS[: len(logits)]
    for weight, one in zip(weights, logits, strict=True):
        wanted = F.adaptive_avg_pool2d(truth, (one.shape[2], one.shape[3]))
        total = total + weight * F.binary_cross_entropy_with_logits(one[there], wanted)
        if overlap:
            total = total + weight * overlap * overlap_loss(one[there], wanted)
    return total / sum(weights)


def class_loss(logits: Tensor, classes: Tensor) -> Tensor:
    """Equation 7: binary cross-entropy of the probabilities of a softmax, mean over classes.

    As Keras computes it of a softmax output; the paper shows probabilities that sum to 1.

    Args:
        logits: (N, K).
        classes: (N,), from 0.
    """
    probability = torch.softmax(logits.float(), dim=1).clamp(1e-7, 1 - 1e-7)
    wanted = F.one_hot(classes, logits.shape[1]).to(probability.dtype)
    return F.binary_cross_entropy(probability, wanted)


def ordinal_loss(logits: Tensor, stages: Tensor) -> Tensor:
    """Binary cross-entropy of every threshold, mean over them.

    Args:
        logits: (N, 4), of stage >= F1, F2, F3, F4.
        stages: (N,), 0 to 4.
    """
    wanted = (stages[:, None] > torch.arange(logits.shape[1], device=stages.device)).to(logits)
    return F.binary_cross_entropy_with_logits(logits, wanted)
