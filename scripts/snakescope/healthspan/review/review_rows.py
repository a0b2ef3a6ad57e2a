"""The rows of a page of review: every worm, with where it lay and what the machine says of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.healthspan.report.contact_sheet_rows import Row, fate, rows_of
from snakescope.healthspan.review.histories import Course, Frames, machine_courses

PROBABILITY = {"healthy": "p_healthy", "immobile": "p_immobile", "dead": "p_dead"}

LONGEST_GAP = 6
"""Frames after the end of a track in which another may go on with the same worm."""

LETTER = {"healthy": "h", "immobile": "i", "dead": "d"}


@dataclass(frozen=True)
class ReviewRow:
    """A worm that was followed.

    Attributes:
        row: its cells, as on the contact sheet.
        track: its number in the table of tracks.
        individual: its number on the contact sheet; 0 of a track that does not count.
        fate: what the machine says became of it, in words.
        confidence: mean probability of the states that the machine gave it; NaN without one.
        stopped, dead: columns of the first frame in which it had stopped, was dead; -1 without.
        seen: columns in which it was found.
        looks: the machine's state of each of these, of that picture alone.
        last: the column until which it was watched.
    """

    row: Row
    track: int
    individual: int
    fate: str
    confidence: float
    stopped: int
    dead: int
    seen: list[int]
    looks: list[str]
    last: int

    def as_json(self) -> dict[str, Any]:
        """What the page knows of the worm; places are those of ``seen``, in plate pixels."""
        places = self.row.places[self.seen]
        return {
            "track": self.track,
            "individual": self.individual,
            "fate": self.fate,
            "confidence": None if np.isnan(self.confidence) else round(self.confidence, 3),
            "stopped": self.stopped,
            "dead": self.dead,
            "last": self.last,
            "seen": self.seen,
            "looks": "".join(LETTER.get(one, "-") for one in self.looks),
            "y": [round(float(one), 1) for one in places[:, 0]],
            "x": [round(float(one), 1) for one in places[:, 1]],
        }


def confidence_of(track: pd.DataFrame) -> float:
    """Return the mean probability of the consistent states of a track; NaN without any."""
    given = [
        float(row[PROBABILITY[row["consistent_state"]]])
        for row in track.to_dict("records")
        if row["consistent_state"] in PROBABILITY
    ]
    known = [one for one in given if np.isfinite(one)]
    return float(np.mean(known)) if known else float("nan")


def review_rows(
    individuals: pd.DataFrame,
    tracks: pd.DataFrame,
    timepoints: Sequence[int],
    usable: set[int],
    day: NDArray[np.float64],
) -> list[ReviewRow]:
    """Return every worm that was followed, those that do not count last; else by track.

    Args:
        individuals, tracks: the tables of the machine.
        timepoints: of the columns, ascending.
        usable: those that have a registered frame.
        day: of the columns.
    """
    others = tracks[tracks["counted"] == 0].drop_duplicates("track")
    not_counted = pd.DataFrame(
        {
            "individual": -others["track"].to_numpy(np.int64),
            "track": others["track"].to_numpy(),
            "first_timepoint": others["timepoint"].to_numpy(),
            "death_after_d": np.nan,
            "death_before_d": np.nan,
            "death_censored": 1,
            "censor_reason": ["not counted: " + str(one) for one in others["reason"]],
        }
    )
    followed = individuals[individuals["track"].notna()]
    columns = list(not_counted.columns)
    parts = [one for one in (followed[columns], not_counted) if len(one)]
    if not parts:
        return []
    worms = pd.concat(parts, ignore_index=True)
    track_of = {int(one["individual"]): int(one["track"]) for one in worms.to_dict("records")}
    fates = {int(one["individual"]): fate(one) for _, one in worms.iterrows()}
    shown = np.array([one in usable for one in timepoints])
    frames = Frames(np.asarray(timepoints, np.int64)[shown], day[shown])
    column = np.flatnonzero(shown)
    courses = machine_courses(tracks, individuals, frames)
    made = []
    for row in rows_of(worms, tracks, list(timepoints), usable):
        track = track_of[row.individual]
        course = courses[track]
        own = tracks[tracks["track"] == track]
        state_of = dict(zip(own["instance"], own["state"], strict=True))
        seen = [int(one) for one in np.flatnonzero(row.instances >= 0)]
        made.append(
            ReviewRow(
                row=row,
                track=track,
                individual=max(row.individual, 0),
                fate=fates[row.individual],
                confidence=confidence_of(own),
                stopped=_column(course.history.stopped, column),
                dead=_column(course.history.dead, column) if course.history.dies else -1,
                seen=seen,
                looks=[str(state_of[int(row.instances[column])]) for column in seen],
                last=_last(course, column),
            )
        )
    return sorted(made, key=lambda one: (one.individual == 0, one.track))


def same_place(rows: Sequence[ReviewRow], near_px: float) -> dict[int, list[int]]:
    """Return which tracks may be the same worm, of each that has one, nearest tracks first.

    That are two that lie within ``near_px`` in most frames that show both, or of which one begins
    where the other ends.
    """
    found: dict[int, list[tuple[float, int]]] = {}
    for a, b in combinations([one for one in rows if one.seen], 2):
        apart = _apart(a, b)
        if apart <= near_px:
            found.setdefault(a.track, []).append((apart, b.track))
            found.setdefault(b.track, []).append((apart, a.track))
    return {track: [other for _, other in sorted(pairs)] for track, pairs in found.items()}


def _apart(a: ReviewRow, b: ReviewRow) -> float:
    """How far two lie apart (px): where both are seen, or from the end of one to the other."""
    both = sorted(set(a.seen) & set(b.seen))
    if both:
        between = a.row.places[both] - b.row.places[both]
        return float(np.median(np.hypot(*between.T)))
    first, second = sorted((a, b), key=lambda one: one.seen[0])
    # Neither is within the other: of two that take turns nothing is said.
    if first.seen[-1] > second.seen[0] or second.seen[0] - first.seen[-1] > LONGEST_GAP:
        return float("inf")
    ends = first.row.places[first.seen[-1]] - second.row.places[second.seen[0]]
    return float(np.hypot(*ends))


def _column(rank: int, column: NDArray[np.int64]) -> int:
    return int(column[rank]) if rank < len(column) else -1


def _last(course: Course, column: NDArray[np.int64]) -> int:
    """A dead worm stays where it is, one that lives is watched as long as it is found."""
    return int(column[-1] if course.history.dies else column[course.history.last])
