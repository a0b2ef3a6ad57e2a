"""Files of a block: affinities and fragments, one HDF5 file each.

A single file is written atomically and has one modification time, which Snakemake compares; a
folder of Zarr chunks has neither property.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from snakescope.neurites.volumes.blocks import Block, Box, Grid, box_shape, common, within
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write

CHUNKS = (16, 128, 128)


@dataclass(frozen=True)
class BlockFragments:
    """The fragments of one block.

    Attributes:
        labels: shape of the block, 1 .. count, 0 where there is none.
        count: how many there are.
        faces: by axis and side (0 low, 1 high), shape (2, ., .): labels on the block's outermost
            voxels and on those beyond, as this block sees them; 0 for what is not in the block.
        statistics: shape (count, 7), voxels, first voxel along z, y, x, the one after the last.
    """

    labels: NDArray[np.int32]
    count: int
    faces: dict[tuple[int, int], NDArray[np.int32]]
    statistics: NDArray[np.int64]


@contextmanager
def open_block(path: str | Path) -> Iterator[h5py.File]:
    """Open a file of a block for reading.

    Raises:
        StepError: the file is absent or damaged, or lacks a dataset or attribute.
    """
    try:
        with h5py.File(path, "r") as file:
            yield file
    except FileNotFoundError:
        raise StepError(f"{path}: expected the file of a block, found no such file") from None
    except (OSError, KeyError) as error:
        raise StepError(
            f"{path}: expected a whole HDF5 file of a block, found a damaged one "
            f"({str(error).splitlines()[0][:100]}); remove it and run again"
        ) from None


def chunks_of(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the chunks of an array (..., Z, Y, X)."""
    own = tuple(max(1, min(n, chunk)) for n, chunk in zip(shape[-3:], CHUNKS, strict=True))
    return (1,) * (len(shape) - 3) + own


def box_of(file: h5py.File) -> Box:
    """Return the box of a block: attributes block_begin and block_end of its file or affinities."""
    stated = file.attrs if "block_begin" in file.attrs else file["affinities"].attrs
    begin, end = stated["block_begin"], stated["block_end"]
    z, y, x = ((int(b), int(e)) for b, e in zip(begin, end, strict=True))
    return z, y, x


def write_block_array(path: str | Path, name: str, array: NDArray[Any], box: Box) -> None:
    """Write one array (..., Z, Y, X) of a block."""
    with atomic_write(path) as partial, h5py.File(partial, "w") as file:
        file.create_dataset(name, data=array, chunks=chunks_of(array.shape), compression="lzf")
        file.attrs["block_begin"] = [begin for begin, _ in box]
        file.attrs["block_end"] = [end for _, end in box]


def read_affinities(paths: Sequence[str | Path], window: Box) -> NDArray[np.uint8]:
    """Read the affinities of a window from the files of its blocks.

    Returns:
        Shape (3, Z, Y, X), to the voxel before along z, y and x; 0 to 255 stand for 0 to 1.

    Raises:
        StepError: a file is damaged or holds no affinities, one is NaN or outside of 0 to 1, or
            the files do not cover the window.
    """
    whole = np.zeros((3, *box_shape(window)), np.uint8)
    voxels = 0
    for path in paths:
        with open_block(path) as file:
            shared = common(box_of(file), window)
            if min(box_shape(shared)) <= 0:
                continue
            stored = file["affinities"]
            if stored.ndim != 4 or stored.shape[0] < 3:
                raise StepError(
                    f"{path}: expected affinities of the shape (3, z, y, x), found {stored.shape}; "
                    "write them again"
                )
            part = stored[(slice(3), *within(shared, box_of(file)))]
        whole[(slice(None), *within(shared, window))] = as_bytes(part, path)
        voxels += int(np.prod(box_shape(shared)))
    if voxels != np.prod(box_shape(window)):
        raise StepError(
            f"{paths[0]}: expected affinities of {int(np.prod(box_shape(window)))} voxels in this "
            f"and {len(paths) - 1} more files, found {voxels}; remove them and run again"
        )
    return whole


def as_bytes(affinities: NDArray[Any], path: str | Path) -> NDArray[np.uint8]:
    """Convert affinities to uint8, 0 to 255.

    Raises:
        StepError: one is NaN or outside of 0 to 1, or the dtype is neither uint8 nor float.
    """
    if affinities.dtype == np.uint8:
        return affinities
    if not np.issubdtype(affinities.dtype, np.floating):
        raise StepError(
            f"{path}: expected affinities as uint8 or as floats from 0 to 1, found "
            f"{affinities.dtype}; write them again"
        )
    bad = np.count_nonzero(np.isnan(affinities))
    if bad:
        raise StepError(
            f"{path}: expected affinities from 0 to 1, found NaN in {bad} of {affinities.size}; "
            "the network that made them has failed, predict again or train it anew"
        )
    if affinities.size and (affinities.min() < 0 or affinities.max() > 1):
        raise StepError(
            f"{path}: expected affinities from 0 to 1, found {affinities.min():g} to "
            f"{affinities.max():g}; write probabilities, not logits"
        )
    return np.round(affinities * np.float32(255)).astype(np.uint8)


def write_fragments(path: str | Path, found: BlockFragments, block: Block, grid: Grid) -> None:
    """Write the fragments of a block with ids that are unique in the volume."""
    first = block.index * grid.capacity
    ids = np.where(
        found.labels > 0, found.labels.astype(np.uint64) + np.uint64(first), np.uint64(0)
    )
    with atomic_write(path) as partial, h5py.File(partial, "w") as file:
        file.create_dataset("fragments", data=ids, chunks=chunks_of(ids.shape), compression="lzf")
        file.create_dataset("statistics", data=found.statistics)
        for (axis, side), planes in found.faces.items():
            file.create_dataset(f"faces/{axis}{side}", data=planes, compression="lzf")
        file.attrs["block_begin"] = [begin for begin, _ in block.box]
        file.attrs["block_end"] = [end for _, end in block.box]
        file.attrs["first_id"] = first
        file.attrs["count"] = found.count


def read_labels(path: str | Path) -> NDArray[np.int32]:
    """Read the fragments of a block, numbered from 1 within it."""
    with open_block(path) as file:
        ids = file["fragments"][...]
        first = np.uint64(file.attrs["first_id"])
    return np.where(ids > 0, ids - first, np.uint64(0)).astype(np.int32)


def read_face(path: str | Path, axis: int, side: int) -> tuple[NDArray[np.int32], int, int]:
    """Read the labels at a face of a block, the id before its first fragment, and its count."""
    with open_block(path) as file:
        planes = file[f"faces/{axis}{side}"][...]
        return planes, int(file.attrs["first_id"]), int(file.attrs["count"])


def read_statistics(path: str | Path) -> tuple[NDArray[np.int64], int]:
    """Read the statistics of a block's fragments and the id before its first fragment."""
    with open_block(path) as file:
        return file["statistics"][...], int(file.attrs["first_id"])


def read_count(path: str | Path) -> tuple[int, int]:
    """Read the id before a block's first fragment and the number of its fragments."""
    with open_block(path) as file:
        return int(file.attrs["first_id"]), int(file.attrs["count"])
