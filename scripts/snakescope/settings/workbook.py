"""Workbooks of Excel: the cells of the one sheet that is meant, as they show.

What is hidden or struck out is neither used nor left out without a word: of two people who look at
the same sheet, one takes it for a row and the other does not.
"""

import datetime
import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from snakescope.step.errors import StepError


def workbook_rows(
    path: Path, content: bytes, wanted: str, dates: bool = False
) -> Iterator[tuple[int, list[str], str]]:
    """Read the sheet of a workbook that is called ``wanted``, else its only one that shows.

    Args:
        dates: whether cells may be dates; else Excel has made them of something else.

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
        sheets, written = (
            {sheet.title: list(sheet.iter_rows()) for sheet in book.worksheets}
            for book in (calculated, typed)
        )
        unseen = {sheet.title: _unseen(sheet) for sheet in calculated.worksheets}
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
    filled = [n for n, rows in sheets.items() if any(c.value is not None for r in rows for c in r)]
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
    rows, columns = unseen[title]
    for number, (row, own) in enumerate(zip(sheets[title], written[title], strict=True), start=1):
        found = (_no_cell(*pair, dates) for pair in zip(row, own, strict=True))
        problem = next(filter(None, found), "")
        full = [at for at, cell in enumerate(row, start=1) if cell.value is not None]
        if out := next((cell for cell in own if _is_struck(cell)), None):
            problem = (
                "expected a row that counts, found"
                f" {str(out.value)[:40]!r} in {out.coordinate} struck out; delete the row, or"
                " remove the line through its text"
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
        yield number, [_as_typed(cell.value) for cell in row], problem


def _unseen(sheet: Any) -> tuple[set[int], set[int]]:
    """Return the numbers, from 1, of the rows and columns of a sheet that do not show."""
    rows = {at for at, row in sheet.row_dimensions.items() if row.hidden}
    columns: set[int] = set()
    for column in sheet.column_dimensions.values():
        # One entry stands for a range of columns.
        if column.hidden:
            column.reindex()
            columns |= set(range(column.min, min(column.max, sheet.max_column) + 1))
    return rows, columns


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


def _no_cell(calculated: Any, own: Any, dates: bool) -> str:
    cell, typed = calculated.value, own.value
    if cell is None and isinstance(typed, str) and typed.startswith("="):
        return (
            f"expected a value, found the formula {typed[:40]} that was never calculated; open the"
            " workbook in a spreadsheet and save it, or type the value"
        )
    if not dates and isinstance(cell, datetime.datetime | datetime.date | datetime.time):
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
