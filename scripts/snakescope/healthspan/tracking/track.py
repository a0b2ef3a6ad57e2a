"""Tracks of stopped worms and counts of moving worms (Matsuo et al., section 3.4).

Moving worms cannot be identified half a day later, so they are counted. A stopped worm stays within
a fraction of a millimetre: its detections are linked to a track
(:mod:`snakescope.healthspan.tracking.linking`), its states are decoded to the order healthy,
immobile, dead (:mod:`snakescope.healthspan.tracking.state_path`), and every worm becomes an
individual with intervals for the ends of its healthspan and life
(:mod:`snakescope.healthspan.tracking.individuals`).
"""

import argparse
import sys
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.healthspan.tracking.individuals import (
    DEAD_AT_START,
    MOVED_ON,
    NEVER_STOPPED,
    STATIC,
    TrackHistory,
    dead_so_far,
    estimated_worms,
    individuals_table,
    missing_among_static,
    reason_not_counted,
    stopped_so_far,
)
from snakescope.healthspan.tracking.linking import Candidates, link_candidates
from snakescope.healthspan.tracking.settings import TrackSettings
from snakescope.healthspan.tracking.start import alike_at_start
from snakescope.healthspan.tracking.state_path import log_emissions, most_probable_path, path_states
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table, write_table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PROBABILITIES = ["p_healthy", "p_immobile", "p_dead"]
STATES_COLUMNS = ["timepoint", "instance", "y_px", "x_px", "area_px", *PROBABILITIES, "state"]
TRACKS_COLUMNS = [
    "track",
    "timepoint",
    "time_h",
    "instance",
    "y_px",
    "x_px",
    "state",
    *PROBABILITIES,
    "consistent_state",
    "counted",
    "reason",
    "second_look",
]
COUNTS_COLUMNS = [
    "timepoint",
    "time_h",
    "day",
    "usable",
    "healthy",
    "immobile",
    "dead",
    "alive",
    "total",
    "second_look",
    "surplus",
]

MANY_SURPLUS = 0.25
"""Share of the timepoints from which on surplus worms are told."""


@dataclass(frozen=True)
class PlateTracks:
    """The three tables of a plate, and messages for the user."""

    tracks: pd.DataFrame
    individuals: pd.DataFrame
    counts: pd.DataFrame
    warnings: tuple[str, ...]


def course_of_track(
    track: int, members: Ints, candidates: Candidates, day: Floats, settings: TrackSettings
) -> TrackHistory:
    """Return the most probable history of one track.

    Args:
        track: its number.
        members: indices of its candidates, ascending in time.
        day: days of all usable frames, (T,).
    """
    frame = candidates.frame[members]
    first, last = int(frame[0]), int(frame[-1])
    probability = np.full((last - first + 1, 3), np.nan)
    probability[frame - first] = candidates.probability[members]
    emission = log_emissions(probability, settings.probability_floor)
    shift = np.linalg.norm(np.diff(candidates.position[members], axis=0), axis=1)
    stays = np.maximum(settings.place_evidence - shift / settings.shift_scale_px, 0)
    emission[frame[:-1] - first, 0] -= stays
    step = float(np.median(np.diff(day))) if len(day) > 1 else 0.5
    stopped, dead = most_probable_path(
        emission,
        day[first : last + 1],
        day[first - 1] if first else day[0] - step,
        settings.immobile_shape,
        settings.immobile_scale_d,
    )
    sighting = members[min(int(np.searchsorted(frame, first + stopped)), len(members) - 1)]
    return TrackHistory(
        track=track,
        first=first,
        last=last,
        stopped=first + stopped,
        dead=first + dead,
        seen_dead=int((frame >= first + dead).sum()),
        y_px=float(candidates.position[sighting, 0]),
        x_px=float(candidates.position[sighting, 1]),
    )


def count_table(
    frames: pd.DataFrame,
    usable: NDArray[np.bool_],
    movers: Ints,
    counted: list[TrackHistory],
    second_look: Ints,
    put_on: int | None = None,
) -> pd.DataFrame:
    """Return worms per state and timepoint (``COUNTS_COLUMNS``); empty for unusable frames.

    Detections of no counted track are healthy, and those of a counted track before it stopped.
    Stopped worms have their decoded state, also in frames without a detection, and stay dead to the
    end. ``second_look`` is the number of detections that were missed at first. Where the number of
    worms put on is known, no frame has more: of moving ones beyond it, ``surplus``, some are none.
    """
    stopped = stopped_so_far(counted, int(usable.sum()))
    dead = dead_so_far(counted, int(usable.sum()))
    moving = movers if put_on is None else np.minimum(movers, np.maximum(put_on - stopped, 0))
    found = {
        "healthy": moving,
        "immobile": stopped - dead,
        "dead": dead,
        "alive": moving + stopped - dead,
        "total": moving + stopped,
        "second_look": second_look,
        "surplus": movers - moving,
    }
    table = frames[["timepoint", "time_h", "day"]].copy()
    table["usable"] = usable.astype(int)
    for name, count in found.items():
        table[name] = pd.array([pd.NA] * len(table), dtype="Int64")
        table.loc[usable, name] = count
    return table[COUNTS_COLUMNS]


