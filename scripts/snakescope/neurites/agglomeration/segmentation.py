"""The segmentation of a volume as OME-Zarr, and the table of its objects.

It is written block by block, so that a process holds one block at a time. The format is version 0.4
of the OME-Zarr specification (Zarr 2), which napari and Neuroglancer open.
"""

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from math import lcm
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import zarr
from numpy.typing import NDArray

from snakescope.imaging.ome_zarr import create_levels
from snakescope.neurites.agglomeration.agglomerate import Agglomeration, read_agglomeration
from snakescope.neurites.agglomeration.settings import SegmentationSettings
from snakescope.neurites.fragments.block_files import open_block, read_labels, read_statistics
from snakescope.neurites.volumes.blocks import Block, Grid, Zyx
from snakescope.step.output import atomic_folder
from snakescope.step.progress import progress
from snakescope.step.tables import write_table

CHUNK = (16, 256, 256)
COLUMNS = (
    "object",
    "voxels",
    "volume_um3",
    "fragments",
    *(f"{axis}_{end}" for axis in "zyx" for end in ("first", "last")),
    "sections",
)


def object_table(
    parts: Iterable[tuple[NDArray[np.int64], NDArray[np.int64]]],
    count: int,
    voxel_nm: Sequence[float],
) -> pd.DataFrame:
    """Return a table of the objects, summed over their fragments.

    Args:
        parts: per block, shape (F,), object of every fragment, from 1; shape (F, 7), its voxels,
            first voxel along z, y, x, the one after the last.
        count: how many objects there are.
        voxel_nm: size of a voxel along z, y and x (nm).

    Returns:
        A row an object, the largest first: voxels, volume, fragments, bounding box with its last
        voxel inside, sections from first to last.
    """
    voxels, fragments = np.zeros(count, np.int64), np.zeros(count, np.int64)
    first = np.full((count, 3), np.iinfo(np.int64).max)
    after = np.zeros((count, 3), np.int64)
    for regions, statistics in parts:
        at = regions - 1
        np.add.at(voxels, at, statistics[:, 0])
        np.add.at(fragments, at, 1)
        np.minimum.at(first, at, statistics[:, 1:4])
        np.maximum.at(after, at, statistics[:, 4:7])
    table = pd.DataFrame({"object": np.arange(1, count + 1), "voxels": voxels})
    table["volume_um3"] = voxels * float(np.prod(voxel_nm)) / 1e9
    table["fragments"] = fragments
    for axis, name in enumerate("zyx"):
        table[f"{name}_first"] = first[:, axis]
        table[f"{name}_last"] = after[:, axis] - 1
    table["sections"] = after[:, 0] - first[:, 0]
    return table.sort_values(["voxels", "object"], ascending=[False, True], kind="stable")[
        list(COLUMNS)
    ]


def level_factors(voxel_nm: Sequence[float], levels: int) -> list[Zyx]:
    """Return the downsampling factors of every level along z, y and x.

    y and x are halved until pixels are as large as sections are thick, then z as well.
    """
    factors: list[Zyx] = [(1, 1, 1)]
    for _ in range(levels - 1):
        z, y, x = factors[-1]
        deep = voxel_nm[0] * z <= min(voxel_nm[1] * y, voxel_nm[2] * x) * 1.5
        factors.append((z * 2 if deep else z, y * 2, x * 2))
    return factors


