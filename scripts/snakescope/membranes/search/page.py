"""The result of a search: which kernels are best on the tuning sections, and how sure that is.

snakescope membranes search --tables rung0.tsv rung1.tsv --trainings trainings --settings '{}'
    --table search.tsv --page search.md --figure search.png
"""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from snakescope.imaging.style import FAINT_INK, SERIES_COLOURS, figure_style, save_figure
from snakescope.membranes.features.statistics import STATISTICS
from snakescope.membranes.networks.kernels import kernels_of, name_of
from snakescope.membranes.search.rule import Tried, idle_order, propose
from snakescope.membranes.search.settings import SearchPageSettings
from snakescope.membranes.search.trial import folder_of
from snakescope.report.pages import markdown, write_text
from snakescope.step.tables import read_table, write_table


def draw(table: pd.DataFrame) -> Figure:
    """IoU on tuning sections against steps, a line a setting; bars from least to greatest seed."""
    with figure_style():
        figure, axis = plt.subplots(figsize=(7, 4), constrained_layout=True)
        best = table.loc[table["kept"] == "yes", "kernels"].iloc[-1]
        for name, part in table.groupby("kernels", sort=False):
            colour = SERIES_COLOURS[0] if name == best else FAINT_INK
            axis.errorbar(
                part["steps"], part["tune_iou"],
                [part["tune_iou"] - part["low"], part["high"] - part["tune_iou"]],
                fmt="o-", ms=3, lw=2 if name == best else 0.8, color=colour,
                alpha=1 if name == best else 0.5, label=str(name) if name == best else None,
            )  # fmt: skip
        axis.set(xlabel="optimiser steps", ylabel="IoU on tuning sections")
        axis.set_title("Successive halving; bars: least and greatest seed")
        axis.legend()
    return figure


def page_of(table: pd.DataFrame, trainings: Path, settings: SearchPageSettings) -> str:
    """The page in Markdown."""
    last = table[table["steps"] == settings.rungs[-1]]
    best = str(last["kernels"].iloc[0])
    row = last.iloc[0]
    rows = [
        json.loads(
            (trainings / folder_of(kernels_of(best), seed) / f"steps{settings.rungs[-1]}.json")
            .read_text(encoding="utf-8")
        )
        for seed in range(settings.seeds)
    ]  # fmt: skip
    branches = {
        name: {one: sum(r["branches"][name][one] for r in rows) / len(rows) for one in STATISTICS}
        for name in rows[0]["branches"]
    }
    history = [Tried(kernels_of(best), float(row["tune_iou"]))]
    proposed = propose(branches, history, [kernels_of(one) for one in table["kernels"].unique()])
    statistics = pd.DataFrame([{"branch": name, **values} for name, values in branches.items()])
    kernels = ", ".join(map(str, kernels_of(best)))
    lines = [
        "# Search for kernels",
        f"Best on the tuning sections after {settings.rungs[-1]} steps: **{kernels}** (IoU"
        f" {row['tune_iou']:.3f}, seeds from {row['low']:.3f} to {row['high']:.3f}). Write it into"
        f" the configuration: `membranes: training: network: kernels: [{kernels}]`.",
        f"With {settings.seeds} seeds a setting, and the best of {table['kernels'].nunique()}"
        " chosen, this IoU is too high for new sections, and settings whose ranges overlap are not"
        " told apart. Score the choice on test sections.",
        markdown(table, {"tune_iou": ".4f", "low": ".4f", "high": ".4f"}),
        "## Feature maps of the best setting",
        f"The branch that works least, by the loss without it, is {idle_order(branches)[0]}."
        + (f" The rule of Takaya et al. would try {name_of(proposed)} next." if proposed else ""),
        markdown(statistics, dict.fromkeys(STATISTICS, ".3f")),
    ]
    return "\n\n".join(lines) + "\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--tables", type=Path, nargs="+", required=True, help="of the rungs")
    parser.add_argument("--trainings", type=Path, required=True, help="folder of the trials")
    parser.add_argument("--settings", required=True, help="JSON of membranes.search")
    parser.add_argument("--table", type=Path, required=True, help="TSV to write")
    parser.add_argument("--page", type=Path, required=True, help="Markdown to write")
    parser.add_argument("--figure", type=Path, required=True, help="PNG to write")


def main(given: argparse.Namespace) -> None:
    """Write the page of a search."""
    settings = SearchPageSettings.model_validate_json(given.settings)
    parts = [
        read_table(path, ("kernels", "tune_iou")).assign(steps=steps)
        for path, steps in zip(given.tables, settings.rungs, strict=True)
    ]
    table = pd.concat(parts, ignore_index=True)
    write_table(given.table, table)
    save_figure(draw(table), given.figure)
    write_text(given.page, page_of(table, given.trainings, settings))
