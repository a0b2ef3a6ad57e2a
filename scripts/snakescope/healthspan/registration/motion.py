"""Motion of a dish between two frames: model, fit and image warp.

A point p = (x, y) of the reference frame is found in the other frame at
``c + shift + scale R u / (1 + tilt . u / h)`` with c the frame's centre
((width - 1) / 2, (height - 1) / 2), u = p - c, h half the frame's width and height, and R the
rotation by ``rotation_deg``, positive counter-clockwise in the displayed frame.
With fixed optics, the scale is 1 and the tilt 0. A dish that is placed by hand under a camera may
change its distance and lean.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Matrix = NDArray[np.float64]
Freedom = Literal["shift", "rigid", "similar", "tilted"]
# Free parameters of a motion; a pair of points determines 2.
PARAMETERS: dict[Freedom, int] = {"shift": 2, "rigid": 3, "similar": 4, "tilted": 6}
TRIALS = 600
# Samples of three inliers are rarer than samples of two.
TILTED_TRIALS = 3000
SEED = 20


@dataclass(frozen=True)
class Motion:
    """Shift (px), rotation (degrees), scale and tilt of the dish relative to the reference frame.

    The tilt is the fraction of magnification lost from the centre of the frame to its lower
    (``tilt_y``) and right (``tilt_x``) edge.
    """

    shift_y_px: float = 0.0
    shift_x_px: float = 0.0
    rotation_deg: float = 0.0
    scale: float = 1.0
    tilt_y: float = 0.0
    tilt_x: float = 0.0

    def matrix(self, height: int, width: int) -> Matrix:
        """Return the 3 x 3 matrix from (x, y, 1) of the reference to the frame."""
        centred = np.eye(3)
        centred[:2, :2] = self.scale * _rotation(-np.deg2rad(self.rotation_deg))
        centred[2, :2] = np.array([self.tilt_x, self.tilt_y]) / _half(height, width)
        shift = np.array([self.shift_x_px, self.shift_y_px])
        centre = centre_of(height, width)
        return shifted(centre + shift) @ centred @ shifted(-centre)

    @classmethod
    def of_matrix(cls, matrix: Matrix, height: int, width: int) -> "Motion":
        """Return the motion of a 3 x 3 matrix; inverse of :meth:`matrix`."""
        centre = centre_of(height, width)
        from_centre = matrix @ shifted(centre)
        from_centre = from_centre / from_centre[2, 2]
        shift_x, shift_y = from_centre[:2, 2] - centre
        linear = (shifted(-from_centre[:2, 2]) @ from_centre)[:2, :2]
        angle = -np.rad2deg(np.arctan2(linear[1, 0], linear[0, 0]))
        scale = np.hypot(linear[0, 0], linear[1, 0])
        tilt_x, tilt_y = from_centre[2, :2] * _half(height, width)
        return cls(
            float(shift_y), float(shift_x), float(angle), float(scale), float(tilt_y), float(tilt_x)
        )

    def carrying(self, point: Points, to: Points, height: int, width: int) -> "Motion":
        """Return this motion with the shift that maps ``point`` (x, y) to ``to``."""
        turned = replace(self, shift_y_px=0.0, shift_x_px=0.0).matrix(height, width)
        shift_x, shift_y = to - transform_points(turned, point[np.newaxis])[0]
        return replace(self, shift_y_px=float(shift_y), shift_x_px=float(shift_x))


def centre_of(height: int, width: int) -> Points:
    """Return the centre (x, y) of a frame, midway between its first and last pixels."""
    return np.array([(width - 1) / 2, (height - 1) / 2])


def _half(height: int, width: int) -> Points:
    return np.array([width / 2, height / 2])


def shifted(by: NDArray[Any]) -> Matrix:
    """Return the 3 x 3 matrix of a translation by ``by`` (x, y)."""
    matrix = np.eye(3)
    matrix[:2, 2] = by
    return matrix


def _rotation(angle: float) -> NDArray[np.float64]:
    """Return the rotation by ``angle`` (rad) from the x axis (right) to the y axis (down)."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine], [sine, cosine]])


def transform_points(matrix: Matrix, points: Points) -> Points:
    """Transform points (N, 2), as (x, y), by a 3 x 3 matrix."""
    carried = points @ matrix[:2, :2].T + matrix[:2, 2]
    if not matrix[2, :2].any():
        return np.asarray(carried)
    return np.asarray(carried / (points @ matrix[2, :2] + matrix[2, 2])[:, np.newaxis])


