"""Tables of times: when each image of a folder was taken, where names do not tell.

A table has a column of file names and one of times: days, hours, or dates. It is text with tabs,
commas or semicolons; of several plates it has a column ``plate`` as well. The main
process reads it, so nothing heavy is imported.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from snakescope.healthspan.plates.dates import day_first_of, hours_of, parse_date
from snakescope.healthspan.plates.naming import NameParts, composed
from snakescope.healthspan.plates.times_checks import check_commas, check_width, check_zones
from snakescope.settings.sheet_files import OLD_OFFICE, ZIP, decoded
from snakescope.step.errors import StepError, readable
from snakescope.step.numbers import number_of
from snakescope.tree.notes import some

FILE_COLUMNS = ("file", "filename", "file_name", "image", "name", "path", "picture", "frame")
UNITS_H = {
    "days": 24.0, "day": 24.0, "day_of_adulthood": 24.0, "age_d": 24.0, "time_d": 24.0, "d": 24.0,
    "age": 24.0,
    "hours": 1.0, "hour": 1.0, "time_h": 1.0, "h": 1.0, "elapsed_h": 1.0, "minutes": 1 / 60,
}  # fmt: skip
DATE_COLUMNS = ("datetime", "date_time", "timestamp", "acquired", "taken", "date", "time")
OTHER_TIMES = re.compile("modif|updat|access|expos|export|copied|upload")
"""Columns of times at which no image was taken."""
OF_DAY = re.compile(r"(\d{1,2})[:.](\d\d)(?:[:.](\d\d))?(?:\s*([ap])\.?m\.?)?", re.IGNORECASE)
CLOCKS = ("time", "time_of_day", "clock")
"""Columns of the time of day, beside one of dates."""
HOURS_OF_DAY = ("hour", "h")
"""Columns of the hour of a day, beside one of dates."""
PARTS = ((24.0, 24.0), (1.0, 60.0))
"""Units that a column of the next smaller one may add to: in hours, and its parts."""


class NoText(ValueError):
    """A file that a spreadsheet wrote in a form of its own."""


@dataclass(frozen=True)
class Times:
    """Times of images.

    Attributes:
        hours: time (h) by name of the file in small letters; of dates since the year 1.
        by_date: whether the times are dates.
        column: the name of the column that they are from.
    """

    hours: dict[str, float]
    by_date: bool
    column: str

    def of(self, relative_path: str) -> float | None:
        """Return the time (h) of an image by its relative path, its name, or its name's stem."""
        path = composed(relative_path).lower()
        name = path.rpartition("/")[2]
        for key in (path, name, path.rpartition(".")[0], name.rpartition(".")[0]):
            if key in self.hours:
                return self.hours[key]
        return None


def read_times(path: str | Path, plate: str | None = None) -> Times:
    """Read a table of times.

    Args:
        plate: whose rows count, where the table has a column ``plate``; None takes every row.

    Raises:
        StepError: no such file, no text, no columns of files and times, or cells that contradict
            one another or are no times.
        SystemFault: the system does not let it be read.
    """
    try:
        with readable(path, "the table of times (plates: times)"):
            rows, numbers = text_rows(path)
    except FileNotFoundError:
        raise StepError(
            f"{path}: expected the table of times (plates: times), found no such file"
        ) from None
    except UnicodeDecodeError:
        raise StepError(
            f"{path}: expected a table of times as text in UTF-8, found another file; save it as"
            " text with tabs"
        ) from None
    except NoText as error:
        raise StepError(f"{path}: expected a table of times as text, found {error}") from None
    except csv.Error as error:
        raise StepError(
            f"{path}: expected a table of times, found text that is none ({error}); save it as"
            " text with tabs"
        ) from None
    try:
        found = times_of(rows, numbers=numbers, plate=plate)
    except ValueError as error:
        raise StepError(f"{path}: {error}") from None
    if found is None:
        first = ", ".join(rows[0]) if rows else ""
        if unread := _unread_times(rows):
            raise StepError(
                f"{path}: expected dates as 2024-05-31 08:30 or 31 May 2024, found {unread}; write"
                " them so, or as days or hours in a column of that name"
            )
        raise StepError(
            f"{path}: expected a column of files ({', '.join(FILE_COLUMNS[:4])}) and one of times"
            f" (days, hours, or date as 2024-05-31 08:30), found the header {first!r}"
        )
    return found


