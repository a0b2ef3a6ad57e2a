"""Who stands in which row of the contact sheet, and what each of its cells shows."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.healthspan.registration.registered_pages import usable
from snakescope.healthspan.states.states import DEAD, HEALTHY, IMMOBILE

TRACK_COLUMNS = ("track", "timepoint", "instance", "y_px", "x_px", "consistent_state")
INDIVIDUAL_COLUMNS = (
    "individual",
    "track",
    "first_timepoint",
    "death_after_d",
    "death_before_d",
    "death_censored",
    "censor_reason",
)


class Cell(IntEnum):
    """What is known of a worm at a timepoint."""

    NO_FRAME = 0
    BEFORE = 1
    NOT_FOUND = 2
    HEALTHY = 3
    IMMOBILE = 4
    DEAD = 5


class Columns(NamedTuple):
    """The timepoints that a page shows side by side, their days, and those with a usable frame."""

    timepoints: list[int]
    day: NDArray[np.float64]
    shown: set[int]


def columns_of(frames: pd.DataFrame, age_at_first_frame_d: float) -> Columns:
    """Return the columns of a plate, from its table of frames and the age of the worms (d)."""
    ordered = frames.sort_values("timepoint", kind="stable").drop_duplicates("timepoint")
    day = age_at_first_frame_d + ordered["time_h"].to_numpy(np.float64) / 24
    shown = {int(one) for one in usable(ordered)["timepoint"]}
    return Columns([int(one) for one in ordered["timepoint"]], day, shown)


CELL_OF_STATE = {HEALTHY: Cell.HEALTHY, IMMOBILE: Cell.IMMOBILE, DEAD: Cell.DEAD}


@dataclass(frozen=True)
class Row:
    """One worm.

    Attributes:
        individual: its number in the table of individuals.
        fate: when it died or was lost, in words.
        cells: Cell values, int (T,).
        places: (y, x) in plate coordinates, float (T, 2).
        instances: identifier of its mask, int64 (T,); -1 where it was not found.
    """

    individual: int
    fate: str
    cells: NDArray[np.int8]
    places: NDArray[np.float64]
    instances: NDArray[np.int64]


def interval(after: float, before: float) -> str:
    """An interval of days as text, ``12.5-13.0``; what is unknown stays open."""
    if np.isfinite(after) and np.isfinite(before):
        return f"{after:.1f}\N{EN DASH}{before:.1f}" if before > after else f"{after:.1f}"
    if np.isfinite(before):
        return f"before {before:.1f}"
    return f"after {after:.1f}" if np.isfinite(after) else "unknown"


def fate(individual: pd.Series) -> str:
    """``died day 12.5-13.0``, or why that is not known."""
    if int(individual["death_censored"]):
        reason = individual["censor_reason"]
        return str(reason) if isinstance(reason, str) and reason else "censored"
    after, before = float(individual["death_after_d"]), float(individual["death_before_d"])
    return f"died day {interval(after, before)}"


def sorted_by_death(individuals: pd.DataFrame) -> pd.DataFrame:
    """The individuals that have a track: the dead by day of death, then the censored."""
    followed = individuals[individuals["track"].notna()]
    return followed.sort_values(
        ["death_censored", "death_after_d", "death_before_d", "first_timepoint", "individual"],
        kind="stable",
        na_position="first",
    )


def rows_of(
    individuals: pd.DataFrame, tracks: pd.DataFrame, timepoints: list[int], usable: set[int]
) -> list[Row]:
    """The rows of the sheet, in their order.

    Args:
        individuals, tracks: the plate's tables.
        timepoints: the columns, ascending; T of them.
        usable: those that have a registered frame.
    """
    by_track = dict(iter(tracks.groupby("track")))
    return [
        _row(one, by_track[one["track"]], timepoints, usable)
        for _, one in sorted_by_death(individuals).iterrows()
        if one["track"] in by_track
    ]


def _row(
    individual: pd.Series, track: pd.DataFrame, timepoints: list[int], usable: set[int]
) -> Row:
    track = track.sort_values("timepoint", kind="stable").drop_duplicates("timepoint")
    found = track["timepoint"].to_numpy(dtype=np.int64)
    columns = np.asarray(timepoints, dtype=np.int64)
    # Between two sightings the worm is taken to lie between them, outside them to lie still.
    places = np.stack(
        [np.interp(columns, found, track[axis].to_numpy(float)) for axis in ("y_px", "x_px")],
        axis=1,
    )
    cells = np.where(columns < found[0], Cell.BEFORE, Cell.NOT_FOUND).astype(np.int8)
    instances = np.full(columns.size, -1, dtype=np.int64)
    column_of = {timepoint: column for column, timepoint in enumerate(timepoints)}
    for timepoint, state, instance in zip(
        found, track["consistent_state"], track["instance"], strict=True
    ):
        column = column_of.get(int(timepoint))
        if column is not None and state in CELL_OF_STATE and pd.notna(instance):
            cells[column] = CELL_OF_STATE[state]
            instances[column] = int(instance)
    cells[[timepoint not in usable for timepoint in timepoints]] = Cell.NO_FRAME
    return Row(int(individual["individual"]), fate(individual), cells, places, instances)
