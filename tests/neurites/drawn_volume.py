"""A drawn volume of neurites with noisy affinities, for tests that need no network."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from snakescope.neurites.agglomeration.segment import Segmented
from snakescope.neurites.fragments.block_files import write_fragments


def drawn_labels(shape: tuple[int, int, int], neurites: int, seed: int = 0) -> NDArray[np.int64]:
    """Neurites that run along z and wander: every voxel belongs to the nearest axis.

    Returns:
        Shape (Z, Y, X), 1 .. neurites.
    """
    rng = np.random.default_rng(seed)
    depth, height, width = shape
    centres = rng.uniform((0, 0), (height, width), (neurites, 2))
    ys, xs = np.mgrid[:height, :width]
    labels = np.empty(shape, np.int64)
    for z in range(depth):
        distances = [(ys - y) ** 2 + (xs - x) ** 2 for y, x in centres]
        labels[z] = np.argmin(distances, axis=0) + 1
        centres += rng.normal(0, 0.7, centres.shape)
    return labels


def noisy_affinities(
    labels: NDArray[np.int64], noise: float = 0.15, seed: int = 1
) -> NDArray[np.float32]:
    """Affinities of the labels, low around outlines two voxels wide, with smooth noise.

    Returns:
        Shape (3, Z, Y, X), between 0 and 1 and hardly ever equal.
    """
    rng = np.random.default_rng(seed)
    outline = np.zeros(labels.shape, bool)
    for axis in (1, 2):
        ahead = np.roll(labels, -1, axis) != labels
        outline |= ahead | np.roll(ahead, 1, axis)
    affinities = np.empty((3, *labels.shape), np.float32)
    for axis in range(3):
        same = (np.roll(labels, 1, axis) == labels) & ~outline
        smooth = ndimage.gaussian_filter(rng.standard_normal(labels.shape), (0, 1.5, 1.5))
        logit = 5.0 * (2 * same - 1) + noise * 40 * smooth + 0.2 * rng.standard_normal(same.shape)
        affinities[axis] = 1 / (1 + np.exp(-logit))
    return affinities


def as_bytes(affinities: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Affinities as 0 to 255."""
    return np.round(affinities * 255).astype(np.uint8)


def fragment_files(folder: Path, done: Segmented) -> list[Path]:
    """The fragments of all blocks as the step writes them, in the order of the grid."""
    files = []
    for block in done.grid:
        files.append(folder / f"{block.name}.h5")
        write_fragments(files[-1], done.fragments[block.name], block, done.grid)
    return files
