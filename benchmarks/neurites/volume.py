"""A synthetic volume of any size, of which any window can be made without the rest.

Neurites run along z through a jittered grid of axes and wander; affinities are low around their
outlines, with smooth noise. Everything is a function of position, so windows agree where they
overlap.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from snakescope.neurites.fragments.compiled import compiled
from snakescope.neurites.volumes.blocks import Box, box_shape

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
        logits = (noise * smooth / smooth.std()).astype(np.float32)
        # What there is to draw from: affinities across outlines, and within neurites.
        self.drawn = np.stack(
            [np.round(255 / (1 + np.exp(-(logits + mean)))) for mean in (-3, 3)]
        ).astype(np.uint8)

    def labels(self, box: Box) -> NDArray[np.int64]:
        """True labels of a window, shape (Z, Y, X), from 1."""
        (z0, _), (y0, _), (x0, _) = box
        labels = np.empty(box_shape(box), np.int64)
        for z, section in enumerate(labels, z0):
            centres = (self.jitter * PITCH + np.sin(z / 9.0 + self.phase) * 5).astype(np.float32)
            _label(section, y0, x0, centres)
        return labels

    def affinities(self, box: Box) -> NDArray[np.uint8]:
        """Affinities of a window, shape (3, Z, Y, X), 0 to 255."""
        return self.both(box)[1]

    def both(self, box: Box) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Labels and affinities of a window."""
        (z0, z1), (y0, y1), (x0, x1) = box
        wide = self.labels(((z0 - 1, z1), (y0 - 2, y1 + 2), (x0 - 2, x1 + 2)))
        affinities = np.empty((3, *box_shape(box)), np.uint8)
        _draw(wide, affinities, self.drawn, z0, y0, x0)
        return wide[1:, 2:-2, 2:-2], affinities


@compiled
def _label(labels, y0, x0, centres):  # type: ignore[no-untyped-def]
    """Give every pixel the name of the nearest axis; ``centres`` are those of 64 x 64 cells."""
    height, width = labels.shape
    for y in range(height):
        row = (y0 + y) // PITCH
        for x in range(width):
            column = (x0 + x) // PITCH
            nearest = np.float32(np.inf)
            for r in range(row - 1, row + 2):
                for c in range(column - 1, column + 2):
                    centre = centres[r % 64, c % 64]
                    dy = np.float32(y0 + y - r * PITCH) - centre[0]
                    dx = np.float32(x0 + x - c * PITCH) - centre[1]
                    distance = dy * dy + dx * dx
                    if distance < nearest:
                        nearest = distance
                        labels[y, x] = (r + 1) * CELLS + c + 2


@compiled
def _draw(wide, affinities, drawn, z0, y0, x0):  # type: ignore[no-untyped-def]
    """Affinities from labels with a margin of 1 section before and 2 pixels on every side."""
    _, depth, height, width = affinities.shape
    _, _, rows, tall, broad = drawn.shape
    for z in range(depth):
        section = wide[z + 1]
        for y in range(height):
            for x in range(width):
                own = section[y + 2, x + 2]
                inside = (
                    section[y + 1, x + 2] == own
                    and section[y + 3, x + 2] == own
                    and section[y + 2, x + 1] == own
                    and section[y + 2, x + 3] == own
                )
                at = (z0 + z) % rows, (y0 + y) % tall, (x0 + x) % broad
                through = inside and wide[z, y + 2, x + 2] == own
                affinities[0, z, y, x] = drawn[1 if through else 0, 0, at[0], at[1], at[2]]
                kind = 1 if inside else 0
                affinities[1, z, y, x] = drawn[kind, 1, at[0], at[1], at[2]]
                affinities[2, z, y, x] = drawn[kind, 2, at[0], at[1], at[2]]
