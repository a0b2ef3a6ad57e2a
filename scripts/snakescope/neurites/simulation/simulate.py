"""Simulated volumes of neurites with known labels, for demonstrations, tests and the demo weights.

Neurites are tubes about winding curves: a voxel belongs to the nearest curve. Each section is the
mean of three thinner ones, so that membranes cut at a slant are blurred, as in real sections.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage import measure

from snakescope.imaging.volume_tiff import write_stack
from snakescope.neurites.simulation.settings import SimulateSettings
from snakescope.step.progress import progress

THIN_SECTIONS = 3
STEP_NM = 40.0
CYTOPLASM, MEMBRANE, MITOCHONDRION = 168.0, 62.0, 108.0
"""Mean grey values."""
MIN_PIECE = 60
"""Minimum size of an object (voxels)."""


@dataclass(frozen=True)
class Curves:
    """Points of the centre lines of all neurites.

    Attributes:
        points: z, y, x (nm), shape (P, 3).
        neurite: the neurite of each point, from 1, shape (P,).
        mitochondrion: whether one lies at the point, shape (P,).
    """

    points: NDArray[np.float64]
    neurite: NDArray[np.int64]
    mitochondrion: NDArray[np.bool_]


def draw_curves(
    rng: np.random.Generator, settings: SimulateSettings, size_nm: NDArray[np.float64]
) -> Curves:
    """Draw random curves through a box until tubes of the mean radius fill it."""
    margin = 3 * settings.radius_nm
    box = size_nm + 2 * margin
    wanted = float(np.prod(box)) / (np.pi * settings.radius_nm**2) / STEP_NM
    points: list[NDArray[np.float64]] = []
    neurite: list[NDArray[np.int64]] = []
    inside: list[NDArray[np.bool_]] = []
    count, name = 0, 0
    while count < wanted:
        name += 1
        start = rng.uniform(0, box) - margin
        heading = rng.normal(size=3)
        ways = [_walk(rng, start, sign * heading, -margin, size_nm + margin) for sign in (1, -1)]
        curve = np.concatenate([ways[0][::-1], ways[1][1:]])
        points.append(curve)
        neurite.append(np.full(len(curve), name))
        inside.append(_stretches(rng, len(curve), settings.mitochondria))
        count += len(curve)
    return Curves(np.concatenate(points), np.concatenate(neurite), np.concatenate(inside))


def _walk(
    rng: np.random.Generator,
    start: NDArray[np.float64],
    heading: NDArray[np.float64],
    low: float,
    high: NDArray[np.float64],
) -> NDArray[np.float64]:
    walked = [start]
    heading = heading / np.linalg.norm(heading)
    while np.all((walked[-1] >= low) & (walked[-1] <= high)) and len(walked) < 400:
        heading = heading + 0.25 * rng.normal(size=3)
        heading = heading / np.linalg.norm(heading)
        walked.append(walked[-1] + STEP_NM * heading)
    return np.array(walked)


def _stretches(rng: np.random.Generator, length: int, share: float) -> NDArray[np.bool_]:
    """Draw stretches of 6 to 14 points with a total of about ``share`` of a curve."""
    found = np.zeros(length, bool)
    for start in np.nonzero(rng.random(length) < share / 10)[0]:
        found[start : start + int(rng.integers(6, 15))] = True
    return found


def _smooth_noise(
    rng: np.random.Generator, shape: tuple[int, ...], scale: tuple[float, ...]
) -> NDArray[np.float64]:
    """Draw noise of unit standard deviation with a correlation length of ``scale`` voxels."""
    coarse = tuple(max(2, round(size / step) + 2) for size, step in zip(shape, scale, strict=True))
    noise = rng.normal(size=coarse)
    zoom = [size / small for size, small in zip(shape, coarse, strict=True)]
    fine = ndimage.zoom(noise, zoom, order=2, mode="nearest", grid_mode=True)
    fine = fine[tuple(slice(0, size) for size in shape)]
    return np.asarray(fine / max(float(fine.std()), 1e-9))


def _section_boundary(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the voxels with a neighbour along y or x of another neurite, shape (y, x)."""
    outline = np.zeros(labels.shape, bool)
    down, right = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    outline[1:] |= down
    outline[:-1] |= down
    outline[:, 1:] |= right
    outline[:, :-1] |= right
    return outline


