"""Corrections and the tracks of the latest run: which worm is meant, and what counts of it.

A correction made on the tracks at hand names its track. One that was made on others, before a run
with other weights or settings, is that of the worm which lies where the corrected one lay
(:func:`track_at`). A correction that finds no worm, or two, or whose worm another correction claims
too, is stale: it is not applied, and is listed with the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.healthspan.review.corrections import (
    ADJUDICATED,
    ALIVE,
    CENSORED,
    CHECKED,
    DEAD,
    EXCLUDE_PLATE,
    LAST_HEALTHY,
    NOT_A_WORM,
    OTHER,
    SAME_AS,
    SEVERAL,
    WORM,
    Correction,
)
from snakescope.healthspan.review.settings import CorrectedSettings

SLOTS = {
    DEAD: "death",
    ALIVE: "death",
    CENSORED: "death",
    LAST_HEALTHY: "healthspan_end",
    NOT_A_WORM: "kind",
    WORM: "kind",
    SEVERAL: "kind",
    SAME_AS: "kind",
}
"""What a correction is about: of a worm, a scorer's latest on each counts."""

SAME_TIME_H = 0.01
"""Times are written in tables with six digits."""

APPLIED, STALE, UNDONE, REPLACED = "applied", "stale", "undone", "replaced"
LOOKED_AT = "checked"


@dataclass(frozen=True)
class Sightings:
    """Where a track was seen: timepoints ascending, places (y, x) in plate pixels."""

    timepoint: NDArray[np.int64]
    place: NDArray[np.float64]

    def at(self, timepoint: int) -> NDArray[np.float64]:
        """The place at a timepoint: between two sightings, outside them that of the nearest."""
        return np.array(
            [np.interp(timepoint, self.timepoint, self.place[:, axis]) for axis in (0, 1)]
        )


@dataclass
class Reviewed:
    """What became of the corrections of a plate.

    Attributes:
        calls: of each track, by slot, the correction that counts; that of a worm which is the
            same as another has the other's track as its value.
        checked: the scorers who looked at a track.
        standing: of each line (scorer, id): what became of it, and why.
        track: of each line the track that it is of now; none of a stale one.
    """

    calls: dict[int, dict[str, Correction]] = field(default_factory=dict)
    checked: dict[int, list[str]] = field(default_factory=dict)
    standing: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)
    track: dict[tuple[str, int], int] = field(default_factory=dict)

    def stale(self, one: Correction, reason: str) -> None:
        """List a correction as not applied."""
        self.standing[one.scorer, one.id] = (STALE, reason)


def sightings_of(tracks: pd.DataFrame) -> dict[int, Sightings]:
    """Return where each track was seen, from the table of tracks."""
    ordered = tracks.sort_values(["track", "timepoint"], kind="stable")
    number = ordered["track"].to_numpy(np.int64)
    timepoint = ordered["timepoint"].to_numpy(np.int64)
    place = ordered[["y_px", "x_px"]].to_numpy(np.float64)
    return {
        int(one): Sightings(timepoint[number == one], place[number == one])
        for one in np.unique(number)
    }


def tracks_near(
    timepoint: int,
    place: tuple[float, float],
    tracks: Mapping[int, Sightings],
    settings: CorrectedSettings,
) -> list[tuple[float, int]]:
    """Return the tracks that lie at a place (y, x) at a timepoint, with distances, nearest first.

    Their distances are in plate pixels.
    """
    near: list[tuple[float, int]] = []
    for number, seen in tracks.items():
        early = int(seen.timepoint[0]) - timepoint
        late = timepoint - int(seen.timepoint[-1])
        if max(early, late) > settings.anchor_frames:
            continue
        distance = float(np.hypot(*(seen.at(timepoint) - place)))
        if distance <= settings.anchor_px:
            near.append((distance, number))
    return sorted(near)


def clear_track(
    near: Sequence[tuple[float, int]], settings: CorrectedSettings
) -> tuple[int | None, str]:
    """Return the nearest of :func:`tracks_near`, or None and why it is not clear which is meant."""
    if not near:
        return None, "no worm that stopped lies there now"
    if len(near) > 1 and near[1][0] < settings.clear_ratio * max(near[0][0], 1.0):
        names = " and ".join(str(number) for _, number in near[:2])
        return None, f"several worms lie there now: tracks {names}"
    return near[0][1], ""


