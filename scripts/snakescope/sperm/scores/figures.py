"""Figures of predicted distributions over grades."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snakescope.imaging.style import FAINT_INK, INK, SERIES_COLOURS, figure_style
from snakescope.learning.figures import LINES
from snakescope.sperm.scores.metrics import mean_grade
from snakescope.sperm.videos.sheet import GRADES


def errors_figure(
    errors: Mapping[str, NDArray[np.float64]],
    folds: NDArray[np.int64],
    constant: float,
    floor: float,
) -> Figure:
    """Squared error of each network: each fold, and all clips; the mean predictor and the floor."""
    with figure_style():
        figure = Figure(figsize=(6.4, 1.1 + 0.34 * len(errors)), layout="constrained")
        ax = figure.subplots()
        for at, values in enumerate(errors.values()):
            by_fold = [values[folds == fold].mean() for fold in np.unique(folds)]
            ax.plot(by_fold, np.full(len(by_fold), at), "o", ms=4, color=SERIES_COLOURS[0],
                    alpha=0.5, mew=0)  # fmt: skip
            ax.plot([values.mean()], [at], "|", ms=14, mew=2, color=INK)
        for value, text in ((constant, "mean predictor"), (floor, "floor of the raters")):
            ax.axvline(value, color=FAINT_INK, linestyle="--", linewidth=1)
            ax.annotate(text, (value, -0.75), xytext=(3, 0), textcoords="offset points",
                        fontsize=7, color=FAINT_INK, annotation_clip=False)  # fmt: skip
        ax.set_yticks(range(len(errors)), list(errors))
        ax.set_ylim(len(errors) - 0.5, -1.1)
        ax.set(xlabel="mean squared error (1e-2); dots: folds, bar: all clips")
        return figure


def agreement_figure(
    predicted: NDArray[np.float64], truth: NDArray[np.float64], model: str
) -> Figure:
    """Mean grade of the persons against that predicted, and the share of each grade."""
    with figure_style():
        figure = Figure(figsize=(7.2, 3.3), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.plot([0, 4], [0, 4], color=FAINT_INK, linewidth=0.8, linestyle=(0, (1, 3)))
        left.plot(mean_grade(predicted), mean_grade(truth), "o", ms=3.5, mew=0, alpha=0.6)
        left.set(title=model, xlabel="predicted mean grade", ylabel="mean grade of the persons",
                 xlim=(-0.1, 4.1), ylim=(-0.1, 4.1), aspect="equal")  # fmt: skip
        for axis in (left.xaxis, left.yaxis):
            axis.set_ticks(range(5), GRADES)
        place = np.arange(len(GRADES))
        right.bar(place - 0.2, truth.mean(axis=0), 0.38, label="persons")
        right.bar(place + 0.2, predicted.mean(axis=0), 0.38, label=model)
        right.set_xticks(place, GRADES)
        right.set(xlabel="grade", ylabel="share of votes, mean of clips")
        right.legend()
        return figure


def calibration_figure(
    predicted: NDArray[np.float64], truth: NDArray[np.float64], model: str, bins: int = 10
) -> Figure:
    """Share of votes that a grade got against the share predicted, in bins of all grades."""
    with figure_style():
        figure = Figure(figsize=(3.6, 3.5), layout="constrained")
        ax = figure.subplots()
        given, got = predicted.ravel(), truth.ravel()
        edges = np.quantile(given, np.linspace(0, 1, bins + 1))
        which = np.clip(np.searchsorted(edges, given, side="right") - 1, 0, bins - 1)
        means = [(given[which == b].mean(), got[which == b].mean()) for b in np.unique(which)]
        top = 1.05 * max(float(given.max()), max(one[1] for one in means))
        ax.plot([0, top], [0, top], color=FAINT_INK, linewidth=0.8, linestyle=(0, (1, 3)))
        ax.plot(*np.array(means).T, "o-", ms=4)
        ax.set(title=model, xlabel="predicted share of a grade",
               ylabel="share of the votes (bin mean)", xlim=(0, top), ylim=(0, top))  # fmt: skip
        return figure


def risk_figure(
    curves: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> Figure:
    """Error of the clips that are kept as the most doubtful are left out."""
    with figure_style():
        figure = Figure(figsize=(6.4, 3.3), layout="constrained")
        ax = figure.subplots()
        for at, (model, (kept, risk)) in enumerate(curves.items()):
            shown = kept >= 0.1
            ax.plot(
                kept[shown], risk[shown], label=model,
                color=SERIES_COLOURS[at % len(SERIES_COLOURS)],
                linestyle=LINES[at // len(SERIES_COLOURS) % len(LINES)],
            )  # fmt: skip
        ax.set(xlabel="clips that are graded (share), least doubtful first",
               ylabel="mean squared error (1e-2)", xlim=(0.1, 1))  # fmt: skip
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
        return figure
