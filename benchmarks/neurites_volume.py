"""A synthetic volume of any size, of which any window can be made without the rest.

Neurites run along z through a jittered grid of axes and wander; affinities are low around their
outlines, with smooth noise. Everything is a function of position, so windows agree where they
overlap.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from neurites.blocks import Box, box_shape

PITCH = 40
NOISE_SHAPE = (16, 256, 256)
CELLS = 1 << 14


class SyntheticVolume:
    """Labels and affinities of a volume with neurites about ``PITCH`` pixels wide."""

    def __init__(self, seed: int = 0, noise: float = 1.6):
        """Draw the jitter of the axes and a noise that repeats."""
        rng = np.random.default_rng(seed)
        self.jitter = rng.uniform(0.15, 0.85, (64, 64, 2)).astype(np.float32)
        self.phase = rng.uniform(0, 2 * np.pi, (64, 64, 2)).astype(np.float32)
        white = rng.standard_normal((3, *NOISE_SHAPE))
        smooth = ndimage.gaussian_filter(white, (0, 0, 1.5, 1.5), mode="wrap")
        self.noise = (noise * smooth / smooth.std()).astype(np.float32)

    def labels(self, box: Box) -> NDArray[np.int64]:
        """True labels of a window, shape (Z, Y, X), from 1."""
        (z0, z1), (y0, y1), (x0, x1) = box
        ys, xs = np.arange(y0, y1), np.arange(x0, x1)
        row, column = ys // PITCH, xs // PITCH
        labels = np.empty(box_shape(box), np.int64)
        for z in range(z0, z1):
            nearest = np.full((len(ys), len(xs)), np.inf, np.float32)
            for down in (-1, 0, 1):
                for right in (-1, 0, 1):
                    r, c = row + down, column + right
                    drift = np.sin(z / 9.0 + self.phase[np.ix_(r % 64, c % 64)]) * 5
                    centre = self.jitter[np.ix_(r % 64, c % 64)] * PITCH
                    dy = ys[:, None] - (r[:, None] * PITCH + centre[..., 0] + drift[..., 0])
                    dx = xs[None] - (c[None] * PITCH + centre[..., 1] + drift[..., 1])
                    distance = dy * dy + dx * dx
                    closer = distance < nearest
                    nearest[closer] = distance[closer]
                    name = (r[:, None] + 1) * CELLS + c[None] + 2
                    np.copyto(labels[z - z0], np.broadcast_to(name, closer.shape), where=closer)
        return labels

    def affinities(self, box: Box) -> NDArray[np.uint8]:
        """Affinities of a window, shape (3, Z, Y, X), 0 to 255."""
        (z0, z1), (y0, y1), (x0, x1) = box
        wide = self.labels(((z0 - 1, z1), (y0 - 2, y1 + 2), (x0 - 2, x1 + 2)))
        outline = np.zeros(wide.shape, bool)
        for axis in (1, 2):
            ahead = np.roll(wide, -1, axis) != wide
            outline |= ahead | np.roll(ahead, 1, axis)
        here = (slice(1, None), slice(2, -2), slice(2, -2))
        affinities = np.empty((3, *box_shape(box)), np.uint8)
        where = np.ix_(*(np.arange(b, e) % n for (b, e), n in zip(box, NOISE_SHAPE, strict=True)))
        for axis in range(3):
            same = (np.roll(wide, 1, axis)[here] == wide[here]) & ~outline[here]
            logit = np.where(same, np.float32(3), np.float32(-3)) + self.noise[axis][where]
            affinities[axis] = np.round(255 / (1 + np.exp(-logit)))
        return affinities
