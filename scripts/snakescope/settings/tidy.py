"""Cells of sheets as people see them: letters composed, blanks of every width as spaces."""

import re
import unicodedata

INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")


def tidy(cell: str) -> str:
    """Return a cell with composed letters and plain blanks, stripped."""
    return unicodedata.normalize("NFC", BLANKS.sub(" ", INVISIBLE.sub("", cell))).strip()
