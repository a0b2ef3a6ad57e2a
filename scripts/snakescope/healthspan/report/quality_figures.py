"""The pictures of the quality page: one panel each, and all of them as one figure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from snakescope.healthspan.report.quality_measures import (
    Measures,
    Verdict,
    confidence,
    usable_counts,
)
from snakescope.healthspan.states.states import STATE_COLOURS, STATES, UNKNOWN
from snakescope.imaging.style import FAINT_INK, INK, SERIES_COLOURS, figure_style


@dataclass(frozen=True)
class Picture:
    """A frame with its masks outlined: heading, and RGB pixels uint8 (Y, X, 3)."""

    heading: str
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class Tables:
    """A plate's tables, all with a column ``day``; see :func:`with_days`."""

    frames: pd.DataFrame
    counts: pd.DataFrame
    states: pd.DataFrame
    dropped: pd.DataFrame


def with_days(table: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """``table`` with the day of its timepoints, as the counts have it."""
    day = counts.drop_duplicates("timepoint").set_index("timepoint")["day"]
    return table.assign(day=table["timepoint"].map(day).astype(float))


def _lost(axes: Axes, frames: pd.DataFrame) -> None:
    """Crosses along the bottom where a frame is missing or could not be used."""
    lost = frames[frames["status"] != "registered"]
    if len(lost):
        axes.plot(
            lost["day"],
            np.full(len(lost), 0.03),
            "x",
            color=FAINT_INK,
            markersize=5,
            transform=axes.get_xaxis_transform(),
            label="no usable frame",
            clip_on=False,
        )


def draw_shift(axes: Axes, tables: Tables) -> None:
    """Shift and rotation of every frame against the reference frame."""
    good = tables.frames[tables.frames["status"] == "registered"]
    for name, text, colour in (
        ("shift_y_px", "y", SERIES_COLOURS[0]),
        ("shift_x_px", "x", SERIES_COLOURS[1]),
    ):
        axes.plot(good["day"], good[name], ".-", color=colour, label=text, linewidth=1)
    axes.set(title="Shift of the frames", xlabel="day", ylabel="shift (raw px)")
    turned = axes.twinx()
    turned.plot(
        good["day"], good["rotation_deg"], ".:", color=SERIES_COLOURS[2], label="rotation", lw=1
    )
    turned.set_ylabel("rotation (degrees)", color=SERIES_COLOURS[2])
    turned.grid(False)
    _lost(axes, tables.frames)
    handles, labels = axes.get_legend_handles_labels()
    more, names = turned.get_legend_handles_labels()
    axes.legend(handles + more, labels + names, ncols=2, loc="upper left")
    for one in (axes, turned):
        low, high = one.get_ylim()
        one.set_ylim(low - 0.08 * (high - low), high + 0.35 * (high - low))


def draw_score(axes: Axes, tables: Tables) -> None:
    """Score of every frame's registration, by the way it was registered."""
    good = tables.frames[tables.frames["status"] == "registered"]
    methods = sorted(good["method"].dropna().unique())
    for number, method in enumerate(methods):
        rows = good[good["method"] == method]
        axes.plot(
            rows["day"],
            rows["score"],
            "o",
            color=SERIES_COLOURS[number % len(SERIES_COLOURS)],
            markersize=4,
            label=f"{method}: {len(rows)} frames",
        )
    axes.set(title="Registration score", xlabel="day", ylabel="score", ylim=(-0.03, 1.05))
    _lost(axes, tables.frames)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 0.06))


def draw_counts(axes: Axes, tables: Tables, put_on: int | None = None) -> None:
    """Worms found in every usable frame, by state."""
    rows = usable_counts(tables.counts)
    days = rows["day"].to_numpy(float)
    every = tables.counts["day"].sort_values().diff().median()
    width = float(every) * 0.9 if np.isfinite(every) and every > 0 else 0.4
    bottom = np.zeros(len(rows))
    rest = rows["total"].to_numpy(float) - rows[list(STATES)].to_numpy(float).sum(axis=1)
    layers = [(state, rows[state].to_numpy(float)) for state in STATES] + [(UNKNOWN, rest)]
    for state, worms in layers:
        if state != UNKNOWN or worms.any():
            axes.bar(
                days, worms, width, bottom=bottom, color=STATE_COLOURS[state], label=state, lw=0
            )
        bottom = bottom + worms
    if put_on:
        axes.axhline(put_on, color=INK, linewidth=1, linestyle="--", label=f"{put_on} put on")
    top = max(float(bottom.max(initial=1.0)), put_on or 0)
    axes.set(title="Worms found", xlabel="day", ylabel="worms", ylim=(0, 1.25 * top))
    axes.yaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10], integer=True))
    _lost(axes, tables.frames)
    axes.legend(ncols=3, loc="upper left")


