"""Scanning a raw folder once: which file is which timepoint and channel of the plate."""

import argparse
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from configuration.suggest import did_you_mean
from healthspan.manifest import (
    Frame,
    PlateFrames,
    PlateProblem,
    block_name,
    block_range,
    blocks,
    read_manifest,
    read_manifest_paths,
    read_problem,
    write_manifests,
    write_problem,
)
from healthspan.naming import (
    CHANNELS,
    IMAGE_SUFFIXES,
    INCUCYTE,
    INCUCYTE_EXAMPLES,
    NameParts,
    compile_pattern,
    read_name,
)
from healthspan.plates import Plate
from healthspan.settings.ingest import IngestSettings
from step.command import run_step
from step.errors import StepError

__all__ = [
    "Frame",
    "PlateFrames",
    "PlateProblem",
    "block_name",
    "block_range",
    "blocks",
    "read_manifest",
    "read_manifest_paths",
    "read_problem",
    "scan_plate",
    "scan_plates",
    "write_manifests",
    "write_problem",
]

VERSION = 1
MAX_DEPTH = 8
"""Folders below the plate's: the raw archive of an IncuCyte nests six deep."""


@dataclass(frozen=True)
class ImageFile:
    """An image below a raw folder: its path there (with slashes) and its size (bytes)."""

    relative_path: str
    size: int


@dataclass(frozen=True)
class _Acquisition:
    """A file whose name was understood."""

    file: ImageFile
    parts: NameParts
    channel: str = ""
    time_h: float = math.nan


class _Refused(Exception):
    """A plate that cannot be processed; becomes its :class:`PlateProblem`."""


def scan_plates(
    plates: Iterable[Plate], settings: IngestSettings
) -> dict[str, PlateFrames | PlateProblem]:
    """Scan every plate, by name; a folder that several plates share is read once."""
    listings: dict[str, list[ImageFile] | _Refused] = {}
    return {plate.name: _scan(plate, settings, listings) for plate in plates}


def scan_plate(plate: Plate, settings: IngestSettings) -> PlateFrames | PlateProblem:
    """Find the frames of one plate, or why there are none that can be used."""
    return _scan(plate, settings, {})


def _scan(
    plate: Plate, settings: IngestSettings, listings: dict[str, list[ImageFile] | _Refused]
) -> PlateFrames | PlateProblem:
    if plate.folder not in listings:
        try:
            listings[plate.folder] = list_images(plate.folder)
        except _Refused as refused:
            listings[plate.folder] = refused
    listing = listings[plate.folder]
    try:
        if isinstance(listing, _Refused):
            raise listing
        return _frames(plate, settings, listing)
    except _Refused as refused:
        return PlateProblem(plate.name, f"{plate.folder}: {refused}")


def list_images(folder: str) -> list[ImageFile]:
    """List the images below ``folder``, by path, hidden files and folders left out.

    Raises:
        _Refused: the folder is absent, is no folder or cannot be read.
    """
    try:
        return sorted(_images(folder, "", MAX_DEPTH), key=lambda file: file.relative_path)
    except FileNotFoundError:
        raise _Refused(
            "expected a folder of images, found no such folder; correct the column folder"
        ) from None
    except NotADirectoryError:
        raise _Refused("expected a folder of images, found a file; name its folder") from None
    except OSError as error:
        raise _Refused(
            f"expected a folder of images, found one that cannot be read ({error.strerror})"
        ) from None


def _images(folder: str, below: str, depth: int) -> Iterator[ImageFile]:
    with os.scandir(os.path.join(folder, below) if below else folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.name.lower().endswith(IMAGE_SUFFIXES):
                # A link to nowhere counts as an empty file rather than stopping the scan.
                exists = not entry.is_symlink() or os.path.exists(entry.path)
                yield ImageFile(below + entry.name, entry.stat().st_size if exists else 0)
            elif depth and entry.is_dir():
                yield from _images(folder, f"{below}{entry.name}/", depth - 1)


def _frames(plate: Plate, settings: IngestSettings, listing: Sequence[ImageFile]) -> PlateFrames:
    if not listing:
        raise _Refused(
            f"expected images ({', '.join(IMAGE_SUFFIXES)}), found none; "
            "copy the raw images there or correct the column folder"
        )
    named, unnamed = _understood(plate, settings, listing)
    notes = []
    if unnamed:
        notes.append(
            f"{plate.folder}: {len(unnamed)} of {len(listing)} images have other names and are "
            f"left out, such as {unnamed[0].relative_path}"
        )
    named = _one_position(plate, named)
    acquisitions = _with_channels(plate, settings, named)
    channels = _wanted(settings, acquisitions)
    timed = _with_times(settings, [one for one in acquisitions if one.channel in channels])
    frames = _table(plate, settings, channels, timed)
    _check_missing(settings, frames)
    return PlateFrames(
        plate.name, channels, frames[-1].timepoint + 1, tuple(frames), tuple(notes)
    )
