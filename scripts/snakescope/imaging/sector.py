"""The sector of B-mode frames of convex and phased-array probes: found, masked, cropped.

Everything outside the sector becomes zero, so that no burned-in text is left there. A side of the
sector that has no contact with the skin is black: fit the pixelwise maximum of all frames of a
device, not one frame.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.step.errors import StepError

ABOVE_BACKGROUND = 4
"""Grey levels (of 255) above the background from which on a pixel belongs to the picture."""

TOLERANCE_PX = 1.5
SECOND_SECTOR = 0.3
"""Size of a second connected picture, as a share of the first, from which on it counts."""

SAME_APEX = 0.25
"""Distance of the apexes of two parts of one sector, as a share of its outer radius."""

MIN_SHARE = 0.05
LEAST_ANGLE = math.radians(3)
SIDE_ROWS = (0.12, 0.85)
"""Share of the sector's height where its sides are looked for, without corners and lower arc."""


@dataclass(frozen=True)
class Sector:
    """A sector of a circle's ring in a frame; angles from straight down, to the right positive.

    Attributes:
        apex_y, apex_x: where the sides meet (px), often above the frame.
        near, far: radii of the two arcs (px).
        left, right: angles of the sides (rad).
    """

    apex_y: float
    apex_x: float
    near: float
    far: float
    left: float
    right: float

    @property
    def half_angle_deg(self) -> float:
        """Half of the opening angle (degrees)."""
        return math.degrees(self.right - self.left) / 2

    def mask(self, shape: tuple[int, int], shrink_px: float = 0.0) -> NDArray[np.bool_]:
        """Pixels of a frame (Y, X) inside the sector, ``shrink_px`` away from its border."""
        y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
        y, x = y - self.apex_y, x - self.apex_x
        radius, angle = np.hypot(x, y), np.arctan2(x, y)
        margin = shrink_px / np.maximum(radius, 1)
        return np.asarray(
            (radius >= self.near + shrink_px)
            & (radius <= self.far - shrink_px)
            & (angle >= self.left + margin)
            & (angle <= self.right - margin)
        )

    def box(self, shape: tuple[int, int]) -> tuple[int, int, int, int]:
        """Top, left, bottom, right (px, exclusive) of the sector within a frame."""
        ends = [self.left, self.right, *([0.0] if self.left < 0 < self.right else [])]
        y = [self.apex_y + r * math.cos(a) for r in (self.near, self.far) for a in ends]
        x = [self.apex_x + r * math.sin(a) for r in (self.near, self.far) for a in ends]
        top, bottom = max(0, math.floor(min(y))), min(shape[0], math.ceil(max(y)) + 1)
        first, last = max(0, math.floor(min(x))), min(shape[1], math.ceil(max(x)) + 1)
        return top, first, bottom, last


