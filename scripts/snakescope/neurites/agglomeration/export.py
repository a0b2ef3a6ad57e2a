"""The segmentation as a TIFF stack or an HDF5 file, for programs that read no OME-Zarr."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import tifffile
import zarr
from numpy.typing import NDArray

from snakescope.neurites.fragments.block_files import chunks_of
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write
from snakescope.step.progress import progress

LARGEST_IN_TIFF = 2**32 - 1


def _slabs(array: zarr.Array) -> Iterator[tuple[int, NDArray[np.uint64]]]:
    """First section and labels of slabs as deep as chunks are: each chunk is read once."""
    depth = array.chunks[0]
    for begin in progress(range(0, array.shape[0], depth), "slabs exported"):
        yield begin, np.asarray(array[begin : begin + depth]).astype(np.uint64)


def _sections_of_32_bit(array: zarr.Array) -> Iterator[NDArray[np.uint32]]:
    for _, slab in _slabs(array):
        if slab.max() > LARGEST_IN_TIFF:
            raise StepError(
                f"export: expected labels up to 2^32 - 1 for a TIFF, found {int(slab.max())};"
                " take hdf5 for agglomeration: segmentation: exports"
            )
        yield from slab.astype(np.uint32)


def export(segmentation: str | Path, path: str | Path) -> None:
    """Write the full resolution of an OME-Zarr as ``path``'s suffix says, slab by slab.

    Labels are uint32 in TIFF, since few programs read more, and uint64 in HDF5 (``/labels``).

    Raises:
        StepError: a label does not fit into a TIFF.
    """
    array = zarr.open_array(f"{segmentation}/0", mode="r")
    with atomic_write(path) as partial:
        if Path(path).suffix == ".tif":
            tifffile.imwrite(
                partial,
                _sections_of_32_bit(array),
                shape=array.shape,
                dtype=np.uint32,
                compression="zlib",
                bigtiff=True,
                photometric="minisblack",  # else three or four sections are written as colours
                metadata={"axes": "ZYX"},
            )
            return
        with h5py.File(partial, "w") as file:
            # Chunks as deep as slabs, so that each is compressed once.
            chunks = (array.chunks[0], *chunks_of(array.shape)[1:])
            labels = file.create_dataset(
                "labels", array.shape, np.uint64, chunks=chunks, compression="lzf"
            )
            for begin, slab in _slabs(array):
                labels[begin : begin + len(slab)] = slab


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--segmentation", type=Path, required=True, help="OME-Zarr")
    parser.add_argument("--export", type=Path, required=True, help=".tif or .h5 to write")


def main(given: argparse.Namespace) -> None:
    """Export a segmentation."""
    export(given.segmentation, given.export)
