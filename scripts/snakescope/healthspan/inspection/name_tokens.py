"""Names of files as tokens: numbers, words and what separates them.

Names of one series have the same tokens, and differ in some of the numbers and words.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from snakescope.healthspan.plates.naming import composed

_TOKEN = re.compile(
    # A decimal point only after a word or before a unit of time: 4.5 of day4.5, not a date;
    # a decimal comma before a unit alone.
    r"(?P<number>(?<=[A-Za-z])\d+\.\d{1,2}(?![\d.])|\d+[.,]\d{1,2}(?=\s?(?:d|days?|h|hrs?|hours?)(?![A-Za-z]))"
    r"|\d+)|(?P<word>[^\W\d_]+)|(?P<mark>.)",
    re.IGNORECASE | re.DOTALL,
)
_MARKS = " _-.+"


@dataclass(frozen=True)
class Token:
    """A piece of a name: ``number``, ``word`` or ``mark`` (one character)."""

    kind: str
    text: str


@dataclass
class Series:
    """Names with the same tokens.

    Attributes:
        paths: relative paths, as they are.
        columns: the tokens at each place, one per path.
    """

    paths: list[str] = field(default_factory=list)
    columns: list[list[Token]] = field(default_factory=list)

    def texts(self, place: int) -> list[str]:
        """Return the text at a place of every name, in small letters."""
        return [token.text.lower() for token in self.columns[place]]

    def kind(self, place: int) -> str:
        """Return whether there are numbers, words or marks at a place."""
        return self.columns[place][0].kind

    def varies(self, place: int) -> bool:
        """Return whether the names differ at a place; case does not count."""
        return len(set(self.texts(place))) > 1


def tokens(text: str, loose: bool = False) -> list[Token]:
    """Split a name without its ending; ```loose``: a token, maybe empty, of all marks between."""
    found = [
        Token(str(match.lastgroup), match.group()) for match in _TOKEN.finditer(composed(text))
    ]
    if not loose:
        return found
    joined = [Token("mark", "")]
    for token in found:
        if token.kind == "mark" and token.text in _MARKS:
            joined[-1] = Token("mark", joined[-1].text + token.text)
        else:
            joined += [token, Token("mark", "")]
    return joined


def stem(path: str) -> str:
    """Return a relative path without the ending of an image."""
    whole = PurePosixPath(path)
    return str(whole.with_suffix("")) if whole.suffix else path


def series_of(paths: Sequence[str], loose: bool = False) -> list[Series]:
    """Group names by their tokens, the largest group first."""
    groups: dict[tuple[str, ...], Series] = defaultdict(Series)
    for path in paths:
        split = tokens(stem(path), loose)
        shape = tuple(
            one.kind if one.kind != "mark" or (loose and set(one.text) <= set(_MARKS)) else one.text
            for one in split
        )
        groups[shape].paths.append(path)
        groups[shape].columns.append(split)
    found = sorted(groups.values(), key=lambda one: -len(one.paths))
    for one in found:
        one.columns = [list(column) for column in zip(*one.columns, strict=True)]
    return found
