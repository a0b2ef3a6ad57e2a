"""The table of all folds: every network against the baseline.

snakescope membranes folds --folds dcn_fold0.json ... --table cross_validation.tsv
    --figure cross_validation.png
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

from snakescope.imaging.style import SERIES_COLOURS, figure_style, save_figure
from snakescope.learning.intervals import of_folds
from snakescope.membranes.scores.stack_scores import METRICS
from snakescope.step.tables import write_table

SHOWN = ("iou", "v_rand", "v_info")


def table_of(folds: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """A row a network and metric: mean over folds, the least and the greatest fold."""
    rows: list[dict[str, Any]] = []
    for network in dict.fromkeys(one["network"] for one in folds):
        own = [one for one in folds if one["network"] == network]
        means = [pd.DataFrame(one["sections"].values()).mean() for one in own]
        for metric in (one for one in METRICS if all(one in each for each in means)):
            found = of_folds([float(one[metric]) for one in means])
            rows.append({"network": network, "metric": metric, **found._asdict(), "n": len(own)})
        minutes = [one["seconds"] / 60 for one in own]
        rows.append(
            {"network": network, "metric": "parameters", "value": own[0]["parameters"],
             "low": np.nan, "high": np.nan, "n": 1}
        )  # fmt: skip
        rows.append(
            {"network": network, "metric": "cpu_minutes", **of_folds(minutes)._asdict(),
             "n": len(own)}
        )  # fmt: skip
    return pd.DataFrame(rows)


def draw(folds: Sequence[dict[str, Any]]) -> Figure:
    """A point a fold, a panel a metric; bars are means."""
    networks = list(dict.fromkeys(one["network"] for one in folds))
    with figure_style():
        figure, axes = plt.subplots(1, len(SHOWN), figsize=(9, 3.2), constrained_layout=True)
        for axis, metric in zip(axes, SHOWN, strict=True):
            for place, network in enumerate(networks):
                values = [
                    float(np.mean([one[metric] for one in fold["sections"].values()]))
                    for fold in folds
                    if fold["network"] == network
                ]
                spread = np.linspace(-0.15, 0.15, len(values))
                axis.plot(place + spread, values, "o", ms=4, color=SERIES_COLOURS[place % 7])
                axis.hlines(
                    np.mean(values), place - 0.3, place + 0.3, color=SERIES_COLOURS[place % 7]
                )
            axis.set_xticks(range(len(networks)), networks)
            axis.set(title=metric, ylabel="mean over the sections of a fold")
    return figure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--folds", type=Path, nargs="+", required=True, help="JSON of each fold")
    parser.add_argument("--table", type=Path, required=True, help="TSV to write")
    parser.add_argument("--figure", type=Path, required=True, help="PNG to write")


def main(given: argparse.Namespace) -> None:
    """Write the table of the folds."""
    folds = [json.loads(path.read_text(encoding="utf-8")) for path in given.folds]
    write_table(given.table, table_of(folds))
    save_figure(draw(folds), given.figure)
