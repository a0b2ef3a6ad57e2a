"""Tables of times: when each image of a folder was taken, where names do not tell.

A table has a column of file names and one of times: days, hours, or dates. It is text with tabs,
commas or semicolons. The main process reads it, so nothing heavy is imported.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from snakescope.healthspan.plates.naming import NameParts
from snakescope.step.errors import StepError

FILE_COLUMNS = ("file", "filename", "file_name", "image", "name", "path", "picture", "frame")
UNITS_H = {
    "days": 24.0, "day": 24.0, "day_of_adulthood": 24.0, "age_d": 24.0, "time_d": 24.0, "d": 24.0,
    "age": 24.0,
    "hours": 1.0, "hour": 1.0, "time_h": 1.0, "h": 1.0, "elapsed_h": 1.0, "minutes": 1 / 60,
}  # fmt: skip
DATE_COLUMNS = ("datetime", "date_time", "timestamp", "acquired", "taken", "date", "time")
FORMS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
    "%Y:%m:%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M", "%Y/%m/%d",
)  # fmt: skip


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
        path = relative_path.lower()
        name = path.rpartition("/")[2]
        for key in (path, name, path.rpartition(".")[0], name.rpartition(".")[0]):
            if key in self.hours:
                return self.hours[key]
        return None


def parse_date(text: str) -> datetime | None:
    """Return a date, with or without a time of day, that is written in one clear way; else None."""
    cleaned = re.sub(r"(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?$", "", text.strip()) if ":" in text else text
    for form in FORMS:
        try:
            return datetime.strptime(cleaned.strip(), form)
        except ValueError:
            continue
    return None


def hours_of(when: datetime) -> float:
    """Return hours since the year 1."""
    return when.toordinal() * 24 + when.hour + when.minute / 60 + when.second / 3600


def read_times(path: str | Path) -> Times:
    """Read a table of times.

    Raises:
        StepError: no such file, no text, or no columns of files and times.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise StepError(
            f"{path}: expected the table of times (plates: times), found no such file"
        ) from None
    except UnicodeDecodeError:
        raise StepError(
            f"{path}: expected a table of times as text in UTF-8, found another file; save it as"
            " text with tabs"
        ) from None
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    first = lines[0] if lines else ""
    separator = max("\t;,", key=first.count)
    rows = list(csv.reader(lines, delimiter=separator))
    found = times_of(rows)
    if found is None:
        raise StepError(
            f"{path}: expected a column of files ({', '.join(FILE_COLUMNS[:4])}) and one of times"
            f" (days, hours, or date as 2024-05-31 08:30), found the header {first!r}"
        )
    return found


def times_of(rows: Sequence[Sequence[str]], names: Iterable[str] = ()) -> Times | None:
    """Return the times in a table with a header, or None where it is no table of times.

    Args:
        names: names of images, by which the column of files is known where its header is not.
    """
    if len(rows) < 2:
        return None
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
    keys = [row[files].strip().replace("\\", "/").lower() for row in cells]
    for k, name in enumerate(header):
        texts = [row[k].strip() for row in cells]
        if k == files or not any(texts):
            continue
        if name in UNITS_H:
            try:
                values = [float(text.replace(",", ".")) * UNITS_H[name] for text in texts]
            except ValueError:
                continue
            return Times(dict(zip(keys, values, strict=True)), False, rows[0][k])
        if name in DATE_COLUMNS or "date" in name or "time" in name:
            dates = [parse_date(text) for text in texts]
            if all(dates):
                hours = [hours_of(one) for one in dates if one is not None]
                return Times(dict(zip(keys, hours, strict=True)), True, rows[0][k])
    return None


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
