"""What the worms of a frame are like, by which two worms in one mask and fibres are told.

The worms of a plate are of one age and under one light, so they agree in size and brightness
far better than what is taken for a worm does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.detection.channel_overlay import GROUND
from snakescope.imaging.masks import Instance

SURE_SCORE = 0.9
FEWEST_SURE = 5
"""Fewer worms than these, seen with this confidence, do not tell what a plate's worms are like."""

AREA_SPREAD = 0.25
"""Standard deviation of the logarithm of a worm's seen area about that of the frame's worms.

Simulated bodies of one age differ by 0.1; masks that miss a tip, or add an edge, do the rest. It
is no sharp choice: 0.15 to 0.5 gave F within 0.0015 of each other on 32 simulated frames.
"""


@dataclass(frozen=True)
class SizePrior:
    """The median worm of a frame: contrast (grey values), area (px) and width (px)."""

    contrast: float
    area: float
    width: float

    def plausibility(self, one: Instance) -> float:
        """Confidence in an object, lowered where its area is not that of a worm of this frame.

        Two worms seen as one keep a fiftieth of it, and so does half a worm.
        """
        deviation = float(np.log(one.area / self.area)) / AREA_SPREAD
        return one.score * float(np.exp(-0.5 * deviation**2))


def length_px(instance: Instance) -> float:
    """Length of a slender object: half its outline."""
    padded = np.pad(instance.mask.astype(np.uint8), 1)
    outlines, _ = cv2.findContours(padded, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return max((cv2.arcLength(one, closed=True) for one in outlines), default=0.0) / 2


def width_px(instance: Instance) -> float:
    """Mean width of a slender object: its area by its length."""
    return instance.area / max(length_px(instance), 1.0)


def contrast(one: Instance, frame: NDArray[np.uint8]) -> float:
    """How much brighter than the ground an object is on the overlay (grey values)."""
    inside = frame[one.top : one.bottom, one.left : one.right][one.mask]
    return float(inside.mean()) - GROUND


def estimate_size_prior(objects: Sequence[Instance], frame: NDArray[np.uint8]) -> SizePrior | None:
    """The median of the objects that surely are worms; None where there are too few.

    Args:
        objects: of one frame; a worm that several tiles saw may be among them several times.
        frame: the overlay they were seen on, uint8 (Y, X).
    """
    sure = [one for one in objects if one.score >= SURE_SCORE]
    if len(sure) < FEWEST_SURE:
        return None
    return SizePrior(
        float(np.median([contrast(one, frame) for one in sure])),
        float(np.median([one.area for one in sure])),
        float(np.median([width_px(one) for one in sure])),
    )