def text_rows(path: str | Path) -> tuple[list[list[str]], list[int]]:
    """Return the cells of a table's rows and the line of each, from 1.

    Raises:
        OSError, UnicodeDecodeError, csv.Error, NoText: it cannot be read, or is no text of a table.
    """
    content = Path(path).read_bytes()
    if content.startswith((ZIP, OLD_OFFICE)):
        raise NoText("a workbook; save its sheet as text with tabs (in Excel: Unicode Text)")
    text = decoded(content).splitlines()
    kept = [(n, s) for n, s in enumerate(text, start=1) if s.strip() and not s.startswith("#")]
    first = kept[0][1] if kept else ""
    reader = csv.reader([line for _, line in kept], delimiter=max("\t;,", key=first.count))
    rows, numbers = [], []
    for row in reader:
        rows.append(row)
        numbers.append(kept[reader.line_num - 1][0])
    return rows, numbers


def times_of(
    rows: Sequence[Sequence[str]],
    names: Iterable[str] = (),
    numbers: Sequence[int] | None = None,
    plate: str | None = None,
) -> Times | None:
    """Return the times in a table with a header, or None where it is no table of times.

    An empty cell gives its image no time.

    Args:
        names: names of images, by which the column of files is known where its header is not.
        numbers: line of every row, for sentences; None counts them.
        plate: whose rows count, where there is a column ``plate``; None takes every row. A row
            whose cell is empty counts for every plate.

    Raises:
        ValueError: a cell of times holds something else, a file has two times, or no row is of
            the plate.
    """
    if len(rows) < 2:
        return None
    numbers = numbers or range(1, len(rows) + 1)
    header = [re.sub(r"\W+", "_", cell.strip().lower()).strip("_") for cell in rows[0]]
    cells = [[*row, *[""] * len(header)][: len(header)] for row in rows[1:]]
    files = next((k for k, name in enumerate(header) if name in FILE_COLUMNS), None)
    known = {name.lower() for name in names} | {Path(name).stem.lower() for name in names}
    if known:
        shares = [sum(row[k].strip().lower() in known for row in cells) for k in range(len(header))]
        best = max(range(len(header)), key=lambda k: shares[k])
        files = best if shares[best] >= 0.5 * len(cells) else files
        if files is None or shares[files] == 0:
            return None
    if files is None:
        return None
    check_width(rows, numbers)
    lines = list(zip(numbers[1:], cells, strict=True))
    if plate is not None and "plate" in header and header.index("plate") != files:
        lines = _of_plate(lines, header.index("plate"), plate)
    lines = [(n, row) for n, row in lines if row[files].strip()]
    unclear = ""
    order = list(range(len(header)))
    units = [k for k in order if header[k] in UNITS_H]
    # Days before hours, which may be parts of them.
    for place, k in zip(units, sorted(units, key=lambda k: -UNITS_H[header[k]]), strict=True):
        order[place] = k
    for k in order:
        name = header[k]
        by_date = name not in UNITS_H
        if k == files or (
            by_date and not (name in DATE_COLUMNS or "date" in name or "time" in name)
        ):
            continue
        if by_date and OTHER_TIMES.search(name):
            continue
        told = [(n, row[files], row[k].strip()) for n, row in lines if row[k].strip()]
        if by_date:
            # Rows of other plates tell the form of dates as well.
            try:
                day_first = day_first_of(row[k].strip() for row in cells)
            except ValueError as error:
                # Another column may tell the times.
                unclear = unclear or f"column {rows[0][k]}: {error}"
                continue
            check_zones(told, rows[0][k])
            times = [_date_h(text, day_first) for _, _, text in told]
        else:
            check_commas(told, rows[0][k])
            if UNITS_H[name] == 24 and "month" in header:
                raise ValueError(
                    "expected dates in one column, as 2024-05-31 08:30, found the column"
                    f" {rows[0][k]} beside one of months; join those of year, month and day"
                )
            times = [_number_h(text, name) for _, _, text in told]
        # A column with no time at all is another one that is called so.
        if any(time is not None for time in times):
            here = [row for _, row in lines if row[k].strip()]
            others = [at for at in range(len(header)) if at not in (k, files)]
            times = _with_parts(times, k, others, header, here, by_date)
            return Times(_by_file(told, times, rows[0][k], by_date), by_date, rows[0][k])
    if unclear:
        raise ValueError(unclear)
    return None


