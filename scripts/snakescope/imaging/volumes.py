"""Readers of volumes: TIFF stack, folder of sections, HDF5, OME-Zarr.

:func:`describe` finds shape and dtype without reading voxels; :func:`read` reads a range of
sections. The forms have modules of their own. :func:`look_at_grey` tells what a run would find too
late, or never.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snakescope.imaging.volume_source import FORMS, Source, Zyx, damaged
from snakescope.step.errors import StepError, SystemFault
from snakescope.step.output import write_if_changed

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Readers are imported where they are used: the Snakefile imports this module in every process.

TIFF = (".tif", ".tiff")
HDF5 = (".h5", ".hdf5", ".hdf", ".he5")
HDF5_DATASET = re.compile(r"(.*\.(?:h5|hdf5|hdf|he5)):(.*)", re.IGNORECASE)

LOOK_VERSION = 2
"""Of what is looked for; raised when looks that are kept do not tell it."""
MOST_VOXELS = 2**28
"""Of a volume that is read whole: a second of reading. Of a larger one some sections tell."""
SOME = 3

__all__ = ["Source", "describe", "kept_look", "last_with_data", "look_at_grey", "placed", "read"]


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


def kept_look(
    path: Path, sources: Iterable[Source], look: Callable[[], list[str]], also: str = ""
) -> list[str]:
    """Return what ``look`` tells of volumes, from ``path`` where their files are as they were.

    Args:
        also: of the sample sheet, what it depends on besides.

    Raises:
        StepError: as ``look`` does, or did. SystemFault: the system lets none be read.
    """
    own = [[s.path, s.dtype, list(s.shape), list(s.notes), _stated(s)] for s in sources]
    key = [LOOK_VERSION, *own, *([also] if also else [])]
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if known.get("key") != json.loads(json.dumps(key)):
        problem: str = ""
        notes: list[str] = []
        try:
            notes = look()
        except SystemFault:
            raise
        except StepError as error:
            problem = str(error)
        known = {"key": key, "problem": problem, "notes": notes}
        write_if_changed(path, json.dumps(known, indent=1) + "\n")
    if known["problem"]:
        raise StepError(known["problem"])
    return list(known["notes"])


def _stated(source: Source) -> list[list[int]]:
    """Size and time of the first and the last file."""
    stats = [Path(path).stat() for path in dict.fromkeys((source.files[0], source.files[-1]))]
    return [[one.st_size, one.st_mtime_ns] for one in stats]


def look_at_grey(source: Source) -> list[str]:
    """Return notes on sections without data or of one grey value, where nothing can be found.

    Raises:
        StepError: no section that was looked at has two grey values, or a copy was broken off.
    """
    last, share = last_with_data(source)
    depth = source.shape[0]
    if last < 0:
        raise StepError(f"{source.path}: expected an image, found zeros alone; copy it again")
    if share:
        raise StepError(
            f"{source.path}: expected a whole volume, found zeros from the middle of a row of"
            f" section {last} on, to its end: the copy was broken off; copy it again"
        )
    looked, blank = _blank(source, last)
    if looked == len(blank):
        value = float(read(source, blank[0], blank[0] + 1).flat[0])
        raise StepError(
            f"{source.path}: expected an image with contrast, found one value in all pixels of"
            f" every section looked at (section {blank[0]}: {value:g}); export it again"
        )
    notes = []
    if blank:
        notes.append(
            f"{source.path}: {_numbered(blank)} of {depth} (from 0) hold one grey value each,"
            " between which nothing can be found; if they are not lost, export them again"
        )
    if last < depth - 1:
        notes.append(
            f"{source.path}: sections {last + 1} to {depth - 1} of {depth} hold zeros alone; if the"
            " copy was broken off, copy it again"
        )
    return notes


def _blank(source: Source, last: int) -> tuple[int, list[int]]:
    """Return how many sections were looked at, and those of one value, up to section ``last``."""
    import numpy as np

    depth, height, width = source.shape
    if depth * height * width <= MOST_VOXELS:
        numbers = list(range(last + 1))
    else:
        numbers = sorted({(last * k) // (SOME + 1) for k in range(1, SOME + 1)})
    blank = []
    for number in numbers:
        section = read(source, number, number + 1)
        if np.all(section == section.flat[0]):
            blank.append(number)
    return len(numbers), blank


def _numbered(sections: Sequence[int], most: int = 4) -> str:
    """Return numbers in ascending order in words, runs of them as ``3 to 5``."""
    runs: list[list[int]] = []
    for number in sections:
        if runs and runs[-1][-1] == number - 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    words = [" to ".join(map(str, run)) for run in runs]
    more = f" and {len(words) - most} runs more" if len(words) > most else ""
    return f"section{'s' * (len(sections) > 1)} {', '.join(words[:most])}{more}"
