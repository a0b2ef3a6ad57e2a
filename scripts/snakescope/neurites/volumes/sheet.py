"""The sample sheet of volumes: one row a volume.

Read by every process that parses the Snakefile, so it imports nothing heavy.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from snakescope.settings.sheet import check_name, read_sheet
from snakescope.settings.suggest import did_you_mean
from snakescope.step.errors import StepError

REQUIRED = ("volume", "image", "voxel_nm")
OPTIONAL = ("labels", "set")
COLUMNS = (*REQUIRED, *OPTIONAL)
RESERVED_NAMES = ("models", "paper")
SETS = ("train", "validation", "test")
TRAINED_ON = "labels of the set train"
"""Said beside scores of these: of a network that was trained on them they tell nothing."""


@dataclass(frozen=True)
class Volume:
    """A row of the sample sheet.

    Attributes:
        name: unique in the sheet and legal in a path.
        image: TIFF stack, folder of sections, HDF5 file (``file.h5:/dataset``) or OME-Zarr.
        voxel_nm: size of a voxel along z, y and x (nm).
        labels: true labels in any of those forms; empty where there are none.
        set: what the labels are for: train, validation or test.
    """

    name: str
    image: str
    voxel_nm: tuple[float, float, float]
    labels: str = ""
    set: str = "test"


def read_volumes(path: str | Path, needed: bool = False) -> tuple[Volume, ...]:
    """Read the sample sheet, in its order; lines that start with ``#`` are comments.

    A sheet that is absent, or has no row, has no volumes: this tree then has nothing to do.

    Args:
        needed: whether a volume is needed, as where neurites are asked for.

    Raises:
        StepError: an unknown, duplicate or missing column, a duplicate volume, an empty required
            cell or a cell that cannot be read; or no volume where one is needed.
    """
    try:
        rows = list(read_sheet(path, COLUMNS, REQUIRED))
    except FileNotFoundError:
        if needed:
            raise StepError(
                f"{path}: expected the sheet of volumes, found no such file; write one, "
                f"tab-separated, with the columns {', '.join(REQUIRED)}"
            ) from None
        return ()
    if needed and not rows:
        raise StepError(
            f"{path}: expected a header and one row a volume, found no row; add a volume "
            "(columns: config/README.md)"
        )
    volumes: dict[str, tuple[int, Volume]] = {}
    for number, row in rows:
        where = f"{path}, line {number}"
        volume = _volume(where, row)
        # Case alone does not tell two folders apart on every file system.
        first = volumes.setdefault(volume.name.lower(), (number, volume))[0]
        if first != number:
            raise StepError(
                f"{where}: expected every volume once, found volume {volume.name!r} again "
                f"(first on line {first}); rename or remove one"
            )
    return tuple(volume for _, volume in volumes.values())


def _volume(where: str, row: Mapping[str, str]) -> Volume:
    for name in ("volume", "image"):
        if not row[name]:
            raise StepError(f"{where}: expected a {name}, found an empty cell; fill it in")
    name = row["volume"]
    check_name(where, "volume", name, "volume1")
    if name in RESERVED_NAMES:
        raise StepError(
            f"{where}: expected a volume name other than {' and '.join(RESERVED_NAMES)}, which "
            "name folders of other results; rename the volume"
        )
    use = row.get("set", "") or "test"
    if use not in SETS:
        raise StepError(
            f"{where}: expected set as one of {', '.join(SETS)}, found {use!r}"
            + did_you_mean(use, SETS)
        )
    if use != "test" and not row.get("labels"):
        raise StepError(
            f"{where}: expected labels of a volume to {use} with, found an empty cell; "
            "name them or set it to test"
        )
    return Volume(name, row["image"], _voxel_nm(where, row["voxel_nm"]), row.get("labels", ""), use)


def _voxel_nm(where: str, text: str) -> tuple[float, float, float]:
    try:
        z, y, x = (float(part) for part in text.replace(",", " ").split())
    except ValueError:
        z = y = x = math.nan
    if not all(math.isfinite(size) and size > 0 for size in (z, y, x)):
        raise StepError(
            f"{where}: expected voxel_nm as the size of a voxel along z, y and x in nm, such as "
            f"30 6 6, found {repr(text) if text else 'an empty cell'}; fill it in"
        )
    return z, y, x
