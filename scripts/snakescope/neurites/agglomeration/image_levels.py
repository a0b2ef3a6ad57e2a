"""The image of a volume as OME-Zarr, with the levels of its segmentation, to lie under it.

``image.zarr``, which jobs read, has one level and no size of voxels, so viewers would show it
elsewhere than the labels.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import zarr

from snakescope.imaging.ome_zarr import create_levels, means
from snakescope.neurites.agglomeration.segmentation import CHUNK, level_factors
from snakescope.neurites.agglomeration.settings import SegmentationSettings
from snakescope.step.output import atomic_folder
from snakescope.step.progress import progress

Box = tuple[slice, slice, slice]


def write_image(
    folder: str | Path, image: str | Path, voxel_nm: Sequence[float], levels: int
) -> None:
    """Write an image of bytes with coarser levels, chunk by chunk, whole or not at all.

    A coarse voxel is the mean of the finer ones that it covers. Of odd ends the last is repeated.

    Args:
        folder: named ``<name>.ome.zarr``; image: Zarr array, uint8 (Z, Y, X).
        voxel_nm: size of a voxel along z, y and x (nm).
        levels: count, as of the segmentation.
    """
    stored = zarr.open_array(str(image), mode="r")
    factors = level_factors(voxel_nm, levels)
    with atomic_folder(folder) as partial:
        name = Path(folder).parent.name
        arrays = create_levels(partial, name, stored.shape, voxel_nm, factors, CHUNK, np.uint8)
        chunk = (max(CHUNK[0], -(-stored.chunks[0] // CHUNK[0]) * CHUNK[0]), *CHUNK[1:])
        for box in progress(list(_boxes(stored.shape, chunk)), "parts of the image written"):
            arrays[0][box] = stored[box]
        for level in range(1, levels):
            fine, coarse = arrays[level - 1], arrays[level]
            pairs = zip(factors[level], factors[level - 1], strict=True)
            z, y, x = (now // before for now, before in pairs)
            boxes = list(_boxes(coarse.shape, CHUNK))
            for box in progress(boxes, f"parts of level {level} written"):
                whole = tuple(
                    slice(s.start * f, s.stop * f) for s, f in zip(box, (z, y, x), strict=True)
                )
                coarse[box] = means(np.asarray(fine[whole]), (z, y, x))


def _boxes(shape: Sequence[int], chunk: Sequence[int]) -> Iterator[Box]:
    sides = [
        [slice(begin, min(begin + step, n)) for begin in range(0, n, step)]
        for n, step in zip(shape, chunk, strict=True)
    ]
    yield from product(*sides)  # type: ignore[misc]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--image", type=Path, required=True, help="Zarr array, uint8 (Z, Y, X)")
    parser.add_argument("--grid", required=True, help="JSON: shape, block, voxel_nm (z, y, x)")
    parser.add_argument("--settings", required=True, help="JSON of neurites.segmentation: levels")
    parser.add_argument("--written", type=Path, required=True, help="OME-Zarr to write")


def main(given: argparse.Namespace) -> None:
    """Write the image of a volume for viewers."""
    settings = SegmentationSettings.model_validate_json(given.settings)
    voxel_nm = json.loads(given.grid)["voxel_nm"]
    write_image(given.written, given.image, voxel_nm, settings.levels)
