"""Individuals of a plate from tracks of stopped worms and counts of moving worms.

Every worm is counted once: by its track if it stopped in view, else as one of the remaining movers.
Days are days of adulthood, ``age_at_first_frame_d + time_h / 24``.

Intervals (after, before] end at usable frames:

- healthspan ended after the last frame before the worm was first detected as stopped, and at or
  before the first frame in which it is stopped;
- it died after the last frame in which it is not dead, and at or before the first in which it is.

The healthspan of a worm that is stopped in the first frame ended after day 0. The same holds for a
worm that is dead from the start (:func:`missing_among_static`); its death is left-censored as well,
after day 0 and at or before the first frame in which it is dead. Such worms have ``seen_moving`` 0,
unlike worms that moved in the first frame, whose intervals are equal without an age, since day 0 is
then the first frame.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from snakescope.healthspan.tracking.settings import TrackSettings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ALIVE = "alive at last frame"
LOST = "lost from view"
STATIC = "static from the start"
DEAD_AT_START = "dead from the start"
MOVED_ON = "moved on"
NEVER_STOPPED = "healthy throughout"

LEAST_LIKE_A_WORM = float(np.log(2.0))
"""Maximum absolute logarithm of the area of a corpse, relative to the worms of the plate.

At this value, of half a worm or two, :class:`~snakescope.healthspan.detection.size_prior.SizePrior`
divides the score by 50.
"""

INDIVIDUALS_COLUMNS = (
    "individual",
    "track",
    "first_timepoint",
    "last_timepoint",
    "y_px",
    "x_px",
    "healthspan_end_after_d",
    "healthspan_end_before_d",
    "death_after_d",
    "death_before_d",
    "seen_moving",
    "health_censored",
    "death_censored",
    "censor_reason",
)
CORRECTED_BY, MACHINE = "corrected_by", "_machine"
"""Of tables with corrections: who made them, and the ending of columns of what the machine says."""


def corrected_heading(individuals: pd.DataFrame) -> str:
    """What the heading of a picture adds where people corrected the plate; else nothing."""
    return ", corrected by people" if CORRECTED_BY in individuals else ""


@dataclass(frozen=True)
class TrackHistory:
    """A track over the usable frames ``first`` .. ``last`` (ranks), with its change points.

    ``stopped`` and ``dead`` are the ranks of the first stopped and the first dead frame, ``last +
    1`` if there is none. ``seen_dead`` counts the detections in state dead. ``y_px``, ``x_px`` is
    the position at which it was first stopped. ``at_start``: it was dead in the first frame, so
    its earlier history is unknown. ``unseen``: it was never seen moving, so its healthspan may
    have ended on any day before. ``censored``: why a person says it is not watched after ``last``.
    """

    track: int
    first: int
    last: int
    stopped: int
    dead: int
    seen_dead: int
    y_px: float
    x_px: float
    at_start: bool = False
    unseen: bool = False
    censored: str = ""

    @property
    def dies(self) -> bool:
        return self.dead <= self.last


def reason_not_counted(course: TrackHistory, time_h: Floats, settings: TrackSettings) -> str:
    """Return why a track does not count as an individual; empty if it does.

    ``static from the start``: dead when the plate had settled. Counted as deaths, such objects
    shift the curves to earlier days (Matsuo et al., section 4.4); which of them are worms follows
    from the number of worms put on the plate, see :func:`missing_among_static`. ``moved on``: the
    track ends well before the last frame without a lasting corpse, so the worm was only resting.
    """
    if course.stopped > course.last:
        return NEVER_STOPPED
    if not settings.count_dead_at_start and course.dies:
        since = time_h - time_h[0]
        settled = since[course.dead] <= settings.settle_h
        if settled and (course.dead == course.first or course.first == 0):
            return STATIC
    return MOVED_ON if was_resting(course, len(time_h), settings) else ""


def was_resting(course: TrackHistory, frames: int, settings: TrackSettings) -> bool:
    """Return whether a track ends well before the last frame without a lasting corpse."""
    ended_early = course.last < frames - settings.max_gap
    return ended_early and (not course.dies or course.seen_dead < settings.min_dead_frames)


def missing_among_static(
    static: list[TrackHistory],
    area: Floats,
    movers: Floats,
    stopped: Ints,
    worms: int,
    settings: TrackSettings,
) -> list[TrackHistory]:
    """Select the static objects that are worms, dead at the first frame or soon after.

    If imaging starts late, some worms are dead in the first frame. A single one cannot be
    distinguished from debris, but the number of worms put on the plate minus the number of living
    worms is the number of dead ones. As many objects are selected, those with the most worm-like
    area first; the others are debris. The number of living worms is the maximum over all frames,
    since missed detections in most frames must not turn debris into deaths.

    Args:
        static: histories of the tracks that are ``static from the start``.
        area: area of each, relative to the median of the other worms of the plate, (len(static),).
        movers, stopped: moving worms, and worms stopped so far, per usable frame, (T,).
        worms: number of worms put on the plate.

    Returns:
        Their histories, in the order of ``static``; with ``at_start`` if never detected alive.
    """
    missing = worms - estimated_worms(movers, stopped, 1.0)
    unlike = np.abs(np.log(area))
    fit = [
        i
        for i, course in enumerate(static)
        if unlike[i] <= LEAST_LIKE_A_WORM and not was_resting(course, len(movers), settings)
    ]
    chosen = sorted(fit, key=lambda i: (unlike[i], static[i].track))[: max(missing, 0)]
    return [replace(static[i], at_start=static[i].dead == static[i].first) for i in sorted(chosen)]


def running_median(count: Floats, width: int) -> Floats:
    """Return the running median, (T,); the window is truncated at the ends."""
    half = width // 2
    return np.array([np.median(count[max(0, i - half) : i + half + 1]) for i in range(len(count))])


def estimated_worms(movers: Floats, stopped: Ints, quantile: float) -> int:
    """Estimate the number of worms on a plate if the sample sheet does not state it.

    The total of a frame, movers plus worms stopped so far, misses some worms (overlaps) and rarely
    has one too many, so the estimate is a high quantile of it over all frames, and at least the
    number of stopped worms.
    """
    if len(movers) == 0:
        return 0
    total = movers + stopped
    return max(round(float(np.quantile(total, quantile))), int(stopped[-1]))


def lost_frames(movers: Floats, stopped: Ints, worms: int, smoothing: int) -> tuple[int, Ints]:
    """Split the worms that never stopped into alive at the last frame and lost before.

    The smoothed count of movers is first divided by the fraction of movers detected while all are
    in view (median over the first quarter of the frames), so that a constant undercount is no loss.
    The remaining deficit relative to ``worms`` is made monotonic (isotonic regression).

    Args:
        movers: count of moving worms per usable frame, (T,).
        stopped: worms stopped so far per usable frame, (T,).
        worms: number of worms on the plate, at least ``stopped[-1]``.
        smoothing: width of the running median (frames).

    Returns:
        The number alive at the last frame, and for each lost worm the rank of the last
        frame whose count still supports it.
    """
    frames = len(movers)
    never = worms - (int(stopped[-1]) if frames else 0)
    if frames == 0 or never == 0:
        return 0, np.zeros(max(never, 0), np.int64)
    smooth = running_median(movers, smoothing)
    early = slice(0, max(1, frames // 4))
    found = float(np.median(smooth[early] / np.maximum(worms - stopped[early], 1)))
    full = smooth / min(max(found, 0.5), 1.0)
    alive = min(never, round(float(full[-1])))
    short = isotonic_regression(worms - stopped - full).x
    lost = [np.flatnonzero(short < j - 0.5) for j in range(1, never - alive + 1)]
    return alive, np.array([ranks[-1] if len(ranks) else 0 for ranks in lost], np.int64)


def _stopped_row(course: TrackHistory, timepoint: Ints, day: Floats) -> dict[str, object]:
    """Return the row of a worm that stopped in view, or was stopped in the first frame."""
    put_on = min(0.0, float(day[0]))
    unseen = course.at_start or course.unseen or course.stopped == 0
    row: dict[str, object] = {
        "track": course.track,
        "first_timepoint": int(timepoint[course.first]),
        "last_timepoint": int(timepoint[course.last]),
        "y_px": course.y_px,
        "x_px": course.x_px,
        "healthspan_end_after_d": put_on if unseen else day[course.stopped - 1],
        "healthspan_end_before_d": day[course.stopped],
        "seen_moving": int(not unseen),
        "health_censored": 0,
    }
    if course.dies:
        unseen = course.at_start or course.dead == 0
        return row | {
            "death_after_d": put_on if unseen else day[course.dead - 1],
            "death_before_d": day[course.dead],
            "death_censored": 0,
            "censor_reason": "",
        }
    seen_last = course.last == len(day) - 1
    return row | {
        "death_after_d": day[course.last],
        "death_before_d": np.nan,
        "death_censored": 1,
        "censor_reason": course.censored or (ALIVE if seen_last else LOST),
    }


def _mover_row(rank: int, reason: str, day: Floats) -> dict[str, object]:
    """Return the row of a worm that never stopped in view, censored at frame ``rank``."""
    at = day[rank] if len(day) else np.nan
    return {
        "healthspan_end_after_d": at,
        "death_after_d": at,
        "seen_moving": 1,
        "health_censored": 1,
        "death_censored": 1,
        "censor_reason": reason,
    }


def individuals_table(
    counted: list[TrackHistory],
    movers: Floats,
    timepoint: Ints,
    day: Floats,
    worms: int,
    smoothing: int,
) -> pd.DataFrame:
    """Return a row per worm (``INDIVIDUALS_COLUMNS``): stopped ones by first frame, then others.

    Args:
        counted: histories of the tracks that are individuals.
        movers: moving worms per usable frame, (T,).
        timepoint, day: of the usable frames, (T,).
        worms: number of worms on the plate; at least the number counted.
        smoothing: see :func:`lost_frames`.
    """
    stopped = stopped_so_far(counted, len(day))
    worms = max(worms, len(counted))
    alive, lost = lost_frames(movers, stopped, worms, smoothing)
    rows = [_stopped_row(course, timepoint, day) for course in counted]
    rows += [_mover_row(len(day) - 1, ALIVE, day) for _ in range(alive)]
    rows += [_mover_row(int(rank), LOST, day) for rank in lost]
    table = pd.DataFrame(rows, columns=list(INDIVIDUALS_COLUMNS))
    table["individual"] = np.arange(1, len(table) + 1)
    whole = ["track", "first_timepoint", "last_timepoint"]
    whole += ["seen_moving", "health_censored", "death_censored"]
    table[whole] = table[whole].astype("Int64")
    table["censor_reason"] = table["censor_reason"].fillna("")
    return table


def stopped_so_far(courses: list[TrackHistory], frames: int) -> Ints:
    """Return the number of worms stopped at or before each usable frame, (T,)."""
    starts = np.bincount([course.stopped for course in courses], minlength=frames)[:frames]
    return np.cumsum(starts).astype(np.int64)


def dead_so_far(courses: list[TrackHistory], frames: int) -> Ints:
    """Return the number of worms dead at or before each usable frame, (T,)."""
    ends = [course.dead for course in courses if course.dies]
    return np.cumsum(np.bincount(ends, minlength=frames)[:frames]).astype(np.int64)
