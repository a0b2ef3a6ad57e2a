"""Survival estimates for interval-censored events.

An interval is (after, before]: the event came after one frame and at or before another. Censored
worms have before = inf. Kaplan-Meier estimates are those of lifelines. Its estimate for intervals
takes them as closed, so that adjacent intervals share a frame, and fails for a single interval;
hence :func:`npmle`.
"""

import sys
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from numpy.typing import NDArray
from scipy.stats import norm

Floats = NDArray[np.float64]

LIFESPAN, HEALTHSPAN = "lifespan", "healthspan"
OUTCOMES = (LIFESPAN, HEALTHSPAN)
MOMENT_D = 1e-6
"""Length of the interval of an end that is known to the moment (days)."""


@dataclass(frozen=True)
class Intervals:
    """Intervals of events, (N,) days each: after < event <= before; before is inf if censored."""

    after: Floats
    before: Floats

    def __len__(self) -> int:
        return len(self.after)

    @property
    def observed(self) -> NDArray[np.bool_]:
        return np.isfinite(self.before)

    @property
    def midpoint(self) -> Floats:
        """Middle of the interval, or the day of censoring, (N,) days."""
        return np.where(self.observed, (self.after + self.before) / 2, self.after)


END_AND_FLAG = {
    LIFESPAN: ("death", "death_censored"),
    HEALTHSPAN: ("healthspan_end", "health_censored"),
}
"""Of each outcome: how the columns of its interval begin, and the column that says it is open."""


def intervals(individuals: pd.DataFrame, outcome: str) -> Intervals:
    """Return the intervals of ``lifespan`` or ``healthspan`` of a table of individuals."""
    name, flag = END_AND_FLAG[outcome]
    after = individuals[f"{name}_after_d"].to_numpy(np.float64)
    before = individuals[f"{name}_before_d"].to_numpy(np.float64)
    censored = individuals[flag].to_numpy() == 1
    known = np.isfinite(after)
    # An end known to the moment is an interval without length, which no estimate has a place for.
    exact = ~censored & (before <= after) & (before > 0)
    after = np.where(exact, before - MOMENT_D, after)
    return Intervals(after[known], np.where(censored, np.inf, before)[known])


def npmle(found: Intervals, rounds: int = 20_000, tolerance: float = 1e-7) -> tuple[Floats, Floats]:
    """Return Turnbull's non-parametric maximum likelihood estimate of survival (NPMLE).

    Self-consistency iterations (Turnbull 1976) over the cells between adjacent ends of intervals,
    from a uniform density; within a cell, which the data do not resolve, survival is linear. Equal
    intervals are weighted, and an iteration uses cumulative sums in place of a matrix of worms and
    cells: 6000 worms of plates with different times have 1000 cells.

    Returns:
        days (M,), ascending from 0 or the earliest end, and survival (M,).
    """
    ends = np.concatenate((found.after, found.before[found.observed]))
    grid = np.unique(np.concatenate(([min(0.0, ends.min())] if len(ends) else [0.0], ends)))
    if len(found) == 0:
        return grid, np.ones(len(grid))
    ended = found.before <= grid[0]
    if ended.any():
        # Dead in the first frame, without an age: these intervals contain no cell, and their part
        # of the likelihood is separate.
        rest = Intervals(found.after[~ended], found.before[~ended])
        day, survival = npmle(rest, rounds, tolerance)
        return day, (1 - ended.mean()) * survival
    pairs, worms = np.unique(
        np.stack((found.after, found.before), axis=1), axis=0, return_counts=True
    )
    share = worms / len(found)
    # An interval covers the cells start to end - 1; the last cell is unbounded.
    start = np.searchsorted(grid, pairs[:, 0])
    end = np.where(np.isfinite(pairs[:, 1]), np.searchsorted(grid, pairs[:, 1]), len(grid))
    length = np.diff(grid, append=grid[-1] + 1.0)
    mass = length / length.sum()
    for _ in range(rounds):
        below = np.concatenate(([0.0], np.cumsum(mass)))
        # Sum over the intervals that cover each cell, by their starts and ends.
        given = share / (below[end] - below[start])
        over = np.bincount(start, given, len(grid) + 1) - np.bincount(end, given, len(grid) + 1)
        fresh = mass * np.maximum(np.cumsum(over)[:-1], 0)
        settled = np.abs(fresh - mass).max() < tolerance
        mass = fresh
        if settled:
            break
    else:
        print(
            f"warning: the interval-censored estimate has not settled after {rounds} rounds; it may"
            " be off by some thousandths",
            file=sys.stderr,
        )
    survival = 1 - np.concatenate(([0.0], np.cumsum(mass[:-1])))
    # Residuals of rounding and convergence are set to 0, since their band would reach up to 1.
    survival[survival < 10 * tolerance] = 0
    return grid, np.clip(survival, 0, 1)