def maximum_of(frames: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Pixelwise maximum of grey frames of one size.

    Raises:
        ValueError: no frame, or another size.
    """
    found: NDArray[np.uint8] | None = None
    for frame in frames:
        if found is not None and frame.shape != found.shape:
            raise ValueError(f"frames of {found.shape} and {frame.shape} px")
        found = frame.copy() if found is None else np.maximum(found, frame)
    if found is None:
        raise ValueError("no frame")
    return found


def pictures_of(grey: NDArray[np.uint8], where: str) -> list[NDArray[np.bool_]]:
    """The connected regions (Y, X) that may be a sector, largest first, their holes filled.

    Raises:
        StepError: there is none.
    """
    border = np.concatenate([grey[:8].ravel(), grey[-8:].ravel()])
    background = int(np.median(border))
    bright = (grey > background + ABOVE_BACKGROUND).astype(np.uint8)
    # Text is thin: an opening parts it from the sector and removes it.
    bright = np.asarray(cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8)))
    bright = np.asarray(cv2.morphologyEx(bright, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright)
    sizes = stats[:, cv2.CC_STAT_AREA].copy()
    sizes[0] = 0
    if count < 2 or sizes.max() < MIN_SHARE * grey.size:
        raise StepError(
            f"{where}: expected the sector of an ultrasound image, found none; leave the scan out,"
            " or export the image from the scanner again"
        )
    found = []
    for label in np.argsort(-sizes)[: int((sizes > SECOND_SECTOR * sizes.max()).sum())]:
        outline, _ = cv2.findContours(
            (labels == label).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
        )
        filled = np.zeros(grey.shape, np.uint8)
        cv2.drawContours(filled, outline, -1, 1, cv2.FILLED)
        found.append(filled.astype(bool))
    return found


def fit_sector(grey: NDArray[np.uint8], where: str = "image") -> Sector:
    """Fit the sector to a grey frame, best to the maximum of many (:func:`maximum_of`).

    Its sides are the lines that most outermost pixels of rows lie on, its arcs are circles around
    their crossing. Parts that a shadow divides have one apex, two sectors side by side have two.

    Args:
        grey: uint8, shape (Y, X).
        where: names the image in a sentence.

    Raises:
        StepError: no sector, several, or sides that do not meet above.
    """
    first, *others = pictures_of(grey, where)
    whole = first.copy()
    for other in others:
        try:
            one, two = _fit(first, where), _fit(other, where)
        except StepError:
            continue
        apart = math.hypot(one.apex_y - two.apex_y, one.apex_x - two.apex_x)
        if apart > SAME_APEX * one.far:
            raise StepError(
                f"{where}: expected one sector, found several in one frame; export the B-mode"
                " image alone"
            )
        whole |= other
    return _fit(whole, where)


def _fit(picture: NDArray[np.bool_], where: str) -> Sector:
    rows = np.flatnonzero(picture.any(axis=1))
    height = rows[-1] - rows[0]
    first, last = (rows[0] + int(share * height) for share in SIDE_ROWS)
    rows = rows[(rows >= first) & (rows <= last)]
    left = picture[rows].argmax(axis=1)
    right = picture.shape[1] - 1 - picture[rows, ::-1].argmax(axis=1)
    slope_l, at_l = _line(rows, left, outwards=-1)
    slope_r, at_r = _line(rows, right, outwards=1)
    angles = math.atan(slope_l), math.atan(slope_r)
    if angles[1] - angles[0] < 2 * LEAST_ANGLE:
        raise StepError(
            f"{where}: expected a sector with sides that meet above, as of a convex probe, found"
            f" sides at {math.degrees(angles[0]):.0f} and {math.degrees(angles[1]):.0f} degrees;"
            " leave the scan out"
        )
    apex_y = (at_r - at_l) / (slope_l - slope_r)
    apex_x = at_l + slope_l * apex_y
    near, far = _arcs(picture, apex_y, apex_x, *angles)
    return Sector(apex_y, apex_x, near, far, *angles)


def _line(rows: NDArray[np.intp], columns: NDArray[np.intp], outwards: int) -> tuple[float, float]:
    """Slope and offset of the line column = slope * row + offset that most points lie on.

    RANSAC over all pairs of a subset. The true side has nothing beyond it, so points outside of a
    line count against it.
    """
    y, x = rows.astype(np.float64), columns.astype(np.float64)
    chosen = np.linspace(0, len(y) - 1, min(60, len(y))).astype(int)
    a, b = np.triu_indices(len(chosen), 1)
    a, b = chosen[a], chosen[b]
    apart = np.abs(y[b] - y[a]) > (y[-1] - y[0]) / 6
    slope = (x[b] - x[a])[apart] / (y[b] - y[a])[apart]
    offset = x[a][apart] - slope * y[a][apart]
    distance = x[None] - (slope[:, None] * y[None] + offset[:, None])
    inside = (np.abs(distance) <= TOLERANCE_PX).sum(axis=1)
    beyond = (outwards * distance > 2 * TOLERANCE_PX).sum(axis=1)
    best = int((inside - 2 * beyond).argmax())
    close = np.abs(distance[best]) <= 2 * TOLERANCE_PX
    refined = np.polyfit(y[close], x[close], 1)
    return float(refined[0]), float(refined[1])


def _arcs(
    picture: NDArray[np.bool_], apex_y: float, apex_x: float, left: float, right: float
) -> tuple[float, float]:
    """Radii of the near and the far arc: where most beams begin, and the farthest end."""
    y, x = np.nonzero(picture)
    radius, angle = np.hypot(x - apex_x, y - apex_y), np.arctan2(x - apex_x, y - apex_y)
    beams = np.round((angle - left) / (right - left) * 60).astype(int)
    inner = [beams == one for one in range(3, 58) if (beams == one).any()]
    near = float(np.median([radius[one].min() for one in inner]))
    far = float(np.quantile([radius[one].max() for one in inner], 0.9))
    return max(0.0, near - 0.5), far + 0.5


def cropped(
    frame: NDArray[np.uint8], sector: Sector, side: int, nearest: bool = False
) -> NDArray[np.uint8]:
    """The sector alone, in a square of ``side`` px; zero outside, at least 1 inside of an image.

    The aspect is kept: what lacks to a square is zero.

    Args:
        frame: shape (Y, X), an image or, with ``nearest``, a mask, whose zeros stay zero.
    """
    shape = (frame.shape[0], frame.shape[1])
    top, left, bottom, right = sector.box(shape)
    inside = sector.mask(shape, shrink_px=1.0)
    kept = np.where(inside, frame if nearest else np.maximum(frame, 1), 0).astype(np.uint8)
    part = kept[top:bottom, left:right]
    size = max(part.shape)
    y, x = (size - part.shape[0]) // 2, (size - part.shape[1]) // 2
    square = np.zeros((size, size), np.uint8)
    square[y : y + part.shape[0], x : x + part.shape[1]] = part
    how = cv2.INTER_NEAREST if nearest else (cv2.INTER_AREA if size > side else cv2.INTER_LINEAR)
    found = np.asarray(cv2.resize(square, (side, side), interpolation=how), np.uint8)
    if nearest:
        return found
    area = np.zeros((size, size), np.uint8)
    area[y : y + part.shape[0], x : x + part.shape[1]] = inside[top:bottom, left:right]
    there = cv2.resize(area, (side, side), interpolation=cv2.INTER_NEAREST) > 0
    return np.where(there, np.maximum(found, 1), 0).astype(np.uint8)
