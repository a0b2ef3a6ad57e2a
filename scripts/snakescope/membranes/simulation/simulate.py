"""Simulated sections with known membranes, for demonstrations, tests and the demo weights.

Cells are the regions nearest to points that drift from section to section, with outlines bent by
smooth noise. Organelles and vesicles are as dark as membranes, and are none.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from snakescope.imaging.volume_tiff import write_stack
from snakescope.membranes.simulation.settings import SimulateSettings
from snakescope.step.progress import progress

CYTOPLASM, DARK = 165.0, 62.0
"""Mean grey values."""
LABEL = 255
"""Of membranes; all else is 0."""


def smooth_noise(
    rng: np.random.Generator, shape: tuple[int, ...], scale: tuple[float, ...]
) -> NDArray[np.float64]:
    """Noise of unit standard deviation with a correlation length of ``scale`` pixels."""
    coarse = tuple(max(4, round(size / step) + 3) for size, step in zip(shape, scale, strict=True))
    zoom = [size / small for size, small in zip(shape, coarse, strict=True)]
    fine = ndimage.zoom(rng.normal(size=coarse), zoom, order=2, mode="nearest", grid_mode=True)
    fine = fine[tuple(slice(0, size) for size in shape)]
    return np.asarray(fine / max(float(fine.std()), 1e-9))


def simulate(settings: SimulateSettings, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return sections and their membranes (255, else 0), both of shape ``settings.shape``.

    The same settings and seed give the same stack.
    """
    rng = np.random.default_rng(seed)
    depth, height, width = settings.shape
    margin = 2 * settings.cell_px
    box = np.array([height, width]) + 2 * margin
    count = max(4, int(box.prod() / settings.cell_px**2))
    points = rng.uniform(0, box, (count, 2)) - margin
    greys = rng.normal(0, 9, count)
    holds = rng.random(count) < settings.organelles
    waves = (2.0 * settings.cell_px / 12, settings.cell_px, settings.cell_px)
    bent = [smooth_noise(rng, (depth, height, width), waves) for _ in range(2)]
    grid = np.moveaxis(np.mgrid[:height, :width], 0, -1).astype(np.float64)
    image = np.zeros(settings.shape, np.uint8)
    labels = np.zeros(settings.shape, np.uint8)
    heading = rng.normal(0, 1, (count, 2))
    for z in progress(range(depth), "sections simulated"):
        heading = 0.7 * heading + 0.7 * rng.normal(0, 1, (count, 2))
        points = points + settings.drift_px * heading
        at = grid + np.stack([one[z] for one in bent], axis=-1) * 0.22 * settings.cell_px
        distance, nearest = cKDTree(points).query(at, k=2)
        # Pixels from the line between the two nearest points.
        between = np.linalg.norm(points[nearest[..., 0]] - points[nearest[..., 1]], axis=-1)
        line = (distance[..., 1] ** 2 - distance[..., 0] ** 2) / (2 * np.maximum(between, 1e-6))
        half = settings.membrane_px / 2
        labels[z] = np.where(line < half, LABEL, 0)
        dark = 1 / (1 + np.exp((line - half) * 1.6))
        inner = np.where(holds[nearest[..., 0]], distance[..., 0], np.inf)
        radius = 0.3 * settings.cell_px
        body = inner < radius
        outline = np.exp(-(((inner - radius) / 1.5) ** 2))
        cristae = body * (0.5 + 0.5 * np.sin(at[..., 0] * 1.1 + greys[nearest[..., 0]])) * 0.45
        spots = _spots(rng, (height, width), settings.vesicles) * (line > half + 3)
        grey = CYTOPLASM + greys[nearest[..., 0]] + 6 * smooth_noise(rng, (height, width), (5, 5))
        covered = np.maximum.reduce([dark, 0.85 * outline, cristae + 0.25 * body, 0.75 * spots])
        section = grey + (DARK - grey) * covered.clip(0, 1)
        section = ndimage.gaussian_filter(section, 0.7)
        section = 128 + (section - 128) * (1 + 0.1 * settings.look * rng.normal())
        section += 8 * settings.look * rng.normal() + rng.normal(0, settings.noise, section.shape)
        image[z] = np.rint(section.clip(0, 255))
    return image, labels


def _spots(rng: np.random.Generator, shape: tuple[int, int], density: float) -> NDArray[np.float64]:
    """Round spots, 0 to 1."""
    spots = np.zeros(shape)
    for _ in range(rng.poisson(density * shape[0] * shape[1] / 1e4)):
        spots[rng.integers(shape[0]), rng.integers(shape[1])] = 1
    blurred = ndimage.gaussian_filter(spots, 2.0)
    return np.asarray((blurred * 2 * np.pi * 4 * 1.2).clip(0, 1))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--settings", required=True, help="JSON of membranes.simulation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--image", required=True, type=Path)
    parser.add_argument("--labels", required=True, type=Path)


def main(given: argparse.Namespace) -> None:
    """Write a simulated stack."""
    settings = SimulateSettings.model_validate_json(given.settings)
    image, labels = simulate(settings, given.seed)
    write_stack(given.image, image)
    write_stack(given.labels, labels)
