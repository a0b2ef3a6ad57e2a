"""What the grey values say of a worm's movement: which part of its body left, which came.

Matsuo et al. tell movement by masks alone (section 3.3.1), so a detector that draws the same corpse
twice in two ways shows movement where there is none. Here every pixel of a body is looked up in the
registered neighbour frame:

* a pixel of the body is *gone* if nothing within the tolerance is half as dark there, and
* a pixel has *come* if it is half as dark as the body, joined to it, and nothing within the
  tolerance was half as dark before.

Both have to exceed the noise of the still ground around the worm. The greater of the two, as a
share of the body, is 0 for a body that lies still however its mask flickers, about 0.1 for a head
that turns, and about 1 for a worm that has left.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.detection.channel_overlay import contrast_of

HALF = 0.5
"""Share of the contrast of a body by which a pixel counts as body. In between two positions of an
edge that is out of register by less than the tolerance, one of both always reaches it."""

NOISE_LEVELS = 4.0
"""A difference counts from so many standard deviations of the still ground on."""

LEAST_CONTRAST = 3.0
"""A body fainter than so many standard deviations of the ground around it tells nothing."""

LEAST_GROUND_PX = 200
"""Pixels of ground in a window from which its noise is estimated."""

GROUND_STEP = 5
"""Every so many of these pixels are looked at: neighbours say the same."""

REACH_PX = 24
"""How far from the body (px) that which came is looked for: the turn of a head."""

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Change:
    """How a body differs from a neighbour frame; masks bool (window, window).

    Attributes:
        gone: pixels of the body that are empty in the neighbour frame.
        come: pixels next to it that are body in the neighbour frame only.
        contrast: of the body to the ground around it, in standard deviations of that ground; the
            lesser of both frames where the body lies still.
        share: the greater of gone and come, as a share of the body, 0 or more.
    """

    gone: Mask
    come: Mask
    contrast: float
    share: float


def disc(radius_px: float) -> NDArray[np.uint8]:
    """Return a round structuring element of this radius (px)."""
    reach = int(np.ceil(radius_px))
    y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    return np.asarray(y * y + x * x <= (radius_px + 0.5) ** 2, dtype=np.uint8)


def distance_to(mask: Mask) -> Floats:
    """Return the distance (px) of every pixel to a mask that is not empty; 0 within it."""
    outside = (~mask).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(outside, cv2.DIST_L2, 5), dtype=np.float32)


def window_of(
    picture: NDArray[np.uint8], top: int, left: int, side: int, smoothing_px: float
) -> Floats:
    """Return the smoothed contrast, float32 (side, side), of an overlay at (top, left).

    Beyond the frame is ground. Units are those of the overlay's noise before smoothing.
    """
    margin = int(np.ceil(3 * smoothing_px))
    first_row, first_column = top - margin, left - margin
    last_row, last_column = top + side + margin, left + side + margin
    contrast = np.zeros((side + 2 * margin,) * 2, dtype=np.float32)
    up, near = max(first_row, 0), max(first_column, 0)
    down, far = min(last_row, picture.shape[0]), min(last_column, picture.shape[1])
    if up < down and near < far:
        inside = contrast_of(picture[up:down, near:far])
        contrast[up - first_row : down - first_row, near - first_column : far - first_column] = (
            inside
        )
    smooth = cv2.GaussianBlur(contrast, (0, 0), smoothing_px)
    return np.asarray(smooth[margin : margin + side, margin : margin + side], dtype=np.float32)


def spread(values: Floats) -> float:
    """Return a robust standard deviation, by the median absolute deviation."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values)))) if values.size else 0.0


def change(at: Floats, other: Floats, body: Mask, strangers: Mask, tolerance_px: float) -> Change:
    """Compare a body with the same window of a neighbour frame.

    Args:
        at, other: contrast (:func:`window_of`) of the worm's frame and of the neighbour's.
        body: the worm's mask, not empty.
        strangers: pixels of other worms in either frame, which are nothing that came.
        tolerance_px: by how much an edge may be out of register.
    """
    element = disc(tolerance_px)
    most_at, most_other = cv2.dilate(at, element), cv2.dilate(other, element)
    usual = float(np.median(at[body]))
    away = distance_to(body)
    ground = (distance_to(body | strangers) > 2 * tolerance_px) & (most_at < HALF * usual)
    ground &= most_other < HALF * usual
    sample = np.flatnonzero(ground)[::GROUND_STEP]
    calm = sample.size * GROUND_STEP >= LEAST_GROUND_PX
    first, second = at.flat[sample], other.flat[sample]
    noise = max(spread(first), spread(second), 1e-6) if calm else 1.0
    least = NOISE_LEVELS * (max(spread(first - second), 1e-6) if calm else 1.0)
    gone = body & (most_other < HALF * at) & (at - most_other > least)
    present = other > max(HALF * usual, least)
    joined = present & ~(strangers & ~body)
    _, labels = cv2.connectedComponents(joined.astype(np.uint8), connectivity=8)
    touching = np.unique(labels[(away <= tolerance_px) & joined])
    come = joined & np.isin(labels, touching) & (away <= REACH_PX)
    come &= (most_at < HALF * other) & (other - most_at > least)
    area = np.count_nonzero(body)
    return Change(
        gone=gone,
        come=come,
        contrast=usual / noise,
        share=max(np.count_nonzero(gone), np.count_nonzero(come)) / area,
    )
