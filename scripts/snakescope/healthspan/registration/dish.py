"""Detection of the edge of a dish: centre and radius of its innermost closed ring.

Objects on the ring and outside of it (wall, shadows, stage) are not worms.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.registration.texture import Circle

SIDE_PX = 480
ANGLES = 240
SMALLEST_RADIUS = 0.3
LARGEST_RADIUS = 0.62
MIN_CLOSED = 0.6
MIN_SEEN = 0.4


def find_dish(frame: NDArray[Any]) -> Circle | None:
    """Return the dish of a frame (Y, X), or None without a ring, as of a dish beyond the frame.

    For each centre of a grid around that of the frame, radial intensity steps are measured along
    rays; a radius is accepted if the step is strong in most directions within the frame.
    """
    height, width = frame.shape
    factor = max(height, width) / SIDE_PX
    reduced = cv2.resize(
        frame.astype(np.float32),
        (round(width / factor), round(height / factor)),
        interpolation=cv2.INTER_AREA,
    )
    small: NDArray[np.float32] = np.asarray(
        cv2.GaussianBlur(reduced, (0, 0), 1.0), dtype=np.float32
    )
    middle = np.array([(small.shape[0] - 1) / 2, (small.shape[1] - 1) / 2])
    centre, step, side = middle, 0.02 * SIDE_PX, 4
    # Walls, shadows and the aperture of the camera are closed rings as well, but larger; the agar
    # ends at the first, so the score of a ring decreases with its radius.
    radii = np.arange(int(SMALLEST_RADIUS * SIDE_PX), int(LARGEST_RADIUS * SIDE_PX))
    worth = -radii / SIDE_PX
    while True:
        offsets = np.arange(-side, side + 1) * step
        trials = [centre + np.array([dy, dx]) for dy in offsets for dx in offsets]
        closed = [_closed(small, trial, radii) for trial in trials]
        k = int(np.argmax([(one + worth).max() for one in closed]))
        centre = trials[k]
        if step <= 0.5:
            break
        step, side = step / 2, 1
    best = int(np.argmax(closed[k] + worth))
    if closed[k][best] < MIN_CLOSED:
        return None
    best += int(np.argmax(_closed(small, centre, radii, widened=False)[best : best + 4]))
    y, x = (centre + 0.5) * factor - 0.5
    return Circle(float(y), float(x), float(radii[best]) * factor)


def _closed(
    image: NDArray[Any],
    centre: NDArray[np.float64],
    radii: NDArray[np.int64],
    widened: bool = True,
) -> NDArray[np.float64]:
    """Return the share of directions with an edge, for each radius (px).

    ``widened`` tolerates a deviation from a circle of one px.
    """
    angles = np.linspace(0, 2 * np.pi, ANGLES, endpoint=False)[:, None]
    y = (centre[0] + radii * np.sin(angles)).astype(np.float32)
    x = (centre[1] + radii * np.cos(angles)).astype(np.float32)
    rays = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    seen = (y >= 1) & (x >= 1) & (y < image.shape[0] - 1) & (x < image.shape[1] - 1)
    steps = np.abs(np.diff(rays, axis=1, append=rays[:, -1:])) * seen
    noise = float(np.median(steps[:, : len(radii) // 2])) + 1e-6
    if widened:
        steps = cv2.dilate(steps.astype(np.float32), np.ones((1, 3), np.uint8))
    share = ((steps > 8 * noise) & seen).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    share[seen.mean(axis=0) < MIN_SEEN] = 0
    return np.asarray(share, dtype=np.float64)