def _kaplan_meier(day: Floats, observed: NDArray[np.bool_]) -> KaplanMeierFitter:
    return KaplanMeierFitter().fit(day, observed)


@dataclass(frozen=True)
class Curve:
    """A survival curve over days, (T,) each.

    ``low`` and ``high`` are confidence limits; ``earliest`` and ``latest`` are Kaplan-Meier
    estimates with every event at the start, or at the end, of its interval: the uncertainty of
    sampling in time.
    """

    day: Floats
    share: Floats
    low: Floats
    high: Floats
    earliest: Floats
    latest: Floats

    def median(self) -> tuple[float, float, float]:
        """Return the median with confidence limits (days); NaN if not reached.

        Where all events are tied the band has no width; then the limits are those that the
        sampling in time leaves.
        """
        median, low, high = (
            crossing(self.day, share) for share in (self.share, self.low, self.high)
        )
        if low == high:
            low = min(low, crossing(self.day, self.earliest))
            high = max(high, crossing(self.day, self.latest))
        return median, low, high


def crossing(day: Floats, share: Floats, level: float = 0.5) -> float:
    """Return the first day at which a decreasing ``share``, interpolated, reaches ``level``."""
    below = np.flatnonzero(share <= level)
    if len(below) == 0:
        return float("nan")
    i = int(below[0])
    if i == 0 or share[i] == level:
        return float(day[i])
    fallen = (share[i - 1] - level) / (share[i - 1] - share[i])
    return float(day[i - 1] + fallen * (day[i] - day[i - 1]))


def log_variance(share: Floats, grid: Floats, survival: Floats, found: Intervals) -> Floats:
    """Return the variance of the logarithm of ``share``, of the estimate ``survival`` on ``grid``.

    Greenwood's formula for the Kaplan-Meier table of the ends of the intervals holds at these ends.
    Without censoring it is (1 - S) / (n S), so between two ends, as of an interval widened by lost
    frames, it is interpolated in (1 - S) / S.
    """
    table = _kaplan_meier(
        np.where(found.observed, found.before, found.after), found.observed
    ).event_table
    at_risk, died = table["at_risk"].to_numpy(float), table["observed"].to_numpy(float)
    ends = np.interp(table.index.to_numpy(float), grid, survival)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(np.where(died > 0, died / (at_risk * (at_risk - died)), 0.0))
        odds, wanted = (1 - ends) / ends, (1 - share) / share
    sound = np.isfinite(odds) & np.isfinite(variance) & (odds > 0)
    odds = np.concatenate(([0.0], odds[sound]))
    variance = np.concatenate(([0.0], variance[sound]))
    # After the last valid end, the effective number of worms is kept.
    rate = variance[-1] / odds[-1] if variance[-1] > 0 else 1 / len(found)
    return np.where(wanted > odds[-1], rate * wanted, np.interp(wanted, odds, variance))


def survival_curve(found: Intervals, day: Floats, confidence: float) -> Curve:
    """Return the estimate with bands at each of ``day`` (T,), ascending.

    The band is Greenwood's on the log-log scale (:func:`log_variance`). Values are NaN after the
    last censored worm, if worms are left, and without worms.
    """
    if len(found) == 0:
        none = np.full(len(day), np.nan)
        return Curve(day, none, none, none, none, none)
    grid, survival = npmle(found)
    share = np.interp(day, grid, survival)
    latest = _kaplan_meier(np.where(found.observed, found.before, found.after), found.observed)
    earliest = _kaplan_meier(found.after, found.observed)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        spread = np.sqrt(log_variance(share, grid, survival, found)) / np.abs(np.log(share))
        factor = np.exp(norm.ppf(0.5 + confidence / 2) * spread)
        low, high = share**factor, share ** (1 / factor)
    watched = np.max(np.concatenate((found.after, found.before[found.observed])))
    unknown = (day > watched) & (share > 0)
    certain = (share <= 0) | (share >= 1) | ~np.isfinite(factor)
    return Curve(
        day=day,
        share=np.where(unknown, np.nan, share),
        low=np.where(unknown, np.nan, np.where(certain, share, low)),
        high=np.where(unknown, np.nan, np.where(certain, share, high)),
        earliest=np.where(unknown, np.nan, earliest.predict(day)),
        latest=np.where(unknown, np.nan, latest.predict(day)),
    )


