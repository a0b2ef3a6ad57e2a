"""What else floats in semen, in phase contrast: specks, clumps, round cells, rings and beads."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Profile = Callable[[NDArray[np.float64]], NDArray[np.float64]]
KINDS = ("speck", "clump", "cell", "ring", "bead")
SHARES = (0.74, 0.09, 0.05, 0.05, 0.07)


def draw_debris(rng: np.random.Generator, found: Image, x: float, y: float) -> None:
    """Add a particle at x, y (px) to a background (Y, X), grey values about 0."""
    match KINDS[int(rng.choice(len(KINDS), p=SHARES))]:
        case "speck":  # dark and crisp
            radius = rng.gamma(3.0, 0.4) + 0.5
            depth = rng.uniform(12, 60) * min(1.0, radius / 1.5)
            _add(found, x, y, radius, rng, lambda r: -depth * np.exp(-((r / radius) ** 4)))
        case "clump":  # dark grains that touch, with the bright halo of something thick
            for _ in range(int(rng.integers(1, 5))):
                radius, depth = rng.uniform(2, 6.5), rng.uniform(35, 75)
                glow, wide = rng.uniform(0.1, 1.0) * depth, 0.25 * radius + 1.2
                _add(
                    found, x, y, radius, rng,
                    lambda r, radius=radius, depth=depth, glow=glow, wide=wide: (  # type: ignore[misc]
                        glow * np.exp(-(((r - radius - wide) / wide) ** 2))
                        - depth * np.exp(-((r / radius) ** 6))
                    ),
                )  # fmt: skip
                angle = rng.uniform(0, 2 * np.pi)
                x, y = x + 1.6 * radius * np.cos(angle), y + 1.6 * radius * np.sin(angle)
        case "cell":  # a dark outline with something bright within and a bright halo without
            radius, bright = rng.uniform(4.5, 8), rng.uniform(10, 100)
            glow, wall = rng.uniform(20, 110), rng.uniform(30, 75)
            _add(
                found, x, y, radius, rng,
                lambda r: (
                    glow * np.exp(-(((r - 1.3 * radius) / (0.25 * radius)) ** 2))
                    - wall * np.exp(-(((r - 0.9 * radius) / (0.2 * radius)) ** 2))
                    + bright * np.exp(-((r / (0.55 * radius)) ** 4))
                ),
            )  # fmt: skip
            if rng.random() < 0.6:
                dx, dy = rng.normal(0, 0.35 * radius, 2)
                spot = rng.uniform(-90, 110)
                _add(found, x + dx, y + dy, 2, rng, lambda r: spot * np.exp(-((r / 1.8) ** 2)))
        case "ring":
            radius, bright = rng.uniform(1.8, 5), rng.uniform(20, 100)
            inner = rng.uniform(-60, 20)
            _add(
                found, x, y, radius, rng,
                lambda r: (
                    bright * np.exp(-(((r - radius) / 1.1) ** 2))
                    + inner * np.exp(-((r / (0.6 * radius)) ** 4))
                ),
            )  # fmt: skip
        case "bead":  # bright, and fainter or smaller than a head
            radius = rng.uniform(0.9, 2.4)
            bright = rng.uniform(12, 55) if radius > 1.5 else rng.uniform(12, 120)
            _add(found, x, y, radius, rng, lambda r: bright * np.exp(-((r / radius) ** 2)))


def _add(
    found: Image, x: float, y: float, radius: float, rng: np.random.Generator, profile: Profile
) -> None:
    """Add a profile of the distance from x, y (px), along a random axis up to 1.5 times as wide."""
    height, width = found.shape
    reach = int(2.5 * radius) + 8
    x0, y0 = max(0, int(x) - reach), max(0, int(y) - reach)
    x1, y1 = min(width, int(x) + reach), min(height, int(y) + reach)
    if x1 <= x0 or y1 <= y0:
        return
    dx, dy = np.arange(x0, x1) - x, (np.arange(y0, y1) - y)[:, None]
    angle, stretch = rng.uniform(0, np.pi), rng.uniform(1, 1.5)
    u = np.cos(angle) * dx + np.sin(angle) * dy
    v = -np.sin(angle) * dx + np.cos(angle) * dy
    r = np.hypot(u / np.sqrt(stretch), v * np.sqrt(stretch))
    found[y0:y1, x0:x1] += profile(r).astype(np.float32)
