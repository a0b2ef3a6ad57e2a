"""What was read off the raw folders, for people to check, and what contradicts it."""

import filecmp
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snakescope.healthspan.plates.manifest import PlateFrames
from snakescope.healthspan.plates.sheet import Plate
from snakescope.step.errors import StepError
from snakescope.step.output import write_if_changed
from snakescope.step.rows import table_text
from snakescope.tree.notes import Shared, some

INFERRED = "inferred.tsv"
COLUMNS = (
    "plate", "folder", "well", "images", "naming", "example", "channels", "times", "timepoints",
    "hours", "interval_h", "missing", "left_out", "frame_px", "pixel_size_um", "pixel_size_from",
    "pixel_size_in_file_um",
)  # fmt: skip
LARGEST_DIFFERENCE = 0.02
"""Of pixel sizes, as a fraction, that rounding explains."""
NO_IMAGE = 64
"""Bytes below which a file is no image, so that equal ones say nothing."""
SHOWN = 5


@dataclass(frozen=True)
class Look:
    """A plate, its frames, what the header of its first one says, and its pixel size (um)."""

    plate: Plate
    frames: PlateFrames
    header: Mapping[str, Any]
    pixel_size_um: float


def of_pixel_size(look: Look) -> list[str]:
    """Return a note where the images state another pixel size than the sheet or configuration."""
    stated = look.header.get("pixel_size_um")
    height = look.header.get("pixel_height_um")
    if stated and height and abs(stated / height - 1) > LARGEST_DIFFERENCE:
        return [
            Shared(
                f"PIXEL SIZE: the images say {stated:.4g} x {height:.4g} um, and only square pixels"
                " are measured rightly; scale the images to square ones"
            )
        ]
    if not stated or abs(stated / look.pixel_size_um - 1) <= LARGEST_DIFFERENCE:
        return []
    where = "the column pixel_size_um" if look.plate.pixel_size_um else "plates.pixel_size_um"
    return [
        Shared(
            f"PIXEL SIZE: the images say {stated:.4g} um, {where} says {look.pixel_size_um:.4g} um,"
            f" so that worms are taken for {look.pixel_size_um / stated:.2g} times as long as they"
            " are if the images are right; correct the one that is wrong"
        )
    ]


def of_letters(plates: Iterable[Plate]) -> list[str]:
    """Return a note where figures cannot show the conditions, as no font here has their letters."""
    text = "".join(dict.fromkeys(plate.condition for plate in plates))
    # Letters of western languages are in every font; looking for others takes a second.
    if all(ord(one) < 0x250 for one in text):
        return []
    from snakescope.imaging.style import note_of_fonts

    note = note_of_fonts(text)
    return [f"conditions: {note}"] if note else []


def check_one_picture(look: Look) -> None:
    """Refuse a plate whose files hold several pictures each.

    Raises:
        StepError: the one whose header was read does.
    """
    if several := look.header["several"]:
        raise StepError(
            f"{look.header['read']}: expected one picture a file, found {several}; export"
            " every channel and every timepoint to a file of its own"
        )


def same_images(found: Mapping[str, Look], sheet: str, results: str) -> dict[str, str]:
    """Return a sentence for each plate whose images another plate has as well.

    Folders are compared as the disk has them, links followed and one within another. Folders with
    files of equal names and times to the second, and first and last ones of equal bytes, are copies
    of one another.
    """
    # Individuals that people put there themselves are not from these images.
    found = {name: look for name, look in found.items() if not _is_by_hand(Path(results, name))}
    pairs: set[tuple[str, str]] = set()
    owners: dict[str, str] = {}
    alike: dict[tuple[Any, ...], list[str]] = {}
    for name, look in found.items():
        for path in _files(look):
            if (first := owners.setdefault(path, name)) != name:
                pairs.add((first, name))
        key = _listing(look) if _names_and_times(look) else ()
        key += _names_and_times(look) if key else ()
        # Names, sizes and times may agree by chance, as of frames that are not compressed.
        earlier = alike.setdefault(key, []) if key else []
        pairs |= {(one, name) for one in earlier if _same_content(look, found[one])}
        earlier.append(name)
    clashes: dict[str, dict[str, None]] = {}
    for one, other in sorted(pairs):
        clashes.setdefault(one, {})[other] = None
        clashes.setdefault(other, {})[one] = None
    return {
        name: (
            f"{sheet}: expected images of its own, found those of {some(list(others))} in"
            f" {found[name].plate.folder} as well; correct the column folder or well, or remove"
            " a row"
        )
        for name, others in clashes.items()
    }


