"""Detection of the cross mark on a dish by zero-mean normalised cross-correlation (ZNCC).

Matsuo et al., section 3.1.2. In the reference frame the cross is matched with a synthetic template
at several sizes and rotations; in all other frames with the crop of the reference frame.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.registration.motion import Motion, transform_points, warp
from snakescope.healthspan.registration.texture import (
    Anchors,
    find_peak,
    grid,
    reduced,
    undo_motion,
)

SPANS_PX = (64, 76, 92, 110, 130, 150, 175, 205, 240)
"""Widths of the cross that are tried (px of the raw frame)."""
TURNS_DEG = (-8.0, -4.0, 0.0, 4.0, 8.0)
REDUCTION = 4
MARGIN = 0.15
MIN_CORRELATION = 0.7

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Mark:
    """A cross: centre (px of the frame), width (px) and ZNCC of the match."""

    y_px: float
    x_px: float
    span_px: float
    score: float


def drawn_cross(side_px: int = 161) -> NDArray[np.uint8]:
    """Return a template: a dark cross (0) on light background (255), shape (side, side).

    Its arms are 1 / 11 of its width thick, as by a felt pen. A margin of 15 % of the width keeps
    long dark lines from matching an arm.
    """
    image = np.full((side_px, side_px), 255, np.uint8)
    margin = round(side_px * MARGIN / (1 + 2 * MARGIN))
    span = side_px - 2 * margin
    half = max(1, round(span / 22))
    middle = side_px // 2
    image[margin : side_px - margin, middle - half : middle + half + 1] = 0
    image[middle - half : middle + half + 1, margin : side_px - margin] = 0
    return np.asarray(cv2.GaussianBlur(image, (0, 0), side_px / 160), dtype=np.uint8)


def find_mark(
    frame: NDArray[Any], template: NDArray[np.uint8], min_score: float = MIN_CORRELATION
) -> Mark | None:
    """Return the best match of ``template`` in a frame (Y, X), or None if below ``min_score``.

    The cross covers 1 / 1.3 of the side of the template. Sizes of :data:`SPANS_PX` and rotations of
    :data:`TURNS_DEG` are tried on the frame downsampled by 4.
    """
    small = cv2.resize(
        frame.astype(np.float32),
        None,
        fx=1 / REDUCTION,
        fy=1 / REDUCTION,
        interpolation=cv2.INTER_AREA,
    )
    best: Mark | None = None
    for span in SPANS_PX:
        side = round(span * (1 + 2 * MARGIN) / REDUCTION)
        if side >= min(small.shape) or side < 8:
            continue
        for turn in TURNS_DEG:
            piece = _turned(cv2.resize(template, (side, side), interpolation=cv2.INTER_AREA), turn)
            surface = _finite(cv2.matchTemplate(small, piece, cv2.TM_CCOEFF_NORMED))
            score, y, x = find_peak(surface)
            if best is None or score > best.score:
                centre = (side - 1) / 2
                place = [(v + centre + 0.5) * REDUCTION - 0.5 for v in (y, x)]
                best = Mark(place[0], place[1], float(span), score)
    return best if best is not None and best.score >= min_score else None


def _turned(piece: NDArray[Any], turn_deg: float) -> Image:
    height, width = piece.shape
    matrix = Motion(0.0, 0.0, turn_deg).matrix(height, width)
    whole = piece.astype(np.float32)
    turned = warp(whole, matrix, height, width, border=cv2.BORDER_REPLICATE)
    return np.asarray(turned, dtype=np.float32)


def _finite(surface: NDArray[Any]) -> Image:
    """Set ZNCC to -1 where it is undefined, in flat areas."""
    return np.where(np.isfinite(surface) & (np.abs(surface) <= 1.001), surface, -1).astype(
        np.float32
    )


def _box(mark: Mark, height: int, width: int) -> tuple[int, int, int, int]:
    """Return top, left, bottom and right (exclusive) of the mark with margin, within the frame."""
    half = mark.span_px * (0.5 + MARGIN)
    top, left = max(0, round(mark.y_px - half)), max(0, round(mark.x_px - half))
    bottom = min(height, round(mark.y_px + half) + 1)
    right = min(width, round(mark.x_px + half) + 1)
    return top, bottom, left, right


def locate_mark(
    reference: NDArray[Any],
    mark: Mark,
    frame: NDArray[Any],
    max_shift_px: float,
    max_rotation_deg: float,
) -> tuple[Motion, float] | None:
    """Locate the mark of the reference in a frame (Y, X); return a motion and the ZNCC.

    The crop of the reference is matched at a quarter of the resolution within the maximum shift and
    rotation, then at full resolution with sub-pixel accuracy. The shift at the mark is accurate;
    the rotation is approximate, since the cross is small.
    """
    height, width = reference.shape
    top, bottom, left, right = _box(mark, height, width)
    piece = reference[top:bottom, left:right].astype(np.float32)
    centre = np.array([(left + right - 1) / 2, (top + bottom - 1) / 2])
    lever = float(np.hypot(centre[0] - (width - 1) / 2, centre[1] - (height - 1) / 2))
    reach = int(np.ceil(max_shift_px + lever * np.sin(np.deg2rad(max_rotation_deg)))) + 4
    near = frame[max(0, top - reach) : bottom + reach, max(0, left - reach) : right + reach]
    origin = np.array([max(0, left - reach), max(0, top - reach)])
    small = _shrunk(near)
    best = (-1.0, 0.0, origin.astype(np.float64))
    for turn in grid(max_rotation_deg, 1.0):
        turned = _turned(piece, -turn)
        shrunk = _shrunk(turned)
        if min(shrunk.shape) < 6 or any(
            a > b for a, b in zip(shrunk.shape, small.shape, strict=True)
        ):
            return None
        score, y, x = find_peak(_finite(cv2.matchTemplate(small, shrunk, cv2.TM_CCOEFF_NORMED)))
        if score > best[0]:
            best = (score, turn, np.array([x, y]) * REDUCTION)
    _, turn, corner = best
    turned = _turned(piece, -turn)
    x0, y0 = (max(0, round(float(v)) - 8) for v in corner)
    window = near[y0 : y0 + turned.shape[0] + 16, x0 : x0 + turned.shape[1] + 16]
    if any(a > b for a, b in zip(turned.shape, window.shape, strict=True)):
        return None
    surface = _finite(cv2.matchTemplate(window.astype(np.float32), turned, cv2.TM_CCOEFF_NORMED))
    score, y, x = find_peak(surface)
    half = np.array([(turned.shape[1] - 1) / 2, (turned.shape[0] - 1) / 2])
    place = origin + np.array([x0 + x, y0 + y]) + half
    motion = Motion(rotation_deg=turn).carrying(centre, place, height, width)
    return motion, float(np.clip(score, 0.0, 1.0))


def _shrunk(image: NDArray[Any]) -> Image:
    size = (max(1, image.shape[1] // REDUCTION), max(1, image.shape[0] // REDUCTION))
    whole = image[: size[1] * REDUCTION, : size[0] * REDUCTION].astype(np.float32, copy=False)
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def turn_about_mark(
    anchors: Anchors, mark: Mark, motion: Motion, frame: NDArray[Any], max_rotation_deg: float
) -> Motion:
    """Return the motion with the rotation about the mark at which downsampled frames agree best.

    Half a degree is 20 px and more at the far side of the plate, which the mark does not resolve.
    """
    height, width = anchors.height, anchors.width
    coarse = reduced(frame, anchors.factor)
    model = anchors.coarse * anchors.window
    centre = np.array([mark.x_px, mark.y_px])
    place = transform_points(motion.matrix(height, width), centre[np.newaxis])[0]
    best, found = -np.inf, motion
    for rotation in grid(max_rotation_deg, 0.1):
        trial = Motion(rotation_deg=rotation).carrying(centre, place, height, width)
        agreement = float((undo_motion(coarse, trial, anchors.factor) * model).sum())
        if agreement > best:
            best, found = agreement, trial
    return found
