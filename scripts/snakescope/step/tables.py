"""Tab-separated tables, the form in which people read results."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write

NAMES = ("plate", "experiment", "condition")
"""Columns that are text even where it looks like a number: plate 007 is not 7."""


def write_table(path: str | Path, table: pd.DataFrame) -> None:
    """Write ``table`` as TSV with a header and without its index; missing values are empty."""
    with atomic_write(path) as partial:
        table.to_csv(partial, sep="\t", index=False, lineterminator="\n", float_format="%.6g")


def read_table(path: str | Path, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Read a TSV table that must have at least ``columns``.

    Raises:
        StepError: the file is absent, or a column is missing.
    """
    try:
        table = pd.read_csv(path, sep="\t", dtype=dict.fromkeys(NAMES, str))
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
