"""Tab-separated tables (TSV) of results."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write

NAMES = (
    *("plate", "volume", "stack", "scan", "clip", "patient", "donor"),
    *("group", "experiment", "condition"),
)
"""Columns of identifiers, which are read as text: plate 007 is not plate 7."""


def write_table(path: str | Path, table: pd.DataFrame) -> None:
    """Write ``table`` as TSV with a header and without its index; missing values are empty."""
    with atomic_write(path) as partial:
        table.to_csv(partial, sep="\t", index=False, lineterminator="\n", float_format="%.6g")


def read_table(
    path: str | Path,
    columns: Sequence[str] = (),
    text: Sequence[str] | Literal["all"] = (),
    comment: str | None = None,
    first_lines: int = 0,
) -> pd.DataFrame:
    """Read a TSV table that must have at least ``columns``.

    Args:
        text: further columns of identifiers, or all columns. Like those of ``NAMES`` they are read
            as text: 007, 1.0 and NA are kept, an empty cell is an empty string.
        comment: character that starts a comment.
        first_lines: how many lines before the header are no part of the table.

    Raises:
        StepError: the file is absent, or a column is missing.
    """
    where: dict[str, Any] = {"sep": "\t", "comment": comment, "skiprows": first_lines}
    try:
        if text == "all":
            table = pd.read_csv(path, dtype=str, keep_default_na=False, **where)
        else:
            table = pd.read_csv(path, converters=dict.fromkeys((*NAMES, *text), str), **where)
    except FileNotFoundError:
        raise StepError(f"{path}: expected a table, found no such file") from None
    except pd.errors.EmptyDataError:
        raise StepError(f"{path}: expected a table with a header, found an empty file") from None
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise StepError(
            f"{path}: expected the columns {', '.join(columns)}, found no {', '.join(missing)}"
        )
    return table


def with_columns_of(table: pd.DataFrame, sheet: pd.DataFrame, by: str) -> pd.DataFrame:
    """Append the columns of ``sheet`` that ``table`` lacks.

    Args:
        table: any number of rows for each value of the column ``by``.
        sheet: one row for each value of ``by``.
    """
    lacking = [name for name in sheet.columns if name not in table.columns]
    return table.merge(sheet[[by, *lacking]], on=by, how="left") if lacking else table
