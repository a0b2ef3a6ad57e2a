"""One table of all plates of the sheet: computed ones with their warnings, others with a reason."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from snakescope.imaging.style import INK, RULE
from snakescope.report.pages import html, write_text
from snakescope.step.tables import read_table, with_columns_of, write_table

STATUS_COLUMNS = ("plate", "experiment", "condition", "status", "reason")
ROW_COLUMNS = ("plate", "status", "warnings")
NOT_COMPUTED = "not computed"
COLOURS = {"ok": "#3f8f5b", "warning": "#b07d05", "excluded": "#6a7178"}
RED = "#b02a26"
"""Of a status; RED of every other one, such as failed or unusable."""

FIGURES = (
    ("usable", "usable frames", "{:.0f}"),
    ("worms", "worms", "{:.0f}"),
    ("deaths", "died", "{:.0f}"),
    ("lost_share", "lost from view", "{:.0%}"),
    ("median_score", "correlation of the mark, median", "{:.2f}"),
    ("median_agreement", "texture found in place, median", "{:.0%}"),
    ("mean_confidence", "probability of the state, mean", "{:.2f}"),
)
"""Columns that the page shows, their headings and formats."""


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


def _figure(row: pd.Series, name: str, form: str) -> str:
    value = row.get(name)
    if value is None or pd.isna(value):
        return ""
    text = form.format(float(value))
    return f"{text} of {float(row['frames']):.0f}" if name == "usable" else text


def page(table: pd.DataFrame) -> str:
    """The table of :func:`plates_table` as a page that needs no other file (HTML)."""
    counted = table["status"].value_counts()
    return html(
        "plates.html",
        counted=", ".join(f"{number} {status}" for status, number in counted.items()),
        headings=[heading for _, heading, _ in FIGURES],
        plates=[
            {
                "name": str(row["plate"]),
                "experiment": str(row["experiment"]),
                "condition": str(row["condition"]),
                "status": str(row["status"]),
                "colour": COLOURS.get(row["status"], RED),
                "remarks": str(row["remarks"]),
                # A plate that was computed has pages, to which the table links.
                "pages": pd.notna(row.get("frames")),
                "measures": [_figure(row, name, form) for name, _, form in FIGURES],
            }
            for _, row in table.iterrows()
        ],
        ink=INK,
        rule=RULE,
    )


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
    write_text(given.page, page(table))
