"""Readers of volumes: TIFF stack, folder of sections, HDF5, OME-Zarr.

:func:`describe` finds shape and dtype without reading voxels; :func:`read` reads a range of
sections. The forms have modules of their own.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snakescope.imaging.volume_source import FORMS, Source, Zyx, damaged
from snakescope.step.errors import StepError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Readers are imported where they are used: the Snakefile imports this module in every process.

TIFF = (".tif", ".tiff")
HDF5 = (".h5", ".hdf5", ".hdf", ".he5")
HDF5_DATASET = re.compile(r"(.*\.(?:h5|hdf5|hdf|he5)):(.*)", re.IGNORECASE)

__all__ = ["Source", "describe", "last_with_data", "placed", "read"]


def describe(path: str, kind: str = "image") -> Source:
    """Return form, shape and dtype of a volume without reading its voxels.

    Args:
        kind: image, or labels, whose values are taken as they are stored.

    Raises:
        StepError: the path does not exist, is damaged, not in 3-D, or of an unknown form.
        SystemFault: the system does not let it be read.
    """
    from snakescope.imaging import volume_arrays as arrays
    from snakescope.imaging import volume_sections as sections
    from snakescope.imaging import volume_tiff as stacks

    try:
        named = None if Path(path).exists() else HDF5_DATASET.fullmatch(path)
        file, dataset = named.groups() if named else (path, "")
        if not Path(file).exists():
            raise StepError(
                f"{path}: expected {FORMS}, found nothing there; correct the sample sheet"
            )
        if not (Path(file).is_file() or Path(file).is_dir()):
            raise StepError(
                f"{path}: expected {FORMS}, found a pipe or a device; correct the sample sheet"
            )
        if Path(file).suffix.lower() in HDF5:
            return arrays.describe_hdf5(path, file, dataset, kind)
        if Path(file).is_dir():
            names = (".zarray", ".zattrs", ".zgroup", "zarr.json")
            if any(Path(file, name).exists() for name in names):
                return arrays.describe_zarr(path, file, kind)
            return sections.describe_sections(path, kind)
        if Path(file).suffix.lower() in TIFF:
            return stacks.describe_tiff(path, kind)
    except StepError:
        raise
    except Exception as error:  # readers raise any exception on damaged files
        raise damaged(path, error) from None
    raise StepError(
        f"{path}: expected {FORMS}, found {Path(file).suffix or 'no suffix'}; convert it"
    )


def placed(source: Source, begin: Zyx, shape: Zyx) -> Source:
    """Return a volume of ``shape`` voxels that holds ``source`` from voxel ``begin`` on, else 0."""
    return replace(source, shape=shape, inside=(begin, source.shape))


def read(source: Source, begin: int, end: int) -> NDArray[Any]:
    """Read sections ``begin`` to ``end``, shape (end - begin, Y, X); of an image 0 is black.

    Raises:
        StepError: the file is damaged, or a section has another shape than the first.
        SystemFault: the system does not let it be read.
    """
    if source.inside is not None:
        return _read_inside(source, begin, end)
    try:
        part = _read(source, begin, end)
    except StepError:
        raise
    except Exception as error:  # readers raise any exception on damaged files
        raise damaged(source.path, error) from None
    if part.shape != (end - begin, *source.shape[1:]):
        raise StepError(
            f"{source.path}: expected sections {begin} to {end - 1} of {source.shape[1]} x "
            f"{source.shape[2]} px, found the shape {part.shape}; write the volume again"
        )
    return part


def _read_inside(source: Source, begin: int, end: int) -> NDArray[Any]:
    import numpy as np

    assert source.inside is not None
    (z, y, x), shape = source.inside
    whole = np.zeros((end - begin, *source.shape[1:]), source.dtype)
    first, last = max(begin, z), min(end, z + shape[0])
    if first < last:
        part = read(replace(source, shape=shape, inside=None), first - z, last - z)
        whole[first - begin : last - begin, y : y + shape[1], x : x + shape[2]] = part
    return whole


def _read(source: Source, begin: int, end: int) -> NDArray[Any]:
    from snakescope.imaging.volume_arrays import read_array
    from snakescope.imaging.volume_sections import read_sections
    from snakescope.imaging.volume_tiff import read_tiff

    reader = {"sections": read_sections, "tiff": read_tiff}.get(source.form, read_array)
    return reader(source, begin, end)


def last_with_data(source: Source) -> tuple[int, float]:
    """Return the last section that is not all zeros, and its share that was broken off.

    A copy that was broken off after its size was reserved ends in zeros, in the middle of a row.
    """
    from snakescope.imaging.tiff import zero_share

    for number in range(source.shape[0] - 1, -1, -1):
        section = read(source, number, number + 1)[0]
        if section.any():
            return number, zero_share(section, rows_too=False)
    return -1, 0.0
