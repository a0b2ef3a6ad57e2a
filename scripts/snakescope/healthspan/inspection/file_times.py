"""Times that image files state of themselves: EXIF, TIFF and OME dates, PNG text.

A file's own modification time is not among them: it is that of the last copy.
"""

import re
from datetime import datetime
from pathlib import Path

from PIL import Image

from snakescope.healthspan.plates.dates import parse_date

_TAKEN, _CHANGED, _EXIF, _DESCRIPTION = 36867, 306, 0x8769, 270
_OME_DATE = re.compile(r"<(?:\w+:)?AcquisitionDate>([^<]+)<")
_PNG_KEYS = ("Creation Time", "creation time", "date:create", "CreationTime")


def image_time(path: str | Path) -> tuple[datetime, str] | None:
    """Return when an image was taken by its own header, and the name of the field; else None."""
    try:
        with Image.open(path) as image:
            exif = image.getexif()
            description = str(exif.get(_DESCRIPTION) or "")
            found = [
                (str(exif.get_ifd(_EXIF).get(_TAKEN) or ""), "EXIF DateTimeOriginal"),
                (_first(_OME_DATE.search(description)), "OME AcquisitionDate"),
                (
                    str(exif.get(_CHANGED) or ""),
                    "TIFF DateTime" if _is_tiff(path) else "EXIF DateTime",
                ),
                *((str(image.info.get(key) or ""), f"PNG {key}") for key in _PNG_KEYS),
            ]
    except Exception:  # decoders raise any exception on damaged files; those tell no time
        return None
    for text, name in found:
        when = parse_date(text.strip("\0 "))
        # Cameras whose clock was never set tell 1970, 1980 or 2000.
        if when is not None and when.year > 2000:
            return when, name
    return None


def _first(match: re.Match[str] | None) -> str:
    return match[1] if match else ""


def _is_tiff(path: str | Path) -> bool:
    return str(path).lower().endswith((".tif", ".tiff"))
