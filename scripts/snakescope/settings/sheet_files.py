"""Text, CSV and Excel files of sample sheets: the cells of their lines, as people meant them.

Letters are composed (NFC), blanks of every width are spaces, and what cannot be seen is removed,
so that names that look alike are alike.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from snakescope.settings.tidy import tidy
from snakescope.settings.workbook import workbook_rows
from snakescope.step.errors import StepError, no_utf8, readable

Line = tuple[int, list[str]]
EXCEL = (".xlsx", ".xlsm")
ERRORS = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!")
ZIP, OLD_OFFICE = b"PK\3\4", b"\xd0\xcf\x11\xe0"
"""How files begin that spreadsheets write and that are no text."""
BREAKS = re.compile("[\\x00-\\x1f\\x7f\u0085\u2028\u2029]")


def broken_cell(cells: Sequence[str]) -> str:
    """Return what is wrong with a line's cells, empty if nothing: breaks and control characters."""
    for cell in cells:
        if found := BREAKS.search(cell):
            name = {"\n": "a line break", "\r": "a line break", "\t": "a tab"}.get(found[0])
            what = name or f"the character U+{ord(found[0]):04X}"
            return f"expected a cell of one line, found {what} in {cell[:40]!r}; remove it"
        if cell.strip() in ERRORS:
            return f"expected a value, found the error {cell.strip()} of a spreadsheet; correct it"
    return ""


def sheet_beside(path: str | Path) -> str:
    """Return a file of another kind beside a sheet that is called as it is; empty without one."""
    kinds = (Path(path).with_suffix(kind) for kind in (".tsv", ".csv", *sorted(EXCEL)))
    there = (one for one in kinds if one != Path(path) and one.is_file())
    return next(map(str, there), "")


def sheet_lines(
    path: str | Path, columns: str, wanted: str, undated: Collection[str] = ()
) -> tuple[list[Line], dict[int, str]]:
    """Read the lines of a sheet: .tsv or other text by tabs, .csv by commas or semicolons, .xlsx.

    Lines without text and those that begin with ``#`` are left out, as are empty cells behind the
    last one. Of a workbook the sheet called ``wanted`` is read, else its only one.

    Args:
        columns: the columns that it must have, for the sentence where there is no file.
        undated: columns in which a date of a workbook is refused.

    Returns:
        Cells of every line by its number, from 1, and what is wrong with lines, by number.

    Raises:
        StepError: absent, or no text in UTF-8 or UTF-16, or no workbook.
        SystemFault: the system does not let it be read.
    """
    path = Path(path)
    try:
        with readable(path, "a sample sheet"):
            content = path.read_bytes()
    except FileNotFoundError:
        raise StepError(
            f"{path}: expected a sample sheet, found no such file; write one, tab-separated, with "
            f"the columns {columns}"
        ) from None
    if path.suffix.lower() in EXCEL:
        rows = workbook_rows(path, content, wanted, undated)
    else:
        if content.startswith((ZIP, OLD_OFFICE)):
            kind = "a workbook" if content.startswith(ZIP) else "an old workbook of Excel (.xls)"
            raise StepError(
                f"{path}: expected text, found {kind}; save it as .xlsx, and name that file"
            )
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


def decoded(content: bytes) -> str:
    """Return text in UTF-8 or UTF-16, with or without its byte order mark.

    Raises:
        UnicodeDecodeError: it is neither.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    # Every second byte of letters without accents is zero.
    head = content[:200]
    for code, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        if len(head) > 3 and zeros.count(0) > 0.8 * len(zeros):
            return content.decode(code)
    return content.decode("utf-8-sig")


def _text(path: Path, content: bytes) -> Iterator[tuple[int, list[str], str]]:
    """The "Unicode Text" of Excel, its one tab-separated form for every letter, is UTF-16."""
    try:
        text = decoded(content)
    except UnicodeDecodeError as error:
        remedy = "save the sheet as tab-separated text in UTF-8 (in Excel: Unicode Text)"
        raise no_utf8(path, error, remedy) from None
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
    # Excel writes and obeys a first line that names the mark between cells.
    named = re.match(r"sep=(.)\r?\n", text, re.IGNORECASE)
    own = [line for line in text.splitlines()[1 if named else 0 :] if line]
    head = next((line for line in own if not line.startswith("#")), "")
    mark = named[1] if named else max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    before = 0
    try:
        for cells in reader:
            if not (named and before == 0):
                yield before + 1, cells, ""
            before = reader.line_num
    except csv.Error as error:
        raise StepError(
            f"{path}, line {before + 1}: expected cells between {mark!r}, found something else"
            f" ({error}); close every quotation mark, or save it as .xlsx"
        ) from None
