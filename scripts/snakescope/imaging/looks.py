"""A look at the voxels of volumes before the first job, kept until their files change."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from snakescope.imaging.volumes import Source, last_with_data, read
from snakescope.step.errors import StepError, SystemFault
from snakescope.step.output import write_if_changed

VERSION = 2
"""Of what is looked for; raised when looks that are kept do not tell it."""
MOST_VOXELS = 2**28
"""Of a volume that is read whole: a second of reading. Of a larger one some sections tell."""
SOME = 3


def kept_look(path: Path, sources: Iterable[Source], look: Callable[[], list[str]]) -> list[str]:
    """Return what ``look`` tells of volumes, from ``path`` where their files are as they were.

    Raises:
        StepError: as ``look`` does, or did. SystemFault: the system lets none be read.
    """
    own = [[s.path, s.dtype, list(s.shape), list(s.notes), _stated(s)] for s in sources]
    key = [VERSION, *own]
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