def judged_tracks(
    states: pd.DataFrame,
    candidate: NDArray[np.int64],
    candidates: Candidates,
    time_h: NDArray[np.float64],
    day: NDArray[np.float64],
    alike: NDArray[np.bool_],
    settings: TrackSettings,
) -> tuple[list[TrackHistory], list[TrackHistory], NDArray[np.bool_], pd.DataFrame]:
    """Link candidates to tracks, decode their states and decide which tracks count.

    Args:
        states: one row per detection.
        candidate: the rows of ``states`` that are ``candidates``, shape (candidates,).
        time_h, day: of the usable frames, shape (frames,).
        alike: what the first frames say of each detection (:func:`alike_at_start`).

    Returns:
        The histories of the tracks that count as individuals, and of those that are static from
        the start; whether each detection is a mover, shape (detections,); the detections of all
        stopped tracks, with ``track``, ``consistent_state``, ``counted`` and ``reason``.
    """
    mover = ~alike
    counted: list[TrackHistory] = []
    static: list[TrackHistory] = []
    pieces: list[pd.DataFrame] = []
    for track, linked in enumerate(link_candidates(candidates, len(day), settings), start=1):
        members = np.array(linked, np.int64)
        course = course_of_track(track, members, candidates, day, settings)
        reason = reason_not_counted(course, time_h, settings)
        # Of a track from the first frame on the states tell more than the grey values.
        later = time_h[course.first] - time_h[0] > settings.settle_h
        always = (
            reason in ("", MOVED_ON) and later and bool(np.median(alike[candidate[members]]) > 0.5)
        )
        if always:
            reason = STATIC
        if reason == NEVER_STOPPED:
            continue
        piece = states.iloc[candidate[members]].copy()
        path = path_states(
            course.last - course.first + 1,
            course.stopped - course.first,
            course.dead - course.first,
        )
        frame = candidates.frame[members]
        piece["consistent_state"] = [path[f - course.first] for f in frame]
        piece["track"], piece["counted"], piece["reason"] = track, int(not reason), reason
        pieces.append(piece)
        # A listed track is judged as a whole, as reviews do that correct it.
        mover[candidate[members]] = True
        if reason == "":
            counted.append(course)
            mover[candidate[members[frame >= course.stopped]]] = False
        elif reason == STATIC:
            static.append(replace(course, first=0, stopped=0, dead=0) if always else course)
            mover[candidate[members]] = False
    tracks = pd.concat(pieces) if pieces else pd.DataFrame(columns=TRACKS_COLUMNS)
    return counted, static, mover, tracks


def areas_over_worms(
    static: list[TrackHistory], states: pd.DataFrame, tracks: pd.DataFrame
) -> NDArray[np.float64]:
    """Return the median area of each static track relative to all other detections.

    Shape (len(static),). Without other detections, static tracks are compared with each other.

    Args:
        states: one row per detection, with ``instance`` and ``area_px``.
        tracks: one row per detection of a track, with ``track``, ``instance`` and ``area_px``.
    """
    own = tracks[tracks["track"].isin([course.track for course in static])]
    others = states.loc[~states["instance"].isin(own["instance"]), "area_px"]
    usual = float((others if len(others) else own["area_px"]).median())
    median = own.groupby("track")["area_px"].median()
    return np.array([float(median[course.track]) for course in static]) / usual


