"""Membrane probabilities of sections of any size, tile by tile, averaged over turns and mirrors."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from snakescope.learning.precision import autocast
from snakescope.membranes.networks.networks import GRID, Network, margin_of, membrane
from snakescope.membranes.networks.settings import NetworkSettings

Tile = tuple[slice, slice, slice, slice]
"""Rows and columns of a window, and those within it that are kept."""


def windows(height: int, width: int, tile: int, margin: int) -> Iterator[Tile]:
    """Divide a picture into tiles, each with the margin that its prediction sees.

    Args:
        height, width: of the picture (px), multiples of the grid of the network.
        tile: side of a tile, a multiple of the grid.
        margin: likewise.
    """
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            bottom, right = min(top + tile, height), min(left + tile, width)
            above, before = max(top - margin, 0), max(left - margin, 0)
            yield (
                slice(above, min(bottom + margin, height)),
                slice(before, min(right + margin, width)),
                slice(top - above, bottom - above),
                slice(left - before, right - before),
            )


@torch.no_grad()
def predict_section(
    network: Network,
    settings: NetworkSettings,
    planes: NDArray[np.float32],
    tile: int = 512,
    turns: int = 1,
    dtype: torch.dtype = torch.float32,
) -> NDArray[np.float32]:
    """Membrane probability of a section.

    Args:
        network: in evaluation mode, on the device of its parameters.
        planes: shape (C, Y, X), the section and its neighbours, standardised.
        tile: side of the tiles (px), a multiple of 8; results do not depend on it but for rounding.
        turns: 1: as it is; 4: mean over the quarter turns; 8: and over their mirror images.
        dtype: arithmetic.

    Returns:
        float32, shape (Y, X).
    """
    device = next(network.parameters()).device
    total = np.zeros(planes.shape[1:], np.float32)
    margin = margin_of(settings)
    for turn in range(turns):
        turned = np.rot90(planes[..., ::-1] if turn >= 4 else planes, turn % 4, (1, 2))
        height, width = turned.shape[1:]
        padded = np.pad(turned, ((0, 0), (0, -height % GRID), (0, -width % GRID)), mode="reflect")
        found = np.zeros(padded.shape[1:], np.float32)
        tiles = windows(padded.shape[1], padded.shape[2], tile, margin)
        for rows, columns, kept_rows, kept_columns in tiles:
            part = torch.from_numpy(np.ascontiguousarray(padded[:, rows, columns]))[None]
            with autocast(device, dtype):
                maps = network(part.to(device))
            probability = membrane(maps)[0, kept_rows, kept_columns].cpu().numpy()
            top, left = rows.start + kept_rows.start, columns.start + kept_columns.start
            found[top : top + probability.shape[0], left : left + probability.shape[1]] = (
                probability
            )
        back = np.rot90(found[:height, :width], -(turn % 4))
        total += back[:, ::-1] if turn >= 4 else back
    return np.asarray(total / turns, np.float32)


def as_bytes(probability: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Probabilities as 0 to 255, the form in which they are stored and scored."""
    stored: NDArray[np.uint8] = np.rint(probability * 255).astype(np.uint8)
    return stored
