"""Where the dish of one frame lies in another, from the dish's own static texture.

Light and shading stay with the camera, dust, scratches, agar and rim stay with the dish,
worms go their own ways. So the motion is looked for in two steps: roughly, by correlating
strongly reduced, high-passed frames over a range of rotations; then finely, by matching
some hundred small patches of the reference (zero-mean normalised cross-correlation, ZNCC,
with sub-pixel peaks) and keeping the motion on which most of them agree.
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
    """A dish: centre and radius in px of a frame."""

    y_px: float
    x_px: float
    radius_px: float


@dataclass(frozen=True)
class Anchors:
    """What is remembered of a reference frame.

    Attributes:
        height, width: of the frame, px.
        corners: (N, 2) int, (x, y) of each patch's first pixel.
        patches: (N, P, P) float32, smoothed.
        coarse: the reduced, high-passed frame, float32.
        factor: how many px of the frame one px of ``coarse`` is.
        outline: (M, 2) points (x, y) around the plate at which the motion has to hold.
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
    """A motion and how well it is founded.

    Attributes:
        agreeing: number of anchors that agree with the motion, of ``anchors``.
        correlation: median ZNCC of those.
        expected_error_px: greatest standard error of the motion over the plate.
    """

    motion: Motion
    agreeing: int
    anchors: int
    correlation: float
    expected_error_px: float


def reduced(frame: NDArray[Any], factor: int) -> Image:
    """The frame reduced by ``factor``, without its slow shading, in units of its own contrast.

    Clipped at 4 robust standard deviations, so that a rim does not outweigh the dust.
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
    """Choose the anchors of a reference frame (Y, X): the most distinct patch of each cell.

    With a ``dish``, only within it: beyond its edge things may stand still with the camera.
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
    """(N, 2) first pixels (x, y) of the patch with the most corner-like content in each cell."""
    height, width = image.shape
    response = cv2.cornerMinEigenVal(image, blockSize=9)
    half = PATCH_PX // 2
    rows, columns = np.ogrid[:height, :width]
    # Not on the edge of the dish: a ring looks the same however it is turned, and on every dish.
    reach = max(0.0, circle.radius_px - 1.5 * half)
    inside = (rows - circle.y_px) ** 2 + (columns - circle.x_px) ** 2 <= reach**2
    inside[: half + 1] = inside[-half - 1 :] = False
    inside[:, : half + 1] = inside[:, -half - 1 :] = False
    response = np.where(inside, response, 0)
    # Cells no smaller than a patch, so that one object does not speak with many voices.
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
    """1 within the dish, falling smoothly to 0 at its edge and at the frame's."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    distance = np.hypot(rows * factor - circle.y_px, columns * factor - circle.x_px)
    edge = np.clip((0.96 * circle.radius_px - distance) / (0.05 * circle.radius_px), 0, 1)
    taper = [
        np.minimum(1, (np.minimum(i, n - 1 - i) + 1) / (0.04 * n))
        for n, i in ((shape[0], np.arange(shape[0])), (shape[1], np.arange(shape[1])))
    ]
    return (edge * taper[0][:, None] * taper[1][None, :]).astype(np.float32)


def grid(reach: float, step: float) -> list[float]:
    """From -reach to reach in equal steps of at most ``step``; [0] for no reach."""
    steps = int(np.ceil(reach / step))
    return [float(value) for value in np.linspace(-reach, reach, 2 * steps + 1)]


def undo_motion(coarse: Image, motion: Motion, factor: int) -> Image:
    """A reduced frame as it would be without this motion (given in px of the full frame)."""
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
    """Likely motions of a frame (Y, X), the likeliest first, good to some px.

    The reduced frame is turned back by each rotation (and scale) of a grid and correlated with
    the reduced reference at all shifts at once, by Fourier transforms.
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
            # The shift was seen after turning back: it turns along with the dish.
            seen = np.array([[x - reach, y - reach]]) * anchors.factor
            across, down = transform_points(motion.matrix(1, 1), seen)[0]
            row.append((peak, replace(motion, shift_y_px=float(down), shift_x_px=float(across))))
        top = int(np.argmax([peak for peak, _ in row]))
        found.append((row[top][0], _between(row, top)))
        found.extend(row[:top] + row[top + 1 :])
    found.sort(key=lambda one: -one[0])
    return [motion for _, motion in found[:keep]]


def _between(row: list[tuple[float, Motion]], top: int) -> Motion:
    """The motion at the top of the parabola through the best rotation and its neighbours."""
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
    """Height and sub-pixel place (value, y, x) of the highest point of a surface (Y, X)."""
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
    """Where each anchor lies in the frame, looked for within ``reach_px`` of its expected place.

    Returns:
        (N, 2) places (x, y) of the patches' centres in the frame, and their ZNCC (N,), which is
        -1 where the peak lies at the rim of the search or the patch is flat.
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
    """The motion of a frame (Y, X) to a fraction of a px, from a rough one; None if none holds."""
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
