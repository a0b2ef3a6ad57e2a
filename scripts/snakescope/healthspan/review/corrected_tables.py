"""Tables of a plate with its corrections: what the machine says, and what counts, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.healthspan.review.association import APPLIED, STALE, UNDONE, Reviewed
from snakescope.healthspan.review.corrections import SAME_AS, Correction
from snakescope.healthspan.review.histories import (
    Course,
    Frames,
    corrected_courses,
    machine_courses,
)
from snakescope.healthspan.tracking.individuals import (
    ALIVE,
    CORRECTED_BY,
    INDIVIDUALS_COLUMNS,
    LOST,
    MACHINE,
    TrackHistory,
    estimated_worms,
    individuals_table,
    stopped_so_far,
)
from snakescope.healthspan.tracking.settings import TrackSettings
from snakescope.healthspan.tracking.track import count_table

OF_INDIVIDUALS = INDIVIDUALS_COLUMNS[6:]
OF_COUNTS = ("healthy", "immobile", "dead", "alive", "total")
OF_TRACKS = ("consistent_state", "counted", "reason")
LINES_COLUMNS = (
    "scorer",
    "id",
    "time_utc",
    "action",
    "timepoint",
    "value",
    "reason",
    "track_then",
    "track",
    "y_px",
    "x_px",
    "machine_value",
    "blind",
    "standing",
    "note",
)


@dataclass(frozen=True)
class Corrected:
    """The tables of a plate with corrections, and what became of every line."""

    tracks: pd.DataFrame
    individuals: pd.DataFrame
    counts: pd.DataFrame
    lines: pd.DataFrame


def corrected_tables(
    tracks: pd.DataFrame,
    individuals: pd.DataFrame,
    counts: pd.DataFrame,
    corrections: Sequence[Correction],
    undone: Sequence[Correction],
    reviewed: Reviewed,
    worms: int | None,
    settings: TrackSettings,
) -> Corrected:
    """Apply corrections to the tables that tracking wrote.

    Args:
        tracks, individuals, counts: as the machine has them.
        corrections: those that were not undone; undone: the others.
        reviewed: what counts for which track.
        worms: put on the plate; None if unknown.
        settings: those that the tracks were made with.
    """
    usable = (counts["usable"] == 1).to_numpy()
    frames = usable_frames(counts)
    machine = machine_courses(tracks, individuals, frames)
    courses, refused = corrected_courses(machine, reviewed.calls, frames)
    told: dict[int, list[str]] = {}
    for track, calls in reviewed.calls.items():
        for slot, one in calls.items():
            if why := refused[track].get(slot):
                reviewed.stale(one, why)
                continue
            told.setdefault(track, []).append(one.scorer)
            if one.action == SAME_AS:
                told.setdefault(one.value, []).append(one.scorer)
    by = {
        track: " ".join(dict.fromkeys(scorers))
        for track, scorers in told.items()
        if courses[track] != machine[track]
    }
    if by:
        rank = np.searchsorted(frames.timepoint, tracks["timepoint"].to_numpy(np.int64))
        number = tracks["track"].to_numpy(np.int64)
        movers = counts.loc[usable, "healthy"].to_numpy(np.int64)
        movers = movers + _mover_detections(number, rank, courses, len(frames))
        movers = np.maximum(movers - _mover_detections(number, rank, machine, len(frames)), 0)
        never = {one for one, course in courses.items() if _never_stopped(course, len(frames))}
        theirs = {one: courses[one] for one in never}
        followed = _mover_detections(number, rank, theirs, len(frames))
        rows = _rows(courses, frames, np.maximum(movers - followed, 0), worms, settings)
        made = (
            _tracks(tracks, rank, courses, by),
            _numbered(rows, individuals),
            _counts(counts, usable, courses, movers),
        )
    else:
        # Nothing changes, so nothing is computed again.
        made = tracks, individuals, counts
    return Corrected(
        _by(_beside(made[0], tracks, OF_TRACKS), by),
        _by(_individuals_beside(made[1], individuals), by),
        _beside(made[2], counts, OF_COUNTS),
        lines_table(corrections, undone, reviewed),
    )


def usable_frames(counts: pd.DataFrame) -> Frames:
    """Return the usable frames of a table of counts."""
    usable = (counts["usable"] == 1).to_numpy()
    return Frames(
        counts.loc[usable, "timepoint"].to_numpy(np.int64),
        counts.loc[usable, "day"].to_numpy(np.float64),
    )


def _never_stopped(course: Course, frames: int) -> bool:
    return course.counted and course.history.stopped >= frames


def _mover_detections(
    number: NDArray[np.int64], rank: NDArray[np.int64], courses: Mapping[int, Course], frames: int
) -> NDArray[np.int64]:
    """Return how many detections of tracks count as moving worms, per usable frame, (F,)."""
    moving = np.zeros(len(number), bool)
    for track, course in courses.items():
        own = number == track
        moving[own] = course.is_mover(rank[own])
    return np.bincount(rank[moving], minlength=frames).astype(np.int64)


def _histories(courses: Mapping[int, Course]) -> list[TrackHistory]:
    """Return the histories of the worms that count, one a worm, by track."""
    counted = [course for _, course in sorted(courses.items()) if course.counted]
    return [course.history for course in counted for _ in range(course.worms)]


def _rows(
    courses: Mapping[int, Course],
    frames: Frames,
    movers: NDArray[np.int64],
    worms: int | None,
    settings: TrackSettings,
) -> pd.DataFrame:
    """Return the table of individuals; ``movers`` are those that are not followed, (F,)."""
    histories = _histories(courses)
    stopped = [one for one in histories if one.stopped < len(frames)]
    others = [one for one in histories if one.stopped >= len(frames)]
    so_far = stopped_so_far(stopped, len(frames))
    if worms is None:
        number = estimated_worms(movers.astype(float), so_far, settings.worms_quantile)
    else:
        number = max(worms - len(others), 0)
    table = individuals_table(
        stopped,
        movers.astype(np.float64),
        frames.timepoint,
        frames.day,
        number,
        settings.smoothing_frames,
    )
    rows = [
        {
            "individual": 0,
            "track": one.track,
            "first_timepoint": frames.timepoint[one.first],
            "last_timepoint": frames.timepoint[one.last],
            "y_px": one.y_px,
            "x_px": one.x_px,
            "healthspan_end_after_d": frames.day[one.last],
            "death_after_d": frames.day[one.last],
            "seen_moving": 1,
            "health_censored": 1,
            "death_censored": 1,
            "censor_reason": one.censored or (ALIVE if one.last == len(frames) - 1 else LOST),
        }
        for one in others
    ]
    more = pd.DataFrame(rows, columns=list(INDIVIDUALS_COLUMNS)).astype(table.dtypes)
    return pd.concat([table, more], ignore_index=True) if rows else table


def _numbered(table: pd.DataFrame, machine: pd.DataFrame) -> pd.DataFrame:
    """Number individuals as the machine does: a worm keeps its number, others have higher ones."""
    free = int(machine["individual"].max()) if len(machine) else 0
    followed = machine["track"].notna()
    own = machine[followed]
    of_track = dict(zip(own["track"], own["individual"], strict=True))
    of_movers = list(machine.loc[~followed, "individual"])
    numbers = []
    for track in table["track"]:
        if pd.notna(track):
            number = of_track.pop(track, None)
        else:
            number = of_movers.pop(0) if of_movers else None
        if number is None:
            free += 1
            number = free
        numbers.append(int(number))
    return table.assign(individual=numbers).sort_values("individual", ignore_index=True)


def _tracks(
    tracks: pd.DataFrame,
    rank: NDArray[np.int64],
    courses: Mapping[int, Course],
    by: Mapping[int, str],
) -> pd.DataFrame:
    made = tracks.copy()
    for track in by:
        own = (made["track"] == track).to_numpy()
        course = courses[track]
        made.loc[own, "consistent_state"] = course.states(rank[own])
        made.loc[own, "counted"] = int(course.counted)
        made.loc[own, "reason"] = "" if course.counted else course.note
    return made


def _counts(
    counts: pd.DataFrame,
    usable: NDArray[np.bool_],
    courses: Mapping[int, Course],
    movers: NDArray[np.int64],
) -> pd.DataFrame:
    second_look = counts.loc[usable, "second_look"].to_numpy(np.int64)
    return count_table(counts, usable, movers, _histories(courses), second_look)


def _beside(made: pd.DataFrame, machine: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Append the machine's columns; both tables have the same rows."""
    return made.assign(**{f"{name}{MACHINE}": machine[name].array for name in columns})


