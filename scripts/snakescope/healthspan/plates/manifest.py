"""Frame manifests: the files of all timepoints and channels of a plate, and what is missing.

The main process writes them after scanning the raw folder; jobs read them. There is one file per
block, so that a change in one block does not affect the results of others.

A manifest states size and modification time of every file, so a replaced frame changes it. Rules
depend on the manifest of a block in place of its raw files, which are ten times as many.
"""

import csv
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snakescope.step.errors import StepError, SystemFault
from snakescope.step.output import write_if_changed
from snakescope.step.rows import table_rows, table_text

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "plate", "timepoint", "time_h", "channel", "path", "status", "reason", "bytes", "modified",
)  # fmt: skip
SIZE = "size.json"
SIZE_TRIES = 3
"""Number of frames at the start of a plate that are tried for its size."""

FEW_COMPARED = 3
"""Number of frames below which a reference frame was chosen for want of others."""

_BLOCK = re.compile(r"t(\d{3,})-t(\d{3,})")


@dataclass(frozen=True)
class Frame:
    """One channel of one timepoint.

    Attributes:
        timepoint: Index in the plate, from 0.
        time_h: Hours since the first frame of the plate.
        channel: ``bright_field`` or ``dark_field``.
        path: Path of its file; empty if missing.
        status: ``present`` or ``missing``.
        reason: Why it is missing; empty if present.
        size: Bytes of its file.
        modified: When its file was last written (s since 1970).
    """

    timepoint: int
    time_h: float
    channel: str
    path: str
    status: str
    reason: str = ""
    size: int = 0
    modified: int = 0


@dataclass(frozen=True)
class Inferred:
    """What the names of a plate's images were taken to say.

    Attributes:
        naming: Pattern, or exports of the IncuCyte.
        example: One of the names.
        channels: Each channel and the word that it was read from.
        times: Whether times are dates, elapsed or numbers.
        interval_h: Usual time between timepoints (h), None for one timepoint.
        left_out: Images and files that are no part of the plate.
    """

    naming: str = ""
    example: str = ""
    channels: str = ""
    times: str = ""
    interval_h: float | None = None
    left_out: str = ""


@dataclass(frozen=True)
class PlateFrames:
    """All frames of a plate, by timepoint, then channel.

    Attributes:
        plate: Name of the plate.
        channels: Its channels, bright field first.
        timepoint_count: Number of timepoints, including missing ones.
        frames: One per timepoint and channel.
        notes: Notes on the scan for the user, one sentence each.
        inferred: What was read off the names, for people to check.
    """

    plate: str
    channels: tuple[str, ...]
    timepoint_count: int
    frames: tuple[Frame, ...]
    notes: tuple[str, ...] = ()
    inferred: Inferred = Inferred()


def block_name(first: int, timepoints_per_block: int) -> str:
    """Return the name of the block that starts at timepoint ``first``, such as t010-t019."""
    return f"t{first:03d}-t{first + timepoints_per_block - 1:03d}"


def blocks(timepoint_count: int, timepoints_per_block: int) -> list[str]:
    """Return the blocks of a plate in order; the last keeps its full range while it fills."""
    starts = range(0, timepoint_count, timepoints_per_block)
    return [block_name(first, timepoints_per_block) for first in starts]


def block_range(block: str) -> range:
    """Return the timepoints in the full range of ``block``.

    Raises:
        StepError: ``block`` is not the name of a block.
    """
    match = _BLOCK.fullmatch(block)
    if match is None:
        raise StepError(f"{block}: expected the name of a block such as t000-t009")
    return range(int(match[1]), int(match[2]) + 1)