def _with_parts(
    times: Sequence[float | None],
    column: int,
    others: Sequence[int],
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    by_date: bool,
) -> list[float | None]:
    """Return times (h) with what another column adds: the time of day, or hours to whole days.

    Raises:
        ValueError: hours beside days, or minutes beside hours, that are neither the same times nor
            parts of them.
    """
    found = list(times)
    for other in others:
        cells = [row[other].strip() for row in rows]
        of_day = [OF_DAY.fullmatch(cell) for cell in cells]
        whole_days = not by_date and UNITS_H[header[column]] == 24 and header[other] in CLOCKS
        if whole_days and all(of_day) and all(":" in cell for cell in cells):
            clocks = [_of_day_h(match) for match in of_day if match]
            return [None if a is None else a + b for a, b in zip(found, clocks, strict=True)]
        if by_date:
            dates = not any(":" in row[column] for row in rows)
            if dates and header[other] in HOURS_OF_DAY and all(cells):
                hours = [_number_h(cell, "hours") for cell in cells]
                if any(one is None or not 0 <= one < 24 for one in hours):
                    raise ValueError(
                        f"expected hours of the day in the column {header[other]} beside dates,"
                        f" found {cells[0]!r}; correct them, or remove the column"
                    )
                return [
                    None if a is None else a + (b or 0) for a, b in zip(found, hours, strict=True)
                ]
            if dates and "time" in header[other] and all(of_day):
                added = [_of_day_h(m) for m in of_day if m]
                return [None if a is None else a + b for a, b in zip(found, added, strict=True)]
            if dates and header[other] in CLOCKS and any(cells):
                cell = next(c for c, m in zip(cells, of_day, strict=True) if not m)
                raise ValueError(
                    f"expected a time of day as 08:30 or 8:30 PM in the column {header[other]}"
                    f" beside every date, found {cell!r}; correct it, or remove the column"
                )
            continue
        for size, parts in PARTS:
            unit = UNITS_H.get(header[other])
            if UNITS_H[header[column]] != size or unit != size / parts:
                continue
            numbers = [_number_h(cell, header[other]) for cell in cells]
            pairs = [(a, b) for a, b in zip(found, numbers, strict=True) if a is not None]
            known = [(a, b) for a, b in pairs if b is not None]
            if all(abs(a - b) <= 0.01 * max(size, abs(a)) for a, b in known):
                continue
            whole = all(abs(a / size - round(a / size)) < 1e-6 and 0 <= b < size for a, b in known)
            if not whole or len(known) < len(pairs):
                raise ValueError(
                    f"expected the columns {header[column]} and {header[other]} to tell the same"
                    " times, or the second what is to be added to the first, found neither; remove"
                    " one"
                )
            return [
                None if a is None else a + (b or 0) for a, b in zip(found, numbers, strict=True)
            ]
    return found


