"""Survival and healthspan curves of one plate (Matsuo et al., sections 3.4 and 4.4).

Two estimates: counts of each frame divided by the number of worms, as in the paper, and the
interval-censored estimate of the individuals with confidence bands.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snakescope.healthspan.plates.sheet import OF_ADULTHOOD, SINCE_FIRST_FRAME
from snakescope.healthspan.states.states import STATE_COLOURS
from snakescope.healthspan.survival.estimators import (
    HEALTHSPAN,
    LIFESPAN,
    Curve,
    from_day,
    from_the_start,
    immobile_period,
    intervals,
    median_text,
    survival_curve,
)
from snakescope.healthspan.survival.settings import CurvesSettings
from snakescope.healthspan.tracking.individuals import (
    ALIVE,
    INDIVIDUALS_COLUMNS,
    LOST,
    corrected_heading,
)
from snakescope.imaging.style import FAINT_INK, figure_style, save_figure
from snakescope.step.tables import read_table, write_table

Floats = NDArray[np.float64]

NO_WORM, NONE_FOUND = "no worm on the plate", "no worm was found in any frame"
COUNTS_COLUMNS = ["timepoint", "time_h", "day", "usable", "healthy", "alive", "total"]
CM = 1 / 2.54
CHANGES, CORRECTED_WORMS = "changes.tsv", "corrected_worms"
"""What a review changed, beside the individuals with its corrections, and how many worms."""


def first_day(counts: pd.DataFrame) -> float:
    """Return the day of the first usable frame; NaN without one."""
    return float(counts.loc[counts["usable"] == 1, "day"].min())


def plate_curves(
    individuals: pd.DataFrame, counts: pd.DataFrame, confidence: float
) -> tuple[pd.DataFrame, Curve, Curve]:
    """Return the table of the curves at every timepoint, and the alive and healthy curves.

    Columns: timepoint, time_h, day, usable; alive_counted and healthy_counted (count / number of
    worms, as in the paper; empty for unusable frames); alive and healthy, each with _low, _high
    (confidence), _earliest, _latest (all events at the start or end of their intervals). Fractions
    from 0 to 1.
    """
    day = counts["day"].to_numpy(np.float64)
    table = counts[["timepoint", "time_h", "day", "usable"]].copy()
    worms = len(individuals)
    for name in ("alive", "healthy"):
        table[f"{name}_counted"] = counts[name] / worms if worms else np.nan
    curves = []
    for name, outcome in (("alive", LIFESPAN), ("healthy", HEALTHSPAN)):
        curve = survival_curve(intervals(individuals, outcome), day, confidence)
        curves.append(curve)
        table[name] = curve.share
        for bound in ("low", "high", "earliest", "latest"):
            table[f"{name}_{bound}"] = getattr(curve, bound)
    return table, curves[0], curves[1]


def plate_summary(
    individuals: pd.DataFrame, counts: pd.DataFrame, alive: Curve, healthy: Curve, time_axis: str
) -> dict[str, object]:
    """Return one row: worms, deaths, censored, median lifespan and healthspan, immobile period.

    ``time_axis`` names the origin of the days, see the sample sheet.
    """
    deaths = int((individuals["death_censored"] == 0).sum())
    period = immobile_period(individuals)
    first_d = first_day(counts)
    # Observation starts with the first usable frame.
    alive, healthy = from_day(alive, first_d), from_day(healthy, first_d)
    note = ""
    if len(individuals) == 0:
        note = NO_WORM
    elif not counts["total"].any():
        note = NONE_FOUND
    elif deaths == 0:
        note = "no worm died"
    elif np.isnan(alive.median()[0]):
        note = "more than half alive at the last frame: no median lifespan"
    elif alive.share[0] <= 0.5:
        note = "half were dead at the first usable frame: the median lifespan is its day at most"
    row: dict[str, object] = {
        "worms": len(individuals),
        "deaths": deaths,
        "censored": len(individuals) - deaths,
        "alive_at_last_frame": int((individuals["censor_reason"] == ALIVE).sum()),
        "lost_from_view": int((individuals["censor_reason"] == LOST).sum()),
        "first_day": counts["day"].min(),
        "first_usable_day": first_d,
        "last_day": counts["day"].max(),
    }
    for name, curve in (("lifespan", alive), ("healthspan", healthy)):
        median, low, high = curve.median()
        row |= {
            f"median_{name}_d": median,
            f"median_{name}_low_d": low,
            f"median_{name}_high_d": high,
        }
    return row | {
        "immobile_period_median_d": period.median_d,
        "immobile_period_mean_d": period.mean_d,
        "immobile_period_worms": period.worms,
        "immobile_period_left_out": period.left_out,
        "second_look_sightings": int(counts["second_look"].sum()) if "second_look" in counts else 0,
        "time_axis": time_axis,
        "note": note,
    }


def corrected_worms(individuals: str) -> dict[str, int]:
    """Return how many worms a person changed, of a plate that has corrections.

    A worm that a person took out is no individual, so that they are not counted in that table. The
    one that has their number lies beside it, of the same job, and is no input of its own.
    """
    path = Path(individuals).with_name(CHANGES)
    if not path.exists():
        return {}
    return {CORRECTED_WORMS: int(read_table(path, (CORRECTED_WORMS,))[CORRECTED_WORMS].iloc[0])}


def draw_curves(
    table: pd.DataFrame,
    alive: Curve,
    healthy: Curve,
    title: str,
    axis: str,
    settings: CurvesSettings,
    note: str = "",
) -> Figure:
    """Draw figure 16 of the paper: the alive and healthy curves, with immobile worms between them.

    Without worms, ``note`` is shown in their place.
    """
    figure = Figure(figsize=(settings.width_cm * CM, settings.height_cm * CM), layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=axis, ylabel="share of worms", ylim=(-0.02, 1.05))
    axes.set_yticks(np.linspace(0, 1, 5))
    drawn = note not in (NO_WORM, NONE_FOUND) and np.isfinite(alive.share).any()
    if drawn:
        axes.fill_between(
            alive.day,
            healthy.share,
            alive.share,
            color=STATE_COLOURS["immobile"],
            alpha=0.35,
            linewidth=0,
            label="immobile",
        )
    pairs = (
        ("alive", alive, STATE_COLOURS["dead"], "s"),
        ("healthy", healthy, STATE_COLOURS["healthy"], "o"),
    )
    for name, curve, colour, marker in pairs if drawn else ():
        axes.fill_between(curve.day, curve.low, curve.high, color=colour, alpha=0.15, linewidth=0)
        first_d = first_day(table)
        median = max(curve.median()[0], first_d)
        text = f"{name}, {median_text(curve, first_d)}"
        axes.plot(curve.day, curve.share, color=colour, label=text)
        for bound in (curve.earliest, curve.latest):
            axes.step(curve.day, bound, where="post", color=colour, linewidth=0.7, linestyle="--")
        axes.plot(
            table["day"],
            table[f"{name}_counted"].astype(float).clip(upper=1.05),
            marker,
            color=colour,
            markersize=2.8,
            markerfacecolor="white",
            markeredgewidth=0.8,
            label=f"{name}, counted per frame",
            # Points above the upper edge lie on it, whole.
            clip_on=False,
        )
        if np.isfinite(median):
            axes.plot([median, median], [0, 0.5], ":", color=colour, linewidth=1)
    if drawn:
        axes.axhline(0.5, color=FAINT_INK, linewidth=0.6, linestyle=":")
        axes.plot([], [], "--", color=FAINT_INK, linewidth=0.7, label="bounds left by the sampling")
        # Inside the axes it would cover curves.
        figure.legend(loc="outside lower left", ncols=2)
    else:
        axes.set(xticks=[], xlabel="")
        axes.text(0.5, 0.5, note or NO_WORM, ha="center", va="center", transform=axes.transAxes)
    return figure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--individuals", required=True)
    parser.add_argument("--counts", required=True)
    parser.add_argument("--plate", required=True)
    parser.add_argument("--experiment", required=True)
    parser.add_argument("--condition", required=True)
    parser.add_argument("--time-axis", required=True, choices=(OF_ADULTHOOD, SINCE_FIRST_FRAME))
    parser.add_argument("--settings", default="{}")
    parser.add_argument("--curves", required=True)
    parser.add_argument("--summary", required=True)
    parser.add_argument("--figures", required=True, nargs="+")


def main(given: argparse.Namespace) -> None:
    """Run the step."""
    settings = CurvesSettings.model_validate_json(given.settings)
    individuals = read_table(given.individuals, INDIVIDUALS_COLUMNS)
    counts = read_table(given.counts, COUNTS_COLUMNS)
    table, alive, healthy = plate_curves(individuals, counts, settings.confidence)
    identity = {
        "plate": given.plate,
        "experiment": given.experiment,
        "condition": given.condition,
    }
    row = identity | plate_summary(individuals, counts, alive, healthy, given.time_axis)
    row |= corrected_worms(given.individuals)
    write_table(given.curves, table)
    write_table(given.summary, pd.DataFrame([row]))
    title = (
        f"{given.plate}, {given.condition}: {len(individuals)} worms"
        f"{corrected_heading(individuals)}"
    )
    if len(individuals) and alive.share[0] < 1:
        first_d = first_day(counts)
        alive, healthy = (
            from_the_start(curve, intervals(individuals, outcome), first_d, settings.confidence)
            for curve, outcome in ((alive, LIFESPAN), (healthy, HEALTHSPAN))
        )
    with figure_style(title):
        note = str(row["note"])
        figure = draw_curves(table, alive, healthy, title, given.time_axis, settings, note)
        for path in given.figures:
            save_figure(figure, path)
