"""A sample sheet: tab-separated text as people and spreadsheet programs write it."""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from snakescope.settings.suggest import did_you_mean
from snakescope.step.errors import StepError

LEGAL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
"""Of what names folders of results."""


def read_sheet(
    path: str | Path, columns: Sequence[str], required: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a sheet with the number of their line, its header being checked first.

    Lines that start with ``#`` and lines without text are passed over, and so are the empty columns
    that spreadsheet programs leave behind the last one. Cells come stripped; one that a row lacks
    is empty.

    Args:
        columns: the names that may stand in the header; required: those that must.

    Raises:
        FileNotFoundError: no such file; only the caller knows whether it may be absent.
        StepError: no text, a header that is not right, or a row of more cells than the header.
    """
    numbered = [
        (number, [cell.strip() for cell in next(csv.reader([line], delimiter="\t"))])
        for number, line in enumerate(_text(path).splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not numbered:
        return
    header = _without_empty_end(numbered[0][1])
    check_header(f"{path}, line {numbered[0][0]}", header, columns, required)
    for number, cells in numbered[1:]:
        filled = _without_empty_end(cells)
        if len(filled) > len(header):
            raise StepError(
                f"{path}, line {number}: expected {len(header)} cells as in the header, "
                f"found {len(filled)}; remove a tab"
            )
        row = filled + [""] * (len(header) - len(filled))
        yield number, dict(zip(header, row, strict=True))


def check_header(
    where: str, header: Sequence[str], columns: Sequence[str], required: Sequence[str]
) -> None:
    """Check the names in a sheet's header.

    Args:
        where: file and line, for messages.
        columns: the names that may stand there; required: those that must.

    Raises:
        StepError: another separator, or a name that is unknown, repeated or missing.
    """
    if len(header) == 1 and any(mark in header[0] for mark in ",; "):
        raise StepError(
            f"{where}: expected columns separated by tabs, found {header[0]!r}; "
            "save the sheet as tab-separated text"
        )
    for name in header:
        if name not in columns:
            raise StepError(
                f"{where}: expected the columns {', '.join(columns)}, found {name!r}"
                + (did_you_mean(name, columns) or "; correct or remove it")
            )
        if header.count(name) > 1:
            raise StepError(
                f"{where}: expected every column once, found {name!r} "
                f"{header.count(name)} times; remove one"
            )
    missing = [name for name in required if name not in header]
    if missing:
        raise StepError(
            f"{where}: expected the columns {', '.join(required)}, "
            f"found no {', '.join(missing)}; add it"
        )


def check_name(where: str, column: str, name: str, example: str) -> None:
    """See that a name is one that every file system and every command line takes.

    A name that starts with a dash would be taken for an option.

    Args:
        where: file and line, for the sentence.
        example: what to propose where nothing of the name can be kept.

    Raises:
        StepError: other characters are in it.
    """
    if not LEGAL_NAME.fullmatch(name):
        legal = re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".-") or example
        raise StepError(
            f"{where}: expected a {column} name of letters, digits, '.', '_' and '-', the first a "
            f"letter, digit or '_', found {name!r}; write for example {legal}"
        )


def _text(path: str | Path) -> str:
    """The "Unicode Text" of Excel, its one tab-separated form for every letter, is UTF-16."""
    content = Path(path).read_bytes()
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            return content.decode("utf-16")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StepError(
            f"{path}: expected text in UTF-8, found byte {error.object[error.start]:#04x} "
            f"at {error.start}; save the sheet as tab-separated text in UTF-8"
            " (in Excel: Unicode Text)"
        ) from None


def _without_empty_end(cells: Sequence[str]) -> list[str]:
    filled = [place for place, cell in enumerate(cells, start=1) if cell]
    return list(cells[: filled[-1]]) if filled else []
