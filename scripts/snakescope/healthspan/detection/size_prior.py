"""Size prior of the worms of a frame, which identifies merged worms and fibres.

The worms of a plate have the same age and illumination, so they vary less in size and brightness
than false detections do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.detection.channel_overlay import GROUND
from snakescope.imaging.masks import Instance

SURE_SCORE = 0.9
MIN_SURE = 5
"""Minimum number of detections of at least ``SURE_SCORE`` for an estimate of the prior."""

AREA_SPREAD = 0.25
"""Standard deviation of the logarithm of the area of worms of one frame.

Simulated bodies of one age vary by 0.1; errors of masks add to it. The value is not critical: F
varies by 0.0015 for 0.15 to 0.5 on 32 simulated frames.
"""


@dataclass(frozen=True)
class SizePrior:
    """Medians of the worms of a frame: contrast (grey values), area (px) and width (px)."""

    contrast: float
    area: float
    width: float

    def plausibility(self, one: Instance) -> float:
        """Return the score of an object, weighted by the prior of its area.

        Two merged worms, and half a worm, keep 1 / 50 of their score.
        """
        deviation = float(np.log(one.area / self.area)) / AREA_SPREAD
        return one.score * float(np.exp(-0.5 * deviation**2))


def length_px(instance: Instance) -> float:
    """Return the length of a slender object (px): half its perimeter."""
    padded = np.pad(instance.mask.astype(np.uint8), 1)
    outlines, _ = cv2.findContours(padded, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return max((cv2.arcLength(one, closed=True) for one in outlines), default=0.0) / 2


def width_px(instance: Instance) -> float:
    """Return the mean width of a slender object (px): area / length."""
    return instance.area / max(length_px(instance), 1.0)


def contrast(one: Instance, frame: NDArray[np.uint8]) -> float:
    """Return the mean contrast of an object to the background of the overlay (grey values)."""
    inside = frame[one.top : one.bottom, one.left : one.right][one.mask]
    return float(inside.mean()) - GROUND


def estimate_size_prior(objects: Sequence[Instance], frame: NDArray[np.uint8]) -> SizePrior | None:
    """Estimate the prior from detections of high score; None if there are too few.

    Args:
        objects: detections of one frame, with duplicates.
        frame: overlay of the channels, uint8 (Y, X).
    """
    sure = [one for one in objects if one.score >= SURE_SCORE]
    if len(sure) < MIN_SURE:
        return None
    return SizePrior(
        float(np.median([contrast(one, frame) for one in sure])),
        float(np.median([one.area for one in sure])),
        float(np.median([width_px(one) for one in sure])),
    )
