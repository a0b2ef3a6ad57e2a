"""The segmentation as a TIFF stack or an HDF5 file, for programs that read no OME-Zarr."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import tifffile
import zarr
from numpy.typing import NDArray

from neurites.block_files import chunks_of
from step.command import run_step
from step.output import whole_file
from step.progress import progress

VERSION = 1


def _sections(array: zarr.Array) -> Iterator[NDArray[np.uint32]]:
    depth = array.chunks[0]
    for begin in progress(range(0, array.shape[0], depth), "slabs exported"):
        yield from np.asarray(array[begin : begin + depth]).astype(np.uint32)


def export(segmentation: str | Path, path: str | Path) -> None:
    """Write the full resolution of an OME-Zarr as ``path``'s suffix says, section by section.

    Labels are uint32 in TIFF, since few programs read more, and uint64 in HDF5 (``/labels``).
    """
    array = zarr.open_array(f"{segmentation}/0", mode="r")
    with whole_file(path) as partial:
        if Path(path).suffix == ".tif":
            tifffile.imwrite(
                partial,
                _sections(array),
                shape=array.shape,
                dtype=np.uint32,
                compression="zlib",
                bigtiff=True,
                metadata={"axes": "ZYX"},
            )
            return
        with h5py.File(partial, "w") as file:
            labels = file.create_dataset(
                "labels", array.shape, np.uint64, chunks=chunks_of(array.shape), compression="lzf"
            )
            for z, section in enumerate(_sections(array)):
                labels[z] = section


def main() -> None:
    """Export a segmentation."""
    parser = argparse.ArgumentParser(prog="python -m neurites.export", description=__doc__)
    parser.add_argument("--segmentation", type=Path, required=True, help="OME-Zarr")
    parser.add_argument("--export", type=Path, required=True, help=".tif or .h5 to write")
    given = parser.parse_args()
    export(given.segmentation, given.export)


if __name__ == "__main__":
    run_step(main)
