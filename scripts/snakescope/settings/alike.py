"""Cells of two rows that are one: a name that was spelt in two ways, a file that is named twice."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path


def alike(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the names that are likely to be one, in the order of their first."""
    found: dict[str, dict[str, None]] = {}
    for name in names:
        plain = unicodedata.normalize("NFKC", name).casefold()
        found.setdefault(re.sub(r"[\W_]+", "_", plain), {})[name] = None
    return [tuple(own) for own in found.values() if len(own) > 1]


def is_one(path: str, other: str) -> bool:
    """Whether two cells name one file, however they spell it, or by a link."""
    return path == other or Path(path).resolve() == Path(other).resolve()


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
