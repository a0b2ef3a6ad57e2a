"""SNEMI3D as volumes that the sample sheet names.

snakescope neurites unpack --archive fetched/neurites/snemi.zip --settings '{}'
    --folder fetched/neurites/snemi3d

The labelled stack becomes two volumes, one to train with and one for the scores; the stack of the
challenge, whose labels are not public, a third.
"""

import argparse
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from snakescope.imaging.volume_tiff import write_stack
from snakescope.neurites.volumes.scan import SNEMI3D, snemi3d_parts
from snakescope.neurites.volumes.settings import FetchSettings
from snakescope.step.errors import StepError

STACKS = {
    "image": ("train-input.tif", np.uint8),
    "labels": ("train-labels.tif", np.uint16),
    "challenge": ("test-input.tif", np.uint8),
}
"""The stacks of the archive, in whichever folder of it, and what they are written as."""


def read_stacks(archive: str | Path) -> dict[str, NDArray[Any]]:
    """Read the stacks of SNEMI3D.

    Raises:
        StepError: the archive is damaged or lacks one, or one has another shape than is known.
    """
    found = {}
    try:
        with zipfile.ZipFile(archive) as opened:
            names = {Path(name).name: name for name in opened.namelist() if "__MACOSX" not in name}
            for kind, (stack, dtype) in STACKS.items():
                if stack not in names:
                    raise StepError(
                        f"{archive}: expected {stack} in it, found {', '.join(sorted(names))}; "
                        "give the archive of SNEMI3D"
                    )
                found[kind] = tifffile.imread(io.BytesIO(opened.read(names[stack])))
                if found[kind].shape != SNEMI3D or found[kind].dtype.kind not in "ui":
                    raise StepError(
                        f"{archive}, {stack}: expected 100 x 1024 x 1024 whole numbers, found "
                        f"{' x '.join(map(str, found[kind].shape))} of {found[kind].dtype}; give "
                        "the archive of SNEMI3D"
                    )
                found[kind] = found[kind].astype(dtype)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise StepError(
            f"{archive}: expected a whole archive, found a damaged one ({str(error)[:100]}); "
            "remove it and run again"
        ) from None
    return found


def unpack(archive: str | Path, folder: str | Path, train_sections: int) -> None:
    """Write the volumes of SNEMI3D as TIFF stacks ``<folder>/<part>/image.tif``, ``labels.tif``."""
    stacks = read_stacks(archive)
    for part, (begin, end, labelled) in snemi3d_parts(train_sections).items():
        image = stacks["image" if labelled else "challenge"]
        write_stack(Path(folder, part, "image.tif"), image[begin:end])
        if labelled:
            write_stack(Path(folder, part, "labels.tif"), stacks["labels"][begin:end])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--archive", type=Path, required=True, help="snemi.zip")
    parser.add_argument("--settings", required=True, help="JSON of neurites.fetch")
    parser.add_argument("--folder", type=Path, required=True, help="folder to write to")


def main(given: argparse.Namespace) -> None:
    """Unpack the archive."""
    settings = FetchSettings.model_validate_json(given.settings)
    unpack(given.archive, given.folder, settings.train_sections)
