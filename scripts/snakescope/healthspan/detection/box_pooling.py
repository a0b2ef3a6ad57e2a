"""RoIAlign as two matrix products, for the training of mask heads on a CPU.

It equals ``torchvision.ops.roi_align`` (Mask R-CNN, He et al. 2017, section 3), whose backward pass
on a CPU uses one core and took two fifths of a training step. Bilinear sampling is separable, so
the cells of a box are rows x map x columns, and matrix products use all cores.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torchvision.ops import roi_align

SAMPLES_PER_CELL = 2


def cell_weights(low: Tensor, high: Tensor, length: int, size: int) -> Tensor:
    """Return the weights of the rows of a map in the cells of boxes along one axis.

    Args:
        low, high: ends of the boxes in cells of the map, shape (n,).
        length: rows of the map.
        size: cells of a box.

    Returns:
        float (n, size, length), each row's sum 1.
    """
    count = size * SAMPLES_PER_CELL
    ticks = (torch.arange(count, device=low.device, dtype=low.dtype) + 0.5) / count
    extent = (high - low).clamp(min=1.0)
    at = (low[:, None] + extent[:, None] * ticks).clamp(0, length - 1)
    rows = torch.arange(length, device=low.device, dtype=low.dtype)
    weights = (1 - (at[..., None] - rows).abs()).clamp(min=0)
    return weights.reshape(len(low), size, SAMPLES_PER_CELL, length).mean(2)


def pool_by_products(features: Tensor, boxes: list[Tensor], size: int, scale: float) -> Tensor:
    """Pool the features of boxes, float (n of all images, channels, size, size).

    Args:
        features: (images, channels, height, width).
        boxes: of each image, (n, 4): left, top, right, bottom in px of the image, on the image.
        scale: cells of the map per px of the image.
    """
    channels, height, width = features.shape[1:]
    pooled = []
    for one, where in zip(features, boxes, strict=True):
        left, top, right, bottom = (where * scale).unbind(1)
        across = cell_weights(left, right, width, size).to(one.dtype)
        down = cell_weights(top, bottom, height, size).to(one.dtype)
        count = len(where)
        rows = one.reshape(channels * height, width) @ across.reshape(count * size, width).T
        rows = rows.reshape(channels, height, count, size).permute(2, 1, 0, 3)
        cells = torch.bmm(down, rows.reshape(count, height, channels * size))
        pooled.append(cells.reshape(count, size, channels, size).permute(0, 2, 1, 3))
    return torch.cat(pooled)


class BoxPooling(nn.Module):
    """RoIAlign on one level of a pyramid, with the interface of ``MultiScaleRoIAlign``."""

    def __init__(self, level: str, stride: int, size: int) -> None:
        super().__init__()
        self.level, self.scale, self.size = level, 1 / stride, size

    def forward(
        self, features: dict[str, Tensor], boxes: list[Tensor], shapes: list[tuple[int, int]]
    ) -> Tensor:
        chosen = features[self.level]
        if self.training:
            return pool_by_products(chosen, boxes, self.size, self.scale)
        return cast(Tensor, roi_align(chosen, boxes, self.size, self.scale, SAMPLES_PER_CELL))