def from_day(curve: Curve, first_d: float) -> Curve:
    """Return the part of a curve from day ``first_d`` on."""
    seen = curve.day >= first_d
    return Curve(**{field.name: getattr(curve, field.name)[seen] for field in fields(Curve)})


def from_the_start(curve: Curve, found: Intervals, first_d: float, confidence: float) -> Curve:
    """Return the curve for a figure if worms had ended before the first frame.

    At day 0 all worms live; the next known value is that at the first frame. As in a Kaplan-Meier
    curve, the value is kept until this frame and drops there, since a slope would show events at
    days without observation.

    Args:
        curve: :func:`survival_curve` of ``found``, (T,).
        first_d: day of the first usable frame.

    Returns:
        The curve from ``first_d`` on, preceded by two points: day 0 and, again, the first day of
        ``curve`` that is not before ``first_d``. ``curve`` itself if no worm had ended by then.
    """
    seen = curve.day >= first_d
    if not seen.any() or not curve.share[seen][0] < 1:
        return curve
    put_on = min(0.0, first_d)
    day = np.array([put_on, curve.day[seen][0]])
    before = survival_curve(found, day[:1], confidence)
    alive = {field.name: np.ones(2) for field in fields(Curve)}
    alive |= {"day": day, "earliest": np.repeat(before.earliest, 2)}
    return Curve(
        **{name: np.concatenate((alive[name], getattr(curve, name)[seen])) for name in alive}
    )


def median_text(curve: Curve, first_d: float) -> str:
    """Return ``median 12.3 d`` for a legend; an upper limit if before the first usable frame."""
    median = curve.median()[0]
    if not np.isfinite(median):
        return "no median"
    sign = "\N{LESS-THAN OR EQUAL TO} " if median <= first_d else ""
    return f"median {sign}{max(median, first_d):.1f} d"


@dataclass(frozen=True)
class ImmobilePeriod:
    """Immobile period (days) of the worms with both ends observed.

    ``left_out`` worms died as well, but had stopped before the first frame.
    """

    median_d: float
    mean_d: float
    worms: int
    left_out: int


def immobile_period(individuals: pd.DataFrame) -> ImmobilePeriod:
    """Return median and mean immobile period of the individuals with both ends observed.

    Both events are uniform within their intervals, and death follows the end of healthspan, so a
    period is a distribution, evaluated at 16 x 16 points of the two intervals. Worms that had
    stopped before the first frame are excluded, since their intervals start too early.
    """
    life, health = intervals(individuals, LIFESPAN), intervals(individuals, HEALTHSPAN)
    known = np.isfinite(individuals["death_after_d"].to_numpy(np.float64))
    seen = individuals["seen_moving"].to_numpy()[known] == 1
    both = life.observed & health.observed & seen
    left_out = int((life.observed & health.observed & ~seen).sum())
    if not both.any():
        return ImmobilePeriod(float("nan"), float("nan"), 0, left_out)
    within = (np.arange(16) + 0.5) / 16
    ends = [
        one.after[both, None] + within * (one.before - one.after)[both, None]
        for one in (health, life)
    ]
    period = ends[1][:, None, :] - ends[0][:, :, None]
    weight = (period >= 0).astype(float)
    weight /= weight.sum(axis=(1, 2), keepdims=True)
    order = np.argsort(period, axis=None)
    cumulative = np.cumsum(weight.ravel()[order]) / both.sum()
    median = period.ravel()[order][int(np.searchsorted(cumulative, 0.5))]
    mean = float((period * weight).sum() / both.sum())
    return ImmobilePeriod(float(median), mean, int(both.sum()), left_out)
