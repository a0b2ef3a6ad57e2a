"""One table of all plates of the sheet: computed ones with their warnings, others with a reason."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from snakescope.healthspan.report.plates_page import page
from snakescope.step.output import atomic_write
from snakescope.step.tables import read_table, with_columns_of, write_table

STATUS_COLUMNS = ("plate", "experiment", "condition", "status", "reason")
ROW_COLUMNS = ("plate", "status", "warnings")
NOT_COMPUTED = "not computed"


def plates_table(status: pd.DataFrame, rows: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Join the plates of the sheet with the quality of those that were computed.

    Args:
        status: every plate of the sheet with ``STATUS_COLUMNS``: included, excluded, unusable or
            not computed.
        rows: the quality row of each computed plate.

    Returns:
        One row a plate, in the order of the sheet: plate, experiment, condition, status (ok,
        warning, failed, excluded, unusable, not computed), remarks (its warnings, or the reason
        why it has no results), the figures of its quality, then further columns of the sheet.
    """
    quality = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=ROW_COLUMNS)
    table = status.merge(quality, on="plate", how="left", suffixes=("", "_found"))
    included = table["status"] == "included"
    found = table["status_found"].fillna(NOT_COMPUTED)
    judged = included & table["status_found"].notna()
    remarks = table["warnings"].where(judged, table["reason"]).fillna("")
    front = table[["plate", "experiment", "condition"]].assign(
        status=table["status"].where(~included, found), remarks=remarks
    )
    figures = [name for name in quality.columns if name not in ROW_COLUMNS]
    joined = pd.concat([front, table[figures]], axis=1)
    return with_columns_of(joined, status.drop(columns=["reason"]), by="plate")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--status", required=True, help="status.tsv of the sheet's plates")
    parser.add_argument("--rows", nargs="*", default=[], help="quality.tsv of computed plates")
    parser.add_argument("--table", required=True)
    parser.add_argument("--page", required=True, help="the same for a browser (HTML)")


def main(given: argparse.Namespace) -> None:
    """Read the command line and write the table."""
    status = read_table(given.status, STATUS_COLUMNS, text="all")
    rows = [read_table(Path(path), ROW_COLUMNS) for path in given.rows]
    table = plates_table(status, rows)
    write_table(given.table, table)
    with atomic_write(given.page) as partial:
        partial.write_text(page(table), encoding="utf-8")