def warp(
    image: NDArray[Any],
    matrix: Matrix,
    height: int,
    width: int,
    interpolation: int = cv2.INTER_LINEAR,
    border: int = cv2.BORDER_CONSTANT,
    border_value: float = 0.0,
) -> NDArray[Any]:
    """Return the image (height, width) whose pixel p is ``image`` at ``matrix`` p."""
    # The affine warp is twice as fast, and exact without tilt.
    apply, given = (
        (cv2.warpPerspective, matrix) if matrix[2, :2].any() else (cv2.warpAffine, matrix[:2])
    )
    return np.asarray(
        apply(
            image,
            given,
            (width, height),
            flags=interpolation | cv2.WARP_INVERSE_MAP,
            borderMode=border,
            borderValue=border_value,
        )
    )


def to_reference(frame: NDArray[Any], motion: Motion) -> NDArray[Any]:
    """Warp a frame (Y, X) into the geometry of the reference frame, same shape and dtype.

    Interpolation is Lanczos. Pixels outside of the frame get its median, the grey value of the
    background.
    """
    height, width = frame.shape
    ground = float(np.median(frame[::4, ::4]))
    matrix = motion.matrix(height, width)
    return warp(frame, matrix, height, width, cv2.INTER_LANCZOS4, border_value=ground)


def fit(source: Points, target: Points, weights: NDArray[np.float64], freedom: Freedom) -> Matrix:
    """Return the weighted least-squares motion (3 x 3) from source to target, both (N, 2).

    For a tilt, points are relative to the centre of the frame, since its value depends on the
    origin.
    """
    if freedom == "tilted":
        return _fit_tilted(source, target, weights)
    weight = weights / weights.sum()
    mean_source, mean_target = weight @ source, weight @ target
    matrix = np.eye(3)
    if freedom != "shift":
        a, b = source - mean_source, target - mean_target
        cosine = (weight * (a * b).sum(axis=1)).sum()
        sine = (weight * (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])).sum()
        matrix[:2, :2] = _rotation(np.arctan2(sine, cosine))
        if freedom == "similar":
            matrix[:2, :2] *= np.hypot(cosine, sine) / (weight @ (a**2).sum(axis=1))
    matrix[:2, 2] = mean_target - matrix[:2, :2] @ mean_source
    return matrix


def _fit_tilted(source: Points, target: Points, weights: NDArray[np.float64]) -> Matrix:
    """Solve (q - e)(1 + t . u) = L u + d iteratively, adding d to e until d vanishes."""
    end = np.average(target - source, axis=0, weights=weights)
    weight = np.sqrt(np.repeat(weights, 2))
    for _ in range(3):
        equations, known = _tilt_equations(source, target - end)
        one, two, x, y, tilt_x, tilt_y = np.linalg.lstsq(
            equations * weight[:, np.newaxis], known * weight, rcond=None
        )[0]
        end = end + np.array([x, y])
    tilted = np.array([[one, -two, 0], [two, one, 0], [tilt_x, tilt_y, 1]])
    return shifted(end) @ tilted


def _tilt_equations(source: Points, target: Points) -> tuple[NDArray[np.float64], Points]:
    """Return coefficients (..., 2 N, 6) of (L, L', d_x, d_y, t_x, t_y) and right side (..., 2 N).

    Their range of 1 to 1e7 is within the precision of float64.
    """
    x, y = source[..., 0], source[..., 1]
    zero, one = np.zeros_like(x), np.ones_like(x)
    across, down = target[..., 0], target[..., 1]
    rows = np.stack(
        [
            np.stack([x, -y, one, zero, -across * x, -across * y], axis=-1),
            np.stack([y, x, zero, one, -down * x, -down * y], axis=-1),
        ],
        axis=-2,
    )
    return rows.reshape(*rows.shape[:-3], -1, 6), target.reshape(*target.shape[:-2], -1)