def track_plate(
    states: pd.DataFrame,
    frames: pd.DataFrame,
    age_at_first_frame_d: float,
    worms: int | None,
    settings: TrackSettings,
) -> PlateTracks:
    """Compute tracks, individuals and counts of one plate.

    Args:
        states: one row per detection, with ``STATES_COLUMNS``; probabilities may be empty
            (state ``unknown``). It may have no rows.
        frames: one row per timepoint, with timepoint, time_h, status.
        worms: number of worms put on the plate, None if unknown.

    Raises:
        StepError: a detection lies in a frame that is not registered, or see
            :func:`snakescope.healthspan.tracking.linking.solve_part`.
    """
    frames = frames.sort_values("timepoint").reset_index(drop=True)
    frames["day"] = age_at_first_frame_d + frames["time_h"] / 24
    usable = (frames["status"] == "registered").to_numpy()
    timepoint = frames.loc[usable, "timepoint"].to_numpy(np.int64)
    time_h = frames.loc[usable, "time_h"].to_numpy(np.float64)
    day = frames.loc[usable, "day"].to_numpy(np.float64)

    states = states.sort_values(["timepoint", "instance"]).reset_index(drop=True)
    if "second_look" not in states:
        states["second_look"] = ""
    stray = ~states["timepoint"].isin(timepoint)
    if stray.any():
        raise StepError(
            "states: expected detections in registered frames only, found some at timepoint "
            f"{int(states.loc[stray, 'timepoint'].iloc[0])}; run the classification again"
        )
    rank = np.searchsorted(timepoint, states["timepoint"].to_numpy(np.int64))
    probability = states[PROBABILITIES].to_numpy(np.float64)
    candidate = np.flatnonzero(~(probability[:, 0] > settings.max_p_healthy))
    candidates = Candidates(
        rank[candidate],
        states[["y_px", "x_px"]].to_numpy(np.float64)[candidate],
        probability[candidate],
    )

    alike = alike_at_start(states, rank, (time_h - time_h[:1])[rank], settings)
    counted, static, mover, tracks = judged_tracks(
        states, candidate, candidates, time_h, day, alike, settings
    )
    movers = np.bincount(rank[mover], minlength=len(day)).astype(np.int64)
    stopped = stopped_so_far(counted, len(day))
    number = worms
    warnings = []
    if number is not None and static:
        found = missing_among_static(
            static,
            areas_over_worms(static, states, tracks),
            movers.astype(np.float64),
            stopped,
            number,
            settings,
        )
        counted = sorted(counted + found, key=lambda course: course.track)
        for course in found:
            theirs = tracks["track"] == course.track
            tracks.loc[theirs, "counted"] = 1
            tracks.loc[theirs, "reason"] = DEAD_AT_START if course.at_start else ""
        if found:
            warnings.append(
                f"{len(found)} objects that lay there from the start count as worms, since so many "
                f"of {number} put on are missing: {sum(course.at_start for course in found)} were "
                "dead at the first picture; look at the contact sheet for debris among them"
            )
    if number is None:
        number = estimated_worms(movers.astype(np.float64), stopped, settings.worms_quantile)
    elif number < len(counted):
        warnings.append(
            f"{len(counted)} worms stopped on a plate of {number}: counting {len(counted)}; "
            "look at the contact sheet for debris or correct worms in the plate sheet"
        )
    if len(states) == 0:
        warnings.append("no worm was detected in any frame")
    individuals = individuals_table(
        counted, movers.astype(np.float64), timepoint, day, number, settings.smoothing_frames
    )
    tracks = tracks.drop(columns="time_h", errors="ignore").merge(
        frames[["timepoint", "time_h"]], on="timepoint", how="left"
    )
    tracks = tracks.sort_values(["track", "timepoint"])[TRACKS_COLUMNS]
    again = (states["second_look"] != "").to_numpy()
    counts = count_table(
        frames, usable, movers, counted, np.bincount(rank[again], minlength=len(day)), worms
    )
    if (beyond := int((counts["surplus"] > 0).sum())) > len(day) * MANY_SURPLUS:
        warnings.append(
            f"at {beyond} of {len(day)} timepoints more worms were found than the {worms} put on,"
            f" up to {int(counts['surplus'].max())} more: counts are limited to {worms}; correct"
            " worms in the plate sheet, or look at the contact sheet for what passes for worms"
        )
    return PlateTracks(tracks, individuals, counts, tuple(warnings))


def number_of_worms(text: str) -> int | None:
    """Return the number of worms that an option states, None for ``unknown``."""
    return None if text in ("unknown", "") else int(text)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--states", required=True)
    parser.add_argument("--frames", required=True)
    parser.add_argument("--age-at-first-frame-d", type=float, default=0.0)
    parser.add_argument("--worms", type=number_of_worms, default=None, help="number or unknown")
    parser.add_argument("--settings", default="{}")
    parser.add_argument("--tracks", required=True)
    parser.add_argument("--individuals", required=True)
    parser.add_argument("--counts", required=True)


def main(given: argparse.Namespace) -> None:
    """Run the step."""
    found = track_plate(
        read_table(given.states, STATES_COLUMNS, text=("second_look",)),
        read_table(given.frames, ["timepoint", "time_h", "status"]),
        given.age_at_first_frame_d,
        given.worms,
        TrackSettings.model_validate_json(given.settings),
    )
    for warning in found.warnings:
        print(f"warning: {given.states}: {warning}", file=sys.stderr)
    write_table(given.tracks, found.tracks)
    write_table(given.individuals, found.individuals)
    write_table(given.counts, found.counts)