def draw_confidence(axes: Axes, tables: Tables) -> None:
    """How sure the classifier was: mean, and the middle 80 % of the detections."""
    sure = tables.states.assign(confidence=confidence(tables.states)).groupby("day")["confidence"]
    low, mean, high = sure.quantile(0.1), sure.mean(), sure.quantile(0.9)
    days = mean.index.to_numpy(float)
    axes.fill_between(
        days, low.to_numpy(float), high.to_numpy(float), color=SERIES_COLOURS[0], alpha=0.15, lw=0,
        label="middle 80 %",
    )  # fmt: skip
    axes.plot(days, mean.to_numpy(float), ".-", color=SERIES_COLOURS[0], label="mean")
    axes.set(
        title="Confidence in the states",
        xlabel="day",
        ylabel="probability of the state",
        ylim=(0.3, 1.03),
    )
    _lost(axes, tables.frames)
    if len(days) == 0:
        axes.set(xticks=[], xlabel="")
        axes.text(0.5, 0.5, "no worms", ha="center", va="center", transform=axes.transAxes)
        return
    axes.legend(loc="lower left", bbox_to_anchor=(0, 0.06))


def draw_dropped(axes: Axes, tables: Tables) -> None:
    """Objects found and dropped, by reason; second views of one worm are none of them."""
    reasons = tables.dropped["reason"]
    reasons = reasons[reasons != "duplicate"].value_counts().sort_values()
    axes.barh(reasons.index.astype(str), reasons.to_numpy(), color=SERIES_COLOURS[4], height=0.6)
    for place, number in enumerate(reasons):
        axes.text(number, place, f" {number}", va="center", fontsize=8)
    axes.set(title="Objects dropped", xlabel="objects")
    axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
    axes.grid(False, axis="y")
    if reasons.empty:
        axes.set(yticks=[], xlim=(0, 1))
        axes.text(0.5, 0.5, "none", ha="center", va="center", transform=axes.transAxes)
    else:
        axes.set(xlim=(0, 1.15 * reasons.max()), ylim=(-0.6, max(len(reasons), 4) - 0.4))


def panels(put_on: int | None) -> dict[str, Callable[[Axes, Tables], None]]:
    """The panels in the order of the page, by a short name."""
    return {
        "shift": draw_shift,
        "score": draw_score,
        "counts": lambda axes, tables: draw_counts(axes, tables, put_on),
        "confidence": draw_confidence,
        "dropped": draw_dropped,
    }


def panel_figure(draw: Callable[[Axes, Tables], None], tables: Tables) -> Figure:
    """One panel as a figure of its own."""
    with figure_style():
        figure = Figure(figsize=(6.2, 3.4), layout="constrained")
        draw(figure.subplots(), tables)
    return figure


def summary_figure(
    plate: str, tables: Tables, pictures: Sequence[Picture], measures: Measures, verdict: Verdict
) -> Figure:
    """Everything on one sheet: frames with masks above, panels below."""
    with figure_style():
        figure = Figure(figsize=(12.5, 10.5), layout="constrained")
        grid = figure.add_gridspec(3, 6, height_ratios=(1.45, 1, 1))
        shown = list(pictures)
        if len(shown) > 3:
            shown = [shown[0], shown[len(shown) // 2], shown[-1]]
        for number, picture in enumerate(shown):
            axes = figure.add_subplot(grid[0, 2 * number : 2 * number + 2])
            axes.imshow(picture.pixels, interpolation="antialiased")
            axes.set_title(picture.heading)
            axes.set_axis_off()
        places = [grid[1 + k // 3, 2 * (k % 3) : 2 * (k % 3) + 2] for k in range(6)]
        for place, draw in zip(places, panels(measures.put_on).values(), strict=False):
            draw(figure.add_subplot(place), tables)
        _verdict(figure.add_subplot(places[5]), measures, verdict)
        figure.suptitle(f"{plate}: {verdict.status}", x=0.01, ha="left", weight="bold", size=14)
    return figure


def _verdict(axes: Axes, measures: Measures, verdict: Verdict) -> None:
    axes.set_axis_off()
    axes.set_title("In words")
    lines = [
        f"{measures.usable} of {measures.frames} frames usable",
        f"{measures.worms} worms{' put on' if measures.worms == measures.put_on else ''}, "
        f"{measures.deaths - measures.dead_at_start} seen to die"
        + (f", {measures.dead_at_start} dead at first" if measures.dead_at_start else ""),
        "",
    ]
    lines += [fill(f"\N{BULLET} {text}", 52) for text in verdict.warnings] or ["no warning"]
    axes.text(0, 0.97, "\n".join(lines), va="top", linespacing=1.5, transform=axes.transAxes)