def write_part(
    arrays: Sequence[tuple[Zyx, zarr.Array]], labels: NDArray[np.uint64], begin: Sequence[int]
) -> None:
    """Write a block at every level; a coarse voxel takes the first of the voxels that it covers."""
    for factors, array in arrays:
        # A coarse voxel belongs to the block of its first fine voxel.
        coarse = [-(-b // f) for b, f in zip(begin, factors, strict=True)]
        offsets = [c * f - b for c, f, b in zip(coarse, factors, begin, strict=True)]
        part = labels[tuple(slice(o, None, f) for o, f in zip(offsets, factors, strict=True))]
        if part.size:
            where = (slice(c, c + n) for c, n in zip(coarse, part.shape, strict=True))
            array[tuple(where)] = part


def together(grid: Grid, factors: Zyx) -> list[list[Block]]:
    """Group the blocks such that blocks of different groups share no chunk of any level.

    Args:
        factors: downsampling factors of the coarsest level.
    """
    sides = [
        lcm(block, min(chunk, -(-n // factor)) * factor)
        for block, chunk, factor, n in zip(grid.block, CHUNK, factors, grid.shape, strict=True)
    ]
    groups: dict[tuple[int, ...], list[Block]] = {}
    for block in grid:
        at = tuple(begin // side for (begin, _), side in zip(block.box, sides, strict=True))
        groups.setdefault(at, []).append(block)
    return list(groups.values())


def _write_group(
    store: Path, factors: Sequence[Zyx], parts: Sequence[tuple[Path, NDArray[np.uint64]]]
) -> None:
    """Write a group of blocks: their files and the objects of their fragments."""
    arrays = [
        (factor, zarr.open_array(str(store / str(level)), mode="r+"))
        for level, factor in enumerate(factors)
    ]
    for path, own in parts:
        with open_block(path) as file:
            begin = [int(b) for b in file.attrs["block_begin"]]
        write_part(arrays, own[read_labels(path)], begin)


def write_segmentation(
    folder: str | Path,
    fragments: Sequence[Path],
    agglomeration: Agglomeration,
    grid: Grid,
    voxel_nm: Sequence[float],
    settings: SegmentationSettings,
    processes: int = 1,
) -> pd.DataFrame:
    """Write the OME-Zarr of one partition and return the table of its objects.

    Args:
        fragments: files of the blocks, in the order of the grid.
        processes: number of processes.
    """
    regions = agglomeration.regions(settings.scoring, settings.threshold)

    def parts() -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        for path in fragments:
            statistics, first_id = read_statistics(path)
            yield agglomeration.of_block(regions, first_id)[1:], statistics

    table = object_table(parts(), int(regions.max(initial=0)), voxel_nm)
    kept = table["voxels"] >= settings.min_voxels
    small = np.zeros(len(table) + 1, bool)
    small[table.loc[~kept, "object"]] = True
    regions = np.where(small[regions], 0, regions)
    with atomic_folder(folder) as partial:
        factors = level_factors(voxel_nm, settings.levels)
        name = Path(folder).parent.name
        create_levels(partial, name, grid.shape, voxel_nm, factors, CHUNK, np.uint64, labels=True)

        def parts_of(group: Sequence[Block]) -> list[tuple[Path, NDArray[np.uint64]]]:
            return [
                (
                    fragments[block.index],
                    agglomeration.of_block(regions, block.index * grid.capacity).astype(np.uint64),
                )
                for block in group
            ]

        groups = together(grid, factors[-1])
        if min(processes, len(groups)) == 1:
            for group in progress(groups, "groups of blocks written"):
                _write_group(partial, factors, parts_of(group))
        else:
            with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
                waiting = [
                    pool.submit(_write_group, partial, factors, parts_of(group)) for group in groups
                ]
                for one in progress(waiting, "groups of blocks written"):
                    one.result()
    return table[kept]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--agglomeration", type=Path, required=True)
    parser.add_argument("--fragments", type=Path, required=True, help="folder, of every block")
    parser.add_argument("--grid", required=True, help="JSON: shape, block, voxel_nm (z, y, x)")
    parser.add_argument("--settings", required=True, help="JSON of neurites.segmentation")
    parser.add_argument("--segmentation", type=Path, required=True, help="OME-Zarr to write")
    parser.add_argument("--processes", type=int, default=1, help="number of processes")
    parser.add_argument("--objects", type=Path, required=True, help="TSV to write")


def main(given: argparse.Namespace) -> None:
    """Write the segmentation of a volume and the table of its objects."""
    described = json.loads(given.grid)
    grid = Grid(tuple(described["shape"]), tuple(described["block"]))
    table = write_segmentation(
        given.segmentation,
        [given.fragments / f"{block.name}.h5" for block in grid],
        read_agglomeration(given.agglomeration),
        grid,
        described["voxel_nm"],
        SegmentationSettings.model_validate_json(given.settings),
        given.processes,
    )
    write_table(given.objects, table)