def track_at(
    one: Correction, tracks: Mapping[int, Sightings], digest: str, settings: CorrectedSettings
) -> tuple[int | None, str]:
    """Return the track that a correction is of, or None and why there is none.

    Args:
        one: the correction.
        tracks: of the latest run.
        digest: of the table of these tracks.
    """
    if one.digest == digest and one.track not in tracks:
        return None, f"no track {one.track} in tracks.tsv, on which it was made"
    near = tracks_near(one.anchor_timepoint, (one.y_px, one.x_px), tracks, settings)
    if one.digest != digest:
        return clear_track(near, settings)
    if one.track in [number for _, number in near]:
        return one.track, ""
    return None, f"track {one.track} does not lie where the line says"


def other_track(
    one: Correction, tracks: Mapping[int, Sightings], digest: str, settings: CorrectedSettings
) -> tuple[int | None, str]:
    """Return the track of the worm that a corrected one is the same as, as :func:`track_at`."""
    found = OTHER.fullmatch(one.reason)
    if one.digest == digest or found is None:
        known = one.value in tracks
        return (one.value, "") if known else (None, f"no track {one.value} in tracks.tsv")
    timepoint, y, x = found.groups()
    near = tracks_near(int(timepoint), (float(y), float(x)), tracks, settings)
    track, reason = clear_track(near, settings)
    return track, reason and f"the worm that it is the same as: {reason}"


def retimed(
    corrections: Sequence[Correction], timepoint: NDArray[np.int64], time_h: NDArray[np.float64]
) -> list[Correction]:
    """Return corrections with the numbers that their timepoints have now, by their times.

    Where a frame was added between others, or taken away, all later ones have other numbers. Of a
    frame that is not there any longer, a death is seen in the next one, all else in the one before.

    Args:
        corrections: those without a time stay as they are.
        timepoint, time_h: of the frames of the plate, ascending, (F,).
    """
    made = []
    for one in corrections:
        if one.time_h is not None and len(time_h):
            early = one.action == DEAD
            edge = one.time_h + (-SAME_TIME_H if early else SAME_TIME_H)
            rank = int(np.searchsorted(time_h, edge)) - (0 if early else 1)
            inside = timepoint[min(max(rank, 0), len(timepoint) - 1)]
            now = int(inside) + min(rank, 0) + max(rank - len(timepoint) + 1, 0)
            if by := now - one.timepoint:
                one = replace(one, timepoint=now, anchor_timepoint=one.anchor_timepoint + by)
                if one.action == SAME_AS and (found := OTHER.fullmatch(one.reason)):
                    there = max(int(found[1]) + by, 0)
                    one = replace(one, reason=f"t{there} y{found[2]} x{found[3]}")
        made.append(one)
    return made


def associate(
    corrections: Sequence[Correction],
    tracks: pd.DataFrame,
    digest: str,
    settings: CorrectedSettings,
) -> Reviewed:
    """Decide which correction counts for which track.

    Args:
        corrections: of all scorers of a plate, those undone left out, in the order of their lines.
        tracks: the table of the latest run.
        digest: of its file.
    """
    reviewed = Reviewed()
    seen = sightings_of(tracks)
    claims: dict[int, set[tuple[str, int]]] = {}
    placed: list[tuple[Correction, int]] = []
    for one in corrections:
        if one.action == EXCLUDE_PLATE:
            # A plate that is left out is not computed, so the plate is not left out.
            kept = f"{ADJUDICATED} does not leave the plate out"
            reviewed.standing[one.scorer, one.id] = (REPLACED, kept)
            continue
        track, reason = track_at(one, seen, digest, settings)
        if track is not None and one.action == SAME_AS:
            other, reason = other_track(one, seen, digest, settings)
            if other is None:
                track = None
            elif other == track:
                reviewed.standing[one.scorer, one.id] = (APPLIED, "they are one track now")
                reviewed.track[one.scorer, one.id] = track
                continue
            else:
                one = replace(one, value=other)
        if track is None:
            reviewed.stale(one, reason)
            continue
        placed.append((one, track))
        reviewed.track[one.scorer, one.id] = track
        claims.setdefault(track, set()).add((one.digest, one.track))
    own: dict[int, list[Correction]] = {}
    for one, track in placed:
        # Worms that were two in one run, and are one track now.
        claimed = sorted(number for made_on, number in claims[track] if made_on == one.digest)
        if len(claimed) > 1:
            numbers = " and ".join(str(number) for number in claimed)
            reviewed.stale(one, f"tracks {numbers} of that review are one now, track {track}")
        else:
            own.setdefault(track, []).append(one)
    for track, lines in sorted(own.items()):
        _decide(reviewed, track, lines)
    _check_same(reviewed)
    return reviewed


