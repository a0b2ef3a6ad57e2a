"""What the name of a raw image tells: channel, well, position and time of acquisition.

Names as IncuCyte exports and its raw archive have them, seen in public data, and
any other naming through a pattern of the user's. Imports nothing heavy, since the
Snakefile's main process reads every raw folder with it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from configuration.suggest import did_you_mean

CHANNELS = ("bright_field", "dark_field")
IMAGE_SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")

_SUFFIX = r"\.(?:tiff?|png|jpe?g)"
_NUMBER = r"\d+(?:\.\d+)?"
FIELDS = {
    "channel": r"[^/]+?",
    "days": _NUMBER,
    "hours": _NUMBER,
    "minutes": _NUMBER,
    "year": r"\d{4}|\d{2}",
    "month": r"\d{1,2}",
    "day": r"\d{1,2}",
    "timepoint": r"\d+",
    "well": r"[A-Za-z]{1,2}\d{1,2}",
    "image": r"\d+",
}
TIME_FIELDS = ("timepoint", "days", "hours", "minutes", "year")

_INCUCYTE_TIME = (
    r"(?:(?P<days>\d+)d(?P<hours>\d+)h(?P<minutes>\d+)m"
    r"|(?P<year>\d{4})y(?P<month>\d+)m(?P<day>\d+)d_(?P<hours_of_day>\d+)h(?P<minutes_of_hour>\d+)m)"
)
_INCUCYTE_EXPORT = re.compile(
    r"(?:.*/)?(?:(?P<head>[^/]*?)_)??(?:(?P<well>[A-Za-z]{1,2}\d{1,2})_(?P<image>\d+)_)?"
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
    """What one name tells.

    Attributes:
        channel: The channel as the name's own field for it says, or empty.
        head: Free words before the well, the last of which may be a channel; or empty.
        vessel: Plate number of the raw archive, or empty.
        well: Well, such as E11, or empty.
        image: Position in the well, or empty.
        time_h: Time of acquisition (h), since the start of the scan or, where
            ``absolute``, since the year 1; None where the name tells a timepoint only.
        absolute: Whether the time is a date.
        timepoint: Index of the timepoint, or None where the name tells a time.
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
        """Well and image as a user names them, such as 1957/E11_5; empty if the name tells none."""
        inner = "_".join(part for part in (self.well, self.image) if part)
        return "/".join(part for part in (self.vessel, inner) if part)


def compile_pattern(pattern: str, plate: str) -> re.Pattern[str]:
    """Compile a naming such as ``{plate}/{channel}_day{days}.png``.

    A pattern with a slash describes the path below the plate's folder, any other the
    file's name; the ending may be left out.

    Raises:
        ValueError: an unknown field, a field twice, a lone brace, or no field of time.
    """
    known = [*FIELDS, "plate", "any"]
    used: list[str] = []
    parts = ["" if "/" in pattern else "(?:.*/)?"]
    for piece in re.split(r"(\{[^{}]*\})", pattern):
        name = piece[1:-1]
        if not (piece.startswith("{") and piece.endswith("}")):
            if "{" in piece or "}" in piece:
                raise ValueError(f"every brace of the pattern {pattern!r} to be closed")
            parts.append(re.escape(piece))
        elif name == "any":
            parts.append("[^/]*?")
        elif name == "plate":
            parts.append(re.escape(plate))
        elif name not in FIELDS:
            raise ValueError(
                f"only the fields {', '.join(known)} in the pattern, not {piece}"
                + did_you_mean(name, known)
            )
        elif name in used:
            raise ValueError(f"every field of the pattern once, {piece} is there twice")
        else:
            used.append(name)
            parts.append(f"(?P<{name}>{FIELDS[name]})")
    if not any(name in used for name in TIME_FIELDS):
        raise ValueError(
            f"a field of time in the pattern {pattern!r}, such as {{days}} or {{timepoint}}"
        )
    if "year" in used and not {"month", "day"} <= set(used):
        raise ValueError("{month} and {day} in the pattern beside {year}")
    if not pattern.lower().endswith(IMAGE_SUFFIXES):
        parts.append(_SUFFIX)
    return re.compile("".join(parts), re.IGNORECASE)


def read_name(relative_path: str, patterns: Sequence[re.Pattern[str]]) -> NameParts | None:
    """Return what the first matching pattern finds in a path below the plate's folder.

    Returns:
        The parts, or None where no pattern matches or its date does not exist.
    """
    for pattern in patterns:
        match = pattern.fullmatch(relative_path)
        if match is None:
            continue
        found = {name: text for name, text in match.groupdict().items() if text is not None}
        try:
            time_h, absolute = _time(found)
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


def _time(found: dict[str, str]) -> tuple[float | None, bool]:
    hours = float(found.get("hours") or found.get("hours_of_day") or 0)
    minutes = float(found.get("minutes") or found.get("minutes_of_hour") or 0)
    if "year" in found:
        year = int(found["year"])
        date = datetime(year + 2000 if year < 100 else year, int(found["month"]), int(found["day"]))
        return date.toordinal() * 24 + hours + minutes / 60, True
    if "timepoint" in found:
        return None, False
    return float(found.get("days", 0)) * 24 + hours + minutes / 60, False
