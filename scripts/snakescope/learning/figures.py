"""Figures of the scores of trained models."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snakescope.imaging.style import FAINT_INK, INK, PAPER, SERIES_COLOURS, figure_style
from snakescope.learning.intervals import Interval
from snakescope.learning.scores import Roc

PANEL_INCHES = 3.2
MARKERS = "osD^vPX"
"""Of the series, so that no two are told apart by their colour alone."""
LINES = ("-", "--", "-.", ":")


class Curve(NamedTuple):
    """A ROC curve of a model, its area with interval, and its band (``roc_band``)."""

    roc: Roc
    area: Interval
    band: pd.DataFrame


class Picture(NamedTuple):
    """An image (Y, X) with its caption."""

    pixels: NDArray[np.generic]
    caption: str


def _panels(count: int, width: float = PANEL_INCHES, height: float = PANEL_INCHES) -> list[Axes]:
    """Axes in up to four columns, on a new figure."""
    columns = min(max(count, 1), 4)
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for spare in axes[count:]:
        spare.axis("off")
    return axes[:count]


def _figure_of(axes: Sequence[Axes]) -> Figure:
    figure = axes[0].figure
    assert isinstance(figure, Figure)
    return figure


def draw_confusion(
    ax: Axes,
    counts: NDArray[np.integer],
    classes: Sequence[str],
    shares: bool = False,
    **of_ticks: Any,
) -> None:
    """Draw counts, coloured by their share of the true class.

    Args:
        counts: shape (classes, classes), rows are true classes.
        shares: write the shares as well.
        of_ticks: how classes are written.
    """
    whole = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, whole, out=np.zeros(counts.shape), where=whole > 0)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        ink = PAPER if share[row, column] > 0.6 else INK
        text = f"{count}\n{share[row, column]:.0%}" if shares else str(count)
        ax.text(column, row, text, ha="center", va="center", color=ink, fontsize=8)
    ax.set_xticks(range(len(classes)), classes, **of_ticks)
    ax.set_yticks(range(len(classes)), classes, **of_ticks)
    ax.grid(False)


def confusion_figure(
    confusions: Mapping[str, NDArray[np.integer]], classes: Sequence[str]
) -> Figure:
    """A panel a model: counts, coloured by their share of the true class.

    Args:
        confusions: by model, shape (classes, classes), rows are true classes.
    """
    with figure_style():
        side = max(2.6, 0.62 * len(classes) + 1.3)
        axes = _panels(len(confusions), side, side)
        for ax, (model, counts) in zip(axes, confusions.items(), strict=True):
            draw_confusion(ax, counts, classes, shares=True)
            ax.set(title=model, xlabel="predicted class", ylabel="true class")
        return _figure_of(axes)


def roc_figure(curves: Mapping[str, Mapping[str, Curve]]) -> Figure:
    """A panel a class (against all others), a curve a model, with its band.

    Args:
        curves: by class, by model.
    """
    with figure_style():
        axes = _panels(len(curves), PANEL_INCHES + 0.3, PANEL_INCHES + 0.5)
        for ax, (name, of_models) in zip(axes, curves.items(), strict=True):
            ax.plot([0, 1], [0, 1], color=FAINT_INK, linewidth=0.8, linestyle=(0, (1, 3)))
            for place, (model, curve) in enumerate(of_models.items()):
                colour = SERIES_COLOURS[place % len(SERIES_COLOURS)]
                label = f"{model}: {curve.area.value:.2f}"
                if np.isfinite(curve.area.low):
                    label += f" ({curve.area.low:.2f} to {curve.area.high:.2f})"
                band = curve.band
                ax.fill_between(
                    band["false_positive"], band["low"], band["high"],
                    step="post", color=colour, alpha=0.15, linewidth=0,
                )  # fmt: skip
                ax.plot(
                    curve.roc.false_positive, curve.roc.true_positive,
                    color=colour, linestyle=LINES[place % len(LINES)], label=label,
                )  # fmt: skip
            ax.legend(loc="lower right", title="AUC (95 %)", title_fontsize=8, fontsize=7)
            ax.set(
                title=f"{name} against the rest",
                xlabel="1 - specificity (share of others)",
                ylabel=f"sensitivity (share of {name})",
                xlim=(-0.02, 1.02),
                ylim=(-0.02, 1.02),
                aspect="equal",
            )
        return _figure_of(axes)


def reliability_figure(tables: Mapping[str, pd.DataFrame], errors: Mapping[str, float]) -> Figure:
    """A panel a model: accuracy against confidence in bins, with Wilson intervals and counts.

    Args:
        tables: by model, of :func:`snakescope.learning.scores.reliability`.
        errors: by model, the expected calibration error.
    """
    with figure_style():
        axes = _panels(len(tables))
        for ax, (model, table) in zip(axes, tables.items(), strict=True):
            ax.plot([0, 1], [0, 1], color=FAINT_INK, linewidth=0.8, linestyle=(0, (1, 3)))
            above = np.array([table["high"] - table["accuracy"]])
            below = np.array([table["accuracy"] - table["low"]])
            ax.errorbar(
                table["confidence"], table["accuracy"], yerr=np.vstack([below, above]),
                color=SERIES_COLOURS[0], marker="o", markersize=4, elinewidth=1, linewidth=1.2,
            )  # fmt: skip
            for row in table.itertuples():
                ax.annotate(
                    str(row.items), (row.confidence, row.low), xytext=(0, -3),
                    textcoords="offset points", ha="center", va="top", fontsize=7, color=FAINT_INK,
                )  # fmt: skip
            ax.set(
                title=f"{model}, ECE {errors[model]:.3f}",
                xlabel="confidence (probability)",
                ylabel="accuracy (share), 95 %",
                xlim=(0, 1.03),
                ylim=(-0.08, 1.03),
                aspect="equal",
            )
        return _figure_of(axes)


def folds_figure(
    scores: Mapping[str, Sequence[Interval]], pooled: Mapping[str, Interval], metric: str
) -> Figure:
    """Score of each fold with its interval, and of all folds together as a line with a band.

    Args:
        scores: by model, a score a fold.
        pooled: by model, of all items.
        metric: what is scored, with its unit.
    """
    with figure_style():
        folds = max(len(one) for one in scores.values())
        figure = Figure(figsize=(1.6 + 0.28 * folds * len(scores) + 1.6, 3.0), layout="constrained")
        ax = figure.subplots()
        width = 0.7 / len(scores)
        for place, (model, values) in enumerate(scores.items()):
            colour = SERIES_COLOURS[place % len(SERIES_COLOURS)]
            at = np.arange(len(values)) + (place - (len(scores) - 1) / 2) * width
            whole = pooled[model]
            ax.axhline(whole.value, color=colour, linewidth=1, linestyle=LINES[place % len(LINES)])
            ax.axhspan(whole.low, whole.high, color=colour, alpha=0.08, linewidth=0)
            means = np.array([one.value for one in values])
            ends = np.array([[m - v.low, v.high - m] for m, v in zip(means, values, strict=True)])
            ax.errorbar(
                at, means, yerr=ends.T, fmt=MARKERS[place % len(MARKERS)], color=colour,
                markersize=4, elinewidth=1,
                label=f"{model}: {whole.value:.2f} ({whole.low:.2f} to {whole.high:.2f})",
            )  # fmt: skip
        ax.set_xticks(range(folds), [str(fold) for fold in range(folds)])
        ax.set(xlabel="fold that is held out", ylabel=f"{metric}, 95 %", ylim=(0, 1.03))
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1), title="all folds", title_fontsize=8)
        return figure


def picture_sheet(pictures: Sequence[Picture], title: str, columns: int = 6) -> Figure:
    """Contact sheet of grey images with a caption each, such as the surest errors."""
    with figure_style():
        rows = max(1, math.ceil(len(pictures) / columns))
        figure = Figure(figsize=(1.6 * columns, 1.75 * rows + 0.35), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for ax in axes:
            ax.axis("off")
        for ax, (pixels, caption) in zip(axes, pictures, strict=False):
            ax.imshow(pixels, cmap="gray")
            ax.set_title(caption, fontsize=7, fontweight="normal", loc="center")
        if not pictures:
            axes[0].text(0, 0.5, "none", transform=axes[0].transAxes)
        return figure
