"""Histories of tracks from a plate's tables, and as corrections leave them.

Ranks are those of the usable frames, 0 to F - 1, as in
:class:`~snakescope.healthspan.tracking.individuals.TrackHistory`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.healthspan.review.corrections import (
    ALIVE,
    CENSORED,
    DEAD,
    NOT_A_WORM,
    SAME_AS,
    Correction,
)
from snakescope.healthspan.tracking.individuals import STATIC, TrackHistory
from snakescope.healthspan.tracking.state_path import path_states

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ALIVE_THEN = "alive when last looked at"
NO_WORM = "no worm, as a person says"


@dataclass(frozen=True)
class Frames:
    """The usable frames of a plate: their timepoints and days, ascending, (F,)."""

    timepoint: Ints
    day: Floats

    def __len__(self) -> int:
        return len(self.timepoint)

    def rank(self, timepoint: int) -> int:
        """The first usable frame at or after a timepoint; F without one."""
        return int(np.searchsorted(self.timepoint, timepoint))

    def rank_before(self, timepoint: int) -> int:
        """The last usable frame at or before a timepoint; -1 without one."""
        return int(np.searchsorted(self.timepoint, timepoint, side="right")) - 1

    def rank_of_day(self, day: float) -> int:
        """The usable frame of a day, as rounded in a table."""
        return int(np.argmin(np.abs(self.day - day)))


@dataclass(frozen=True)
class Course:
    """What becomes of a track.

    Attributes:
        history: its history.
        counted: whether it is an individual.
        static: whether it was, not counted, neither a worm nor a mover.
        worms: how many it is.
        note: why a person does not count it.
    """

    history: TrackHistory
    counted: bool
    static: bool = False
    worms: int = 1
    note: str = ""

    def is_mover(self, rank: Ints) -> NDArray[np.bool_]:
        """Whether detections of the track at these ranks count as moving worms."""
        if self.counted:
            return (rank < self.history.stopped) & (rank <= self.history.last)
        return np.full(len(rank), not self.static)

    def states(self, rank: Ints) -> list[str]:
        """The state at each of these ranks, ascending."""
        first, last = int(rank[0]), int(rank[-1])
        stopped = min(max(self.history.stopped, first), last + 1)
        dead = min(max(self.history.dead, stopped), last + 1)
        path = path_states(last - first + 1, stopped - first, dead - first)
        return [str(path[one - first]) for one in rank]


def machine_courses(
    tracks: pd.DataFrame, individuals: pd.DataFrame, frames: Frames
) -> dict[int, Course]:
    """Return every track as the machine has it.

    Args:
        tracks, individuals: the tables that tracking wrote.
    """
    put_on = min(0.0, float(frames.day[0])) if len(frames) else 0.0
    followed = individuals[individuals["track"].notna()]
    rows = {int(row["track"]): row for row in followed.to_dict("records")}
    found = {}
    ordered = tracks.sort_values("timepoint", kind="stable")
    for track in (int(one) for one in np.unique(tracks["track"].to_numpy(np.int64))):
        seen = ordered[ordered["track"] == track]
        rank = np.searchsorted(frames.timepoint, seen["timepoint"].to_numpy(np.int64))
        first, last = int(rank[0]), int(rank[-1])
        if track in rows:
            history = _of_row(track, rows[track], first, last, frames, put_on)
            found[track] = Course(history, True)
            continue
        state = seen["consistent_state"].to_numpy(str)
        still, gone = rank[state != "healthy"], rank[state == "dead"]
        stopped = int(still[0]) if len(still) else last + 1
        place = seen.iloc[min(int(np.searchsorted(rank, stopped)), len(seen) - 1)]
        history = TrackHistory(
            track, first, last, stopped, int(gone[0]) if len(gone) else last + 1, len(gone),
            float(place["y_px"]), float(place["x_px"]),
        )  # fmt: skip
        found[track] = Course(history, False, static=bool(seen["reason"].iloc[0] == STATIC))
    return found


def _of_row(
    track: int, row: Mapping[Any, Any], first: int, last: int, frames: Frames, put_on: float
) -> TrackHistory:
    dies = not int(row["death_censored"])
    unseen = not int(row["seen_moving"])
    at_start = dies and unseen and abs(float(row["death_after_d"]) - put_on) < 1e-6
    return TrackHistory(
        track=track,
        first=first,
        last=last,
        stopped=frames.rank_of_day(float(row["healthspan_end_before_d"])),
        dead=frames.rank_of_day(float(row["death_before_d"])) if dies else last + 1,
        seen_dead=0,
        y_px=float(row["y_px"]),
        x_px=float(row["x_px"]),
        at_start=at_start,
    )


def corrected_course(
    course: Course, calls: Mapping[str, Correction], frames: Frames
) -> tuple[Course, dict[str, str]]:
    """Return what becomes of a track, and why corrections of a slot contradict others.

    A contradicted correction is not applied.

    Args:
        course: as the machine has it.
        calls: the correction that counts, by slot.
    """
    kind, death = calls.get("kind"), calls.get("death")
    if kind is not None and kind.action in (NOT_A_WORM, SAME_AS):
        is_none = kind.action == NOT_A_WORM
        why = "it is no worm" if is_none else f"it is the same worm as track {kind.value}"
        without = {slot: why for slot in calls if slot != "kind"}
        note = NO_WORM if is_none else f"the same worm as track {kind.value}, as a person says"
        return replace(course, counted=False, static=True, note=note), without
    history = course.history
    refused: dict[str, str] = {}
    if death is not None:
        history, refused["death"] = _with_death(history, death, frames)
    if (move := calls.get("healthspan_end")) is not None:
        stopped = frames.rank_before(move.timepoint) + 1
        if history.dies and stopped > history.dead:
            refused["healthspan_end"] = (
                f"it moves at or after its death at timepoint {frames.timepoint[history.dead]}:"
                " say when it died, or that it is alive"
            )
        elif stopped > history.last + 1:
            refused["healthspan_end"] = "it moves after it was last watched"
        else:
            history = replace(history, stopped=stopped, unseen=False, at_start=False)
    if history.stopped > history.last:
        # It never stopped while it was watched.
        history = replace(history, stopped=len(frames))
    worms = kind.value if kind is not None and kind.value else course.worms
    refused = {slot: why for slot, why in refused.items() if why}
    counted = course.counted or any(slot not in refused for slot in calls)
    return Course(history, counted, course.static, worms), refused


def corrected_courses(
    machine: Mapping[int, Course],
    calls: Mapping[int, Mapping[str, Correction]],
    frames: Frames,
) -> tuple[dict[int, Course], dict[int, dict[str, str]]]:
    """Return what becomes of every track, and what is not applied, by track and slot."""
    courses, refused = dict(machine), {}
    for track, own in calls.items():
        courses[track], refused[track] = corrected_course(machine[track], own, frames)
    for own in calls.values():
        kind = own.get("kind")
        if kind is not None and kind.action == SAME_AS and "kind" not in calls.get(kind.value, {}):
            # The one that counts for both counts, whatever the machine thought of it.
            courses[kind.value] = replace(courses[kind.value], counted=True)
    return courses, refused


def _with_death(
    history: TrackHistory, call: Correction, frames: Frames
) -> tuple[TrackHistory, str]:
    """Return the history with its death as a person has it, and why it cannot be, if so."""
    end = len(frames)
    # What is known of its health does not change with its death.
    known = replace(history, at_start=False, unseen=history.unseen or history.at_start)
    if call.action == DEAD:
        dead = frames.rank(call.timepoint)
        if dead >= end:
            return history, "no usable frame at or after that timepoint"
        last, stopped = max(history.last, dead), min(history.stopped, dead)
        first = min(history.first, dead)
        return replace(known, dead=dead, first=first, last=last, stopped=stopped), ""
    last = frames.rank_before(call.timepoint)
    if last < 0:
        return history, "no usable frame at or before that timepoint"
    if call.action == ALIVE and history.dies and history.dead > last:
        return history, ""
    if call.action == ALIVE and not history.dies:
        last = max(last, history.last)
    # Of a worm that is alive in a frame nothing is known later.
    reason = call.reason if call.action == CENSORED else ALIVE_THEN
    reason = "" if call.action == ALIVE and last == end - 1 else reason
    first = min(history.first, last)
    return replace(known, dead=last + 1, first=first, last=last, censored=reason), ""
