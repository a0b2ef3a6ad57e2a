"""Parser of the names of raw images: channel, well, position and time of acquisition.

It knows the names of IncuCyte exports and raw archives, from public data, and patterns in the
configuration. It imports nothing heavy, since the main process scans raw folders with it.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from snakescope.settings.load import did_you_mean

CHANNELS = ("bright_field", "dark_field")
IMAGE_SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")

_SUFFIX = r"\.(?:tiff?|png|jpe?g)"
_NUMBER = r"\d+(?:[.,]\d+)?"
FIELDS = {
    "channel": r"[^/]+?",
    "days": _NUMBER,
    "hours": _NUMBER,
    "minutes": _NUMBER,
    "seconds": r"\d{1,2}(?:\.\d+)?",
    "year": r"\d{4}|\d{2}",
    "month": r"\d{1,2}",
    "monthname": r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*",
    "day": r"\d{1,2}",
    "timepoint": r"\d+",
    "well": r"[A-Za-z]{1,2}\d{1,2}",
    "image": r"\d+",
}
TIME_FIELDS = ("timepoint", "days", "hours", "minutes", "year")

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_OF_A_DATE = {"hours": r"\d{1,2}(?:\.\d+)?", "minutes": r"\d{1,2}(?:\.\d+)?"}
_TWO_DIGITS = ("month", "day", "hours", "minutes", "seconds")
_UNBOUNDED = ("days", "hours", "minutes", "timepoint", "image")
_DIGITS_LAST = (*_UNBOUNDED, "seconds", "year", "month", "day", "well")

# macOS writes a narrow blank that does not break before AM and PM.
_AM_PM = re.compile(r"[\s_.-]?([ap])\.?\s?m(?![a-z])", re.IGNORECASE)

_INCUCYTE_TIME = (
    r"(?:(?P<days>\d+)d(?P<hours>\d+)h(?P<minutes>\d+)m"
    r"|(?P<year>\d{4})y(?P<month>\d+)m(?P<day>\d+)d_(?P<hours_of_day>\d+)h(?P<minutes_of_hour>\d+)m)"
)
_INCUCYTE_EXPORT = re.compile(
    r"(?:.*/)?(?:(?P<head>[^/]*?)_)??(?:(?P<well>[A-Za-z]{1,2}\d{1,2})(?:_(?P<image>\d+))?_)?"
    rf"{_INCUCYTE_TIME}(?:_(?P<part>\d+))?{_SUFFIX}",
    re.IGNORECASE,
)
_INCUCYTE_ARCHIVE = re.compile(
    r"(?:.*/)?(?P<year>\d\d)(?P<month>\d\d)/(?P<day>\d\d)/(?P<hours>\d\d)(?P<minutes>\d\d)/"
    rf"(?P<vessel>[^/]+)/(?P<well>[A-Za-z]{{1,2}}\d{{1,2}})-(?P<image>\d+)-(?P<channel>\w+){_SUFFIX}",
    re.IGNORECASE,
)
INCUCYTE = (_INCUCYTE_EXPORT, _INCUCYTE_ARCHIVE)
INCUCYTE_EXAMPLES = (
    "VID1957_phase_E11_5_06d12h05m.tif",
    "well_B1_2_2022y05m08d_08h46m.tif",
    "ScanData/2205/08/0846/1957/E11-5-Ph.tif",
)


@dataclass(frozen=True)
class NameParts:
    """The parts of a name.

    Attributes:
        channel: Value of the field of the channel, or empty.
        head: Words before the well, the last of which may be a channel; or empty.
        vessel: Plate number of the raw archive, or empty.
        well: Well, such as E11, or empty.
        image: Position in the well, or empty.
        time_h: Time of acquisition (h), since the start of the scan or, where
            ``absolute``, since the year 1; None if the name states a timepoint only.
        absolute: Whether the time is a date.
        timepoint: Index of the timepoint, or None if the name states a time.
    """

    channel: str
    head: str
    vessel: str
    well: str
    image: str
    time_h: float | None
    absolute: bool
    timepoint: int | None

    @property
    def position(self) -> str:
        """Well and image as in the sample sheet, such as 1957/E11_5; empty without a well."""
        inner = "_".join(part for part in (self.well, self.image) if part)
        return "/".join(part for part in (self.vessel, inner) if part)


def composed(name: str) -> str:
    """Return a name with the parts of its letters together; a Mac keeps those of an é apart."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def compile_pattern(pattern: str, plate: str, timed: bool = True) -> re.Pattern[str]:
    """Compile a naming such as ``{plate}/{channel}_day{days}.png``.

    A pattern with a slash describes the path below the plate's folder, any other the
    file's name; the ending may be left out.

    Args:
        timed: a field of time is needed, since no table gives the times.

    Raises:
        ValueError: an unknown field, a field twice, a lone brace, no field of time, or two
            numbers of any width with nothing between them.
    """
    pieces = _pieces(composed(pattern))
    used = [name for name, _ in pieces if name in FIELDS]
    for name in used:
        if used.count(name) > 1:
            raise ValueError(f"every field of the pattern once, {{{name}}} is there twice")
    if timed and not any(name in used for name in TIME_FIELDS):
        raise ValueError(
            f"a field of time in the pattern {pattern!r}, such as {{days}} or {{timepoint}}"
        )
    if "year" in used and ("day" not in used or ("month" in used) == ("monthname" in used)):
        raise ValueError("{month} and {day} in the pattern beside {year}")
    forms = _number_forms([name for name, _ in pieces])
    parts = ["" if "/" in pattern else "(?:.*/)?"]
    for i, (name, literal) in enumerate(pieces):
        if name in FIELDS:
            parts.append(f"(?P<{name}>{forms.get(i, FIELDS[name])})")
        else:
            parts.append(
                {"any": "[^/]*?", "plate": re.escape(composed(plate))}.get(name, re.escape(literal))
            )
    if not pattern.lower().endswith(IMAGE_SUFFIXES):
        parts.append(_SUFFIX)
    return re.compile("".join(parts), re.IGNORECASE)


