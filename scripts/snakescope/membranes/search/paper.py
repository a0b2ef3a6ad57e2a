"""The comparison of searches for kernels, on a full table of trainings: tables, figure, page.

snakescope membranes paper --rows k4-8-16_seed0/steps20.json ... --search '{}' --settings '{}'
    --trainings trainings.tsv --curves search.tsv --page membranes-paper.md --figure search.png
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from snakescope.imaging.style import SERIES_COLOURS, figure_style, save_figure
from snakescope.membranes.search.findings import (
    comparisons,
    contrast_of_kernels,
    curves,
    hit_rates,
    sentence,
    settings_table,
    summary,
)
from snakescope.membranes.search.replay import FullTable, full_table
from snakescope.membranes.search.select import read_rows
from snakescope.membranes.search.settings import PaperSettings, SearchSettings
from snakescope.membranes.search.trials_table import row_of
from snakescope.report.pages import markdown, write_text
from snakescope.step.errors import StepError
from snakescope.step.tables import write_table

COMPARED_TRAININGS = 4
"""Budget at which strategies are compared, in whole trainings."""
LINES = ("-", "--", "-.", ":", (0, (5, 1)))


NOTHING_COMPARED = "- No strategies could be compared within the budget."
PAGE = """# Kernels chosen by machine

Takaya et al. looked at the feature maps of a Deep Contextual Network, shrank the deconvolution
kernel of the branch that worked too little, and trained again. This page tries the choice by
machine, and compares it with other searches. Their table has one training a setting. By its own
numbers, settings drawn at random reach the mean of the proposed ones with a probability of
{paper_p:.2f} (permutation test), so that it is no evidence for the rule.

{data} {settings} settings with {seeds} paired seeds of {steps} steps, {minutes:.0f} minutes of a
processor. Settings are chosen on tuning sections and reported on test sections, by seeds that took
no part in the choice.

![Expected scores against the budget]({figure})

## What comes out

{said}
- The IoU of one setting varies over seeds with a standard deviation of {sd_seeds:.4f}, the means of
  settings vary with {sd_settings:.4f} (Friedman test of any effect of the kernels:
  p = {friedman_p:.2g}). {above} of {others} settings differ from the first one after Holm's
  correction.

## Settings

IoU, V_Rand and V_Info on test sections. Differences to the first setting are paired by seed.

{settings_table}

## Which statistic tells the branch to change

How often the branch that a statistic of the first training calls idle is the one whose change
raises the IoU on tuning sections most; chance is 1 in 3. The loss without a branch was fixed as the
rule beforehand, the others are exploratory.

{hits_table}

## Contrast of feature maps

Takaya et al. found that a smaller kernel gives its map more contrast. Difference of the contrast
(95th minus 5th percentile, logits) to that of the first setting. `period_share` is the share of the
map's variance that repeats with the stride: contrast that comes from the kernel alone.

{contrast_table}
"""


def draw(found: pd.DataFrame, table: FullTable) -> Figure:
    """Expected IoU and V_Rand on test sections against the budget."""
    with figure_style():
        figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.8), constrained_layout=True)
        for axis, (metric, label) in zip(axes, (("iou", "IoU"), ("v_rand", "V_Rand")), strict=True):
            for place, (strategy, part) in enumerate(
                found[found["metric"] == metric].groupby("strategy", sort=False)
            ):
                colour, line = SERIES_COLOURS[place], LINES[place]
                budget = part["budget_steps"] / table.rungs[-1]
                if len(part) == 1:
                    axis.plot(budget, part["value"], "D", color=colour, label=strategy)
                    continue
                axis.plot(budget, part["value"], ls=line, color=colour, label=strategy)
                axis.fill_between(budget, part["low"], part["high"], color=colour, alpha=0.12, lw=0)
            axis.set(
                xlabel=f"budget (trainings of {table.rungs[-1]} steps)",
                ylabel=f"expected {label} on test sections",
            )
        axes[0].set_title(f"{len(table.seeds)} paired seeds, bands: 95 % over seeds")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right upper")
    return figure


def page_of(table: FullTable, settings: PaperSettings, figure: str, data: str) -> str:
    """The page in Markdown."""
    figures = summary(table)
    of_settings = settings_table(table)
    budget = COMPARED_TRAININGS * table.rungs[-1]
    said = [
        sentence(one, len(table.seeds))
        for one in comparisons(table, budget, settings.resamples, settings.seed)
    ]
    formats = dict.fromkeys(
        ("iou", "low", "high", "v_rand", "v_info", "paper_iou", "regret_iou", "hit_rate"), ".3f"
    )
    formats |= dict.fromkeys(("difference", "difference_low", "difference_high", "value"), "+.3f")
    formats |= dict.fromkeys(("p", "p_holm"), ".3g")
    formats |= dict.fromkeys(("period_share", "period_share_from"), ".3f")
    above = int(figures["settings_above_first"])
    return PAGE.format(
        paper_p=figures["paper_p"],
        data=data,
        settings=len(table.kernels),
        seeds=len(table.seeds),
        steps=table.rungs[-1],
        minutes=figures["seconds"] / 60,
        figure=figure,
        said="\n".join(f"- {one}" for one in said) or NOTHING_COMPARED,
        sd_seeds=figures["sd_seeds"],
        sd_settings=figures["sd_settings"],
        friedman_p=figures["friedman_p"],
        above=above,
        others=len(of_settings) - 1,
        settings_table=markdown(of_settings, formats),
        hits_table=markdown(hit_rates(table), formats),
        contrast_table=markdown(contrast_of_kernels(table), formats),
    )


def write_paper(
    rows: pd.DataFrame,
    search: SearchSettings,
    settings: PaperSettings,
    curves_path: Path,
    page: Path,
    figure: Path,
    data: str,
) -> None:
    """Write curves, page and figure of a full table.

    Raises:
        StepError: no seed has a training of every setting.
    """
    try:
        table = full_table(rows, search.kernels, search.rungs)
    except ValueError as error:
        raise StepError(
            f"trainings: expected every setting with at least one seed, found {error}; train them"
        ) from None
    found = curves(table, settings.resamples, settings.seed)
    write_table(curves_path, found)
    save_figure(draw(found, table), figure)
    relative = figure.name if figure.parent == page.parent else f"../pictures/{figure.name}"
    write_text(page, page_of(table, settings, relative, data))


def rows_of(paths: Sequence[Path]) -> pd.DataFrame:
    """The rows of trials as one table."""
    return pd.DataFrame([row_of("", one) for one in read_rows(paths)])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--rows", type=Path, required=True, help="folder of the trials")
    parser.add_argument("--search", required=True, help="JSON of membranes.search")
    parser.add_argument("--settings", required=True, help="JSON of membranes.paper")
    parser.add_argument("--trainings", type=Path, required=True, help="TSV of all, to write")
    parser.add_argument("--curves", type=Path, required=True, help="TSV to write")
    parser.add_argument("--page", type=Path, required=True, help="Markdown to write")
    parser.add_argument("--figure", type=Path, required=True, help="PNG to write")


def main(given: argparse.Namespace) -> None:
    """Compare searches."""
    search = SearchSettings.model_validate_json(given.search)
    settings = PaperSettings.model_validate_json(given.settings)
    rows = rows_of(sorted(given.rows.glob("*/steps*.json")))
    write_table(given.trainings, rows)
    data = "Stacks of the sample sheet:"
    write_paper(rows, search, settings, given.curves, given.page, given.figure, data)
