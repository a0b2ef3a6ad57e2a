"""Affinities of one block of a volume from boundary probabilities of any program.

snakescope neurites boundaries --manifest volume.json --block 0:32,0:256,0:256
    --affinities affinities.h5

The affinity of a voxel and the one before it along an axis is the smaller of their probabilities to
be no boundary: a boundary on either side parts them.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snakescope.imaging.volumes import Source, read
from snakescope.neurites.prediction.patches import Block, parse_block
from snakescope.neurites.prediction.predict import write_affinities
from snakescope.neurites.volumes.scan import BOUNDARIES, read_manifest
from snakescope.step.errors import StepError
from snakescope.tree.provenance import stated


def affinities_of(interior: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Affinities along z, y and x, shape (3, Z, Y, X), 0 to 255.

    Args:
        interior: 255 times the probability to be no boundary, shape (Z, Y, X).

    Returns:
        0 for the first voxels along each axis, which have none before them.
    """
    found = np.zeros((3, *interior.shape), np.uint8)
    found[0, 1:] = np.minimum(interior[1:], interior[:-1])
    found[1, :, 1:] = np.minimum(interior[:, 1:], interior[:, :-1])
    found[2, :, :, 1:] = np.minimum(interior[:, :, 1:], interior[:, :, :-1])
    return found


def interior_of(boundaries: NDArray[np.generic], where: str) -> NDArray[np.uint8]:
    """255 times the probability to be no boundary, of stored probabilities of a boundary.

    Args:
        boundaries: bytes from 0 to 255, or floats from 0 to 1.
        where: file, for messages.

    Raises:
        StepError: they are neither.
    """
    if boundaries.dtype == np.uint8:
        return np.uint8(255) - boundaries.astype(np.uint8)
    if boundaries.dtype.kind != "f":
        raise StepError(
            f"{where}: expected probabilities as bytes or as floats from 0 to 1, found"
            f" {boundaries.dtype}; convert them"
        )
    low, high = float(boundaries.min()), float(boundaries.max())
    if not (low >= 0 and high <= 1):
        raise StepError(
            f"{where}: expected probabilities from 0 to 1, found {low:g} to {high:g}; write"
            " probabilities, not logits"
        )
    return np.asarray(255 - np.rint(boundaries.astype(np.float32) * 255)).astype(np.uint8)


def read_affinities_of(source: Source, block: Block) -> NDArray[np.uint8]:
    """The affinities of a block; voxels before it are read where there are some."""
    before = [max(0, low - 1) for low, _ in block]
    rows, columns = (slice(before[axis], block[axis][1]) for axis in (1, 2))
    stored = read(source, before[0], block[0][1])[:, rows, columns]
    own = tuple(slice(low - first, None) for (low, _), first in zip(block, before, strict=True))
    return affinities_of(interior_of(stored, source.path))[(slice(None), *own)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--manifest", type=Path, required=True, help="volume.json of the volume")
    parser.add_argument("--block", required=True, help="Z0:Z1,Y0:Y1,X0:X1 (voxels)")
    parser.add_argument("--affinities", required=True, help="HDF5 file to write")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    source = read_manifest(arguments.manifest.parent)[BOUNDARIES]
    block = parse_block(arguments.block)
    affinities = read_affinities_of(source, block)
    # In the place of the weights, what the affinities are from, which may be hundreds of GB.
    write_affinities(arguments.affinities, affinities, block, source.shape, stated(source.files)[1])
