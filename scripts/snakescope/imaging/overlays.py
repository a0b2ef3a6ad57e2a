"""Images for display: contrast stretching, crops, colour ramps and contours of masks."""

from collections.abc import Iterable, Mapping
from typing import Any

import cv2
import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from snakescope.imaging.masks import Instance

Frame = NDArray[np.integer[Any]]
SAMPLES = 400_000


def rgb(colour: str) -> NDArray[np.float64]:
    """Convert a hex colour to red, green, blue, each 0 to 255."""
    return np.asarray(to_rgb(colour), dtype=np.float64) * 255.0


def stretched(
    frame: Frame, low_percentile: float = 0.5, high_percentile: float = 99.7
) -> NDArray[np.uint8]:
    """Rescale a frame (Y, X) of any bit depth to uint8 between two percentiles.

    The percentiles are those of about 400,000 pixels on a regular grid.
    """
    step = max(1, int(np.sqrt(frame.size / SAMPLES)))
    low, high = np.percentile(frame[::step, ::step], [low_percentile, high_percentile])
    gain = 255.0 / max(float(high - low), 1.0)
    return np.clip((frame.astype(np.float32) - np.float32(low)) * gain, 0, 255).astype(np.uint8)


def around(frame: Frame, centre_y: float, centre_x: float, side: int) -> Frame:
    """Return the square of ``side`` x ``side`` px around a point of ``frame``, same dtype.

    Pixels outside of the frame get the median of those inside, 0 if there are none.
    """
    height, width = frame.shape
    top = round(centre_y - side / 2)
    left = round(centre_x - side / 2)
    inner = frame[
        max(top, 0) : max(min(top + side, height), 0),
        max(left, 0) : max(min(left + side, width), 0),
    ]
    if inner.shape == (side, side):
        return inner
    square = np.zeros((side, side), dtype=frame.dtype)
    if inner.size:
        y, x = max(-top, 0), max(-left, 0)
        square[:] = int(np.median(inner))
        square[y : y + inner.shape[0], x : x + inner.shape[1]] = inner
    return square


def ramp(colour: str, levels: int) -> NDArray[np.uint8]:
    """Return ``levels`` shades of a colour from dark to light, uint8 (levels, 3).

    The darkest shade keeps 55 % of the colour, so that the hue of dark objects can be seen.
    """
    place = np.linspace(0.0, 1.0, levels)[:, None]
    deep = np.minimum(place / 0.6, 1.0) * 0.45 + 0.55
    pale = np.clip((place - 0.6) / 0.4, 0.0, 1.0) * 0.45
    tones = rgb(colour)[None, :] * deep
    return np.asarray(np.round(tones + (255.0 - tones) * pale), dtype=np.uint8)


def outlined(
    picture: NDArray[np.uint8],
    instances: Iterable[Instance],
    colours: Mapping[int, str],
    default: str,
    scale: float = 1.0,
    thickness: int = 1,
    margin: int = 0,
) -> NDArray[np.uint8]:
    """Draw the contour of every instance on a copy of an RGB image.

    Args:
        picture: uint8 (Y, X, 3).
        instances: masks in coordinates of the frame.
        colours: hex colour by the instance's identifier; ``default`` for the others.
        scale: image pixels per frame pixel.
        thickness: of the line (image px).
        margin: distance of the line from the mask (frame px), so that the line covers no object.
    """
    drawn = picture.copy()
    for one in instances:
        padded = np.pad(one.mask, 1 + margin).astype(np.uint8)
        if margin:
            disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1, 2 * margin + 1))
            padded = np.asarray(cv2.dilate(padded, disc), dtype=np.uint8)
        contours, _ = cv2.findContours(padded, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        colour = tuple(float(part) for part in rgb(colours.get(one.identifier, default)))
        for contour in contours:
            x = (contour[:, 0, 0] - 1 - margin + one.left + 0.5) * scale - 0.5
            y = (contour[:, 0, 1] - 1 - margin + one.top + 0.5) * scale - 0.5
            points = np.round(np.stack([x, y], axis=1)).astype(np.int32)[:, None, :]
            cv2.polylines(drawn, [points], True, colour, thickness, cv2.LINE_AA)
    return drawn
