"""Statistics of speckle that few scans cannot teach a network: energies of frequency bands."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOWS = ((3, 5, 9), (5, 9, 17), (5, 9, 17))
"""Box windows between which bands of spatial frequency lie: px of the image, its half, its quarter.

Two neighbouring windows of a resolution leave a band; the first band of each is that of the pixels.
"""

BANDS = sum(len(one) for one in WINDOWS)
CHANNELS = len(WINDOWS[0]) + len(WINDOWS[1]) + 2
"""Of :func:`local_statistics`."""

MEASURES = BANDS + 8
"""Of :func:`liver_statistics`."""

FLOOR = 1e-3
LOCAL_WINDOW = 5
RIM = 24
"""Of a liver's outline, this part of the image's side (1 in ``RIM``) is not looked at."""

LEAST_PX = 50


class Band(NamedTuple):
    """Energy of a band of spatial frequency, (N, 1, Y, X), and the weight of each pixel."""

    energy: Tensor
    weight: Tensor


def _box(values: Tensor, window: int) -> Tensor:
    """Mean over a square window; outside the image everything is 0.

    By differences of running sums, which cost the same for every window.
    """
    half = window // 2
    rows = F.pad(values, (0, 0, half + 1, half)).cumsum(2)
    rows = rows[:, :, window:] - rows[:, :, :-window]
    both = F.pad(rows, (half + 1, half)).cumsum(3)
    return (both[..., window:] - both[..., :-window]) / window**2


def _smooth(values: Tensor, weight: Tensor, window: int) -> Tensor:
    """Mean over a square window of what has weight; 0 where nothing has."""
    total, share = _box(torch.cat([values * weight, weight], dim=1), window).split(1, dim=1)
    return total / share.clamp_min(FLOOR)


def halved(values: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Values and weights (0 or 1) at half the resolution; pixels of little weight are lost."""
    share = F.avg_pool2d(weight, 2)
    small = F.avg_pool2d(values * weight, 2) / share.clamp_min(FLOOR)
    return small, (share > 0.5).to(values)


def bands_of(values: Tensor, weight: Tensor, windows: Sequence[int]) -> list[Band]:
    """Squared differences of neighbouring smoothings, from the pixels on."""
    levels = [values, *(_smooth(values, weight, window) for window in windows)]
    return [Band((fine - coarse) ** 2, weight) for fine, coarse in pairwise(levels)]


@torch.no_grad()
def local_statistics(image: Tensor) -> Tensor:
    """Local mean and log-energy of six bands at half the resolution, and the sector.

    A change of gain shifts the mean, a change of dynamic range all energies alike; coarse texture
    shows in the ratio of energies.

    Args:
        image: (N, 1, Y, X), even sides, mean 0 and SD 1 inside the sector, 0 outside.

    Returns:
        (N, CHANNELS, Y / 2, X / 2).
    """
    inside = (image != 0).to(image)
    small, half = halved(image, inside)
    fine = torch.cat([one.energy for one in bands_of(image, inside, WINDOWS[0])], dim=1)
    middle = torch.cat([one.energy for one in bands_of(small, half, WINDOWS[1])], dim=1)
    energies = torch.cat([F.avg_pool2d(fine * inside, 2), middle * half], dim=1)
    logs = 0.5 * torch.log(_box(energies, LOCAL_WINDOW).clamp_min(0) + FLOOR)
    return torch.cat([small, logs, F.avg_pool2d(inside, 2)], dim=1)


def core_of(liver: Tensor, image: Tensor) -> Tensor:
    """Where the liver is and its rim is not, (N, 1, Y, X), 0 or 1.

    The rim is brighter than any texture. Where no liver is left the sector is taken.

    Args:
        liver: share or probability, (N, 1, Y, X), of the size of the image.
        image: as in :func:`local_statistics`.
    """
    inside = (image != 0).to(image)
    window = 2 * (image.shape[2] // (2 * RIM)) + 1
    whole = (liver > 0.5).to(image) * inside
    core = (_box(1 - whole, window) < 0.5 / window**2).to(image)
    for wider in (whole, inside):
        enough = core.sum((1, 2, 3), keepdim=True) >= LEAST_PX
        core = torch.where(enough, core, wider)
    return core


def pooled(values: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean of (N, C, Y, X) over pixels, (N, C)."""
    return (values * weight).sum((2, 3)) / weight.sum((2, 3)).clamp_min(FLOOR)


def energy_maps(image: Tensor, core: Tensor) -> tuple[Tensor, Tensor]:
    """Logarithms of the energies of all bands inside the core, at a quarter of the resolution.

    Smoothings are of what is inside the core alone, so that no vessel and no rim shows in a band.

    Returns:
        Maps (N, BANDS, Y / 4, X / 4), and the weight of each of their pixels, of equal shape.
    """
    values, weight = image, core
    maps, weights = [], []
    for level, windows in enumerate(WINDOWS):
        if level:
            values, weight = halved(values, weight)
        times = 2 ** (len(WINDOWS) - 1 - level)
        share = F.avg_pool2d(weight, times) if times > 1 else weight
        for band in bands_of(values, weight, windows):
            log = 0.5 * torch.log(band.energy + FLOOR) * weight
            total = F.avg_pool2d(log, times) if times > 1 else log
            maps.append(total / share.clamp_min(FLOOR))
            weights.append(share)
    return torch.cat(maps, dim=1), torch.cat(weights, dim=1)


def _moments(values: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Mean, log of the SD, skewness and kurtosis of what has weight, (N, 1) each."""
    mean = pooled(values, weight)
    apart = (values - mean[..., None, None]) * weight
    sd = pooled(apart**2, weight).clamp_min(1e-6).sqrt()
    scaled = apart / sd[..., None, None]
    heavy = scaled.clamp(-4, 4) ** 4  # one bright pixel is not to decide
    return mean, sd.log(), pooled(scaled**3, weight), pooled(heavy, weight)


def liver_statistics(image: Tensor, core: Tensor) -> Tensor:
    """Moments of grey levels, of their local means, and how fast they fall with depth, (N, 8)."""
    depth = torch.linspace(-1, 1, image.shape[2], device=image.device, dtype=image.dtype)
    across = depth[None, None, :, None].expand_as(image)
    apart = (across - pooled(across, core)[..., None, None]) * core
    slope = pooled(apart * image, core) / pooled(apart**2, core).clamp_min(FLOOR)
    small, weight = halved(image, core)
    smooth = _moments(_smooth(small, weight, LOCAL_WINDOW), weight)
    return torch.cat([*_moments(image, core), *smooth[1:], slope], dim=1)
