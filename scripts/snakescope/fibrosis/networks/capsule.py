"""Roughness of a liver's surface, traced along its bright capsule.

Nodules lift the capsule: an uneven surface is what radiologists name first for late stages (Choong
et al. 2012). A predicted outline is too smooth to show it, so that the capsule is looked for in the
image, near the outline.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

REACH = 32
"""The capsule is looked for within 1 / ``REACH`` of the image's side above and below."""

COURSE = 24
"""Its smooth course is a mean over 1 / ``COURSE`` of the side."""

STEP_COST = 0.3
"""Of a step of 1 px up or down from a column to the next, in SDs of grey levels."""

BLUR = (3, 5)
LEAST_COLUMNS = 40
FLOOR = 0.05


def _running_mean(values: Tensor, weight: Tensor, window: int) -> Tensor:
    """Mean of (N, X) over windows of columns that have weight."""
    both = torch.stack([values * weight, weight], dim=1)
    total, share = F.avg_pool1d(both, window, 1, window // 2).unbind(1)
    return total / share.clamp_min(1e-6)


def band_along(image: Tensor, liver: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The image along the upper outline of the liver, straightened.

    Args:
        image: (N, 1, side, side), mean 0 and SD 1 inside the sector, 0 outside.
        liver: share or probability, of equal shape.

    Returns:
        Grey levels (N, 2 reach + 1, side), the row of its middle in each column (N, side), and the
        columns that show the outline, 0 or 1, (N, side).
    """
    side = image.shape[3]
    reach, window = side // REACH, 2 * (side // REACH) + 1
    mask, inside = liver[:, 0] > 0.5, image[:, 0] != 0
    top = mask.to(torch.uint8).argmax(1)
    seen = mask.any(1) & (top > reach)
    for row in ((top - reach).clamp_min(0), (top + reach).clamp_max(side - 1)):
        seen &= inside.gather(1, row[:, None])[:, 0]
    weight, row = seen.to(image), top.to(image)
    # Where a vessel, another organ or a hole lies at the outline, it jumps.
    weight = weight * ((row - _running_mean(row, weight, window)).abs() < reach)
    middle = _running_mean(row, weight, window)
    offset = torch.arange(-reach, reach + 1, device=image.device, dtype=image.dtype)
    y = (middle[:, None] + offset[None, :, None]) / (side - 1) * 2 - 1
    x = torch.linspace(-1, 1, side, device=image.device, dtype=image.dtype).expand_as(y)
    smooth = F.avg_pool2d(image, BLUR, 1, (BLUR[0] // 2, BLUR[1] // 2))
    band = F.grid_sample(smooth, torch.stack([x, y], dim=-1), align_corners=True)[:, 0]
    return band, middle, weight


def brightest_path(band: Tensor) -> Tensor:
    """Row of the brightest path from left to right, (N, rows, X) to (N, X).

    By dynamic programming; steps up and down cost ``STEP_COST`` a pixel.
    """
    rows = torch.arange(band.shape[1], device=band.device)
    cost = STEP_COST * (rows[:, None] - rows[None]).abs().to(band)
    total, come_from = band[:, :, 0], []
    for column in range(1, band.shape[2]):
        best, before = (total[:, None, :] - cost).max(dim=2)
        total = best + band[:, :, column]
        come_from.append(before)
    path = [total.argmax(1)]
    for before in reversed(come_from):
        path.append(before.gather(1, path[-1][:, None])[:, 0])
    return torch.stack(path[::-1], dim=1)


@torch.no_grad()
def surface_roughness(image: Tensor, liver: Tensor) -> Tensor:
    """Logarithm of the median distance (px) of the capsule from its smooth course, (N, 1).

    Args:
        image, liver: of :func:`band_along`.

    Returns:
        That of a smooth capsule where fewer than ``LEAST_COLUMNS`` columns show it.
    """
    window = 2 * (image.shape[3] // (2 * COURSE)) + 1
    band, middle, weight = band_along(image, liver)
    row = middle + brightest_path(band) - band.shape[1] // 2
    away = (row - _running_mean(row, weight, window)).abs()
    whole = F.avg_pool1d(weight[:, None], window, 1, window // 2)[:, 0] > 0.95
    found = [
        one[here].median() if here.sum() >= LEAST_COLUMNS else one.new_zeros(())
        for one, here in zip(away, whole & (weight > 0), strict=True)
    ]
    return torch.log(torch.stack(found) + FLOOR)[:, None]
