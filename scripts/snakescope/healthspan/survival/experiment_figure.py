"""Figure of an experiment: lifespan and healthspan of all conditions, with worms at risk."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from snakescope.healthspan.survival.estimators import (
    HEALTHSPAN,
    LIFESPAN,
    Curve,
    Intervals,
    from_the_start,
    median_text,
    survival_curve,
)
from snakescope.healthspan.survival.settings import ExperimentSettings
from snakescope.imaging.style import FAINT_INK, SERIES_COLOURS

CM = 1 / 2.54
LABELS = {LIFESPAN: "share alive", HEALTHSPAN: "share healthy"}
MOST_LINES = 8
"""Comparisons that a figure tells of."""
DASHES = ("-", "--", "-.", (0, (1, 1)))


def _intervals(rows: pd.DataFrame) -> Intervals:
    before = rows["before_d"].to_numpy(np.float64)
    event = rows["event"].to_numpy() == 1
    return Intervals(rows["after_d"].to_numpy(np.float64), np.where(event, before, np.inf))


def condition_curve(rows: pd.DataFrame, first_d: float, confidence: float) -> Curve:
    """Return the curve of the worms of a condition, pooled over its plates.

    Args:
        rows: of the condition and one outcome, as in ``survival_table``; one at least.
        first_d: day of the first usable frame.
        confidence: coverage of the band.
    """
    found = _intervals(rows)
    ends = np.concatenate(([0.0], found.after, found.before[found.observed]))
    curve = survival_curve(found, np.unique(ends), confidence)
    return from_the_start(curve, found, first_d, confidence)


def _draw_outcome(
    axes: Axes,
    own: pd.DataFrame,
    conditions: Sequence[str],
    first_d: Mapping[str, float],
    settings: ExperimentSettings,
) -> list[tuple[Line2D, str]]:
    """Draw the curve of every condition; return its line and label."""
    drawn = []
    for i, condition in enumerate(conditions):
        rows = own[own["condition"] == condition]
        colour = SERIES_COLOURS[i % len(SERIES_COLOURS)]
        # Line styles as well: seven hues are too many for some readers and printers.
        dashes = DASHES[i % len(DASHES)]
        if len(rows) == 0:
            (line,) = axes.plot([], [], color=colour, linestyle=dashes)
            drawn.append((line, f"{condition}: no worms"))
            continue
        curve = condition_curve(rows, first_d[condition], settings.confidence)
        half = median_text(curve, first_d[condition])
        axes.fill_between(curve.day, curve.low, curve.high, color=colour, alpha=0.15, linewidth=0)
        (line,) = axes.plot(curve.day, curve.share, color=colour, linestyle=dashes)
        drawn.append((line, f"{condition} (n = {len(rows)}, {half})"))
    return drawn


def _draw_at_risk(
    axes: Axes,
    own: pd.DataFrame,
    conditions: Sequence[str],
    ticks: np.ndarray,
) -> None:
    axes.set(ylim=(len(conditions) - 0.5, -0.5), yticks=range(len(conditions)))
    axes.set_yticklabels(list(conditions))
    axes.set_title("at risk", fontsize=8, fontweight="normal", color=FAINT_INK)
    axes.grid(False)
    axes.tick_params(length=0, labelbottom=False, pad=14)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for i, condition in enumerate(conditions):
        day = own.loc[own["condition"] == condition, "day"].to_numpy(float)
        axes.get_yticklabels()[i].set_color(SERIES_COLOURS[i % len(SERIES_COLOURS)])
        for tick in ticks:
            axes.text(tick, i, str(int((day >= tick).sum())), ha="center", va="center", fontsize=8)


def draw_experiment(
    survival: pd.DataFrame,
    conditions: Sequence[str],
    first_d: Mapping[str, float],
    title: str,
    axis: str,
    settings: ExperimentSettings,
    note: str = "",
    evidence: Sequence[str] = (),
) -> Figure:
    """Draw lifespan (left) and healthspan (right), each with a legend and worms at risk.

    Args:
        survival: one row per worm and outcome, see ``survival_table`` of the experiment.
        first_d: day of the first usable frame of each condition.
        axis: label of the time axis.
        note: note on the days, at the bottom.
        evidence: what is known of differences, a line each, at the bottom.
    """
    rows = max(len(conditions), 1)
    # A legend inside the axes would cover curves.
    shares = [settings.height_cm, 0.2 + 0.45 * rows, 0.4 + 0.55 * rows]
    height = settings.height_cm + 0.95 * rows + 0.4 * min(len(evidence), MOST_LINES)
    figure = Figure(figsize=(settings.width_cm * CM, height * CM), layout="constrained")
    figure.suptitle(title, fontweight="bold", x=0.01, ha="left")
    told = [*evidence[:MOST_LINES], *([note] if note else [])]
    if len(evidence) > MOST_LINES:
        told.insert(MOST_LINES, f"and {len(evidence) - MOST_LINES} more, in cox.tsv")
    if told:
        text = "\n".join(fill(line, 120) for line in told)
        figure.supxlabel(text, fontsize=8, color=FAINT_INK, x=0.01, ha="left")
    panels = figure.subplots(3, 2, squeeze=False, gridspec_kw={"height_ratios": shares})
    last = float(np.nanmax(survival[["after_d", "before_d"]].to_numpy(float), initial=1.0))
    steps = np.asarray(MaxNLocator(settings.risk_columns, integer=True).tick_values(0, last))
    ticks = steps[(steps >= 0) & (steps <= last)]
    for column, outcome in enumerate((LIFESPAN, HEALTHSPAN)):
        own = survival[survival["outcome"] == outcome]
        upper, legend, lower = panels[:, column]
        upper.set(title=outcome, xlabel=axis, ylabel=LABELS[outcome], ylim=(-0.02, 1.05))
        for one in (upper, lower):
            one.set(xlim=(-0.02 * last, 1.02 * last), xticks=ticks)
        upper.set_yticks(np.linspace(0, 1, 5))
        drawn = _draw_outcome(upper, own, conditions, first_d, settings)
        legend.set_axis_off()
        # Explicit handles, since matplotlib skips labels that begin with _.
        lines, labels = [line for line, _ in drawn], [label for _, label in drawn]
        legend.legend(lines, labels, loc="center left", handlelength=3.2)
        _draw_at_risk(lower, own, conditions, ticks)
    return figure