def _by(made: pd.DataFrame, by: Mapping[int, str]) -> pd.DataFrame:
    """Append who corrected each worm."""
    return made.assign(**{CORRECTED_BY: made["track"].map(by).fillna("")})


def _individuals_beside(made: pd.DataFrame, machine: pd.DataFrame) -> pd.DataFrame:
    """Append what the machine says of each individual; empty for one that it did not count."""
    theirs = machine.set_index("individual")[list(OF_INDIVIDUALS)].reindex(made["individual"])
    beside = {}
    for name in OF_INDIVIDUALS:
        own = theirs[name].reset_index(drop=True)
        whole = name in ("seen_moving", "health_censored", "death_censored")
        beside[f"{name}{MACHINE}"] = own.astype("Int64") if whole else own
    return made.reset_index(drop=True).assign(**beside)


def lines_table(
    corrections: Sequence[Correction], undone: Sequence[Correction], reviewed: Reviewed
) -> pd.DataFrame:
    """Return a row per line of the files of a plate (``LINES_COLUMNS``), with what became of it."""
    without = {(one.scorer, one.id) for one in undone}
    rows = []
    for one in sorted([*corrections, *undone], key=lambda line: (line.scorer, line.id)):
        key = one.scorer, one.id
        standing, note = reviewed.standing.get(key, (APPLIED, ""))
        if key in without:
            standing, note = UNDONE, ""
        rows.append(
            {
                **vars(one),
                "value": one.value or "",
                "track_then": one.track,
                "track": "" if standing == STALE else reviewed.track.get(key, ""),
                "blind": int(one.blind),
                "standing": standing,
                "note": note,
            }
        )
    return pd.DataFrame(rows, columns=list(LINES_COLUMNS))