def _check_same(reviewed: Reviewed) -> None:
    """Take back that worms are one where none of them would count; in place."""
    same = {
        track: calls["kind"].value
        for track, calls in reviewed.calls.items()
        if "kind" in calls and calls["kind"].action == SAME_AS
    }
    for track in same:
        met = [track]
        while met[-1] in same and same[met[-1]] not in met:
            met.append(same[met[-1]])
        last = reviewed.calls.get(met[-1], {}).get("kind")
        if met[-1] in same:
            reason = "each of them is said to be the other"
        elif last is not None and last.action == NOT_A_WORM:
            reason = f"track {met[-1]}, which it is the same as, is said to be no worm"
        else:
            continue
        reviewed.stale(reviewed.calls[track].pop("kind"), reason)


def _decide(reviewed: Reviewed, track: int, lines: Sequence[Correction]) -> None:
    """Choose, for one track and each slot, the correction that counts; in place."""
    latest: dict[str, dict[str, Correction]] = {}
    looked: list[str] = []
    for one in lines:
        if one.action == CHECKED:
            reviewed.standing[one.scorer, one.id] = (LOOKED_AT, "")
            looked.append(one.scorer)
            continue
        mine = latest.setdefault(SLOTS[one.action], {})
        if before := mine.get(one.scorer):
            reviewed.standing[before.scorer, before.id] = (REPLACED, f"by line {one.id}")
        mine[one.scorer] = one
    looked = list(dict.fromkeys(looked))
    if looked:
        reviewed.checked[track] = looked
    for slot, said in latest.items():
        chosen = _agreed(said, looked)
        if chosen is None:
            _disagree(reviewed, said, looked)
            continue
        for one in said.values():
            followed = one.scorer in (chosen.scorer, ADJUDICATED) or _same(one, chosen)
            reason = "" if followed else f"{ADJUDICATED} says {_words(chosen)}"
            reviewed.standing[one.scorer, one.id] = (APPLIED if followed else REPLACED, reason)
        reviewed.calls.setdefault(track, {})[slot] = chosen


def _same(one: Correction, other: Correction) -> bool:
    return _call(one) == _call(other)


def _call(one: Correction) -> tuple[str, int, int]:
    """What a correction says; of which timepoint something is no worm matters little."""
    return one.action, one.timepoint if SLOTS[one.action] != "kind" else 0, one.value


def _words(one: Correction) -> str:
    at = "" if SLOTS[one.action] == "kind" else f" at timepoint {one.timepoint}"
    number = f" ({one.value})" if one.value else ""
    return f"{one.action}{number}{at}"


def _agreed(said: Mapping[str, Correction], looked: Sequence[str]) -> Correction | None:
    """Return what counts of what scorers say; None where they disagree and nobody decides."""
    if ADJUDICATED in said:
        return said[ADJUDICATED]
    first, *others = said.values()
    # Who looked at the worm and changed nothing says what the machine says, and so does a death at
    # the machine's own timepoint.
    silent = [scorer for scorer in looked if scorer not in said]
    if first.action == DEAD and first.machine_value == str(first.timepoint):
        silent = []
    return None if silent or not all(_same(first, one) for one in others) else first


def _disagree(reviewed: Reviewed, said: Mapping[str, Correction], looked: Sequence[str]) -> None:
    told = [f"{name}: {_words(one)}" for name, one in said.items()]
    told += [f"{name}: as the machine" for name in looked if name not in said]
    for one in said.values():
        reviewed.stale(
            one,
            f"scorers disagree ({'; '.join(told)}); the machine's call is kept until a file"
            f" {one.plate}.{ADJUDICATED}.tsv decides",
        )
