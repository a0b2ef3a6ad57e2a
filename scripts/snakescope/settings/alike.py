"""Cells of two rows that are one: a name that was spelt in two ways, a file that is named twice."""

import filecmp
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path


def alike(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the names that are likely to be one but for case, blanks, marks or zeros before."""
    found: dict[str, dict[str, None]] = {}
    for name in names:
        plain = unicodedata.normalize("NFKC", name).casefold()
        plain = re.sub(r"(?<!\d)0+(?=\d)", "", plain)  # a spreadsheet makes 7 of 007
        found.setdefault(re.sub(r"[\W_]+", "_", plain), {})[name] = None
    return [tuple(own) for own in found.values() if len(own) > 1]


def is_one(path: str, other: str) -> bool:
    """Whether two cells name one file, however they spell it, or by a link."""
    return path == other or Path(path).resolve() == Path(other).resolve()


def is_copy(path: str, other: str) -> bool:
    """Whether two files hold the same bytes; those of another size are not read."""
    one, two = Path(path), Path(other)
    if not (one.is_file() and two.is_file()) or one.stat().st_size != two.stat().st_size:
        return False
    try:
        return filecmp.cmp(one, two, shallow=False)
    except OSError:  # who opens it says why
        return False


def notes_of_persons(persons: str, names: Iterable[str]) -> list[str]:
    """Return a sentence for every person who is spelt in two ways, and is taken for two.

    Args:
        persons: what they are called, such as ``donors``.
    """
    return [
        f"the {persons} {' and '.join(map(repr, own))} are taken for different ones, of whom one"
        " may be trained on and another tested; spell them alike if they are one"
        for own in alike(names)
    ]
