"""The pages of review of all plates, on one page: sortable, and to be filtered by any word."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from snakescope.healthspan.review.changes import CHANGES_COLUMNS
from snakescope.healthspan.review.conclusion import CONCLUSION_COLUMNS, sentences
from snakescope.healthspan.review.settings import ReviewIndexSettings
from snakescope.imaging.style import FAINT_INK, INK, RULE
from snakescope.report.pages import html, write_text
from snakescope.step.tables import read_table, write_table

STATUS_COLUMNS = ("plate", "experiment", "condition", "status", "reason")
SUMMARY_COLUMNS = (
    "plate", "worms", "deaths", "last_day", "median_lifespan_d", "alive_at_last_frame",
)  # fmt: skip
EMPTY: Mapping[str, Sequence[str]] = {}
AT_ONCE = 100
"""Rows that are laid out at once; a browser takes a second to sort a thousand that all are."""

OPENED = (
    ("review.html", "review"),
    ("contact_sheet.html", "contact sheet"),
    ("quality.html", "quality"),
    ("curves.png", "curves"),
    ("individuals.tsv", "worms"),
)
"""Files of a plate that the page links to, and what it calls them."""
OF_REVIEWED = (
    ("corrected/agreement.png", "agreement"),
    ("corrected/individuals.tsv", "worms, corrected"),
    ("corrected/corrections.tsv", "corrections"),
)
"""Further ones, of a plate that has corrections."""


def cameras_stopped(
    status: pd.DataFrame, found: Mapping[str, Mapping[Any, Any]], least_d: float
) -> dict[str, str]:
    """Return a sentence for each plate whose pictures end before those of its experiment.

    Nobody misses pictures of a plate whose worms are dead.

    Args:
        status: the plates with their experiments.
        found: the summary of each plate that was computed.
        least_d: by how much they must end earlier (d).
    """
    told = {}
    for _, members in status.groupby("experiment"):
        days = {
            str(name): float(found[str(name)]["last_day"])
            for name in members["plate"]
            if str(name) in found and pd.notna(found[str(name)]["last_day"])
        }
        latest = max(days.values(), default=0.0)
        for name, day in days.items():
            alive = int(found[name]["alive_at_last_frame"])
            if alive and latest - day >= least_d:
                told[name] = (
                    f"its camera stopped: last picture on day {day:g} with {alive} worms alive,"
                    f" others of the experiment on day {latest:g}"
                )
    return told


def index_rows(
    status: pd.DataFrame,
    summaries: Sequence[pd.DataFrame],
    changes: pd.DataFrame | None = None,
    least_d: float = 1.0,
) -> list[dict[str, Any]]:
    """Return what the page shows of each plate of the sheet, in its order.

    Args:
        status: one row per plate (``STATUS_COLUMNS``).
        summaries: the row of each plate that was computed.
        changes: what reviews changed, of the plates that have one.
        least_d: of :func:`cameras_stopped`.
    """
    reviewed = (
        {} if changes is None else {str(one["plate"]): one for one in changes.to_dict("records")}
    )
    found = {str(one["plate"]): one for table in summaries for one in table.to_dict("records")}
    stopped = cameras_stopped(status, found, least_d)
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
            "stale": reviewed[name]["stale"] if name in reviewed else None,
            "minutes": reviewed[name]["minutes"] if name in reviewed else None,
        }
        rows.append(
            {
                "name": name,
                "experiment": str(plate["experiment"]),
                "condition": str(plate["condition"]),
                "status": str(plate["status"]),
                "reason": str(plate["reason"]),
                "warning": stopped.get(name, ""),
                "opened": _opened(own is not None, name in reviewed),
                "figures": [_text(value) for value in figures.values()],
            }
        )
    return rows


def _opened(computed: bool, reviewed: bool) -> tuple[tuple[str, str], ...]:
    return (OPENED if computed else ()) + (OF_REVIEWED if reviewed else ())


def _text(value: Any) -> str:
    return "" if value is None or pd.isna(value) else f"{float(value):.4g}"


def page(rows: Sequence[dict[str, Any]], conclusions: Mapping[str, Sequence[str]] = EMPTY) -> str:
    """Return the page (HTML), which needs no other file but those that it links to.

    Args:
        rows: of :func:`index_rows`.
        conclusions: by experiment, whether corrections change its conclusion, in sentences.
    """
    headings = (
        "worms", "died", "median lifespan (d)", "last picture (d)", "corrected worms",
        "not applied", "review (min)",
    )  # fmt: skip
    return html(
        "review_index.html",
        plates=rows,
        headings=headings,
        conclusions=conclusions,
        at_once=AT_ONCE,
        ink=INK,
        faint_ink=FAINT_INK,
        rule=RULE,
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--status", required=True, help="status.tsv of the sheet's plates")
    parser.add_argument("--summaries", nargs="*", default=[], help="summary.tsv of the plates")
    parser.add_argument("--changes", nargs="*", default=[], help="changes.tsv of reviewed plates")
    parser.add_argument(
        "--conclusions", nargs="*", default=[], help="conclusion.tsv of experiments"
    )
    parser.add_argument("--settings", default="{}")
    parser.add_argument("--page", required=True)
    parser.add_argument("--table", required=True, help="table of what all reviews changed")


def main(given: argparse.Namespace) -> None:
    """Run the step."""
    status = read_table(given.status, STATUS_COLUMNS, text="all")
    summaries = [read_table(Path(path), SUMMARY_COLUMNS) for path in given.summaries]
    settings = ReviewIndexSettings.model_validate_json(given.settings)
    tables = [read_table(path, CHANGES_COLUMNS) for path in given.changes]
    changes = pd.concat(tables) if tables else pd.DataFrame(columns=list(CHANGES_COLUMNS))
    write_table(given.table, changes)
    rows = index_rows(status, summaries, changes, settings.camera_stopped_d)
    found = [read_table(path, CONCLUSION_COLUMNS, text="all") for path in given.conclusions]
    conclusions = {str(one["experiment"].iloc[0]): sentences(one) for one in found if len(one)}
    write_text(given.page, page(rows, conclusions))
