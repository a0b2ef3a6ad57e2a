"""How like a body the grey values of another frame are, at the same place of the plate."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.states.composite import corner, draw
from snakescope.healthspan.states.pixels import Floats, disc, window_of
from snakescope.imaging.masks import Instance

WINDOW_PX = 128
SMOOTHING_PX = 1.0
RING_PX = 6
"""Ground around a body that is compared as well: as wide as half a worm and more."""

COVERED_SHARE = 0.5
"""A body of which another worm covers so much tells nothing."""

DARK = 0.6
"""A place so much fainter in an earlier frame, as a share of the body now, was something else: a
worm that lies along a scratch or the wall of the dish is darker than that alone. What lay there
stays as dark, on real plates 0.86 and more."""


def shifted(picture: Floats, y: int, x: int) -> Floats:
    """Return a window seen (y, x) px further down and right; what comes in is ground."""
    height, width = picture.shape
    out = np.zeros_like(picture)
    rows, columns = slice(max(-y, 0), height - max(y, 0)), slice(max(-x, 0), width - max(x, 0))
    out[rows, columns] = picture[max(y, 0) : height + min(y, 0), max(x, 0) : width + min(x, 0)]
    return out


@dataclass(frozen=True)
class Likeness:
    """How like a body of the neighbour frames a window is, see :class:`Look`; and the shift (px)"""

    correlation: float
    contrast: float
    y: int = 0
    x: int = 0


def likeness(
    at: Floats, template: Floats, body: NDArray[np.bool_], clear: NDArray[np.bool_], tolerance: int
) -> Likeness:
    """Compare a window with the mean of the neighbour frames, at the shift of best correlation.

    Args:
        at, template: contrasts, float32 (window, window).
        body: the expected mask.
        clear: pixels without other worms.
        tolerance: greatest shift along each axis (px).
    """
    near = (cv2.dilate(body.astype(np.uint8), disc(RING_PX)) > 0) & clear
    inside, ring = body & clear, near & ~body
    if np.count_nonzero(inside) <= (1 - COVERED_SHARE) * np.count_nonzero(body) or not ring.any():
        return Likeness(0.0, 0.0)
    usual = template[near]
    usual_contrast = float(template[inside].mean() - template[ring].mean())
    best = Likeness(-1.0, 0.0)
    steps = sorted(range(-tolerance, tolerance + 1), key=lambda step: (abs(step), step))
    for y in steps:
        for x in steps:
            moved = shifted(at, y, x)
            seen = moved[near]
            if usual.std() == 0 or seen.std() == 0 or usual_contrast <= 0:
                continue
            value = float(np.corrcoef(usual, seen)[0, 1])
            if value > best.correlation + 1e-9:
                contrast = float(moved[inside].mean() - moved[ring].mean())
                best = Likeness(value, contrast / usual_contrast, y, x)
    return best


def likeness_before(
    worms: Sequence[Instance],
    picture: NDArray[np.uint8],
    earlier: Sequence[NDArray[np.uint8]],
    tolerance_px: float,
) -> list[Likeness | None]:
    """How like each worm of a frame its place was in earlier frames: in that least like it.

    Agar to which a worm has come since is not like it; a lump of debris, or a fold of the agar,
    looks the same from the first picture on, whenever the detector takes it for a worm. A place
    that was fainter than :data:`DARK` is not like it at all.

    Args:
        picture: overlay of the frame, uint8 (Y, X).
        earlier: overlays in register with it; none tells nothing.
    """
    found: list[Likeness | None] = []
    for one in worms:
        top, left = corner(one, WINDOW_PX)
        at = window_of(picture, top, left, WINDOW_PX, SMOOTHING_PX)
        body = draw([one], top, left, WINDOW_PX) > 0
        clear = draw([w for w in worms if w is not one], top, left, WINDOW_PX) == 0
        least: Likeness | None = None
        for before in earlier:
            seen = window_of(before, top, left, WINDOW_PX, SMOOTHING_PX)
            likely = dark_there(seen, at, body & clear, tolerance_px)
            now = Likeness(0.0, 0.0)
            if likely:
                now = likeness(seen, at, body, clear, int(tolerance_px))
            if least is None or now.contrast < least.contrast:
                least = now
            if not likely:
                break
        found.append(least)
    return found


def dark_there(seen: Floats, at: Floats, body: NDArray[np.bool_], tolerance_px: float) -> bool:
    """Whether something within the tolerance of a body is about as dark in another frame."""
    if not body.any():
        return False
    usual = float(np.median(at[body]))
    return float(np.median(cv2.dilate(seen, disc(tolerance_px))[body])) >= DARK * usual