def _of_day_h(match: re.Match[str]) -> float:
    """Return the hours since midnight of a match of ``OF_DAY``.

    Raises:
        ValueError: there is no such time.
    """
    hours, minutes, seconds = int(match[1]), int(match[2]), int(match[3] or 0)
    if hours > 23 or max(minutes, seconds) > 59 or (match[4] and not 1 <= hours <= 12):
        raise ValueError(
            f"expected a time of day as 08:30 or 8:30 PM, found {match[0]!r}; correct it"
        )
    if match[4]:
        hours = hours % 12 + 12 * (match[4].lower() == "p")
    return hours + minutes / 60 + seconds / 3600


def _unread_times(rows: Sequence[Sequence[str]]) -> str:
    """Return a cell of a column that is called as times are, of which no cell could be read."""
    for k, name in enumerate(rows[0]) if rows else ():
        if re.search("date|time|taken|acquired", name.lower()):
            cells = [row[k].strip() for row in rows[1:] if len(row) > k and row[k].strip()]
            if cells:
                return f"{cells[0]!r} in the column {name}"
    return ""


def _of_plate(
    lines: list[tuple[int, list[str]]], column: int, plate: str
) -> list[tuple[int, list[str]]]:
    own = [(n, row) for n, row in lines if row[column].strip().lower() in ("", plate.lower())]
    if not own:
        others = some(list(dict.fromkeys(row[column].strip() for _, row in lines)))
        raise ValueError(
            f"expected rows of {plate} in the column plate, found those of {others}; call the"
            " plate as in the sample sheet, or remove the column"
        )
    return own


def _number_h(text: str, unit: str) -> float | None:
    try:
        return number_of(text.replace(",", ".")) * UNITS_H[unit]
    except ValueError:
        return None


def _date_h(text: str, day_first: bool | None) -> float | None:
    when = parse_date(text, day_first)
    return None if when is None else hours_of(when)


def _by_file(
    told: Sequence[tuple[int, str, str]], times: Sequence[float | None], column: str, by_date: bool
) -> dict[str, float]:
    """Return the time of every file by its name in small letters.

    Raises:
        ValueError: a cell is no time, or a file has two.
    """
    hours: dict[str, float] = {}
    lines: dict[str, int] = {}
    for (number, file, text), time in zip(told, times, strict=True):
        if time is None:
            what = "a date as 2024-05-31 08:30" if by_date else "a number with a decimal point"
            raise ValueError(
                f"line {number}: expected {what} in the column {column}, found {text!r}; correct"
                " it, or leave it empty and the image out"
            )
        key = composed(file).strip().replace("\\", "/").lower()
        if abs(hours.setdefault(key, time) - time) > 1e-9:
            raise ValueError(
                f"lines {lines[key]} and {number}: expected one time for {file.strip()}, found two"
                " that differ; remove the wrong one, name files with their folders, or add a"
                " column plate"
            )
        lines.setdefault(key, number)
    return hours | _by_own_name(hours)


def _by_own_name(hours: dict[str, float]) -> dict[str, float]:
    """Return the times of files in folders of another machine by their own names, if these tell."""
    own: dict[str, set[float]] = {}
    for key, time in hours.items():
        if re.match("/|[a-z]:/", key):
            own.setdefault(key.rpartition("/")[2], set()).add(time)
    return {name: times.pop() for name, times in own.items() if len(times) == 1}


def with_time(
    relative_path: str, parts: NameParts | None, times: Times, named: bool
) -> NameParts | None:
    """Return the parts of a name with its time by a table; None where the table has none.

    Args:
        parts: of the name, None where no pattern fits; ``named``: whether one has to.
    """
    time_h = times.of(relative_path)
    if time_h is None or (parts is None and named):
        return None
    if parts is None:
        stem = Path(relative_path).stem
        return NameParts("", stem, "", "", "", time_h, times.by_date, None)
    return replace(parts, time_h=time_h, absolute=times.by_date, timepoint=None)
