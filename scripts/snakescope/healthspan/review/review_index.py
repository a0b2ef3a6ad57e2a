"""The pages of review of all plates, on one page: sortable, and to be filtered by any word."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from snakescope.imaging.style import FAINT_INK, INK, RULE
from snakescope.report.pages import html, write_text
from snakescope.step.tables import read_table

STATUS_COLUMNS = ("plate", "experiment", "condition", "status", "reason")
SUMMARY_COLUMNS = ("plate", "worms", "deaths", "last_day", "median_lifespan_d")
AT_ONCE = 100
"""Rows that are laid out at once; a browser takes a second to sort a thousand that all are."""

OPENED = (
    ("review.html", "review"),
    ("contact_sheet.html", "contact sheet"),
    ("quality.html", "quality"),
    ("curves.png", "curves"),
)
"""Files of a plate that the page links to, and what it calls them."""


def index_rows(status: pd.DataFrame, summaries: Sequence[pd.DataFrame]) -> list[dict[str, Any]]:
    """Return what the page shows of each plate of the sheet, in its order.

    Args:
        status: one row per plate (``STATUS_COLUMNS``).
        summaries: the row of each plate that was computed.
    """
    found = {str(one["plate"]): one for table in summaries for one in table.to_dict("records")}
    rows = []
    for plate in status.to_dict("records"):
        name = str(plate["plate"])
        own = found.get(name)
        figures = {
            "worms": own and own["worms"],
            "deaths": own and own["deaths"],
            "median_lifespan_d": own and own["median_lifespan_d"],
            "last_day": own and own["last_day"],
            # A plate without corrections has no such column.
            "corrected": own and own.get("corrected_worms"),
        }
        rows.append(
            {
                "name": name,
                "experiment": str(plate["experiment"]),
                "condition": str(plate["condition"]),
                "status": str(plate["status"]),
                "reason": str(plate["reason"]),
                "computed": own is not None,
                "figures": [_text(value) for value in figures.values()],
            }
        )
    return rows


def _text(value: Any) -> str:
    return "" if value is None or pd.isna(value) else f"{float(value):.4g}"


def page(rows: Sequence[dict[str, Any]]) -> str:
    """Return the page (HTML), which needs no other file but those that it links to."""
    headings = ("worms", "died", "median lifespan (d)", "last picture (d)", "corrected worms")
    return html(
        "review_index.html",
        plates=rows,
        headings=headings,
        opened=OPENED,
        at_once=AT_ONCE,
        ink=INK,
        faint_ink=FAINT_INK,
        rule=RULE,
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--status", required=True, help="status.tsv of the sheet's plates")
    parser.add_argument("--summaries", nargs="*", default=[], help="summary.tsv of the plates")
    parser.add_argument("--page", required=True)


def main(given: argparse.Namespace) -> None:
    """Run the step."""
    status = read_table(given.status, STATUS_COLUMNS, text="all")
    summaries = [read_table(Path(path), SUMMARY_COLUMNS) for path in given.summaries]
    write_text(given.page, page(index_rows(status, summaries)))
