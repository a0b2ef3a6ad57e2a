"""Figure 16 of Matsuo et al.: curves of simulated plates by truth and by each method for states.

The detections of ``paper.drawn_plates`` are judged by every method of table 5; the same tracker
and the same estimate of the curves follow.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snakescope.healthspan.evaluation.scores import true_share
from snakescope.healthspan.paper.drawn_plates import AGE_D, DrawnPlate, draw_plate_of_weeks
from snakescope.healthspan.paper.rows import PaperRow, table_of
from snakescope.healthspan.paper.settings import PaperCurvesSettings, PaperStatesSettings
from snakescope.healthspan.paper.state_examples import TUNING, draw_state_examples
from snakescope.healthspan.paper.states import (
    Classifier,
    judged,
    load_classifiers,
    methods_of,
)
from snakescope.healthspan.states.states import STATE_COLOURS, STATES
from snakescope.healthspan.survival.curves import plate_curves
from snakescope.healthspan.tracking.settings import TrackSettings
from snakescope.healthspan.tracking.track import PROBABILITIES, track_plate
from snakescope.imaging.style import INK, figure_style, save_figure
from snakescope.step.progress import progress
from snakescope.step.tables import write_table

SURE = 0.9
"""Probability that the tracker is given of a state by a method that only names one."""
ENDS = {"alive": "death_d", "healthy": "healthspan_end_d"}
COLOURS = {"alive": STATE_COLOURS["dead"], "healthy": STATE_COLOURS["healthy"]}
CURVE_COLUMNS = ("plate", "method", "day", "alive", "healthy", "alive_true", "healthy_true")


def states_table(plate: DrawnPlate, called: NDArray[np.int64]) -> pd.DataFrame:
    """The detections of a plate with their states (N,), as the tracker takes them."""
    sure = np.full((len(called), len(STATES)), (1 - SURE) / (len(STATES) - 1))
    sure[np.arange(len(called)), called] = SURE
    table = plate.detections.copy()
    table[PROBABILITIES] = sure
    table["state"] = np.array(STATES, dtype=object)[called]
    return table


def curves_of(plate: DrawnPlate, called: NDArray[np.int64], age_d: float) -> pd.DataFrame:
    """The curves of a plate by the states of its detections: day, alive, healthy, and the truth."""
    found = track_plate(
        states_table(plate, called), plate.frames, age_d, len(plate.lives), TrackSettings()
    )
    curves = plate_curves(found.individuals, found.counts, 0.95)[0]
    day = curves["day"].to_numpy(np.float64)
    table = curves[["day", *ENDS]].copy()
    for name, end in ENDS.items():
        # Where a curve ends since no worm is watched any longer, its last value holds.
        table[name] = table[name].ffill()
        table[f"{name}_true"] = true_share(plate.lives[end].to_numpy(np.float64), day)
    return table


def distances(table: pd.DataFrame) -> dict[str, float]:
    """Greatest distance of each curve from the true shares at any frame (0 to 1)."""
    return {name: float((table[name] - table[f"{name}_true"]).abs().max()) for name in ENDS}


def rows_of(curves: pd.DataFrame) -> list[PaperRow]:
    """The distances of each method: their mean over plates, the least and the greatest."""
    rows = []
    for method, table in curves.groupby("method", sort=False):
        plates = [distances(part) for _, part in table.groupby("plate")]
        for name in ENDS:
            values = [one[name] for one in plates]
            rows.append(
                PaperRow(
                    "figure 16", "simulated_plates", str(method), f"{name} distance",
                    float(np.mean(values)), min(values), max(values), len(plates),
                )
            )  # fmt: skip
    return rows


def curves_figure(curves: pd.DataFrame) -> Figure:
    """A panel a method: the mean curves of all plates (lines), and the truth (dashed)."""
    mean = curves.drop(columns="plate").groupby(["method", "day"], sort=False).mean().reset_index()
    methods: Sequence[str] = list(dict.fromkeys(mean["method"]))
    columns = min(3, len(methods))
    rows = -(-len(methods) // columns)
    with figure_style():
        figure = Figure(figsize=(3.1 * columns, 2.3 * rows + 0.3), layout="constrained")
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for ax in axes[len(methods) :]:
            ax.set_visible(False)
        for ax, method in zip(axes, methods, strict=False):
            part = mean[mean["method"] == method]
            for name, colour in COLOURS.items():
                ax.plot(part["day"], part[name], color=colour, label=name)
                truth = f"{name}_true"
                ax.plot(part["day"], part[truth], "--", color=INK, linewidth=0.9, label="truth")
            ax.set_title(method.replace(", ", ",\n"), fontsize=8)
            ax.set(ylim=(-0.02, 1.05))
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles[:3], labels[:3], loc="outside upper right", ncols=3)
        figure.supxlabel("day of adulthood", fontsize=9)
        figure.supylabel("share of worms", fontsize=9)
        return figure


def curves_by_method(
    settings: PaperCurvesSettings,
    tuned_on: PaperStatesSettings,
    trained: Mapping[str, Classifier],
    shipped: Classifier,
) -> pd.DataFrame:
    """The curves of every plate by every method, see ``CURVE_COLUMNS``."""
    tuning = draw_state_examples("steady", tuned_on.seed, TUNING, tuned_on.tuning_per_state)
    methods = methods_of(tuning, trained, shipped)
    pieces = []
    for number in progress(range(settings.plates), "plates"):
        plate = draw_plate_of_weeks(settings.seed + number, settings)
        for method, called in judged(plate.worms, tuning, methods).items():
            table = curves_of(plate, called, AGE_D)
            pieces.append(table.assign(plate=f"plate_{number + 1}", method=method))
    return pd.concat(pieces, ignore_index=True)[list(CURVE_COLUMNS)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--weights", required=True, nargs="+", help="of the trained classifiers")
    parser.add_argument("--classifier", required=True, help="weights of the shipped classifier")
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--states-settings", required=True, help="settings of table 5 as JSON")
    parser.add_argument("--rows", required=True, type=Path, help="figures to write (TSV)")
    parser.add_argument("--curves", required=True, type=Path, help="curves to write (TSV)")
    parser.add_argument("--picture", required=True, help="curves to draw")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = PaperCurvesSettings.model_validate_json(arguments.settings)
    tuned_on = PaperStatesSettings.model_validate_json(arguments.states_settings)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    trained = load_classifiers(arguments.weights)
    (shipped,) = load_classifiers([arguments.classifier]).values()
    curves = curves_by_method(settings, tuned_on, trained, shipped)
    write_table(arguments.rows, table_of(rows_of(curves)))
    write_table(arguments.curves, curves.round(4))
    save_figure(curves_figure(curves), arguments.picture)
