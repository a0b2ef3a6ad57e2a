"""Text, CSV and Excel files of sample sheets: the cells of their lines, as people meant them.

Letters are composed (NFC), blanks of every width are spaces, and what cannot be seen is removed,
so that names that look alike are alike.
"""

import csv
import datetime
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from snakescope.step.errors import StepError, system_fault

Line = tuple[int, list[str]]
EXCEL = (".xlsx", ".xlsm")
INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
BREAKS = re.compile("[\\x00-\\x1f\\x7f\u0085\u2028\u2029]")


def tidy(cell: str) -> str:
    """Return a cell with composed letters and plain blanks, stripped."""
    return unicodedata.normalize("NFC", BLANKS.sub(" ", INVISIBLE.sub("", cell))).strip()


def broken_cell(cells: Sequence[str]) -> str:
    """Return what is wrong with a line's cells, empty if nothing: breaks and control characters."""
    for cell in cells:
        if found := BREAKS.search(cell):
            name = {"\n": "a line break", "\r": "a line break", "\t": "a tab"}.get(found[0])
            what = name or f"the character U+{ord(found[0]):04X}"
            return f"expected a cell of one line, found {what} in {cell[:40]!r}; remove it"
    return ""


def sheet_lines(path: str | Path, columns: str, wanted: str) -> tuple[list[Line], dict[int, str]]:
    """Read the lines of a sheet: .tsv or other text by tabs, .csv by commas or semicolons, .xlsx.

    Lines without text and those that begin with ``#`` are left out, as are empty cells behind the
    last one. Of a workbook the sheet called ``wanted`` is read, else its only one.

    Args:
        columns: the columns that it must have, for the sentence where there is no file.

    Returns:
        Cells of every line by its number, from 1, and what is wrong with lines, by number.

    Raises:
        StepError: absent, or no text in UTF-8 or UTF-16, or no workbook.
        SystemFault: the system does not let it be read.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise StepError(
            f"{path}: expected a sample sheet, found no such file; write one, tab-separated, with "
            f"the columns {columns}"
        ) from None
    except OSError as error:
        raise system_fault(path, error) or StepError(
            f"{path}: expected a sample sheet, found {error.strerror}; name a file"
        ) from None
    if path.suffix.lower() in EXCEL:
        rows = _workbook(path, content, wanted)
    else:
        rows = _text(path, content)
    lines: list[Line] = []
    wrong: dict[int, str] = {}
    for number, cells, problem in rows:
        problem = problem or broken_cell(cells)
        cells = [tidy(cell) for cell in cells]
        while cells and not cells[-1]:
            cells.pop()
        if cells and not cells[0].startswith("#"):
            lines.append((number, cells))
            if problem:
                wrong[number] = problem
    return lines, wrong


def _text(path: Path, content: bytes) -> Iterator[tuple[int, list[str], str]]:
    """The "Unicode Text" of Excel, its one tab-separated form for every letter, is UTF-16."""
    try:
        utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        text = content.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise StepError(
            f"{path}: expected text in UTF-8, found byte {error.object[error.start]:#04x} "
            f"at {error.start}; save the sheet as tab-separated text in UTF-8"
            " (in Excel: Unicode Text)"
        ) from None
    if path.suffix.lower() == ".csv":
        yield from _csv(path, text)
        return
    # Of Python's line ends these alone are meant as such: a cell may hold the others.
    for number, line in enumerate(re.split("\r\n|\n|\r", text), start=1):
        cells = [_unquoted(cell) for cell in line.split("\t")]
        opened = next((cell for cell in line.split("\t") if _is_open(cell)), None)
        problem = ""
        if opened is not None and not line.startswith("#"):
            problem = (
                f"expected every quotation mark to be closed in its cell, found {opened[:40]!r};"
                " remove the mark, or the line break or tab in the cell"
            )
        yield number, cells, problem


def _is_open(cell: str) -> bool:
    return cell.strip().count('"') % 2 == 1


def _unquoted(cell: str) -> str:
    text = cell.strip()
    if len(text) > 1 and text[0] == text[-1] == '"' and '"' not in text[1:-1].replace('""', ""):
        return text[1:-1].replace('""', '"')
    return cell


def _csv(path: Path, text: str) -> Iterator[tuple[int, list[str], str]]:
    head = next((line for line in text.splitlines() if line and not line.startswith("#")), "")
    mark = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    before = 0
    try:
        for cells in reader:
            yield before + 1, cells, ""
            before = reader.line_num
    except csv.Error as error:
        raise StepError(
            f"{path}, line {before + 1}: expected cells between {mark!r}, found something else"
            f" ({error}); close every quotation mark, or save it as .xlsx"
        ) from None


def _workbook(path: Path, content: bytes, wanted: str) -> Iterator[tuple[int, list[str], str]]:
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, TypeError, EOFError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise StepError(
            f"{path}: expected an Excel workbook, found none ({lines[0][:80]}); save it again"
        ) from None
    except Exception as error:  # openpyxl and its XML parser raise many kinds on damaged files
        raise StepError(
            f"{path}: expected an Excel workbook, found a damaged one ({type(error).__name__});"
            " save it again"
        ) from None
    filled = {
        name: rows
        for name, rows in sheets.items()
        if any(cell is not None for row in rows for cell in row)
    }
    named = next((name for name in filled if name.lower() == wanted.lower()), None)
    if named is None and len(filled) > 1:
        raise StepError(
            f"{path}: expected one sheet in the workbook, or one called {wanted}, found"
            f" {', '.join(filled)}; rename the one to read"
        )
    rows = filled.get(named, []) if named else next(iter(filled.values()), [])
    for number, row in enumerate(rows, start=1):
        problem = next((p for cell in row if (p := _no_cell(cell))), "")
        yield number, [_as_typed(cell) for cell in row], problem


def _no_cell(cell: Any) -> str:
    if isinstance(cell, datetime.datetime | datetime.date | datetime.time):
        return (
            f"expected text or a number, found the date {cell}, which Excel may have made of it;"
            " format the column as text and type the cell again"
        )
    return ""


def _as_typed(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return repr(cell) if isinstance(cell, float) else str(cell)
