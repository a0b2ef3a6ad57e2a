"""How the images of a folder are named and when they were taken: proposals for naming and times."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any

from snakescope.healthspan.inspection.file_times import image_time
from snakescope.healthspan.inspection.infer_pattern import (
    LIKELY,
    SURE,
    UNSURE,
    Naming,
    infer_pattern,
)
from snakescope.healthspan.inspection.name_words import CLOCK_WORDS
from snakescope.healthspan.inspection.proposals import Proposal, scalar
from snakescope.healthspan.inspection.schedule import looks_like_days
from snakescope.healthspan.plates.dates import hours_of
from snakescope.healthspan.plates.naming import (
    INCUCYTE,
    NameParts,
    compile_pattern,
    read_name,
)
from snakescope.healthspan.plates.times_table import NoText, Times, text_rows, times_of
from snakescope.settings.workbook import workbook_rows
from snakescope.step.errors import StepError

TABLES = (".csv", ".tsv", ".txt", ".xlsx")
FOREIGN_SHOWN = 4
MISSING_SHOWN = 8
UNIX_DAYS = 11_500, 25_500
"""Days since 1970 between which a number is a time of Unix, June 2001 to October 2039."""
FIRST_READ = 400
"""Number of images that are read for a date before all are: most folders have none."""


@dataclass(frozen=True)
class Given:
    """What a person has given on the command line; None or empty where nothing.

    Attributes:
        pattern: of the names; times: path of a table of times; interval_h: between images (h).
    """

    pattern: str = ""
    times: str = ""
    interval_h: float | None = None


@dataclass(frozen=True)
class Named:
    """Names and times of a folder.

    Attributes:
        pattern: None for exports of the IncuCyte.
        paths: the images that are read; plates: texts in place of ``{plate}``.
        proposals: on naming and times; open: what has to be given before a plate can be run.
        times: times by file to write as a table, hours; empty where names tell them.
        by_date: whether they are dates.
        first_h: the time that names give to the first image, where they count days; else None.
    """

    pattern: str | None
    paths: tuple[str, ...]
    plates: tuple[str, ...]
    proposals: tuple[Proposal, ...]
    open: tuple[str, ...] = ()
    times: Mapping[str, float] = field(default_factory=dict)
    by_date: bool = False
    first_h: float | None = None


def name_folder(
    folder: str, paths: Sequence[str], aliases: Mapping[str, str], given: Given
) -> Named:
    """Propose the naming and the times of the images of a folder.

    Args:
        folder: of the images; paths: of the images below it.
        aliases: channel of every name of a channel, in small letters.

    Raises:
        StepError: a table of times that was given cannot be read.
    """
    naming: Naming | None
    incucyte = [path for path in paths if read_name(path, INCUCYTE) is not None]
    if given.pattern:
        naming = _given_naming(given.pattern, paths)
    elif len(incucyte) >= 0.5 * len(paths):
        foreign = [path for path in paths if path not in set(incucyte)]
        said = f"{len(incucyte)} of {len(paths)} images, such as {incucyte[0]}"
        proposals = [
            Proposal("naming", "exports of the IncuCyte: no pattern is needed", said, SURE)
        ]
        parts = read_name(incucyte[0], INCUCYTE)
        dated = parts is not None and parts.absolute
        proposals.append(Proposal("times", "dates" if dated else "elapsed", "the names", SURE))
        return Named(None, tuple(incucyte), (), (*proposals, *_foreign(foreign)))
    else:
        naming = infer_pattern(paths, aliases)
        naming = naming or infer_pattern(paths, aliases, timed=True)
    if naming is None:
        naming = Naming("", "", UNSURE, "no number or word in which the names differ", tuple(paths))
    return _timed(folder, naming, paths, given)


def _given_naming(pattern: str, paths: Sequence[str]) -> Naming:
    try:
        compiled = [compile_pattern(pattern, "", timed=False)]
    except ValueError as error:
        raise StepError(f"--pattern: expected {error}") from None
    fits = [path for path in paths if read_name(path, compiled) is not None]
    if not fits:
        raise StepError(
            f"--pattern: expected names such as {paths[0]}, found a pattern that fits none of"
            f" {len(paths)}: {pattern}"
        )
    time = "timepoint" if "{timepoint}" in pattern else "date" if "{year}" in pattern else "elapsed"
    foreign = tuple(path for path in paths if path not in set(fits))
    return Naming(pattern, time, SURE, "given", tuple(fits), foreign)


def _timed(folder: str, naming: Naming, paths: Sequence[str], given: Given) -> Named:
    """Add times: those of a table that was given, of the names, of the files, of a table there."""
    found: Times | None = None
    source = ""
    if given.times:
        found, source = _table(Path(given.times), naming.paths, given=True), given.times
        if found is None:
            raise StepError(
                f"{given.times}: expected a table with a column of files and one of times, with the"
                f" images of {folder}, found none of them"
            )
    elif not naming.time or naming.time == "timepoint":
        dates = _dates(folder, naming.paths)
        if dates is not None:
            found, source = dates
        else:
            for path in _tables_in(folder):
                found, source = _table(path, naming.paths), str(path)
                if found is not None:
                    break
            if found is None and given.interval_h is None and naming.time == "timepoint":
                found, source = _unix_times(naming) or (None, "")
    why = f"{len(naming.paths)} of {len(paths)} names: {naming.why}"
    keys: dict[str, Any] = {"plates.pattern": naming.pattern} if naming.pattern else {}
    named = Proposal("naming", f"pattern: {scalar(naming.pattern)}", why, naming.sure, keys)
    rest = _foreign(naming.foreign) + _doubles(naming)
    if found is not None:
        return _by_table(naming, found, source, named, rest)
    if naming.time == "timepoint":
        return _by_number(naming, given, named, rest)
    if not naming.time:
        missing = "the times of the images: give a table of them (--times TABLE), or a --pattern"
        unknown = Proposal(
            "times", "unknown", "neither names, images nor a table tell them", "unknown"
        )
        return Named(naming.pattern or None, naming.paths, (), (named, unknown, *rest), (missing,))
    first_h = _first_h(naming) if naming.time == "elapsed" else None
    said = "dates" if naming.time == "date" else "elapsed days, hours and minutes"
    times = Proposal("times", said, f"the names: {naming.why}", naming.sure)
    words = _clock_words(naming)
    missing = f"the hours of {' and '.join(words)}, which no pattern reads: give a table of times"
    return Named(
        naming.pattern,
        naming.paths,
        naming.plates,
        (named, times, *rest),
        (f"{missing} (--times TABLE)",) if words else (),
        first_h=first_h,
    )


def _clock_words(naming: Naming) -> list[str]:
    """Return the words for times of a day that alone tell two images of a day apart."""
    found: set[str] = set()
    for pair in naming.doubles:
        one, other = (set(re.findall(r"[^\W\d_]+", path.lower())) for path in pair)
        found |= one ^ other if one ^ other <= CLOCK_WORDS else set()
    return sorted(found)


def _by_table(
    naming: Naming, found: Times, source: str, named: Proposal, rest: Sequence[Proposal]
) -> Named:
    # What counts up is not read where the times are known.
    pattern = naming.pattern.replace("{timepoint}", "{any}")
    named = replace(
        named,
        value=f"pattern: {scalar(pattern)}",
        sure=LIKELY if named.sure == UNSURE else named.sure,
        keys={"plates.pattern": pattern} if pattern else {},
    )
    hours = {path: time for path in naming.paths if (time := found.of(path)) is not None}
    without = [path for path in naming.paths if path not in hours]
    said = f"{len(hours)} {'dates' if found.by_date else 'times'}, as a table of times"
    proposals = [named, Proposal("times", said, source, SURE), *rest]
    if without:
        proposals.append(_list("no time", without, f"{source} has no time for them: left out"))
    return Named(
        pattern or None, tuple(hours), naming.plates, tuple(proposals), (), hours, found.by_date
    )


def _by_number(naming: Naming, given: Given, named: Proposal, rest: Sequence[Proposal]) -> Named:
    numbers = naming.numbers
    missing = _missing(numbers)
    # Days of which many come twice are days of weeks, or of something else.
    once = len(naming.doubles) < 0.2 * len(naming.paths)
    if given.interval_h is None and once and looks_like_days(numbers):
        pattern = naming.pattern.replace("{timepoint}", "{days}")
        named = replace(
            named,
            value=f"pattern: {scalar(pattern)}",
            sure=LIKELY,
            keys={"plates.pattern": pattern},
        )
        why = f"numbers {numbers[0]} to {numbers[-1]} with gaps as of weekends"
        times = Proposal("times", "days", why, LIKELY)
        return Named(
            pattern, naming.paths, naming.plates, (named, times, *rest), first_h=24.0 * numbers[0]
        )
    if missing:
        shown = ", ".join(map(str, missing)) + (", ..." if len(missing) == MISSING_SHOWN else "")
        count = numbers[-1] - numbers[0] + 1 - len(numbers)
        rest = [
            *rest,
            Proposal("numbers", f"{count} are missing: {shown}", "numbers that count up", SURE),
        ]
    if given.interval_h is None:
        times = Proposal("times", "unknown: numbers without a unit", "the names", "unknown")
        need = "the time between two numbers: give it with --interval-h HOURS (24 for days)"
        return Named(naming.pattern, naming.paths, naming.plates, (named, times, *rest), (need,))
    times = Proposal(
        "times",
        f"numbers, {given.interval_h:g} h apart",
        "--interval-h",
        SURE,
        {"plates.interval_h": given.interval_h},
    )
    return Named(naming.pattern, naming.paths, naming.plates, (named, times, *rest))


def _missing(numbers: Sequence[int]) -> list[int]:
    """Return the first numbers that are missing; of some serial numbers there are billions."""
    gaps = ((one + 1, other) for one, other in pairwise(numbers) if other > one + 1)
    return list(islice(chain.from_iterable(range(*gap) for gap in gaps), MISSING_SHOWN))


def _parts(naming: Naming) -> list[tuple[str, NameParts]]:
    """Return what the names that fit the pattern tell, whatever the plate, with their paths."""
    patterns = [compile_pattern(naming.pattern.replace("{plate}", "{any}"), "")]
    read = [(path, read_name(path, patterns)) for path in naming.paths]
    return [(path, one) for path, one in read if one is not None]


def _unix_times(naming: Naming) -> tuple[Times, str] | None:
    """Return the times of names with seconds or milliseconds since 1970; None without."""
    for unit, per_hour in (("seconds", 3600), ("milliseconds", 3_600_000)):
        first, last = (86400 * day * per_hour // 3600 for day in UNIX_DAYS)
        if naming.numbers and first <= naming.numbers[0] and naming.numbers[-1] <= last:
            hours = {
                path.lower(): one.timepoint / per_hour
                for path, one in _parts(naming)
                if one.timepoint is not None
            }
            return Times(hours, True, ""), f"{unit} since 1970 in the names"
    return None


def _first_h(naming: Naming) -> float | None:
    """Return the least elapsed time (h) that the names tell."""
    hours = [one.time_h for _, one in _parts(naming) if one.time_h is not None]
    return min(hours, default=None)


def _dates(folder: str, paths: Sequence[str]) -> tuple[Times, str] | None:
    """Return the dates that the images state, where nearly all do and they differ."""
    hours: dict[str, float] = {}
    names: set[str] = set()
    for number, path in enumerate(paths):
        if number == FIRST_READ and len(hours) < 0.9 * FIRST_READ:
            return None
        found = image_time(Path(folder, path))
        if found is not None:
            hours[path.lower()] = hours_of(found[0])
            names.add(found[1])
    # Plates of several folders may have been taken at the same times.
    differ = {(path.rpartition("/")[0], time) for path, time in hours.items()}
    if len(hours) < 0.9 * len(paths) or len(differ) < 0.5 * len(hours):
        return None
    return Times(hours, True, ""), f"dates in the images: {', '.join(sorted(names))}"


def _tables_in(folder: str) -> list[Path]:
    return sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in TABLES)


def _table(path: Path, paths: Sequence[str], given: bool = False) -> Times | None:
    """Return the times of a table that names images of the folder; None where it is none.

    Raises:
        StepError: the table was given by a person, and its cells contradict one another, or it is
            a workbook with rows that are hidden or struck out.
    """
    names = [one.rpartition("/")[2] for one in paths]
    try:
        if path.suffix.lower() == ".xlsx":
            rows, numbers = _sheet_rows(path)
        else:
            rows, numbers = text_rows(path)
        found = times_of(rows, [*names, *paths], numbers)
    except (OSError, UnicodeDecodeError, NoText, csv.Error):
        return None
    except (ValueError, StepError) as error:
        if given:
            where = "" if isinstance(error, StepError) else f"{path}: "
            raise StepError(f"{where}{error}") from None
        return None
    known = 0 if found is None else sum(found.of(one) is not None for one in paths)
    return found if known >= 0.5 * len(paths) else None


def _sheet_rows(path: Path) -> tuple[list[list[str]], list[int]]:
    """Return the cells of a workbook's rows, and the number of each.

    Raises:
        StepError: no workbook, or several sheets; ValueError: a row that is hidden or struck out.
    """
    rows, numbers = [], []
    for number, cells, problem in workbook_rows(path, path.read_bytes(), "times"):
        if problem:
            raise ValueError(f"line {number}: {problem}")
        if any(cells):
            rows.append(cells)
            numbers.append(number)
    return rows, numbers


def times_text(hours: Mapping[str, float], source: str) -> str:
    """Return a table of times: file and hours since the first."""
    first = min(hours.values())
    lines = [f"# Times of images, from {source}", "file\thours"]
    lines += [f"{name}\t{time - first:.4f}" for name, time in sorted(hours.items())]
    return "\n".join(lines) + "\n"


def _list(what: str, paths: Sequence[str], why: str) -> Proposal:
    shown = ", ".join(paths[:FOREIGN_SHOWN]) + (", ..." if len(paths) > FOREIGN_SHOWN else "")
    return Proposal(what, f"{len(paths)}: {shown}", why, SURE)


def _foreign(paths: Sequence[str]) -> list[Proposal]:
    return [_list("left out", paths, "images of other names")] if paths else []


def _doubles(naming: Naming) -> list[Proposal]:
    if not naming.doubles:
        return []
    pairs = [f"{one} and {other}" for one, other in naming.doubles[:2]]
    return [
        Proposal(
            "doubles",
            f"{len(naming.doubles)}: {'; '.join(pairs)}",
            "same plate, channel and time; remove one of each",
            SURE,
        )
    ]
