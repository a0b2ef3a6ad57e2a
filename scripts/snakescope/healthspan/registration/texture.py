"""Registration of frames by the static texture of the dish.

Illumination is fixed to the camera; dust, scratches, agar and rim to the dish; worms move. The
motion of the dish is estimated in two steps: a coarse search correlates downsampled, high-pass
filtered frames over a range of rotations; then some hundred small patches of the reference frame
are matched (zero-mean normalised cross-correlation, ZNCC, with sub-pixel peaks) and RANSAC finds
the motion that most of them agree with.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from snakescope.healthspan.registration.motion import (
    Freedom,
    Motion,
    Points,
    centre_of,
    expected_error_px,
    ransac,
    shifted,
    transform_points,
    warp,
)

COARSE_SIDE_PX = 640
ROTATION_STEP_DEG = 0.5
SCALE_STEP = 0.01
PATCH_PX = 48
MOST_CELLS = 22
SMOOTHING_PX = 1.0
MIN_CORRELATION = 0.3
MIN_ANCHORS = 12

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Circle:
    """A dish: centre and radius (px of the frame)."""

    y_px: float
    x_px: float
    radius_px: float


@dataclass(frozen=True)
class Anchors:
    """Features of a reference frame, with which other frames are matched.

    Attributes:
        height, width: of the frame, px.
        corners: (N, 2) int, (x, y) of each patch's first pixel.
        patches: (N, P, P) float32, smoothed.
        coarse: the downsampled, high-pass filtered frame, float32.
        factor: downsampling factor of ``coarse``.
        outline: (M, 2) points (x, y) on the edge of the dish, where errors of a motion are largest.
    """

    height: int
    width: int
    corners: NDArray[np.int64]
    patches: Image
    coarse: Image
    window: Image
    factor: int
    outline: Points

    @property
    def centres(self) -> Points:
        return self.corners.astype(np.float64) + (PATCH_PX - 1) / 2


@dataclass(frozen=True)
class Registration:
    """A motion and its evidence.

    Attributes:
        agreeing: number of inliers among ``anchors`` anchors.
        correlation: median ZNCC of the inliers.
        expected_error_px: maximum standard error of the motion over the dish.
    """

    motion: Motion
    agreeing: int
    anchors: int
    correlation: float
    expected_error_px: float


def reduced(frame: NDArray[Any], factor: int) -> Image:
    """Downsample a frame by ``factor``, band-pass filter it and normalise its contrast.

    Values are clipped at 4 robust standard deviations, so that the rim does not dominate.
    """
    height, width = frame.shape[0] // factor * factor, frame.shape[1] // factor * factor
    small = cv2.resize(
        frame[:height, :width].astype(np.float32, copy=False),
        (width // factor, height // factor),
        interpolation=cv2.INTER_AREA,
    )
    detail = cv2.GaussianBlur(small, (0, 0), 1.0) - cv2.GaussianBlur(small, (0, 0), 6.0)
    spread = 1.4826 * float(np.median(np.abs(detail))) or float(detail.std()) or 1.0
    return np.clip(detail / spread, -4.0, 4.0).astype(np.float32)


def _smoothed(image: NDArray[Any]) -> Image:
    blurred = cv2.GaussianBlur(image.astype(np.float32, copy=False), (0, 0), SMOOTHING_PX)
    return np.asarray(blurred, dtype=np.float32)


def reference_features(frame: NDArray[Any], dish: Circle | None = None) -> Anchors:
    """Choose the anchors of a reference frame (Y, X): the patch of most corner response per cell.

    With a ``dish``, only within it, since objects outside may be fixed to the camera.
    """
    height, width = frame.shape
    circle = dish or Circle((height - 1) / 2, (width - 1) / 2, float(np.hypot(height, width)) / 2)
    image = _smoothed(frame)
    corners = _corners(image, circle)
    patches = [image[y : y + PATCH_PX, x : x + PATCH_PX] for x, y in corners]
    factor = max(1, round(max(height, width) / COARSE_SIDE_PX))
    coarse = reduced(frame, factor)
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    outline = np.column_stack(
        [
            np.clip(circle.x_px + circle.radius_px * np.cos(angles), 0, width - 1),
            np.clip(circle.y_px + circle.radius_px * np.sin(angles), 0, height - 1),
        ]
    )
    empty = np.zeros((0, PATCH_PX, PATCH_PX), np.float32)
    return Anchors(
        height,
        width,
        corners,
        np.stack(patches) if patches else empty,
        coarse,
        _window(coarse.shape, circle, factor),
        factor,
        outline,
    )


def _corners(image: Image, circle: Circle) -> NDArray[np.int64]:
    """Return (N, 2) first pixels (x, y) of the patch of maximum corner response in each cell."""
    height, width = image.shape
    response = cv2.cornerMinEigenVal(image, blockSize=9)
    half = PATCH_PX // 2
    rows, columns = np.ogrid[:height, :width]
    # Not on the edge of the dish, which is invariant to rotation and alike on all dishes.
    reach = max(0.0, circle.radius_px - 1.5 * half)
    inside = (rows - circle.y_px) ** 2 + (columns - circle.x_px) ** 2 <= reach**2
    inside[: half + 1] = inside[-half - 1 :] = False
    inside[:, : half + 1] = inside[:, -half - 1 :] = False
    response = np.where(inside, response, 0)
    # Cells are no smaller than a patch, so that one object yields one anchor.
    top, left = (
        np.linspace(0, side, min(MOST_CELLS, max(4, side // PATCH_PX)) + 1, dtype=int)
        for side in (height, width)
    )
    found = []
    for y0, y1 in pairwise(top):
        for x0, x1 in pairwise(left):
            cell = response[y0:y1, x0:x1]
            if cell.size == 0 or cell.max() <= 0:
                continue
            y, x = np.unravel_index(int(np.argmax(cell)), cell.shape)
            found.append((x0 + int(x) - half, y0 + int(y) - half))
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def _window(shape: tuple[int, ...], circle: Circle, factor: int) -> Image:
    """Return a window: 1 within the dish, tapered to 0 at its edge and at the frame's."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    distance = np.hypot(rows * factor - circle.y_px, columns * factor - circle.x_px)
    edge = np.clip((0.96 * circle.radius_px - distance) / (0.05 * circle.radius_px), 0, 1)
    taper = [
        np.minimum(1, (np.minimum(i, n - 1 - i) + 1) / (0.04 * n))
        for n, i in ((shape[0], np.arange(shape[0])), (shape[1], np.arange(shape[1])))
    ]
    return (edge * taper[0][:, None] * taper[1][None, :]).astype(np.float32)


