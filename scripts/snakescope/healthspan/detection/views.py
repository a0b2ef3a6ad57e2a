"""What the network looks at: parts of a frame with a margin, so that a worm on a seam is whole.

Matsuo et al. look at tiles, and so does the default. Where all tiles of a frame are looked at,
larger parts may take their place, and share less margin: of a frame of 3080 px, 9 parts have a
quarter fewer pixels than 49 tiles.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.detection.channel_overlay import GROUND

Part = tuple[int, int, int, int]
"""top, left, height, width on the frame, without the margin (px)."""

STRIDE = 32
"""Sides of a view are multiples of it, as the network pads it to that."""

LEAST_CONTRAST = 24
"""Minimum contrast of the brightest pixel of a tile that the detector is run on (grey values)."""

BOLD_PX = 60
"""Brightest pixels of a tile by which it is judged before it is searched."""


@dataclass(frozen=True)
class Disc:
    """A round area in plate coordinates: centre (y, x) and radius (px)."""

    y: float
    x: float
    radius: float

    def distance(self, y: float, x: float) -> float:
        """Return the distance of a point to the edge (px); negative outside."""
        return self.radius - float(np.hypot(y - self.y, x - self.x))


def tile_corners(size: tuple[int, ...], tile_px: int) -> list[tuple[int, int]]:
    """(top, left) of the tiles of a frame of ``size`` (Y, X), row by row."""
    height, width = size
    return [(top, left) for top in range(0, height, tile_px) for left in range(0, width, tile_px)]


def parts_of(
    size: tuple[int, int],
    corners: Sequence[tuple[int, int]],
    tile_px: int,
    max_view_px: int,
    halo: int,
) -> list[Part]:
    """The parts of a frame to look at, which cover its tiles.

    Args:
        size: of the frame, (Y, X).
        corners: (top, left) of the tiles; where some are left out, each tile is a part.
        max_view_px: side of the largest part without its margin.
    """
    height, width = size
    if set(corners) != set(tile_corners(size, tile_px)) or max_view_px <= tile_px:
        return [(top, left, tile_px, tile_px) for top, left in corners]
    high, wide = (_side(length, max_view_px, halo) for length in size)
    return [
        (top, left, high, wide) for top in range(0, height, high) for left in range(0, width, wide)
    ]


def _side(length: int, most: int, halo: int) -> int:
    """Side of equal parts of a length, so that its view is a multiple of ``STRIDE``."""
    least = -(-length // -(-length // most))
    return -(-(least + 2 * halo) // STRIDE) * STRIDE - 2 * halo


def view(frame: NDArray[np.uint8], part: Part, halo: int) -> NDArray[np.uint8]:
    """Return a part of a frame with its margin; padded by the background value."""
    top, left, height, width = part
    out = np.full((height + 2 * halo, width + 2 * halo), GROUND, dtype=np.uint8)
    t, lf = max(top - halo, 0), max(left - halo, 0)
    b, r = min(top + height + halo, frame.shape[0]), min(left + width + halo, frame.shape[1])
    out[t - top + halo : b - top + halo, lf - left + halo : r - left + halo] = frame[t:b, lf:r]
    return out


def boldness(tile: NDArray[np.uint8]) -> int:
    """Mean grey value of the brightest of a tile: about the area of half a worm."""
    return int(np.sort(cv2.blur(tile, (5, 5)), axis=None)[-BOLD_PX:].mean())


def worth_a_look(
    picture: NDArray[np.uint8],
    top: float,
    left: float,
    dish: Disc | None,
    min_contrast: float = LEAST_CONTRAST,
) -> bool:
    """Return whether a picture at (top, left) may show a worm: not empty, not outside the dish."""
    if dish is not None:
        y = min(max(dish.y, top), top + picture.shape[0])
        x = min(max(dish.x, left), left + picture.shape[1])
        if dish.distance(y, x) < 0:
            return False
    calm = cv2.blur(picture, (5, 5))
    return int(calm.max()) >= GROUND + min_contrast
