"""The membranes of all blocks as one OME-Zarr and as a TIFF stack.

snakescope membranes assemble --stack stack.json --blocks z0000-0015.tif ...
    --zarr membranes.ome.zarr --tiff membranes.tif

255 times the probability of membrane; other programs and the neurites tree read either file.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from snakescope.imaging.ome_zarr import write_ome_zarr
from snakescope.membranes.stacks.manifest import read_manifest
from snakescope.step.output import atomic_write

NM_PER_UM = 1000.0


def sections_of(blocks: Sequence[Path]) -> Iterator[NDArray[np.uint8]]:
    """The sections of all blocks, one after the other."""
    for path in blocks:
        with tifffile.TiffFile(path) as file:
            for page in file.series[0].pages:
                assert page is not None
                yield page.asarray()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--stack", type=Path, required=True, help="stack.json of the stack")
    parser.add_argument("--blocks", type=Path, nargs="+", required=True, help="in order")
    parser.add_argument("--zarr", type=Path, required=True, help="OME-Zarr to write")
    parser.add_argument("--tiff", type=Path, required=True, help="TIFF stack to write")


def main(given: argparse.Namespace) -> None:
    """Write the membranes of a stack."""
    manifest = read_manifest(given.stack)
    shape, voxel_nm = manifest.shape, manifest.voxel_nm
    with atomic_write(given.tiff) as partial:
        tifffile.imwrite(
            partial,
            sections_of(given.blocks),
            shape=shape,
            dtype=np.uint8,
            compression="zlib",
            bigtiff=True,
            photometric="minisblack",
            resolution=(NM_PER_UM * 10 / voxel_nm[2], NM_PER_UM * 10 / voxel_nm[1]),
            metadata={"axes": "ZYX", "spacing": voxel_nm[0] / NM_PER_UM, "unit": "um"},
        )
        write_ome_zarr(given.zarr, sections_of(given.blocks), shape, voxel_nm)
