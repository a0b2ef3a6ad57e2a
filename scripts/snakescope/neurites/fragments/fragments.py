"""Fragments (supervoxels) of a block: pieces of neurites that cross no membrane.

A block is computed with some context, so that both blocks at a face find the same fragments there.
Each keeps its labels of the two layers of voxels along the face, by which
:mod:`snakescope.neurites.fragments.region_graph` recognises the fragments that the face has cut.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snakescope.neurites.fragments.block_files import (
    BlockFragments,
    read_affinities,
    write_fragments,
)
from snakescope.neurites.fragments.compiled import compiled
from snakescope.neurites.fragments.context import context_of, through_sections
from snakescope.neurites.fragments.flooding import flood
from snakescope.neurites.fragments.seeds import boundary_heights, find_seeds
from snakescope.neurites.fragments.settings import FragmentsSettings
from snakescope.neurites.volumes.blocks import Box, Grid, box_shape, within


def find_fragments(
    affinities: NDArray[np.uint8], settings: FragmentsSettings, voxel_nm: Sequence[float]
) -> NDArray[np.int32]:
    """Cut a window into fragments.

    Args:
        affinities: shape (3, Z, Y, X), to the voxel before along z, y and x, 0 to 255.
        voxel_nm: size of a voxel along z, y and x (nm).

    Returns:
        Shape (Z, Y, X), numbered from 1; 0 where there is none.
    """
    if settings.method == "waterz":
        return _watershed_of_waterz(affinities, settings)
    through = through_sections(settings, voxel_nm)
    heights = boundary_heights(affinities, through)
    anisotropy = voxel_nm[0] / min(voxel_nm[1:])
    return flood(heights, find_seeds(heights, settings, through, anisotropy), through)


def _watershed_of_waterz(
    affinities: NDArray[np.uint8], settings: FragmentsSettings
) -> NDArray[np.int32]:
    # Imported here: it prints to stdout and loads a compiler.
    import waterz

    scaled = affinities.astype(np.float32) / np.float32(255)
    steps = waterz.agglomerate(
        scaled,
        [0.0],
        aff_threshold_low=settings.low_affinity,
        aff_threshold_high=settings.high_affinity,
    )
    return np.asarray(next(iter(steps))).astype(np.int32)


def block_fragments(
    affinities: NDArray[np.uint8],
    box: Box,
    window: Box,
    settings: FragmentsSettings,
    voxel_nm: Sequence[float],
) -> BlockFragments:
    """Find the fragments of a block.

    Args:
        affinities: shape (3, Z, Y, X) of the window, 0 to 255.
        box: the block in the volume.
        window: the block with its context.
    """
    found = find_fragments(affinities, settings, voxel_nm)
    inside = within(box, window)
    numbers = _new_numbers(np.ascontiguousarray(found[inside]), int(found.max()) + 1)
    faces = {
        (axis, side): _face(found, inside, axis, side, numbers)
        for axis in range(3)
        for side in range(2)
    }
    labels = numbers[found[inside]]
    count = int(numbers.max())
    begin = np.array([first for first, _ in box])
    return BlockFragments(labels, count, faces, _statistics(labels, count, begin))


def _face(
    found: NDArray[np.int32],
    inside: tuple[slice, slice, slice],
    axis: int,
    side: int,
    numbers: NDArray[np.int32],
) -> NDArray[np.int32]:
    outermost = inside[axis].stop - 1 if side else inside[axis].start
    beyond = outermost + (1 if side else -1)
    planes = []
    for at in (outermost, beyond):
        where: list[Any] = list(inside)
        where[axis] = at
        seen = 0 <= at < found.shape[axis]
        shape = [s.stop - s.start for a, s in enumerate(inside) if a != axis]
        planes.append(numbers[found[tuple(where)]] if seen else np.zeros(shape, np.int32))
    return np.stack(planes)


@compiled
def _new_numbers(labels, count):  # type: ignore[no-untyped-def]
    """New numbers, from 1, for the labels that occur; 0 for all others."""
    numbers = np.zeros(count, np.int32)
    depth, height, width = labels.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                numbers[labels[z, y, x]] = 1
    numbers[0] = 0
    total = 0
    for label in range(count):
        if numbers[label]:
            total += 1
            numbers[label] = total
    return numbers


@compiled
def _statistics(labels, count, begin):  # type: ignore[no-untyped-def]
    """Voxels, first voxel and the one after the last of every label; ``begin`` is the block's."""
    table = np.zeros((count + 1, 7), np.int64)
    table[:, 1:4] = np.iinfo(np.int64).max
    depth, height, width = labels.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                row = table[labels[z, y, x]]
                row[0] += 1
                row[1] = min(row[1], begin[0] + z)
                row[2] = min(row[2], begin[1] + y)
                row[3] = min(row[3], begin[2] + x)
                row[4] = max(row[4], begin[0] + z + 1)
                row[5] = max(row[5], begin[1] + y + 1)
                row[6] = max(row[6], begin[2] + x + 1)
    return table[1:]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--affinities", type=Path, nargs="+", required=True, help="of all blocks that are seen"
    )
    parser.add_argument("--block", required=True, help="name of the block")
    parser.add_argument("--grid", required=True, help="JSON: shape, block, voxel_nm (z, y, x)")
    parser.add_argument("--settings", required=True, help="JSON of neurites.fragments")
    parser.add_argument("--fragments", type=Path, required=True, help="HDF5 file to write")


def main(given: argparse.Namespace) -> None:
    """Find the fragments of one block of a volume."""
    described = json.loads(given.grid)
    grid = Grid(tuple(described["shape"]), tuple(described["block"]))
    settings = FragmentsSettings.model_validate_json(given.settings)
    block = grid.by_name[given.block]
    window = grid.window(block, context_of(settings, described["voxel_nm"]))
    affinities = read_affinities(given.affinities, window)
    assert affinities.shape[1:] == box_shape(window)
    found = block_fragments(affinities, block.box, window, settings, described["voxel_nm"])
    write_fragments(given.fragments, found, block, grid)
