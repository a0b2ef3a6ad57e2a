"""A small dish under a camera: its texture moves with it, the light does not, worms crawl."""

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.registration.motion import Motion, transform_points

SIDE = 560
MARK = (430.0, 180.0)
SPAN = 90


def dish(seed: int, mark: bool = True) -> NDArray[np.float32]:
    """Optical density of what stays where it is on a dish, shape (SIDE, SIDE)."""
    rng = np.random.default_rng(seed)
    density = cv2.GaussianBlur(rng.normal(0, 0.4, (SIDE, SIDE)).astype(np.float32), (0, 0), 2.5)
    for _ in range(150):
        x, y = (int(v * 16) for v in rng.uniform(0, SIDE, 2))
        radius, dark = int(rng.uniform(1, 4) * 16), float(rng.uniform(0.1, 0.5))
        cv2.circle(density, (x, y), radius, dark, -1, cv2.LINE_AA, 4)
    rows, columns = np.ogrid[:SIDE, :SIDE]
    middle = (SIDE - 1) / 2
    density[np.hypot(rows - middle, columns - middle) > 0.47 * SIDE] = 1.0
    if mark:
        y, x = MARK
        for angle in (0.05, 0.05 + np.pi / 2):
            dx, dy = SPAN / 2 * np.cos(angle), SPAN / 2 * np.sin(angle)
            ends = [
                (int((x - dx) * 16), int((y - dy) * 16)),
                (int((x + dx) * 16), int((y + dy) * 16)),
            ]
            cv2.line(density, ends[0], ends[1], 1.3, 8, cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(density, (0, 0), 1.0), np.float32)


def frame(
    density: NDArray[np.float32], seed: int, motion: Motion | None = None, worms: int = 8
) -> NDArray[np.uint16]:
    """A 12 bit bright-field frame of the dish, moved, with worms at random places."""
    rng = np.random.default_rng(seed)
    scene = density.copy()
    along = np.linspace(-45, 45, 20)
    for _ in range(worms):
        y, x = rng.uniform(0.2 * SIDE, 0.8 * SIDE, 2)
        turn, across = rng.uniform(0, 6), 8 * np.sin(along / 14 + rng.uniform(0, 6))
        points = np.stack(
            [
                x + along * np.cos(turn) - across * np.sin(turn),
                y + along * np.sin(turn) + across * np.cos(turn),
            ],
            axis=1,
        )
        cv2.polylines(scene, [np.int32(points * 16)], False, 0.9, 7, cv2.LINE_AA, 4)
    camera = cv2.warpPerspective(
        np.exp(-scene),
        (motion or Motion()).matrix(SIDE, SIDE),
        (SIDE, SIDE),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT,
    )
    tilt = rng.uniform(-0.3, 0.3, 2)
    rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    light = 2500 * (1 + tilt[0] * rows + tilt[1] * columns)
    return np.clip(camera * light + rng.normal(0, 40, camera.shape), 0, 4095).astype(np.uint16)


def greatest_error_px(found: Motion, true: Motion) -> float:
    """Greatest distance over the dish between where two motions take a point."""
    angles = np.linspace(0, 2 * np.pi, 40)
    middle, radius = (SIDE - 1) / 2, 0.47 * SIDE
    points = np.column_stack([middle + radius * np.cos(angles), middle + radius * np.sin(angles)])
    there = [transform_points(one.matrix(SIDE, SIDE), points) for one in (found, true)]
    return float(np.linalg.norm(there[0] - there[1], axis=1).max())
