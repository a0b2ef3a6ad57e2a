"""Days of death of two observers compared (Bland and Altman 1986), as numbers and as a figure.

The bias is the mean difference, the limits of agreement the bias and 1.96 standard deviations. The
interval of the bias is of a t distribution, that of each limit exact: of a noncentral t (Carkeet
2015). Both take worms as independent. A worm that dies for one observer alone has no difference: it
is counted and named beside the figure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from textwrap import fill

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray
from scipy.stats import nct, t

from snakescope.healthspan.review.histories import Course, Frames
from snakescope.imaging.style import FAINT_INK, INK, SERIES_COLOURS

Floats = NDArray[np.float64]
WIDTH = 1.96
"""Standard deviations from the bias to a limit of agreement."""
LEVEL = 0.95
FEWEST_FOR_LIMITS = 3
MOST_NAMED = 12
"""Worms that the figure names of a kind; the table names all."""
AREA = 26
"""Of the point of a worm (pt^2)."""
SHADE = 0.16
LEGEND_COLUMNS = (2, 3, 6)
"""With one, two, or three panels side by side."""
CM = 1 / 2.54
PANEL_CM = (9.5, 8.0)
NOTE_CM = 3.2
ACROSS = 3


@dataclass(frozen=True)
class Deaths:
    """What two observers say of the deaths of worms that both looked at.

    Attributes:
        a, b: names of the observers.
        days: first frame in which each worm is dead that died for both, of a and of b, (N, 2), in
            days.
        within_one_frame: share of these whose frames are the same or adjacent; NaN without any.
        a_alone, b_alone: worms that died for one of them, and are alive or censored for the other.
        neither: how many died for none of them.
        counted_by_a, counted_by_b: worms that only one of them counts.
    """

    a: str
    b: str
    days: Floats
    within_one_frame: float
    a_alone: tuple[str, ...]
    b_alone: tuple[str, ...]
    neither: int
    counted_by_a: tuple[str, ...]
    counted_by_b: tuple[str, ...]

    @property
    def mean(self) -> Floats:
        """Mean of both of each worm that died for both (d), (N,)."""
        return self.days.mean(axis=1)

    @property
    def difference(self) -> Floats:
        """The same, b - a (d), (N,)."""
        return self.days[:, 1] - self.days[:, 0]


def deaths_of(
    names: tuple[str, str],
    courses: tuple[Mapping[int, Course], Mapping[int, Course]],
    shared: Sequence[int],
    frames: Frames,
    called: Mapping[int, str],
) -> Deaths:
    """Return what two observers say of the deaths of some tracks.

    Args:
        names: of the observers a and b.
        courses: what each says of every track.
        shared: the tracks that both looked at.
        called: names of the tracks.
    """
    a, b = courses
    rank: list[tuple[int, int]] = []
    a_alone, b_alone, counted_by_a, counted_by_b = [], [], [], []
    neither = 0
    for track in shared:
        one, other, name = a[track], b[track], called[track]
        if one.counted and other.counted:
            match one.history.dies, other.history.dies:
                case True, True:
                    rank.append((one.history.dead, other.history.dead))
                case True, False:
                    a_alone.append(name)
                case False, True:
                    b_alone.append(name)
                case _:
                    neither += 1
        elif one.counted:
            counted_by_a.append(name)
        elif other.counted:
            counted_by_b.append(name)
    ranks = np.array(rank, np.int64).reshape(-1, 2)
    within = np.abs(np.diff(ranks, axis=1)) <= 1
    return Deaths(
        *names,
        days=frames.day[ranks].reshape(-1, 2),
        within_one_frame=float(within.mean()) if len(ranks) else np.nan,
        a_alone=tuple(a_alone),
        b_alone=tuple(b_alone),
        neither=neither,
        counted_by_a=tuple(counted_by_a),
        counted_by_b=tuple(counted_by_b),
    )


@dataclass(frozen=True)
class Limits:
    """Bias and limits of agreement, each the value and its 95 % interval (low, high), in days."""

    bias: tuple[float, float, float]
    low: tuple[float, float, float]
    high: tuple[float, float, float]


def limits_of(difference: Floats) -> Limits | None:
    """Return bias and limits of agreement of differences (N,); None of fewer than three."""
    number = len(difference)
    if number < FEWEST_FOR_LIMITS:
        return None
    bias, spread = float(difference.mean()), float(difference.std(ddof=1))
    error = spread / np.sqrt(number)
    tails = np.array([0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    about = t(number - 1).ppf(tails[1]) * error
    near, far = nct.ppf(tails, number - 1, WIDTH * np.sqrt(number)) * error
    return Limits(
        (bias, bias - about, bias + about),
        (bias - WIDTH * spread, bias - far, bias - near),
        (bias + WIDTH * spread, bias + near, bias + far),
    )


def note_of(deaths: Deaths, most: int = MOST_NAMED) -> list[str]:
    """Return which worms a figure of the differences does not show, a sentence a kind."""
    kinds = (
        (deaths.a_alone, f"dead for {deaths.a} alone, alive or censored for {deaths.b}"),
        (deaths.b_alone, f"dead for {deaths.b} alone, alive or censored for {deaths.a}"),
        (deaths.counted_by_a, f"counted by {deaths.a} alone"),
        (deaths.counted_by_b, f"counted by {deaths.b} alone"),
    )
    told = []
    for worms, words in kinds:
        if worms:
            more = f" and {len(worms) - most} more" if len(worms) > most else ""
            told.append(f"{len(worms)} {words}: {', '.join(worms[:most])}{more}")
    if deaths.neither:
        told.append(f"{deaths.neither} alive or censored for both")
    return told


def draw_deaths(pairs: Sequence[Deaths], plate: str) -> Figure:
    """Draw a panel per pair: difference against mean, bias, limits of agreement, what is missing.

    The area of a point is the number of worms there.
    """
    across = min(max(len(pairs), 1), ACROSS)
    down = ceil(max(len(pairs), 1) / across)
    width, height = across * PANEL_CM[0], down * (PANEL_CM[1] + NOTE_CM)
    figure = Figure(figsize=(width * CM, height * CM), layout="constrained")
    figure.suptitle(f"{plate}: day of death", fontweight="bold", x=0.01, ha="left")
    most = max((int(_points(deaths)[1].max(initial=1)) for deaths in pairs), default=1)
    figure.legend(
        handles=[*(_sized(worms) for worms in sorted({1, -(-most // 2), most})), *_lines()],
        loc="outside lower left",
        ncols=LEGEND_COLUMNS[across - 1],
    )
    heights = [PANEL_CM[1], NOTE_CM] * down
    panels = figure.subplots(
        2 * down, across, squeeze=False, gridspec_kw={"height_ratios": heights}
    )
    for axes in panels.flat:
        axes.set_axis_off()
    for number, deaths in enumerate(pairs):
        row, column = divmod(number, across)
        axes, below = panels[2 * row, column], panels[2 * row + 1, column]
        axes.set_axis_on()
        _draw_pair(axes, deaths)
        told = note_of(deaths)
        text = "\n".join(fill(line, 58) for line in ["not shown:", *told]) if told else ""
        below.text(0, 1, text, va="top", fontsize=7, color=FAINT_INK, transform=below.transAxes)
    return figure


def signed(value: float) -> str:
    """Return a number with its sign, as minus sign or plus sign."""
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _points(deaths: Deaths) -> tuple[Floats, NDArray[np.int64]]:
    """Return the places of the points, mean and difference, (2, P), and worms of each, (P,)."""
    both = np.round(np.stack((deaths.mean, deaths.difference)), 6)
    places, worms = np.unique(both, axis=1, return_counts=True)
    return places.astype(np.float64), worms.astype(np.int64)


def _sized(worms: int) -> Line2D:
    return Line2D(
        [], [], linestyle="", marker="o", markersize=np.sqrt(AREA * worms), alpha=0.65,
        color=SERIES_COLOURS[0], markeredgecolor=INK, markeredgewidth=0.5,
        label=f"{worms} worm" + "s" * (worms > 1),
    )  # fmt: skip


def _lines() -> list[Artist]:
    colour = SERIES_COLOURS[1]
    return [
        Line2D([], [], color=colour, label="bias"),
        Line2D(
            [], [], color=colour, linestyle="--",
            label=f"limits of agreement, bias \N{PLUS-MINUS SIGN} {WIDTH} SD",
        ),
        Patch(facecolor=colour, alpha=SHADE, label="95 % interval of each"),
    ]  # fmt: skip


def _draw_pair(axes: Axes, deaths: Deaths) -> None:
    axes.set_title(f"{deaths.b} \N{MINUS SIGN} {deaths.a}, n = {len(deaths.days)} deaths of both")
    axes.set_xlabel("mean of both (day)")
    axes.set_ylabel("difference (d)")
    axes.axhline(0, color=FAINT_INK, linewidth=0.8, linestyle=":")
    if not len(deaths.days):
        axes.text(0.5, 0.6, "no worm died for both", ha="center", transform=axes.transAxes)
        axes.set(xticks=[], yticks=[])
        return
    limits = limits_of(deaths.difference)
    (mean, difference), worms = _points(deaths)
    axes.scatter(
        mean,
        difference,
        s=AREA * worms,
        color=SERIES_COLOURS[0],
        alpha=0.65,
        edgecolors=INK,
        linewidths=0.5,
    )
    # As far up as down, so that a bias is seen at once. Intervals of few deaths may be cut off.
    ends = [*deaths.difference, *((1.3 * limits.low[0], 1.3 * limits.high[0]) if limits else ())]
    extent = 1.12 * max(float(np.abs(ends).max()), 0.25)
    axes.set_ylim(-extent, extent)
    axes.margins(x=0.1)
    if limits is None:
        axes.text(
            0.02, 0.97, f"limits from {FEWEST_FOR_LIMITS} deaths on", va="top", fontsize=7,
            color=FAINT_INK, transform=axes.transAxes,
        )  # fmt: skip
        return
    lines = ((limits.low, "--", "limit"), (limits.bias, "-", "bias"), (limits.high, "--", "limit"))
    at = -np.inf
    for (value, low, high), style, words in lines:
        axes.axhspan(low, high, color=SERIES_COLOURS[1], alpha=SHADE, linewidth=0)
        axes.axhline(value, color=SERIES_COLOURS[1], linestyle=style, linewidth=1.3)
        # Labels of lines that are near one another stand above one another.
        at = max(value, at + 0.17 * extent)
        axes.text(
            1.01, at, f"{words} {signed(value)} d\n({signed(low)} to {signed(high)})",
            va="center", fontsize=7, linespacing=1.0,
            transform=axes.get_yaxis_transform(),
        )  # fmt: skip
