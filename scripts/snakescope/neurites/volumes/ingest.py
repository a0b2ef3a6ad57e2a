"""Ingest: conversion of a volume of any form to one Zarr array.

A slab of sections is one row of its chunks, in a folder of its own, and one job's work: when a
section changes, the slab that it is in is read again and no other.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from snakescope.imaging.volumes import read
from snakescope.neurites.volumes.look import label_ids
from snakescope.neurites.volumes.scan import read_manifest
from snakescope.neurites.volumes.settings import IngestSettings
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_folder, atomic_write

SIDE = 256
DTYPES: dict[str, type[np.unsignedinteger]] = {"image": np.uint8, "labels": np.uint64}


def grey_bytes(
    values: NDArray[Any], where: str, grey_range: tuple[float, float] | None
) -> NDArray[np.uint8]:
    """Convert grey values to 8 bit; 8-bit values are unchanged.

    Raises:
        StepError: values of more than 8 bit without a range, or values that are not real numbers.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind not in "uif":
        raise StepError(
            f"{where}: expected grey values as numbers, found {values.dtype}; convert the image"
        )
    if grey_range is None:
        raise StepError(
            f"{where}: expected grey values of 8 bit, found {values.dtype}; set "
            "neurites.volumes.ingest.grey_range to the values that become black and white"
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise StepError(
            f"{where}: expected grey values, found NaN or infinity among them; "
            "write the image again"
        )
    low, high = grey_range
    scaled = (values.astype(np.float32) - low) * (255 / (high - low))
    return np.clip(np.round(scaled), 0, 255).astype(np.uint8)


def create_array(folder: str | Path, kind: str, shape: Sequence[int], depth: int) -> zarr.Array:
    """Create an array whose rows of chunks are slabs of ``depth`` sections."""
    array = zarr.create_array(
        store=str(folder),
        shape=tuple(shape),
        chunks=(depth, min(SIDE, shape[1]), min(SIDE, shape[2])),
        dtype=DTYPES[kind],
        zarr_format=2,
        chunk_key_encoding={"name": "v2", "separator": "/"},
        fill_value=0,
        attributes={"axes": ["z", "y", "x"]},
        overwrite=True,
    )
    return array


def write_description(path: str | Path, kind: str, shape: Sequence[int], depth: int) -> None:
    """Write ``.zarray`` and attributes of the array; slabs are written one by one."""
    path = Path(path)
    with atomic_folder(path.parent / ".description") as partial:
        create_array(partial, kind, shape, depth)
        for name in (".zattrs", ".zarray"):
            text = (partial / name).read_text(encoding="utf-8")
            with atomic_write(path.with_name(name)) as file:
                file.write_text(text, encoding="utf-8")
    shutil.rmtree(path.parent / ".description")


def write_slab(path: str | Path, kind: str, values: NDArray[Any], depth: int) -> None:
    """Write the chunks of one slab into their folder.

    Args:
        path: folder of the slab, named by its number.
        values: shape (up to depth, Y, X).
    """
    path = Path(path)
    with atomic_folder(path) as chunks:
        store = chunks / "array.zarr"
        array = create_array(store, kind, values.shape, depth)
        array[...] = values
        # Chunks of zeros are not stored, so the folder may be empty.
        for row in (store / "0").glob("*"):
            row.rename(chunks / row.name)
        shutil.rmtree(store)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--manifest", type=Path, required=True, help="volume.json of the volume")
    parser.add_argument("--kind", choices=("image", "labels"), required=True)
    parser.add_argument("--sections", help="BEGIN:END of the slab; without, describe the array")
    parser.add_argument("--depth", type=int, required=True, help="sections of a whole slab")
    parser.add_argument("--settings", required=True, help="JSON of neurites.ingest")
    parser.add_argument("--array", type=Path, required=True, help=".zarray or folder of the slab")


def main(given: argparse.Namespace) -> None:
    """Describe the array of a volume, or read one slab into it."""
    settings = IngestSettings.model_validate_json(given.settings)
    source = read_manifest(given.manifest.parent)[given.kind]
    if given.sections is None:
        write_description(given.array, given.kind, source.shape, given.depth)
        return
    begin, end = map(int, given.sections.split(":"))
    values = read(source, begin, end)
    where = f"{source.path}, sections {begin} to {end - 1}"
    checked = (
        grey_bytes(values, where, settings.grey_range)
        if given.kind == "image"
        else label_ids(values, where)
    )
    # The last slab may have fewer sections; it is not padded.
    write_slab(given.array, given.kind, checked, given.depth)
    print(json.dumps({"sections": [begin, end], "shape": checked.shape}), file=sys.stderr)