def ransac(
    source: Points,
    target: Points,
    weights: NDArray[np.float64],
    tolerance_px: float,
    freedom: Freedom,
) -> tuple[Matrix, NDArray[np.bool_]]:
    """Fit a motion by RANSAC, followed by least squares over the inliers.

    Moving worms and bubbles make outliers; the motion with the largest weight of inliers is that
    of the dish. Sampling is seeded, so equal inputs give equal results. skimage.measure.ransac does
    not weight samples.

    Returns:
        The 3 x 3 matrix from source to target (x, y), and which pairs are inliers.

    Raises:
        ValueError: fewer than two pairs, or three for a tilted motion.
    """
    least = max(2, PARAMETERS[freedom] // 2)
    if len(source) < least:
        raise ValueError(f"{least} pairs of points are needed")
    tilted = freedom == "tilted"
    carried = _tilted_trials(source, target) if tilted else _trials(source, target, freedom)
    errors = np.linalg.norm(carried - target, axis=-1)
    best = int(np.argmax((errors <= tolerance_px) @ weights))
    agreeing = errors[best] <= tolerance_px
    agreeing[np.argsort(errors[best], kind="stable")[:least]] = True
    for _ in range(6):
        matrix = fit(source[agreeing], target[agreeing], weights[agreeing], freedom)
        now = np.linalg.norm(transform_points(matrix, source) - target, axis=1) <= tolerance_px
        if now.sum() < least or np.array_equal(now, agreeing):
            break
        agreeing = now
    return matrix, agreeing


def _trials(source: Points, target: Points, freedom: Freedom) -> NDArray[np.float64]:
    """Transform the source by the motions of K random samples of two pairs; (K, N, 2)."""
    count = len(source)
    random = np.random.default_rng(SEED)
    first = random.integers(0, count, TRIALS)
    second = (first + random.integers(1, count, TRIALS)) % count
    cosine, sine = np.ones((TRIALS, 1)), np.zeros((TRIALS, 1))
    if freedom != "shift":
        a, b = source[second] - source[first], target[second] - target[first]
        turn = ((b[:, 0] + 1j * b[:, 1]) / (a[:, 0] + 1j * a[:, 1]))[:, None]
        if freedom == "rigid":
            turn = turn / np.maximum(np.abs(turn), 1e-9)
        cosine, sine = turn.real, turn.imag
    x, y = source[:, 0], source[:, 1]
    turned = np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=-1)
    shifts = target[first] - turned[np.arange(TRIALS), first]
    return np.asarray(turned + shifts[:, None, :])


def _tilted_trials(source: Points, target: Points) -> NDArray[np.float64]:
    """Transform the source by the tilted motions of K random samples of three; (K, N, 2)."""
    random = np.random.default_rng(SEED)
    chosen = random.integers(0, len(source), (TILTED_TRIALS, 3))
    end = np.median(target - source, axis=0)
    equations, known = _tilt_equations(source[chosen], target[chosen] - end)
    # Collinear or repeated points determine no motion: such samples get no inliers.
    fixed = np.abs(np.linalg.det(equations)) > 1e-6
    equations[~fixed] = np.eye(6)
    one, two, x, y, tilt_x, tilt_y = np.linalg.solve(equations, known[..., None])[..., 0].T[
        ..., None
    ]
    u, v = source[:, 0], source[:, 1]
    depth = 1 + tilt_x * u + tilt_y * v
    depth = np.where((depth > 0.5) & fixed[:, None], depth, np.inf)
    carried = np.stack([one * u - two * v + x, two * u + one * v + y], axis=-1)
    return np.asarray(carried / depth[..., None] + end)


def expected_error_px(
    source: Points, errors_px: NDArray[np.float64], at: Points, freedom: Freedom
) -> float:
    """Return the maximum standard error of a fitted motion at the points ``at`` (M, 2), px.

    It follows from the residuals (N,) of the N fitted pairs by the covariance of least squares: for
    shift and rotation, s / sqrt(N) along each axis and
    s / sqrt(sum of squared distances from the pairs' centroid). The standard deviation s is at
    least 0.1 px, since errors of neighbouring pairs are correlated.
    """
    count, parameters = len(source), PARAMETERS[freedom]
    if 2 * count <= parameters:
        return float("inf")
    deviation = max(0.1, float(np.sqrt((errors_px**2).sum() / (2 * count - parameters))))
    centroid = source.mean(axis=0)
    unit = max(1e-9, float(np.abs(source - centroid).max()))
    slopes = _slopes((source - centroid) / unit, freedom).reshape(-1, parameters)
    covariance = np.linalg.pinv(slopes.T @ slopes)
    there = _slopes((at - centroid) / unit, freedom)
    variances = np.einsum("nij,jk,nik->n", there, covariance, there)
    return deviation * float(np.sqrt(variances.max()))


def _slopes(points: Points, freedom: Freedom) -> NDArray[np.float64]:
    """Return the Jacobian (N, 2, parameters) of moved points (N, 2)."""
    x, y = points.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    moves = [(one, zero), (zero, one), (-y, x), (x, y), (x * x, x * y), (x * y, y * y)]
    return np.stack([np.stack(move, axis=-1) for move in moves[: PARAMETERS[freedom]]], axis=-1)