def _is_by_hand(folder: Path) -> bool:
    return (folder / "individuals.tsv").exists() and not (folder / "provenance.json").exists()


def _files(look: Look) -> set[str]:
    folder = os.path.realpath(look.plate.folder)
    given = look.plate.folder
    return {
        os.path.join(folder, os.path.relpath(frame.path, given))
        if not frame.path.startswith(given)
        else folder + os.sep + frame.path[len(given) :].lstrip("/")
        for frame in look.frames.frames
        if frame.path
    }


def copies(looks: Sequence[Look]) -> list[str]:
    """Return a note for each plate whose first and last images are those of another, byte for byte.

    Names and times may be others: a folder that was copied for another row of the sheet.
    """
    alike: dict[tuple[Any, ...], list[Look]] = {}
    notes = []
    for look in looks:
        key = _listing(look)
        earlier = alike.setdefault(key, []) if key else []
        if same := next((one for one in earlier if _same_content(look, one)), None):
            notes.append(
                f"{look.plate.name}: the first and last images in {look.plate.folder} are those of"
                f" {same.plate.name} in {same.plate.folder}, byte for byte; if it is a copy of that"
                " folder, its worms are counted twice: remove a row"
            )
        earlier.append(look)
    return notes


def _names_and_times(look: Look) -> tuple[Any, ...]:
    """Names and times of a plate's files, empty where the times say nothing."""
    own = [frame for frame in look.frames.frames if frame.path]
    if len({frame.modified for frame in own}) < 2:
        return ()
    return tuple((os.path.basename(one.path), one.modified) for one in own)  # noqa: PTH119


def _listing(look: Look) -> tuple[Any, ...]:
    """Sizes of a plate's files and some bytes of its first, empty where they say nothing."""
    own = [frame for frame in look.frames.frames if frame.path]
    if len(own) < 2 or min(frame.size for frame in own) < NO_IMAGE:
        return ()
    try:
        with open(own[0].path, "rb") as stream:
            stream.seek(own[0].size // 2)
            return (*(frame.size for frame in own), stream.read(NO_IMAGE))
    except OSError:  # it is told where the image is read
        return ()


def _same_content(look: Look, other: Look) -> bool:
    """Whether the first and the last frames of two plates have equal bytes."""
    one, two = ([f.path for f in own.frames.frames if f.path] for own in (look, other))
    try:
        return all(filecmp.cmp(one[at], two[at], shallow=False) for at in (0, -1))
    except OSError:
        return False


def write_inferred(results: str, looks: Sequence[Look]) -> list[str]:
    """Write what was read off the raw folders; return lines that sum it up, if it has changed.

    With a note on conditions that figures cannot show.
    """
    if not looks:
        return []
    notes = [*of_letters([look.plate for look in looks]), *copies(looks)]
    rows = []
    groups: dict[str, list[str]] = {}
    for look in looks:
        frames, inferred = look.frames, look.frames.inferred
        hours = max(frame.time_h for frame in frames.frames)
        shape = look.header.get("shape_px")
        source = "sheet" if look.plate.pixel_size_um else "configuration"
        missing = sum(frame.status == "missing" for frame in frames.frames)
        stated = look.header.get("pixel_size_um")
        rows.append(
            (
                look.plate.name, look.plate.folder, look.plate.well, len(frames.frames) - missing,
                inferred.naming, inferred.example, inferred.channels, inferred.times,
                frames.timepoint_count, f"{hours:g}",
                "" if inferred.interval_h is None else f"{inferred.interval_h:g}", missing,
                inferred.left_out, f"{shape[1]} x {shape[0]}" if shape else "",
                f"{look.pixel_size_um:g}", source, f"{stated:.4g}" if stated else "",
            )
        )  # fmt: skip
        every = f", every {inferred.interval_h:g} h" if inferred.interval_h else ""
        said = (
            f"{inferred.naming}; {inferred.channels}; {inferred.times} times,"
            f" {frames.timepoint_count} timepoints{every}; {look.pixel_size_um:g} um a pixel by the"
            f" {source}"
        )
        groups.setdefault(said, []).append(look.plate.name)
    path = Path(results, INFERRED)
    if not write_if_changed(path, table_text(COLUMNS, rows)):
        return notes
    lines = [f"  {some(names)}: {said}" for said, names in list(groups.items())[:SHOWN]]
    if len(groups) > SHOWN:
        lines.append(f"  and {len(groups) - SHOWN} more kinds")
    return [*notes, "\n".join([f"read off the raw folders, plate by plate in {path}:", *lines])]
