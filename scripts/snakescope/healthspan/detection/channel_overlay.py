"""One grey picture of a frame, in which worms are brighter than the ground.

The paper overlays the dark field (fluorescence) and the bright field, since either alone
misses worms (section 2.2.1, table 2). Worms are darker than the agar in bright field and
brighter in dark field, and light falls off towards the rim; so each channel is first
expressed as contrast against its own local ground, in units of its own noise.
"""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.step.errors import StepError

GROUND = 64
"""Grey value of the empty ground in an overlay."""

_GAIN = 40.0
"""Grey values for one unit of the compressed contrast: 100 noise levels reach 248."""

_POLARITY = {"bright_field": -1.0, "dark_field": 1.0}

_WINDOW_PX = 24.0
"""Standard deviation of the window in which the ground is estimated: three worm widths."""

_REDUCTION = 4


def _smooth(image: NDArray[np.float32]) -> NDArray[np.float32]:
    sigma = _WINDOW_PX / _REDUCTION
    return np.asarray(
        cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), dtype=np.float32
    )


def _median_deviation(values: NDArray[np.float32]) -> float:
    """Standard deviation of the bulk of the values, by their median absolute value."""
    return 1.4826 * float(np.median(np.abs(values[::3, ::3])))


def local_ground(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """The ground under the objects of a frame, shape (Y, X).

    A smoothed frame in which what differs from its first estimate (worms, dust) has no say.
    """
    height, width = frame.shape
    size = (max(1, width // _REDUCTION), max(1, height // _REDUCTION))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    ground = _smooth(small)
    for _ in range(2):
        difference = np.abs(small - ground)
        spread = max(1.4826 * float(np.median(difference)), 1e-3)
        weight = (difference < 2.5 * spread).astype(np.float32) + 0.02
        ground = _smooth(small * weight) / _smooth(weight)
    return np.asarray(
        cv2.resize(ground, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32
    )


def contrast(frame: NDArray[np.generic], channel: str) -> NDArray[np.float32]:
    """Contrast of a channel against its ground in noise levels, worms positive; shape (Y, X).

    Bright field is a transmitted part of the light, so there the contrast is relative.
    """
    image = frame.astype(np.float32)
    ground = local_ground(image)
    difference = (image - ground) * _POLARITY[channel]
    if channel == "bright_field":
        floor = 0.05 * float(np.median(ground)) + 1.0
        difference /= np.maximum(ground, floor)
    noise = max(_median_deviation(difference), 1e-6)
    return difference / noise


def overlay(
    channels: Mapping[str, NDArray[np.generic]], mask: NDArray[np.bool_] | None = None
) -> NDArray[np.uint8]:
    """Overlay of one or two channels, uint8 (Y, X), ground at 64 and worms brighter.

    Args:
        channels: ``bright_field`` and/or ``dark_field``, each (Y, X) of any unsigned type.
        mask: True where the frame shows the dish; elsewhere the overlay is ground.

    Raises:
        StepError: an unknown channel, or none.
    """
    unknown = sorted(set(channels) - set(_POLARITY))
    if unknown or not channels:
        raise StepError(
            f"expected the channels bright_field and/or dark_field, found {unknown or 'none'}"
        )
    total = sum(contrast(frame, name) for name, frame in channels.items())
    total = np.asarray(total, dtype=np.float32) / np.float32(np.sqrt(len(channels)))
    grey = GROUND + _GAIN * np.arcsinh(total / 2.0)
    if mask is not None:
        grey[~mask] = GROUND
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)