def _pieces(pattern: str) -> list[tuple[str, str]]:
    """Split a pattern into fields, (name, ""), and the text between them, ("", text)."""
    known = [*FIELDS, "plate", "any"]
    pieces = []
    for piece in re.split(r"(\{[^{}]*\})", pattern):
        name = piece[1:-1]
        if not (piece.startswith("{") and piece.endswith("}")):
            if "{" in piece or "}" in piece:
                raise ValueError(f"every brace of the pattern {pattern!r} to be closed")
            pieces += [("", piece)] if piece else []
        elif name not in known:
            raise ValueError(
                f"only the fields {', '.join(known)} in the pattern, not {piece}"
                + did_you_mean(name, known)
            )
        else:
            pieces.append((name, ""))
    return pieces


def _number_forms(names: Sequence[str]) -> dict[int, str]:
    """Return the widths of numbers, by index of the piece, that ``FIELDS`` does not fix.

    Adjacent numbers, as in 20240115 or 0830, are separated by their widths alone, and a greedy
    match would take digits of the next one: 0830 as 83 h and 0 min. So month, day, hours and
    minutes have two digits in them, except for leading elapsed hours or minutes (17430 is 174 h
    30 min). At most one other number may be among them.

    Args:
        names: field of every piece of the pattern, empty for text.

    Raises:
        ValueError: two numbers of any width with nothing between them.
    """
    dated = "year" in names
    forms = {i: _OF_A_DATE[name] for i, name in enumerate(names) if dated and name in _OF_A_DATE}
    for run in _runs(names):
        wide = []
        for i in run:
            after_time = i > run[0] and names[i - 1] in ("days", "hours")
            elapsed = names[i] in _OF_A_DATE and not dated and not after_time
            if len(run) > 1 and names[i] in _TWO_DIGITS and not elapsed:
                forms[i] = r"\d{2}"
            elif len(run) > 1:
                wide.append(names[i])
                if names[i] in _UNBOUNDED:
                    forms[i] = r"\d+"
        if len(wide) > 1:
            raise ValueError(
                f"something between {{{wide[0]}}} and {{{wide[1]}}} in the pattern, both numbers "
                "of any width"
            )
        last = run[-1]
        open_ended = names[last] in _UNBOUNDED and forms.get(last, r"\d+") == r"\d+"
        if open_ended and names[last + 1 : last + 2] == ["any"]:
            # Otherwise {any} could be empty, and the next number take the last digits of this one.
            forms[last] = FIELDS[names[last]] + r"(?!\d)"
    return forms


