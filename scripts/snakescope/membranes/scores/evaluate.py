"""Scores of a stack: membranes against labels, at thresholds chosen on its tuning sections.

snakescope membranes evaluate --stack stack.json --membranes membranes.tif --settings '{}'
    --scores scores.tsv --sections sections.tsv --curve scores.png
"""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from snakescope.imaging.style import FAINT_INK, SERIES_COLOURS, figure_style, save_figure
from snakescope.imaging.volumes import describe, read
from snakescope.membranes.scores.baseline import smoothed_darkness
from snakescope.membranes.scores.pixels import counts_of, pixel_scores
from snakescope.membranes.scores.settings import EvaluateSettings
from snakescope.membranes.scores.stack_scores import (
    THRESHOLDS,
    Pair,
    Thresholds,
    cell_curve,
    choose_thresholds,
    means_of,
    score_sections,
)
from snakescope.membranes.stacks.manifest import Manifest, read_manifest
from snakescope.membranes.stacks.sections import read_grey, read_membrane
from snakescope.step.tables import write_table

NETWORK, RAW = "network", "raw"
OF_PIXELS = ("iou", "pixel_error", "area_ratio")


def pairs_of(manifest: Manifest, membranes: str, smoothing_px: float) -> dict[str, list[Pair]]:
    """Pairs of the baseline and of the network, by ``<source> <part>``."""
    stored = describe(membranes)
    found: dict[str, list[Pair]] = {}
    for part in ("tune", "test"):
        for source in (NETWORK, RAW):
            found[f"{source} {part}"] = []
        for z in manifest.parts[part]:
            truth = read_membrane(manifest, z, z + 1)[0]
            section = read_grey(manifest, z, z + 1).image[0]
            found[f"{NETWORK} {part}"].append((read(stored, z, z + 1)[0], truth))
            found[f"{RAW} {part}"].append((smoothed_darkness(section, smoothing_px), truth))
    return found


def score_rows(
    source: str, tuning: list[Pair], testing: list[Pair]
) -> tuple[pd.DataFrame, Thresholds, pd.DataFrame]:
    """Rows of scores.tsv for one source, its thresholds, and the scores of every section."""
    thresholds = choose_thresholds(tuning)
    sections = score_sections(testing, thresholds)
    rows = []
    for metric, one in means_of(sections).items():
        threshold = thresholds.pixels if metric in OF_PIXELS else thresholds.cells
        threshold = thresholds.joined if metric.endswith("_joined") else threshold
        rows.append(
            {
                "network": source,
                "metric": metric,
                "value": one.value,
                "low": one.low,
                "high": one.high,
                "n": len(sections),
                "threshold": np.nan if metric.endswith("_max") else threshold,
                "threshold_from": _origin(metric, thresholds),
            }
        )
    return pd.DataFrame(rows), thresholds, sections


def _origin(metric: str, thresholds: Thresholds) -> str:
    if metric.endswith("_max"):
        return "test sections"
    return "tuning sections" if thresholds.tuned else "not tuned"


def draw_curves(testing: list[Pair], thresholds: Thresholds, stack: str) -> Figure:
    """Scores of the test sections at every threshold, the tuned ones marked."""
    cells = cell_curve(testing, THRESHOLDS).mean(axis=0)
    counts = [counts_of(*one) for one in testing]
    pixels = np.array(
        [np.mean([pixel_scores(one, t) for one in counts], axis=0) for t in THRESHOLDS]
    )
    with figure_style():
        figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), constrained_layout=True)
        for column, (name, style) in enumerate((("V_Rand", "o-"), ("V_Info", "s--"))):
            axes[0].plot(
                THRESHOLDS, cells[:, column], style, ms=3, color=SERIES_COLOURS[column], label=name
            )
        axes[1].plot(THRESHOLDS, pixels[:, 0], "o-", ms=3, label="IoU of membranes")
        axes[1].plot(THRESHOLDS, pixels[:, 2], "s--", ms=3, label="area, predicted / true")
        axes[1].axhline(1, color=FAINT_INK, lw=0.8)
        names = (("cells", thresholds.cells), ("pixels", thresholds.pixels))
        for axis, (what, threshold) in zip(axes, names, strict=True):
            how = "tuned" if thresholds.tuned else "not tuned"
            axis.axvline(threshold, color=FAINT_INK, ls=":", label=f"{threshold:g}, {how}")
            axis.set(xlabel="threshold on the probability of membrane", xlim=(0, 1))
            axis.set_title(f"{stack}: {what}")
            axis.legend()
        axes[0].set(ylabel="score, 1 is best", ylim=(min(0.5, float(cells.min())), 1.01))
        axes[1].set(ylabel="share", ylim=(0, min(3.0, float(np.nanmax(pixels[:, 2])) * 1.05)))
    return figure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--stack", type=Path, required=True, help="stack.json of the stack")
    parser.add_argument("--membranes", required=True, help="TIFF stack of probabilities")
    parser.add_argument("--settings", required=True, help="JSON of membranes.scores")
    parser.add_argument("--extra", default="{}", help="JSON: cells of further columns of the sheet")
    parser.add_argument("--scores", type=Path, required=True, help="TSV to write")
    parser.add_argument("--sections", type=Path, required=True, help="TSV to write, a section each")
    parser.add_argument("--curve", type=Path, required=True, help="PNG to write")


def main(given: argparse.Namespace) -> None:
    """Score the membranes of a stack."""
    settings = EvaluateSettings.model_validate_json(given.settings)
    manifest = read_manifest(given.stack)
    pairs = pairs_of(manifest, given.membranes, settings.smoothing_px)
    tables, by_section = [], []
    for source in (NETWORK, RAW):
        testing = pairs[f"{source} test"]
        table, thresholds, sections = score_rows(source, pairs[f"{source} tune"], testing)
        tables.append(table)
        numbers = pd.DataFrame({"network": source, "section": manifest.parts["test"]})
        by_section.append(pd.concat([numbers, sections], axis=1))
        if source == NETWORK:
            save_figure(draw_curves(testing, thresholds, manifest.name), given.curve)
    scores = pd.concat(tables).assign(stack=manifest.name, **json.loads(given.extra))
    write_table(given.scores, scores[["stack", *scores.columns.drop("stack")]])
    write_table(given.sections, pd.concat(by_section))
