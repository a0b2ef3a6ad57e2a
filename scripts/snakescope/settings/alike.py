"""Cells of two rows that are one: a name that was spelt in two ways, a file that is named twice."""

import filecmp
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG


def alike(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the names that are likely to be one but for case, blanks, marks or zeros before."""
    found: dict[str, dict[str, None]] = {}
    for name in names:
        plain = unicodedata.normalize("NFKC", name).casefold()
        plain = re.sub(r"(?<!\d)0+(?=\d)", "", plain)  # a spreadsheet makes 7 of 007
        found.setdefault(re.sub(r"[\W_]+", "_", plain), {})[name] = None
    return [tuple(own) for own in found.values() if len(own) > 1]


HEAD_BYTES = 1 << 16
"""Of recordings of one size, which are told apart by their beginning without another look."""


@cache
def _real(absolute: Path) -> Path:
    return absolute.resolve()


def is_one(path: str, other: str) -> bool:
    """Whether two cells name one file, however they spell it, or by a link."""
    return path == other or _real(Path(path).absolute()) == _real(Path(other).absolute())


def is_copy(path: str, other: str) -> bool:
    """Whether two files hold the same bytes; those of another size or beginning are not compared.

    One that cannot be read is no copy: who opens it says why.
    """
    try:
        one, two = Path(path).stat(), Path(other).stat()
        if one.st_size != two.st_size or not (S_ISREG(one.st_mode) and S_ISREG(two.st_mode)):
            return False
        heads = {
            _head(Path(name).absolute(), seen.st_mtime_ns)
            for name, seen in ((path, one), (other, two))
        }
        return len(heads) == 1 and filecmp.cmp(path, other, shallow=False)
    except (OSError, ValueError):
        return False


@cache
def _head(absolute: Path, changed_ns: int) -> bytes:
    """Digest of the beginning of a file as it was last changed."""
    with absolute.open("rb") as file:
        return sha256(file.read(HEAD_BYTES)).digest()


def notes_of_persons(persons: str, names: Iterable[str]) -> list[str]:
    """Return a sentence for every person who is spelt in two ways, and is taken for two.

    Args:
        persons: what they are called, such as ``donors``.
    """
    return notes_of_alike(
        persons,
        names,
        "are taken for different ones, of whom one may be trained on and another tested",
    )


def notes_of_alike(what: str, names: Iterable[str], consequence: str) -> list[str]:
    """Return a sentence for everything that is spelt in two ways.

    Args:
        what: they are, such as ``dishes``; consequence: of taking them for different ones.
    """
    return [
        f"the {what} {' and '.join(map(repr, own))} {consequence}; spell them alike if they are one"
        for own in alike(names)
    ]