def varied(settings: SimulateSettings, seed: int) -> SimulateSettings:
    """Return the settings of one volume, varied at random by up to ``variety``."""
    # A separate generator, so that volumes without variety do not change.
    rng = np.random.default_rng([seed, 1])
    names = ("radius_nm", "membrane_nm", "noise", "look")
    factors = 1 + settings.variety * rng.uniform(-1, 1, len(names))
    changed = {name: getattr(settings, name) * f for name, f in zip(names, factors, strict=True)}
    return settings.model_copy(update={**changed, "variety": 0.0})


def simulate(settings: SimulateSettings, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    """Return a volume and its labels, both of shape ``settings.shape``; 0 on membranes.

    The same settings and seed give the same volume.
    """
    settings = varied(settings, seed)
    rng = np.random.default_rng(seed)
    depth, height, width = settings.shape
    voxel = np.array(settings.voxel_nm)
    curves = draw_curves(rng, settings, voxel * settings.shape)
    tree = cKDTree(curves.points)
    thin = depth * THIN_SECTIONS
    waves = tuple(2 * settings.radius_nm / voxel * (THIN_SECTIONS, 1, 1))
    bend = 0.35 * settings.radius_nm
    waving = [bend * _smooth_noise(rng, (thin, height, width), waves) for _ in range(3)]
    greys = rng.normal(0, 10, curves.neurite.max() + 1)
    texture = _smooth_noise(rng, settings.shape, (1.5, 5, 5))
    y, x = (np.arange(size) * nm for size, nm in zip(settings.shape[1:], voxel[1:], strict=True))
    image = np.zeros(settings.shape)
    labels = np.zeros(settings.shape, np.uint32)
    sigma = settings.membrane_nm / voxel[1:]
    for z in progress(range(depth), "sections simulated"):
        membrane, organelle = np.zeros((height, width)), np.zeros((height, width))
        for part in range(THIN_SECTIONS):
            k = z * THIN_SECTIONS + part
            at = np.stack(
                [
                    np.full((height, width), (k + 0.5) / THIN_SECTIONS * voxel[0]) + waving[0][k],
                    y[:, None] + waving[1][k],
                    x[None, :] + waving[2][k],
                ],
                axis=-1,
            )
            distance, nearest = tree.query(at)
            found = curves.neurite[nearest]
            outline = _section_boundary(found)
            membrane += outline
            body = curves.mitochondrion[nearest] & (distance < 0.55 * settings.radius_nm)
            organelle += body + 0.8 * _section_boundary(body.astype(np.int64))
            if part == THIN_SECTIONS // 2:
                labels[z] = np.where(outline, 0, found)
                cytoplasm = CYTOPLASM + greys[found] + 7 * texture[z]
        dark = ndimage.gaussian_filter(membrane / THIN_SECTIONS, sigma) * 2.2
        organelle = ndimage.gaussian_filter(organelle / THIN_SECTIONS, 1.0).clip(0, 1.4)
        grey = cytoplasm + (MITOCHONDRION - CYTOPLASM) * organelle
        image[z] = grey + (MEMBRANE - grey) * dark.clip(0, 1)
    return _photographed(rng, image, settings), _pieces(labels)


def _photographed(
    rng: np.random.Generator, image: NDArray[np.float64], settings: SimulateSettings
) -> NDArray[np.uint8]:
    """Apply random shifts, contrast and noise to every section, as a microscope does."""
    for z in range(len(image)):
        shift = rng.normal(0, settings.shift_px, 2).clip(-2, 2)
        section = ndimage.shift(image[z], shift, order=1, mode="nearest")
        section = (section - 128) * (1 + 0.08 * settings.look * rng.normal())
        section += 128 + 8 * settings.look * rng.normal()
        image[z] = section + rng.normal(0, settings.noise, section.shape)
    grey: NDArray[np.uint8] = np.rint(image.clip(0, 255)).astype(np.uint8)
    return grey


def _pieces(labels: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Label connected components from 1; small ones and membranes are 0.

    A neurite that leaves the volume and comes back is two in it, for anyone who sees no more.
    """
    pieces = measure.label(labels, background=0, connectivity=1)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    kept = sizes >= MIN_PIECE
    numbers = np.where(kept, np.cumsum(kept), 0).astype(np.uint32)
    numbered: NDArray[np.uint32] = numbers[pieces]
    return numbered


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--image", required=True, type=Path)
    parser.add_argument("--labels", required=True, type=Path)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = SimulateSettings.model_validate_json(arguments.settings)
    image, labels = simulate(settings, arguments.seed)
    write_stack(arguments.image, image)
    write_stack(arguments.labels, labels)
