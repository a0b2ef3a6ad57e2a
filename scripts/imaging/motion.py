"""Motion of a dish between two frames: its form, its fit, its application.

A point p = (x, y) of the reference frame is found in the other frame at
``c + scale R (p - c) + shift`` with c the frame's centre ((width - 1) / 2, (height - 1) / 2) and
R the rotation by ``rotation_deg``, positive counter-clockwise as the frame is looked at.
The scale is 1 where the optics are fixed; a dish put by hand under a camera may be nearer to it
from one day to the next.
"""

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Freedom = Literal["shift", "rigid", "similar"]
# How many pairs of points fix a motion, counted in coordinates: 2 per pair.
PARAMETERS: dict[Freedom, int] = {"shift": 2, "rigid": 3, "similar": 4}
TRIALS = 600
SEED = 20


@dataclass(frozen=True)
class Motion:
    """Shift (px), rotation (degrees) and scale of the dish in a frame, against the reference."""

    shift_y_px: float = 0.0
    shift_x_px: float = 0.0
    rotation_deg: float = 0.0
    scale: float = 1.0

    def matrix(self, height: int, width: int) -> NDArray[np.float64]:
        """2 x 3 matrix from (x, y) of the reference to (x, y) of the frame, both height x width."""
        centre = np.array([(width - 1) / 2, (height - 1) / 2])
        linear = self.scale * _rotation(-np.deg2rad(self.rotation_deg))
        shift = np.array([self.shift_x_px, self.shift_y_px])
        return np.column_stack([linear, centre - linear @ centre + shift])

    @classmethod
    def of_matrix(cls, matrix: NDArray[np.float64], height: int, width: int) -> "Motion":
        """The inverse of :meth:`matrix`."""
        centre = np.array([(width - 1) / 2, (height - 1) / 2])
        shift_x, shift_y = matrix[:, :2] @ centre + matrix[:, 2] - centre
        angle = -np.rad2deg(np.arctan2(matrix[1, 0], matrix[0, 0]))
        scale = np.hypot(matrix[0, 0], matrix[1, 0])
        return cls(float(shift_y), float(shift_x), float(angle), float(scale))

    def carrying(self, point: Points, to: Points, height: int, width: int) -> "Motion":
        """This rotation and scale, with the shift that carries ``point`` (x, y) to ``to``."""
        turned = Motion(0.0, 0.0, self.rotation_deg, self.scale).matrix(height, width)
        shift_x, shift_y = to - moved(turned, point[np.newaxis])[0]
        return Motion(float(shift_y), float(shift_x), self.rotation_deg, self.scale)


def _rotation(angle: float) -> NDArray[np.float64]:
    """By ``angle`` (rad) from the x axis (right) towards the y axis (down)."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine], [sine, cosine]])


def moved(matrix: NDArray[np.float64], points: Points) -> Points:
    """Points (N, 2) as (x, y), carried by a 2 x 3 matrix."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def to_reference(frame: NDArray[Any], motion: Motion) -> NDArray[Any]:
    """The frame (Y, X) in the reference frame's geometry, same shape and dtype.

    Lanczos interpolation. What lies outside the frame gets its median: a flat area of the
    ground's brightness, in which nothing resembles a worm.
    """
    height, width = frame.shape
    return cv2.warpAffine(
        frame,
        motion.matrix(height, width),
        (width, height),
        flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=float(np.median(frame[::4, ::4])),
    )


def fit(
    source: Points, target: Points, weights: NDArray[np.float64], freedom: Freedom
) -> NDArray[np.float64]:
    """Weighted least-squares motion (2 x 3) from source to target, both (N, 2)."""
    weight = weights / weights.sum()
    mean_source, mean_target = weight @ source, weight @ target
    linear = np.eye(2)
    if freedom != "shift":
        a, b = source - mean_source, target - mean_target
        cosine = (weight * (a * b).sum(axis=1)).sum()
        sine = (weight * (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])).sum()
        linear = _rotation(np.arctan2(sine, cosine))
        if freedom == "similar":
            linear *= np.hypot(cosine, sine) / (weight @ (a**2).sum(axis=1))
    return np.column_stack([linear, mean_target - linear @ mean_source])


def fit_robustly(
    source: Points,
    target: Points,
    weights: NDArray[np.float64],
    tolerance_px: float,
    freedom: Freedom,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Random sample consensus, then least squares over the consensus.

    Worms crawl and bubbles wander, so many of the pairs may be wrong; the motion that most
    weight agrees upon is the dish's. Same input, same result: the sampling is seeded.

    Returns:
        the 2 x 3 matrix from source to target (x, y), and which pairs agree with it.

    Raises:
        ValueError: fewer than two pairs.
    """
    count = len(source)
    if count < 2:
        raise ValueError("two pairs of points are needed")
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
    errors = np.linalg.norm(turned + shifts[:, None, :] - target, axis=-1)
    best = int(np.argmax((errors <= tolerance_px) @ weights))
    agreeing = errors[best] <= tolerance_px
    for _ in range(6):
        matrix = fit(source[agreeing], target[agreeing], weights[agreeing], freedom)
        now = np.linalg.norm(moved(matrix, source) - target, axis=1) <= tolerance_px
        if now.sum() < 2 or np.array_equal(now, agreeing):
            break
        agreeing = now
    return matrix, agreeing


def expected_error_px(
    source: Points, errors_px: NDArray[np.float64], at: Points, freedom: Freedom
) -> float:
    """Greatest standard error of a fitted motion over the points ``at`` (M, 2), px.

    From the residuals (N,) of the N pairs it was fitted to: the shift is known to
    s / sqrt(N) along each axis, rotation and scale each to s / sqrt(sum of squared distances
    from the pairs' centroid). Residuals below 0.1 px are not believed: neighbouring pairs
    share their errors.
    """
    count, parameters = len(source), PARAMETERS[freedom]
    if 2 * count <= parameters:
        return float("inf")
    deviation = max(0.1, float(np.sqrt((errors_px**2).sum() / (2 * count - parameters))))
    centroid = source.mean(axis=0)
    spread = max(float(((source - centroid) ** 2).sum()), 1e-9)
    lever = (parameters - 2) * ((at - centroid) ** 2).sum(axis=1) / spread
    return deviation * float(np.sqrt((2.0 / count + lever).max()))
