"""Body of a simulated worm: posture from bending modes, shape and pixels.

A posture is the tangent angle along the midline at 48 points, a sum of orthogonal bending
modes. Their standard deviations are those of the N2 eigenworms (Stephens et al. 2008, Yemini
et al. 2013). The modes themselves are cosines: mode k has an absolute scalar product of 0.83
to 0.92 with the measured eigenworm k for k = 1 to 6, and carries no licence.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from snakescope.imaging.masks import Instance, cropped

SEGMENTS = 48

MODE_SPREAD = np.array([3.34, 2.48, 2.12, 1.22, 0.59, 0.32, 0.17])
"""Standard deviation (rad) of the amplitude of the modes 1 to 7."""

_PHASE = (np.arange(SEGMENTS) + 0.5) / SEGMENTS
MODES = np.sqrt(2.0 / SEGMENTS) * np.cos(np.pi * np.outer(np.arange(1, 8), _PHASE))
"""Bending modes, shape (7, 48), orthonormal and of zero mean."""


@dataclass(frozen=True)
class Worm:
    """A worm at one moment.

    Attributes:
        y, x: centre of the midline (px).
        heading: direction of the body (rad).
        amplitudes: of the seven modes (rad), shape (7,).
        length, width: of the body (px).
    """

    y: float
    x: float
    heading: float
    amplitudes: NDArray[np.float64]
    length: float
    width: float

    def moved(self, dy: float, dx: float, turn: float = 0.0) -> "Worm":
        """Return the worm shifted (px) and rotated (rad)."""
        return replace(self, y=self.y + dy, x=self.x + dx, heading=self.heading + turn)


def random_amplitudes(rng: np.random.Generator, vigour: float = 1.0) -> NDArray[np.float64]:
    """Draw mode amplitudes (rad) of a random posture; vigour 0 is straight."""
    amplitudes = rng.normal(size=MODE_SPREAD.size) * MODE_SPREAD * vigour
    return np.clip(amplitudes, -2.2 * MODE_SPREAD, 2.2 * MODE_SPREAD)


def coiled_amplitudes(rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw mode amplitudes (rad) of a body that is bent to one side throughout.

    From a C by way of a ring to a spiral of one and a half turns, tighter towards one end.
    """
    turns = rng.uniform(0.5, 1.6) * rng.choice([-1.0, 1.0])
    tighter = rng.uniform(0.6, 1.7)
    at = _PHASE if rng.random() < 0.5 else 1 - _PHASE
    angles = 2 * np.pi * turns * at**tighter
    return MODES @ (angles - angles.mean()) + random_amplitudes(rng, 0.1)


def midline(worm: Worm, points: int = SEGMENTS) -> NDArray[np.float64]:
    """Return the midline from head to tail, shape (points, 2) as (y, x) in px."""
    angles = worm.amplitudes @ MODES + worm.heading
    step = worm.length / SEGMENTS
    path = np.stack([np.cumsum(np.sin(angles)), np.cumsum(np.cos(angles))], axis=1) * step
    path = path - path.mean(axis=0) + (worm.y, worm.x)
    if points == SEGMENTS:
        return path
    at = np.linspace(0, SEGMENTS - 1, points)
    grid = np.arange(SEGMENTS)
    return np.stack([np.interp(at, grid, path[:, k]) for k in (0, 1)], axis=1)


def half_width(worm: Worm, along: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return half the width of the body (px) at ``along``, 0 (head) to 1 (tail).

    The head is blunt, the tail tapered.
    """
    head = np.clip(along / 0.22, 0, 1) ** 0.45
    tail = np.clip((1 - along) / 0.38, 0, 1) ** 0.8
    return 0.5 * worm.width * np.minimum(head, tail)


@dataclass(frozen=True)
class BodyPixels:
    """The pixels of a worm in a crop at (top, left).

    Attributes:
        cover: coverage of each pixel by the body, float32 (h, w).
        along: position on the midline, 0 head to 1 tail, float32 (h, w).
        across: distance to the midline over the half width there, float32 (h, w).
    """

    top: int
    left: int
    cover: NDArray[np.float32]
    along: NDArray[np.float32]
    across: NDArray[np.float32]

    @property
    def mask(self) -> NDArray[np.bool_]:
        return self.cover >= 0.5


def body_pixels(worm: Worm, margin: int = 3) -> BodyPixels:
    """Rasterise a worm; the crop may reach beyond any frame."""
    points = max(24, int(worm.length / 1.5))
    path = midline(worm, points)
    widths = half_width(worm, np.linspace(0, 1, points))
    reach = worm.width / 2 + margin
    top, left = np.floor(path.min(axis=0) - reach).astype(int)
    bottom, right = np.ceil(path.max(axis=0) + reach).astype(int) + 1
    rows = np.arange(top, bottom, dtype=np.float32)
    columns = np.arange(left, right, dtype=np.float32)
    dy = (rows[:, None] - path[:, 0].astype(np.float32)) ** 2
    dx = (columns[:, None] - path[:, 1].astype(np.float32)) ** 2
    squared = dy[:, None, :] + dx[None, :, :]
    nearest = squared.argmin(axis=2)
    distance = np.sqrt(np.take_along_axis(squared, nearest[..., None], axis=2)[..., 0])
    reached = widths.astype(np.float32)[nearest]
    cover = np.clip(reached - distance + 0.5, 0, 1)
    across = distance / np.maximum(reached, 0.5)
    along = nearest.astype(np.float32) / np.float32(points - 1)
    return BodyPixels(int(top), int(left), cover, along, across)


def place(
    body: BodyPixels, size: tuple[int, int], timepoint: int, identifier: int
) -> Instance | None:
    """Return the mask of a body on a frame of ``size`` (Y, X); None if no pixel is on the frame."""
    top, left = max(body.top, 0), max(body.left, 0)
    inner = body.mask[
        top - body.top : max(size[0] - body.top, 0), left - body.left : max(size[1] - body.left, 0)
    ]
    return cropped(inner, top, left, timepoint, identifier, 1.0) if inner.any() else None
