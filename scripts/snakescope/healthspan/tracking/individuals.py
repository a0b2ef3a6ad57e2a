"""From tracks of stopped worms, and counts of moving ones, to the individuals of a plate.

A worm is counted once: by its track if it stopped in view, else as one of the movers left
over. All days are days of adulthood, as ``age_at_first_frame_d + time_h / 24``.

Conventions of the intervals (after, before], both ends frames that were usable:

- healthspan ended after the last frame before the worm was first seen stopped at its place
  (it was still a mover then), at or before the first frame in which it is stopped;
- it died after the last frame in which it is not dead, at or before the first in which it is.

A worm already stopped in the first frame has a healthspan that ended after day 0. So has one
that lay dead from the start (:func:`missing_among_static`), and its death is left-censored in
the same way: it came after day 0, at or before the first frame in which the worm is dead. Such
worms have ``seen_moving`` 0, since without an age day 0 is the first frame, and the intervals
are like those of a worm that moved in it.
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


@dataclass(frozen=True)
class TrackHistory:
    """A track over the usable frames ``first`` .. ``last`` (ranks), with its change points.

    ``stopped`` and ``dead`` are the ranks of the first stopped and the first dead frame,
    ``last + 1`` where there is none. ``seen_dead`` counts the sightings in state dead.
    ``y_px``, ``x_px`` is where it was first seen stopped. ``at_start``: it lay dead there when
    the pictures began, so nothing is known of it before.
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

    @property
    def dies(self) -> bool:
        return self.dead <= self.last


def reason_not_counted(course: TrackHistory, time_h: Floats, settings: TrackSettings) -> str:
    """Why a track is no individual; empty when it is one.

    ``static from the start``: already dead when the plate had settled. The paper's curves
    ran too early since such objects counted as deaths (section 4.4); which of them are worms
    all the same, only the number put on can tell: :func:`missing_among_static`. ``moved on``: the
    track ends well before the last frame without a corpse that stayed, so the worm had
    only been resting.
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
    """Whether a track ends well before the last of ``frames`` without a corpse that stayed."""
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
    """Those of the static objects that are worms: dead at the first picture, or soon after.

    Where the pictures begin late, worms already lie dead in the first of them. One cannot be told
    from debris by itself, but of the worms put on some are then missing among the living. So many
    of the objects are taken for them, those of the most worm-like area first; what is left over
    is debris. The living are the greatest count of any frame: on a plate that began on time some
    worms are overlooked in most frames, and that must not turn its debris into deaths.

    Args:
        static: courses of the tracks that are ``static from the start``.
        area: area of each over the median of the plate's other worms, (len(static),).
        movers, stopped: moving worms, and worms stopped so far, per usable frame, (T,).
        worms: number of worms put on the plate.

    Returns:
        Their courses, in the order of ``static``; ``at_start`` those that were never seen alive.
        The others were seen immobile before they were dead, as other worms are.
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
    """Running median, (T,), over a window that is cut at the ends."""
    half = width // 2
    return np.array([np.median(count[max(0, i - half) : i + half + 1]) for i in range(len(count))])


def estimated_worms(movers: Floats, stopped: Ints, quantile: float) -> int:
    """Number of worms on a plate for which nobody counted them.

    Every frame's total, movers plus worms stopped so far, is a count of the plate that
    misses some (overlaps) and rarely has one too many: a high quantile of it over all
    frames. Never fewer than have stopped.
    """
    if len(movers) == 0:
        return 0
    total = movers + stopped
    return max(round(float(np.quantile(total, quantile))), int(stopped[-1]))


def lost_frames(movers: Floats, stopped: Ints, worms: int, smoothing: int) -> tuple[int, Ints]:
    """Split the worms that never stopped into alive at the last frame and lost before.

    The count of movers, smoothed, is first divided by the share of movers found while all
    were in view (median over the first quarter of the frames), so that a steady
    undercount is not a loss. What is then short of ``worms`` grows only (isotonic).

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
    """Row of a worm that stopped in view, or lay there when the pictures began."""
    put_on = min(0.0, float(day[0]))
    unseen = course.at_start or course.stopped == 0
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
        "censor_reason": ALIVE if seen_last else LOST,
    }


def _mover_row(rank: int, reason: str, day: Floats) -> dict[str, object]:
    """Row of a worm that never stopped in view, censored at the frame ``rank``."""
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
    """One row per worm (``INDIVIDUALS_COLUMNS``): the stopped by first frame, then the rest.

    Args:
        counted: courses of the tracks that are individuals.
        movers: moving worms per usable frame, (T,).
        timepoint, day: of the usable frames, (T,).
        worms: number of worms on the plate; raised to the number counted where it is less.
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
    """Number of worms stopped at or before each usable frame, (T,)."""
    starts = np.bincount([course.stopped for course in courses], minlength=frames)[:frames]
    return np.cumsum(starts).astype(np.int64)


def dead_so_far(courses: list[TrackHistory], frames: int) -> Ints:
    """Number of worms dead at or before each usable frame, (T,); a corpse stays dead."""
    ends = [course.dead for course in courses if course.dies]
    return np.cumsum(np.bincount(ends, minlength=frames)[:frames]).astype(np.int64)
