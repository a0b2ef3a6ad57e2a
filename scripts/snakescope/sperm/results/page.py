"""The page of a dish: who was ranked, by what, how sure, and what was not graded."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snakescope.imaging.style import FAINT_INK, INK, figure_style
from snakescope.report.pages import html, image_url, jpeg_url, write_text
from snakescope.sperm.results.gallery import GRADE_COLOURS, Shown, strip, words
from snakescope.sperm.videos.sheet import GRADES

MOST = 300
"""Sperm whose strips a page holds."""


def intervals_figure(table: pd.DataFrame, dish: str) -> Figure:
    """Mean grades of the ranked sperm with their 90 % intervals, the best on top."""
    graded = table[table["rank"] != ""].head(40)
    with figure_style(dish):
        figure = Figure(figsize=(7.0, 1.1 + 0.19 * max(len(graded), 3)), layout="constrained")
        ax = figure.subplots()
        place = np.arange(len(graded))
        ax.hlines(place, graded["low_90"], graded["high_90"], color=FAINT_INK, linewidth=1.2)
        colours = [GRADE_COLOURS[GRADES.index(one)] for one in graded["grade"]]
        ax.scatter(graded["mean_grade"], place, c=colours, s=26, zorder=3)
        ax.set_yticks(place, [f"{row.clip}  {row.rank}" for row in graded.itertuples()])
        ax.tick_params(axis="y", labelsize=7)
        ax.set_xticks(range(5), GRADES)
        ax.set(xlabel="mean grade (A best), 90 % interval", xlim=(-0.1, 4.1),
               ylim=(len(graded) - 0.4, -0.6))  # fmt: skip
        ax.set_title(f"Dish {dish}", color=INK)
        return figure


def bars(shares: NDArray[np.float64]) -> list[dict[str, Any]]:
    """A bar for each share of a grade: up to 60 % in 60 px."""
    return [
        {
            "name": name,
            "share": f"{share:.0%}",
            "height": round(100 * min(share, 0.6)),
            "colour": hue,
        }
        for name, share, hue in zip(GRADES, shares.tolist(), GRADE_COLOURS, strict=True)
    ]


def further(row: Mapping[str, Any]) -> str:
    """The flags of a sperm that do not say already why it is not graded."""
    said = str(row["not_graded"]).split("; ")
    return "; ".join(one for one in str(row["flags"]).split("; ") if one and one not in said)


def dish_page(
    path: str | Path,
    dish: str,
    table: pd.DataFrame,
    shown: Sequence[Shown],
    origin: Mapping[str, Any],
    refused: Sequence[str],
) -> None:
    """Write the page of a dish.

    Args:
        origin: ``grader`` in words, and whether it saw ``simulated`` clips only.
    """
    stream = io.BytesIO()
    intervals_figure(table, dish).savefig(stream, format="png", metadata={"Software": None})
    graded = table[table["rank"] != ""]
    reasons = table.loc[table["rank"] == "", "not_graded"].astype(str).str.split("; ").explode()
    groups = []
    for grade in (*GRADES, ""):
        members = [one for one in shown[:MOST] if one.row["grade"] == grade]
        rows = [
            {
                "lines": words(one.row),
                "bars": [] if one.row["not_graded"] else bars(one.shares),
                "strip": jpeg_url(strip(one)),
                "flags": further(one.row),
            }
            for one in members
        ]
        if rows:
            groups.append({"name": f"Grade {grade}" if grade else "Not graded", "rows": rows})
    speeds = table["vsl_um_s"].dropna()
    best = graded.head(3)
    page = html(
        "sperm_dish.html",
        dish=dish,
        count=len(table),
        graded=len(graded),
        reasons=[(name, int(n)) for name, n in reasons.value_counts().items() if name],
        grader=origin["grader"],
        simulated=bool(origin["simulated"]),
        best=[(row.clip, f"{row.p_best:.0%}") for row in best.itertuples()],
        together=f"{best['p_best'].sum():.0%}",
        speeds=f"{speeds.median():.1f} um/s (median of {len(speeds)})" if len(speeds) else "",
        figure=image_url(stream.getvalue(), "png") if len(graded) else "",
        groups=groups,
        left_out=max(0, len(shown) - MOST),
        refused=refused,
    )
    write_text(path, page)
