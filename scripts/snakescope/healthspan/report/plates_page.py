"""The table of all plates as one page that needs nothing beside it."""

from collections.abc import Sequence
from html import escape

import pandas as pd

from snakescope.imaging.style import INK, RULE

COLOURS = {"ok": "#3f8f5b", "warning": "#b07d05", "excluded": "#6a7178"}
"""Of the status; every other one, such as failed or unusable, is red."""
FIGURES = (
    ("usable", "usable frames", "{:.0f}"),
    ("worms", "worms", "{:.0f}"),
    ("deaths", "died", "{:.0f}"),
    ("lost_share", "lost from view", "{:.0%}"),
    ("median_score", "correlation of the mark, median", "{:.2f}"),
    ("median_agreement", "texture found in place, median", "{:.0%}"),
    ("mean_confidence", "probability of the state, mean", "{:.2f}"),
)
"""Columns of the table of plates that are shown, their headings and formats."""

STYLE = f"""
body {{ margin: 16px 20px; color: {INK}; font: 14px/1.45 system-ui, "DejaVu Sans", sans-serif; }}
h1 {{ font-size: 19px; margin: 0 0 6px; }}
table {{ border-collapse: collapse; margin-top: 12px; }}
th, td {{ padding: 3px 14px 3px 0; border-bottom: 1px solid {RULE}; text-align: left;
  vertical-align: top; }}
th {{ position: sticky; top: 0; background: #fff; vertical-align: bottom; }}
.number {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
.remarks {{ min-width: 20em; max-width: 50em; overflow-wrap: anywhere; }}
.status {{ border-radius: 3px; padding: 1px 8px; color: #fff; font-weight: 600;
  white-space: nowrap; }}
"""


def _status(status: str) -> str:
    colour = COLOURS.get(status, "#b02a26")
    return f'<span class="status" style="background:{colour}">{escape(status)}</span>'


def _figure(row: pd.Series, name: str, form: str) -> str:
    value = row.get(name)
    if value is None or pd.isna(value):
        return ""
    text = form.format(float(value))
    return f"{text} of {float(row['frames']):.0f}" if name == "usable" else text


def _cells(cells: Sequence[str], kind: str, classes: Sequence[str]) -> str:
    whole = (
        f'<{kind} class="{name}">{cell}</{kind}>' if name else f"<{kind}>{cell}</{kind}>"
        for cell, name in zip(cells, classes, strict=True)
    )
    return f"<tr>{''.join(whole)}</tr>"


def page(table: pd.DataFrame) -> str:
    """The table of :func:`snakescope.healthspan.report.plates_table.plates_table` as HTML."""
    names = ("experiment", "plate", "condition")
    classes = ["", "", "", "", "remarks", *("number" for _ in FIGURES)]
    headings = [*names, "status", "warnings, or why there are no results"]
    lines = [_cells([*headings, *(text for _, text, _ in FIGURES)], "th", classes)]
    for _, row in table.iterrows():
        cells = [escape(str(row[name])) for name in names]
        cells += [_status(str(row["status"])), escape(str(row["remarks"]))]
        cells += [_figure(row, name, form) for name, _, form in FIGURES]
        lines.append(_cells(cells, "td", classes))
    counted = table["status"].value_counts()
    said = ", ".join(f"{number} {escape(str(status))}" for status, number in counted.items())
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Plates</title>
<style>{STYLE}</style></head><body>
<h1>Plates: {said or "none"}</h1>
<table><thead>{lines[0]}</thead><tbody>
{chr(10).join(lines[1:])}
</tbody></table></body></html>
"""