def grid(reach: float, step: float) -> list[float]:
    """Return values from -reach to reach in equal steps of at most ``step``; [0] if reach is 0."""
    steps = int(np.ceil(reach / step))
    return [float(value) for value in np.linspace(-reach, reach, 2 * steps + 1)]


def undo_motion(coarse: Image, motion: Motion, factor: int) -> Image:
    """Warp a downsampled frame by the inverse of a motion (in px of the full frame)."""
    height, width = coarse.shape
    small = replace(
        motion, shift_y_px=motion.shift_y_px / factor, shift_x_px=motion.shift_x_px / factor
    )
    turned = warp(coarse, small.matrix(height, width), height, width)
    return np.asarray(turned, dtype=np.float32)


def coarse_search(
    anchors: Anchors,
    frame: NDArray[Any],
    max_shift_px: float,
    max_rotation_deg: float,
    max_scale_change: float = 0.0,
    keep: int = 3,
) -> list[Motion]:
    """Return candidate motions of a frame (Y, X), best first, accurate to some px.

    The downsampled frame is warped back by each rotation (and scale) of a grid and correlated with
    the downsampled reference at all shifts by FFT.
    """
    coarse = reduced(frame, anchors.factor)
    shape = tuple(int(fft.next_fast_len(n, real=True)) for n in coarse.shape)
    spectrum = np.conj(fft.rfft2(anchors.coarse * anchors.window, shape))
    reach = max(1, int(np.ceil(max_shift_px / anchors.factor)))
    found: list[tuple[float, Motion]] = []
    for change in grid(max_scale_change, SCALE_STEP):
        row: list[tuple[float, Motion]] = []
        for rotation in grid(max_rotation_deg, ROTATION_STEP_DEG):
            motion = Motion(0.0, 0.0, rotation, 1.0 + change)
            turned = undo_motion(coarse, motion, anchors.factor) * anchors.window
            surface = fft.irfft2(spectrum * fft.rfft2(turned, shape), shape)
            near = np.roll(surface, (reach, reach), axis=(0, 1))[: 2 * reach + 1, : 2 * reach + 1]
            peak, y, x = find_peak(near)
            # The shift was measured after warping back, so it is rotated with the dish.
            seen = np.array([[x - reach, y - reach]]) * anchors.factor
            across, down = transform_points(motion.matrix(1, 1), seen)[0]
            row.append((peak, replace(motion, shift_y_px=float(down), shift_x_px=float(across))))
        top = int(np.argmax([peak for peak, _ in row]))
        found.append((row[top][0], _between(row, top)))
        found.extend(row[:top] + row[top + 1 :])
    found.sort(key=lambda one: -one[0])
    return [motion for _, motion in found[:keep]]