def _runs(names: Sequence[str]) -> list[list[int]]:
    """Return the indices of pieces that end in digits, grouped if adjacent."""
    runs: list[list[int]] = []
    for i, name in enumerate(names):
        if name not in _DIGITS_LAST:
            continue
        # A well begins with a letter, which ends a number before it.
        if runs and runs[-1][-1] == i - 1 and name != "well":
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs


def read_name(relative_path: str, patterns: Sequence[re.Pattern[str]]) -> NameParts | None:
    """Parse a path below the folder of a plate by the first matching pattern.

    Returns:
        The parts, or None if no pattern matches or the date or time of day is invalid.
    """
    relative_path = composed(relative_path)
    for pattern in patterns:
        match = pattern.fullmatch(relative_path)
        if match is None:
            continue
        found = {name: text for name, text in match.groupdict().items() if text is not None}
        try:
            has_time = any(name in found for name in (*TIME_FIELDS, "hours_of_day"))
            half = _half_of_day(relative_path, match, found)
            time_h, absolute = _time(found, half) if has_time else (None, False)
        except ValueError:
            continue
        image = "_".join(found[name] for name in ("image", "part") if name in found)
        return NameParts(
            channel=found.get("channel", ""),
            head=found.get("head", ""),
            vessel=found.get("vessel", ""),
            well=found.get("well", "").upper(),
            image=image,
            time_h=time_h,
            absolute=absolute,
            timepoint=int(found["timepoint"]) if "timepoint" in found else None,
        )
    return None


def _half_of_day(relative_path: str, match: re.Match[str], found: Mapping[str, str]) -> str:
    """Return a or p where AM or PM follows the time of day, else nothing."""
    if "hours" not in found:
        return ""
    end = max(match.end(name) for name in ("hours", "minutes", "seconds") if name in found)
    told = _AM_PM.match(relative_path, end)
    return told[1].lower() if told else ""


def _time(found: dict[str, str], half: str = "") -> tuple[float | None, bool]:
    found = {name: text.replace(",", ".") for name, text in found.items()}
    hours = float(found.get("hours") or found.get("hours_of_day") or 0)
    # Some programs write AM and PM behind hours of 24 as well: 0:30 AM, 20:30 PM.
    if half and 1 <= hours <= 12:
        hours = hours % 12 + (12 if half == "p" else 0)
    elif half and (half == "a") != (hours < 12):
        raise ValueError("no time of day")
    minutes = float(found.get("minutes") or found.get("minutes_of_hour") or 0)
    seconds = float(found.get("seconds") or 0)
    if "year" in found:
        if hours >= 24 or minutes >= 60 or seconds >= 60:
            raise ValueError("no time of day")
        minutes += seconds / 60
        year = int(found["year"])
        named = found.get("monthname", "")[:3].lower()
        month = MONTHS.index(named) + 1 if named else int(found["month"])
        # Of two digits, 69 to 99 are of the last century (POSIX).
        year += 0 if year > 99 else 1900 if year > 68 else 2000
        date = datetime(year, month, int(found["day"]))
        return date.toordinal() * 24 + hours + minutes / 60, True
    if "timepoint" in found:
        return None, False
    return float(found.get("days", 0)) * 24 + hours + minutes / 60 + seconds / 3600, False
