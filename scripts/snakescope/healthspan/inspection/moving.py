"""Worms of two frames by what moved between them: a look at a plate before any model is run.

Worms are slender, stand out from the agar and lie elsewhere in the next frame; debris, folds of the
agar and scratches stay. Their length and width tell the pixel size, and whether they are dark or
bright the kind of light.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.detection.channel_overlay import contrast
from snakescope.healthspan.registration.motion import to_reference
from snakescope.healthspan.registration.reference import Description, describe
from snakescope.healthspan.registration.register import prepare, register_frame
from snakescope.healthspan.registration.settings import RegisterSettings
from snakescope.healthspan.states.body import body_mask, slender_size
from snakescope.healthspan.states.composite import midline_length

MIN_CONTRAST = 5.0
"""Least contrast of a pixel of an object, in units of the noise of the frame."""
MIN_AREA_PX, MAX_AREA_SHARE = 12, 0.002
MIN_SLENDERNESS = 5.0
MOVED = 0.35
"""Share of an object's contrast that is left at its place in the other frame, if it has moved."""
INSIDE = 0.95
"""Share of the radius of the dish within which objects are looked at."""
MIN_MOVED = 3
"""Least number of objects that moved by which the size of worms is told."""
USUAL_UM = 1150.0
"""Length of an adult hermaphrodite (um), which the detector was trained on: 1.0 to 1.3 mm."""


@dataclass(frozen=True)
class Moving:
    """An object that has moved.

    Attributes:
        y_px, x_px: centre in the raw frame; length_px, width_px: of its midline and across.
        contrast: mean contrast in units of the noise, positive if darker than the agar.
    """

    y_px: float
    x_px: float
    length_px: float
    width_px: float
    contrast: float


@dataclass(frozen=True)
class Look:
    """What two frames of a plate show.

    Attributes:
        description: dish and mark of the first frame.
        worms: objects that moved between the two, of like length and width.
        still: number of slender objects that did not move.
        shift_px: how far the second frame lies off the first; None if it could not be registered.
    """

    description: Description
    worms: tuple[Moving, ...]
    still: int
    shift_px: float | None

    @property
    def length_px(self) -> float | None:
        """Median length of the worms (px of the raw frame); None with too few."""
        return _median([one.length_px for one in self.worms])

    @property
    def width_px(self) -> float | None:
        """Median width of the worms (px of the raw frame); None with too few."""
        return _median([one.width_px for one in self.worms])

    @property
    def dark(self) -> bool | None:
        """Whether worms are darker than the agar; None with too few."""
        sign = _median([one.contrast for one in self.worms])
        return None if sign is None else sign > 0


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if len(values) >= MIN_MOVED else None


def look_at(first: NDArray[Any], second: NDArray[Any] | None) -> Look:
    """Find dish, mark and moving worms of two frames (Y, X) of one channel.

    Args:
        first: the frame that is described; second: one of a later time, or None.
    """
    settings = RegisterSettings(max_scale_change=0.02)
    description = describe(0, {"bright_field": first}, settings)
    if second is None or second.shape != first.shape:
        return Look(description, (), 0, None)
    reference = prepare({"bright_field": first}, description, settings)
    motion, _, _, reason = register_frame(reference, second, settings)
    if motion is None or reason:
        return Look(description, (), 0, None)
    there = contrast(to_reference(second, motion), "bright_field")
    here = contrast(first, "bright_field")
    moved, still = [], 0
    for sign in (1.0, -1.0):
        found, lying = _slender(sign * here, sign * there, description)
        moved += [Moving(y, x, length, width, sign * value) for y, x, length, width, value in found]
        still += lying
    shift = float(np.hypot(motion.shift_y_px, motion.shift_x_px))
    return Look(description, tuple(_alike(moved)), still, shift)


def _slender(
    here: NDArray[np.float32], there: NDArray[np.float32], description: Description
) -> tuple[list[tuple[float, float, float, float, float]], int]:
    """Return (y, x, length, width, contrast) of slender objects that moved; how many did not."""
    bold = (cv2.GaussianBlur(here, (0, 0), 0.7) > MIN_CONTRAST).astype(np.uint8)
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(bold, connectivity=8)
    found, still = [], 0
    dish = description.dish
    for label, (left, top, width, height, area) in enumerate(boxes):
        if label == 0 or not MIN_AREA_PX <= area <= MAX_AREA_SHARE * here.size:
            continue
        y, x = top + (height - 1) / 2, left + (width - 1) / 2
        radius = float(np.hypot(y - dish.y_px, x - dish.x_px))
        if description.dish_seen and radius > INSIDE * dish.radius_px:
            continue
        box = slice(top, top + height), slice(left, left + width)
        mask = labels[box] == label
        length = midline_length(mask)
        if length**2 / area < MIN_SLENDERNESS or length > 4 * max(width, height):
            continue
        value = float(here[box][mask].mean())
        if float(there[box][mask].mean()) < MOVED * value:
            body = body_mask(np.where(mask, here[box], 0).astype(np.float32))
            found.append((y, x, *slender_size(body), value))
        else:
            still += 1
    return found, still


def _alike(moved: Sequence[Moving]) -> list[Moving]:
    """Return the objects of one kind: of like length and width, and all dark or all bright.

    Noise and eggs move as well, but are small and faint: objects are weighted by their area.
    """
    kinds = [[one for one in moved if one.contrast > 0], [one for one in moved if one.contrast < 0]]
    best = max(kinds, key=lambda kind: sum(one.length_px * abs(one.contrast) for one in kind))
    if not best:
        return []
    weights = np.array([one.length_px * one.width_px * abs(one.contrast) for one in best])
    lengths = np.array([one.length_px for one in best])
    order = np.argsort(lengths, kind="stable")
    at = int(np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2))
    usual = lengths[order][min(at, len(order) - 1)]
    return [one for one in best if 0.5 * usual <= one.length_px <= 1.7 * usual]
