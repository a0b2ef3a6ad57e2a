"""Workbooks of Excel: the cells of the one sheet that is meant, as they show.

What is hidden or struck out is neither used nor left out without a word: of two people who look at
the same sheet, one takes it for a row and the other does not.
"""

import datetime
import io
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from snakescope.settings.tidy import tidy
from snakescope.step.errors import StepError


def workbook_rows(
    path: Path, content: bytes, wanted: str, undated: Collection[str] = ()
) -> Iterator[tuple[int, list[str], str]]:
    """Read the sheet of a workbook that is called ``wanted``, else its only one that shows.

    Args:
        undated: columns, by the first row with text, whose cells are no dates: where one is, Excel
            has made it of something else.

    Yields:
        Number of every row, from 1, its cells as they were typed, and what is wrong with it, empty
        if nothing: hidden or struck out, in whole or in part, a formula without value, a date.

    Raises:
        StepError: no workbook, several sheets of which none is ``wanted``, a sheet that is hidden.
    """
    import openpyxl

    try:
        calculated = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
        typed = openpyxl.load_workbook(io.BytesIO(content), rich_text=True)
        ends = {sheet.title: _end(sheet) for sheet in typed.worksheets}
    except Exception as error:  # openpyxl and its XML parser raise many kinds on damaged files
        lines = str(error).splitlines() or [type(error).__name__]
        raise StepError(
            f"{path}: expected an Excel workbook, found none that is whole ({lines[0][:80]});"
            " save it again"
        ) from None
    filled = [name for name, (last_row, _) in ends.items() if last_row]
    shown = [name for name in filled if calculated[name].sheet_state == "visible"]
    title = next((name for name in filled if name.lower() == wanted.lower()), None)
    if title is None and len(shown) > 1:
        raise StepError(
            f"{path}: expected one sheet in the workbook, or one called {wanted}, found"
            f" {', '.join(shown)}; rename the one to read"
        )
    title = title or next(iter(shown or filled), None)
    if title is None:
        return
    if title not in shown:
        raise StepError(
            f"{path}: expected a sheet that shows, found that {title} is hidden; show it, or delete"
            " it"
        )
    last_row, last_column = ends[title]
    rows, columns = _unseen(calculated[title], last_row, last_column)
    covered = _covered(calculated[title], last_row, last_column)
    both = (book[title].iter_rows(1, last_row, 1, last_column) for book in (calculated, typed))
    header: list[str] = []
    for number, (row, own) in enumerate(zip(*both, strict=True), start=1):
        typed_row = [_as_typed(cell.value) for cell in row]
        # The header is the first row that is read as one, and its names are read as they are there.
        cells = [tidy(cell) for cell in typed_row]
        if not header and any(cells) and not cells[0].startswith("#"):
            header = cells
        names = header or [""] * len(typed_row)
        found = (
            _no_cell(cell, typed_cell, name if name in undated else "")
            for cell, typed_cell, name in zip(row, own, names, strict=True)
        )
        problem = next(filter(None, found), "")
        full = [at for at, cell in enumerate(row, start=1) if cell.value is not None]
        if out := next((cell for cell in own if _is_struck(cell)), None):
            problem = (
                "expected a row that counts, found"
                f" {str(out.value)[:40]!r} in {out.coordinate} struck out; delete the row, or"
                " remove the line through its text"
            )
        if full and number in covered:
            problem = (
                "expected a cell of its own in every column, found the merged cells"
                f" {covered[number]}, of which the first alone has a value; unmerge them and fill"
                " each"
            )
        if columns & set(full):
            at = row[min(columns & set(full)) - 1]
            problem = (
                f"expected columns that show, found {str(at.value)[:40]!r} in the hidden column"
                f" {at.column_letter}; show the column, or delete it"
            )
        if number in rows and full:
            problem = (
                "expected a row that shows, found one that is hidden; show it (a filter hides rows"
                " as well), or delete it"
            )
        yield number, typed_row, problem


def _end(sheet: Any) -> tuple[int, int]:
    """Return the last row and column, from 1, with a value; formats alone may reach to the end."""
    cells = sheet._cells.items()
    full = [at for at, one in cells if one.value is not None and str(one.value).strip()]
    return max((row for row, _ in full), default=0), max((column for _, column in full), default=0)


def _unseen(sheet: Any, last_row: int, last_column: int) -> tuple[set[int], set[int]]:
    """Return the numbers, from 1, of the rows and columns of a sheet that do not show."""
    known = sheet.row_dimensions
    rows = {at for at, row in known.items() if row.hidden}
    if sheet.sheet_format.zeroHeight:  # every row that says nothing of its own
        rows |= {at for at in range(1, last_row + 1) if at not in known or not known[at].height}
    columns: set[int] = set()
    for column in sheet.column_dimensions.values():
        # One entry stands for a range of columns.
        if column.hidden:
            column.reindex()
            columns |= set(range(column.min, min(column.max, last_column) + 1))
    return rows, columns


def _covered(sheet: Any, last_row: int, last_column: int) -> dict[int, str]:
    """Return the merged cells, such as D2:D4, that leave cells of a row, from 1, without value."""
    covered: dict[int, str] = {}
    for one in sheet.merged_cells.ranges:
        wide = one.min_col < min(one.max_col, last_column)
        first = one.min_row if wide else one.min_row + 1
        if one.min_col <= last_column:
            covered |= dict.fromkeys(range(first, min(one.max_row, last_row) + 1), one.coord)
    return covered


def _is_struck(cell: Any) -> bool:
    """Whether a line goes through the text of a cell, or through a part of it."""
    if cell.value is None or not str(cell.value).strip():
        return False
    parts: Sequence[Any] = cell.value if isinstance(cell.value, list) else ()
    own = [part.font for part in parts if hasattr(part, "font") and str(part).strip()]
    return any(font is not None and font.strike for font in own) or (
        # Parts with a font of their own do not take that of the cell.
        len(own) < max(1, len(parts)) and bool(cell.font and cell.font.strike)
    )


def _no_cell(calculated: Any, own: Any, undated: str) -> str:
    """Return what is wrong with a cell; ``undated`` is its column if it may not be a date."""
    cell, typed = calculated.value, own.value
    if cell is None and typed is not None and own.data_type == "f":
        formula = str(getattr(typed, "text", typed))[:40]  # of several cells it is an object
        return (
            f"expected a value, found the formula {formula} that was never calculated; open the"
            " workbook in a spreadsheet and save it, or type the value"
        )
    if undated and isinstance(cell, datetime.datetime | datetime.date | datetime.time):
        return (
            f"expected text or a number in column {undated}, found the date {cell}, which Excel may"
            " have made of it; format the column as text and type the cell again"
        )
    return ""


def _as_typed(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return str(cell.date())
    return repr(cell) if isinstance(cell, float) else str(cell)
