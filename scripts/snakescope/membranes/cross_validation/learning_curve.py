"""The learning curve of a stack: how many labelled sections are worth labelling.

snakescope membranes learning_curve --points sections3.json ... --table learning_curve.tsv
    --figure learning_curve.png
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from snakescope.imaging.style import SERIES_COLOURS, figure_style, save_figure
from snakescope.learning.intervals import of_folds
from snakescope.membranes.scores.stack_scores import METRICS, means_of
from snakescope.step.tables import write_table

COLUMNS = ("network", "neighbours", "sections", "metric", "value", "low", "high", "n")
SHOWN = {"v_rand_joined": "V_Rand, joined", "v_info_joined": "V_Info, joined", "iou": "IoU"}


def table_of(points: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """A row a number of neighbours, of sections, and metric.

    Of several draws the least and the greatest mean over the test sections are given; of one, the
    bootstrap interval over the test sections, which resemble their neighbours.
    """
    rows: list[dict[str, Any]] = []
    keys = sorted({(one["network"], one["neighbours"], one["sections_trained"]) for one in points})
    for network, neighbours, sections in keys:
        own = [
            pd.DataFrame(one["sections"].values())
            for one in points
            if (one["network"], one["neighbours"], one["sections_trained"])
            == (network, neighbours, sections)
        ]
        for metric in (one for one in METRICS if all(one in each for each in own)):
            if len(own) > 1:
                found = of_folds([float(each[metric].mean()) for each in own])
            else:
                found = means_of(own[0])[metric]
            rows.append(
                {"network": network, "neighbours": neighbours, "sections": sections,
                 "metric": metric, **found._asdict(), "n": len(own)}
            )  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def draw(table: pd.DataFrame) -> Figure:
    """A panel a score, a line a number of neighbours, over the labelled sections."""
    with figure_style():
        figure, axes = plt.subplots(1, len(SHOWN), figsize=(9, 3.2), constrained_layout=True)
        for axis, (metric, title) in zip(axes, SHOWN.items(), strict=True):
            own = table[table["metric"] == metric]
            for place, (neighbours, rows) in enumerate(own.groupby("neighbours")):
                x = rows["sections"].to_numpy(float) * (1 + 0.04 * place)
                value, low, high = (rows[c].to_numpy(float) for c in ("value", "low", "high"))
                axis.errorbar(
                    x,
                    value,
                    [np.maximum(value - low, 0), np.maximum(high - value, 0)],
                    fmt="os^D"[place % 4] + "-",
                    ms=4,
                    lw=1.2,
                    capsize=2,
                    color=SERIES_COLOURS[place % len(SERIES_COLOURS)],
                    label=f"{neighbours} on either side",
                )
            axis.set_xscale("log")
            counts = sorted(set(table["sections"]))
            axis.set_xticks(counts, [str(one) for one in counts])
            axis.xaxis.set_minor_locator(NullLocator())
            axis.xaxis.set_minor_formatter(NullFormatter())
            axis.set(title=title, xlabel="labelled sections", ylabel="mean over test sections")
        axes[0].legend(title="neighbouring sections", frameon=False)
    return figure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--points", type=Path, nargs="+", required=True, help="JSON of each point")
    parser.add_argument("--table", type=Path, required=True, help="TSV to write")
    parser.add_argument("--figure", type=Path, required=True, help="PNG to write")


def main(given: argparse.Namespace) -> None:
    """Write the learning curve."""
    points = [json.loads(path.read_text(encoding="utf-8")) for path in given.points]
    table = table_of(points)
    write_table(given.table, table)
    save_figure(draw(table), given.figure)