def _between(row: list[tuple[float, Motion]], top: int) -> Motion:
    """Interpolate the best rotation by a parabola through its neighbours."""
    one = row[top][1]
    if top in (0, len(row) - 1):
        return one
    offset = _vertex(row[top - 1][0], row[top][0], row[top + 1][0])
    other, part = row[top + (1 if offset > 0 else -1)][1], abs(offset)
    return replace(
        one,
        shift_y_px=one.shift_y_px + part * (other.shift_y_px - one.shift_y_px),
        shift_x_px=one.shift_x_px + part * (other.shift_x_px - one.shift_x_px),
        rotation_deg=one.rotation_deg + part * (other.rotation_deg - one.rotation_deg),
    )


def _vertex(before: float, at: float, after: float) -> float:
    curvature = before - 2 * at + after
    return 0.0 if curvature >= 0 else float(np.clip(0.5 * (before - after) / curvature, -0.5, 0.5))


def find_peak(surface: NDArray[Any]) -> tuple[float, float, float]:
    """Return value and sub-pixel position (value, y, x) of the maximum of a surface (Y, X)."""
    y, x = np.unravel_index(int(np.argmax(surface)), surface.shape)
    value = float(surface[y, x])
    down = across = 0.0
    if 0 < y < surface.shape[0] - 1:
        down = _vertex(float(surface[y - 1, x]), value, float(surface[y + 1, x]))
    if 0 < x < surface.shape[1] - 1:
        across = _vertex(float(surface[y, x - 1]), value, float(surface[y, x + 1]))
    return value, int(y) + down, int(x) + across


def matched(
    anchors: Anchors, frame: NDArray[Any], motion: Motion, reach_px: int
) -> tuple[Points, NDArray[np.float64]]:
    """Match the anchors in a frame, within ``reach_px`` of their expected positions.

    Returns:
        (N, 2) positions (x, y) of the centres of the patches in the frame, and their ZNCC (N,); -1
        if the peak is at the border of the search range or the patch is flat.
    """
    matrix = motion.matrix(anchors.height, anchors.width)
    side = PATCH_PX + 2 * reach_px
    offsets = np.zeros((len(anchors.corners), 2))
    scores = np.full(len(anchors.corners), -1.0)
    for k, (corner, patch) in enumerate(zip(anchors.corners, anchors.patches, strict=True)):
        local = matrix @ shifted(corner - reach_px)
        seen = _smoothed(warp(frame, local, side, side, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE))
        surface = cv2.matchTemplate(seen, patch, cv2.TM_CCOEFF_NORMED)
        score, y, x = find_peak(surface)
        if np.isfinite(score) and 0.5 < y < 2 * reach_px - 0.5 and 0.5 < x < 2 * reach_px - 0.5:
            offsets[k] = x - reach_px, y - reach_px
            scores[k] = min(score, 1.0)
    return transform_points(matrix, anchors.centres + offsets), scores


def refine(
    anchors: Anchors,
    frame: NDArray[Any],
    motion: Motion,
    reaches_px: tuple[int, ...] = (14, 4),
    tolerances_px: tuple[float, ...] = (3.0, 1.0),
    freedom: Freedom = "rigid",
) -> Registration | None:
    """Refine the motion of a frame (Y, X) to sub-pixel accuracy; None if too few anchors match."""
    result = None
    middle = centre_of(anchors.height, anchors.width)
    for reach, tolerance in zip(reaches_px, tolerances_px, strict=True):
        places, scores = matched(anchors, frame, motion, reach)
        good = scores >= MIN_CORRELATION
        if good.sum() < MIN_ANCHORS:
            return None
        source, target = anchors.centres[good] - middle, places[good] - middle
        matrix, agreeing = ransac(source, target, scores[good] ** 2, tolerance, freedom)
        if agreeing.sum() < MIN_ANCHORS:
            return None
        whole = shifted(middle) @ matrix @ shifted(-middle)
        motion = Motion.of_matrix(whole, anchors.height, anchors.width)
        errors = np.linalg.norm(
            transform_points(matrix, source[agreeing]) - target[agreeing], axis=1
        )
        result = Registration(
            motion,
            int(agreeing.sum()),
            len(anchors.corners),
            float(np.median(scores[good][agreeing])),
            expected_error_px(source[agreeing], errors, anchors.outline - middle, freedom),
        )
    return result
