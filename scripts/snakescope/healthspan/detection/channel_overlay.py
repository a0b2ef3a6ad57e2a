"""Overlay of the channels of a frame as one grey image with bright worms.

Matsuo et al. combine dark field (fluorescence) and bright field, since each alone misses worms
(section 2.2.1, table 2). Worms are darker than the agar in bright field and brighter in dark field,
and illumination decreases towards the rim, so each channel is first converted to its contrast to
the local background, in units of its noise.
"""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.step.errors import StepError

GROUND = 64
"""Grey value of the background of an overlay."""

_GAIN = 40.0
"""Grey values per unit of compressed contrast: a contrast of 100 noise levels becomes 248."""

_POLARITY = {"bright_field": -1.0, "dark_field": 1.0}

MOST_CONTRAST = 30.0
"""Contrast of the darkest thousandth of a frame in bright field, at most (units of noise).

Where light is saturated or the optics show little noise, a worm is a hundred times the noise, and
what is a tenth as dark as it, texture of a lawn, shadows of the wall, would look nearly the same.
Chosen on the QuantWorm lifespan plates, where an eighth of what was found was no worm; frames of
less contrast are as they were. In dark field worms shine by as much, and little else does.
"""

LIT, BLACK = 0.6, 0.1
"""Of the light of the bright parts: where there is less around a pixel, as along and beyond the
edge of what light comes through, or next to none in it, darkness is no worm's. A black surround or
a stroke of a pen would else make faint worms vanish.
"""

_WINDOW_PX = 24.0
"""Standard deviation of the window of the background estimate (px): three widths of a worm."""

_REDUCTION = 4


def _smooth(image: NDArray[np.float32]) -> NDArray[np.float32]:
    sigma = _WINDOW_PX / _REDUCTION
    return np.asarray(
        cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), dtype=np.float32
    )


def _small(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = frame.shape
    size = (max(1, width // _REDUCTION), max(1, height // _REDUCTION))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.float32)


def _large(small: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    found = cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(found, np.float32)


def _median_deviation(values: NDArray[np.float32]) -> float:
    """Return a robust standard deviation, by the median absolute value."""
    return 1.4826 * float(np.median(np.abs(values[::3, ::3])))


def local_ground(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """Estimate the background of a frame, shape (Y, X).

    The smoothed frame, in which pixels that differ from the first estimate (worms, dust) have a
    weight of 2 %.
    """
    small = _small(frame)
    ground = _smooth(small)
    for _ in range(2):
        difference = np.abs(small - ground)
        spread = max(1.4826 * float(np.median(difference)), 1e-3)
        weight = (difference < 2.5 * spread).astype(np.float32) + 0.02
        ground = _smooth(small * weight) / _smooth(weight)
    return _large(ground, frame.shape)


def _lit(frame: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where light comes through, next to nothing darker by worms, among pixels that are seen.

    The ground does not tell, as it reaches beyond an edge, where it leaves out what differs.
    """
    light = _large(_smooth(_small(frame)), frame.shape)[::3, ::3]
    bright = float(np.quantile(light[seen], 0.95))
    return np.asarray(seen & (light >= LIT * bright) & (frame[::3, ::3] >= BLACK * bright))


def contrast(
    frame: NDArray[np.generic], channel: str, mask: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Return the contrast of a channel to its background in units of noise; worms are positive.

    In bright field, which measures transmitted light, the contrast is relative, and the unit is
    larger where the frame's contrast is great, see ``MOST_CONTRAST``. Shape (Y, X).

    Args:
        mask: True within the dish, whose contrast alone counts for that.
    """
    image = frame.astype(np.float32)
    ground = local_ground(image)
    difference = (image - ground) * _POLARITY[channel]
    if channel == "bright_field":
        floor = 0.05 * float(np.median(ground)) + 1.0
        difference /= np.maximum(ground, floor)
    noise = max(_median_deviation(difference), 1e-6)
    if channel == "bright_field":
        within = np.ones(image.shape, bool) if mask is None else mask
        seen = within[::3, ::3]
        if seen.any() and (lit := _lit(image, seen)).any():
            darkest = float(np.quantile(difference[::3, ::3][lit], 0.999))
            noise = max(noise, darkest / MOST_CONTRAST)
    return difference / noise


def overlay(
    channels: Mapping[str, NDArray[np.generic]], mask: NDArray[np.bool_] | None = None
) -> NDArray[np.uint8]:
    """Return the overlay of one or two channels, uint8 (Y, X); the background is 64.

    Args:
        channels: ``bright_field`` and/or ``dark_field``, each (Y, X) of any unsigned type.
        mask: True within the dish; other pixels get the background value.

    Raises:
        StepError: an unknown channel, or no channel.
    """
    unknown = sorted(set(channels) - set(_POLARITY))
    if unknown or not channels:
        raise StepError(
            f"expected the channels bright_field and/or dark_field, found {unknown or 'none'}"
        )
    total = sum(contrast(frame, name, mask) for name, frame in channels.items())
    total = np.asarray(total, dtype=np.float32) / np.float32(np.sqrt(len(channels)))
    if mask is not None:
        total[~mask] = 0.0
    return overlay_of_contrast(total)


def overlay_of_contrast(contrast: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the overlay, uint8, of a contrast in units of noise, of any shape."""
    grey = GROUND + _GAIN * np.arcsinh(contrast / 2.0)
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def contrast_of(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the contrast, in units of noise, of an overlay of any shape."""
    return _CONTRAST[picture]


_CONTRAST = (2 * np.sinh((np.arange(256) - GROUND) / _GAIN)).astype(np.float32)