def write_manifests(
    folder: str | Path, frames: PlateFrames, timepoints_per_block: int
) -> list[str]:
    """Write ``folder``/{block}.tsv for every block whose content changed.

    Manifests of blocks that no longer exist are removed.

    Returns:
        The blocks of the plate, in order.
    """
    folder = Path(folder)
    names = blocks(frames.timepoint_count, timepoints_per_block)
    lines: dict[str, list[Frame]] = {name: [] for name in names}
    for frame in frames.frames:
        lines[names[frame.timepoint // timepoints_per_block]].append(frame)
    for name, block in lines.items():
        write_if_changed(folder / f"{name}.tsv", _text(frames.plate, block))
    for path in folder.glob("t*-t*.tsv"):
        if path.stem not in lines:
            path.unlink()
    return names


def write_frame_size(folder: str | Path, frames: PlateFrames) -> dict[str, Any]:
    """Write what the header of a plate's first readable frame says to ``folder``/size.json.

    Memory requests of jobs depend on its size. The file is opened again only if it has changed.

    Returns:
        ``shape_px`` (height and width, None if no frame could be read), ``several`` (what the file
        holds where that is more than one picture), ``pixel_size_um`` and ``pixel_height_um`` (None
        where it says none),
        ``read`` (path of that frame) and ``files`` (path and time of what was tried).
    """
    path = Path(folder) / SIZE
    files = [frame.path for frame in frames.frames if frame.path][:SIZE_TRIES]
    stated = [(f, Path(f).stat().st_mtime_ns) for f in files if Path(f).exists()]
    known: dict[str, Any] = {}
    if path.exists():
        known = json.loads(path.read_text(encoding="utf-8"))
    if known.get("files") == [list(one) for one in stated] and "read" in known:
        return known
    # Imported here, since image readers take longer to import than the rest of this process.
    from snakescope.imaging.frames import Header, UnreadableFrame, read_header

    found: Header | None = None
    read = ""
    refused = False
    for file, _ in stated:
        try:
            found, read = read_header(file), file
            break
        except UnreadableFrame:
            continue
        except SystemFault:
            refused = True
    known = {
        "shape_px": found.shape if found else None,
        "several": found.several if found else "",
        "read": read,
        "pixel_size_um": found.pixel_size_um if found else None,
        "pixel_height_um": found.pixel_height_um if found else None,
        # What could not be looked at is looked at again.
        "files": [] if refused and not found else stated,
    }
    write_if_changed(path, json.dumps(known) + "\n")
    return known


def read_megapixels(folder: str | Path) -> float | None:
    """Return the size of a frame in megapixels, or None if no frame could be read."""
    path = Path(folder) / SIZE
    if not path.exists():
        return None
    shape = json.loads(path.read_text(encoding="utf-8"))["shape_px"]
    return None if shape is None else shape[0] * shape[1] / 1e6


def read_manifest_files(path: str | Path) -> list[str]:
    """Return the files that are present in the manifest of a block, in order of time."""
    return [row["path"] for row in _rows(path) if row["status"] == "present"]


def stated_until(path: str | Path, timepoint: int) -> list[list[str]]:
    """Return path, bytes and modified (UTC) of the files of a manifest up to a timepoint."""
    rows = (row for row in _rows(path) if row["status"] == "present")
    return [
        [row["path"], row["bytes"], row["modified"]]
        for row in rows
        if int(row["timepoint"]) <= timepoint
    ]


def is_out_of_date(description: str | Path, manifest: str | Path) -> bool:
    """Return whether the reference frame of a plate was made from other raw files.

    Modification times are not sufficient: a file may be replaced by an older one, or replace an
    unreadable one. Files after the first block are not compared. One that was chosen when the plate
    had hardly any other frame is chosen again where most that came since do not fit it.

    Args:
        description: reference.json; False if it is absent or states no files.
        manifest: of the first block of the plate.
    """
    try:
        document = json.loads(Path(description).read_text(encoding="utf-8"))
        files, timepoint = document["files"], int(document["timepoint"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if not files:
        return False
    return files != stated_until(manifest, timepoint) or _outvoted(document, description, manifest)


def _outvoted(document: dict[str, Any], description: str | Path, manifest: str | Path) -> bool:
    compared = int(document.get("agreement", {}).get("compared", FEW_COMPARED))
    if compared >= FEW_COMPARED:
        return False
    there = {row["timepoint"] for row in _rows(manifest) if row["status"] == "present"}
    table = Path(description).parent / "registered" / Path(manifest).name
    if len(there) <= compared + 1 or not table.exists():
        return False
    status = [row["status"] for row in table_rows(table)]
    return status.count("unregistered") + status.count("unreadable") > len(status) / 2


def read_manifest(path: str | Path) -> "pd.DataFrame":
    """Read the manifest of a block.

    Returns:
        The columns plate, timepoint (int), time_h (float), channel, path, status,
        reason, bytes, modified (UTC); one row per timepoint and channel; empty text for
        missing values.

    Raises:
        StepError: the file is absent or is not a manifest.
    """
    import pandas as pd

    table = pd.DataFrame(_rows(path), columns=list(COLUMNS))
    return table.astype({"timepoint": int, "time_h": float})


def _rows(path: str | Path) -> list[dict[str, str]]:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, delimiter="\t")
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise StepError(
                    f"{path}: expected a frame manifest with the columns {', '.join(COLUMNS)}, "
                    f"found {', '.join(reader.fieldnames or ()) or 'an empty file'}; "
                    "remove it, and the next run writes it again"
                )
            return list(reader)
    except FileNotFoundError:
        raise StepError(f"{path}: expected a frame manifest, found no such file") from None


def _text(plate: str, frames: Sequence[Frame]) -> str:
    rows = []
    for frame in frames:
        time_h = f"{frame.time_h:.4f}".rstrip("0").rstrip(".")
        which = (plate, frame.timepoint, time_h, frame.channel)
        file = (frame.size, utc(frame.modified)) if frame.path else ("", "")
        rows.append((*which, frame.path, frame.status, frame.reason, *file))
    return table_text(COLUMNS, rows)


def utc(seconds: int) -> str:
    """Return a time (s since 1970) such as 2025-03-31T18:05:00Z."""
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):  # a file server without a clock
        return str(seconds)
