"""How far scorers of a plate agree, with one another and with the machine.

Compared are the worms that both looked at: those of which a scorer said something, be it only that
they were checked. What a scorer left as it was is what the machine says. A scorer who saw the
machine's calls is drawn to them: quote agreement with the machine of blind reviews, whose share
stands beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from snakescope.healthspan.review.association import associate
from snakescope.healthspan.review.bland_altman import Deaths, deaths_of, limits_of
from snakescope.healthspan.review.corrections import Correction
from snakescope.healthspan.review.histories import (
    Course,
    Frames,
    corrected_courses,
    machine_courses,
)
from snakescope.healthspan.review.settings import CorrectedSettings
from snakescope.healthspan.states.states import STATES

CONFUSION = {f"{a}_{b}": (i, j) for i, a in enumerate(STATES) for j, b in enumerate(STATES)}
"""Sightings by what the first says and what the second says, as ``healthy_dead``."""

AGREEMENT_COLUMNS = (
    "scorer_a",
    "scorer_b",
    "worms",
    "worms_of_one",
    "states",
    "weighted_kappa",
    *CONFUSION,
    "deaths",
    "deaths_of_one",
    "deaths_of_none",
    "share_within_one_frame",
    "median_difference_d",
    "mean_difference_d",
    "mean_from_d",
    "mean_to_d",
    "low_d",
    "low_from_d",
    "low_to_d",
    "high_d",
    "high_from_d",
    "high_to_d",
    "died_for_a",
    "died_for_b",
    "counted_by_a",
    "counted_by_b",
    "blind_share",
)
THE_MACHINE = "machine"


@dataclass(frozen=True)
class Opinion:
    """What a scorer, or the machine, says of tracks."""

    courses: Mapping[int, Course]
    looked_at: frozenset[int]
    blind_share: float


def opinion_of(
    corrections: Sequence[Correction],
    tracks: pd.DataFrame,
    machine: Mapping[int, Course],
    frames: Frames,
    digest: str,
    settings: CorrectedSettings,
) -> Opinion:
    """Return what one scorer says; corrections that find no worm say nothing."""
    reviewed = associate(corrections, tracks, digest, settings)
    courses, _ = corrected_courses(machine, reviewed.calls, frames)
    looked_at = frozenset((*reviewed.calls, *reviewed.checked))
    blind = np.mean([one.blind for one in corrections]) if corrections else np.nan
    return Opinion(courses, looked_at, float(blind))


def compared(
    a: Opinion,
    b: Opinion,
    deaths: Deaths,
    shared: Sequence[int],
    tracks: pd.DataFrame,
    frames: Frames,
) -> dict[str, Any]:
    """Return the measures of agreement of two opinions on the shared tracks.

    Differences are b - a in days of the first frame in which a worm is dead, with their limits of
    agreement. Kappa has quadratic weights over the states of every sighting of worms that both
    count.
    """
    from snakescope.learning.scores import confusion_matrix, quadratic_kappa

    both = [one for one in shared if a.courses[one].counted and b.courses[one].counted]
    states: tuple[list[int], list[int]] = ([], [])
    for track in both:
        seen = np.sort(tracks.loc[tracks["track"] == track, "timepoint"].to_numpy(np.int64))
        rank = np.searchsorted(frames.timepoint, seen)
        for own, opinion in zip(states, (a, b), strict=True):
            own += [STATES.index(state) for state in opinion.courses[track].states(rank)]
    of_one = len(deaths.counted_by_a) + len(deaths.counted_by_b)
    row: dict[str, Any] = {
        "worms": len(both) + of_one,
        "worms_of_one": of_one,
        "states": len(states[0]),
        "deaths": len(deaths.days),
        "deaths_of_one": len(deaths.a_alone) + len(deaths.b_alone),
        "deaths_of_none": deaths.neither,
        "share_within_one_frame": deaths.within_one_frame,
        "died_for_a": ", ".join(deaths.a_alone),
        "died_for_b": ", ".join(deaths.b_alone),
        "counted_by_a": ", ".join(deaths.counted_by_a),
        "counted_by_b": ", ".join(deaths.counted_by_b),
    }
    if states[0]:
        row["weighted_kappa"] = quadratic_kappa(states[0], states[1], len(STATES))
        table = confusion_matrix(states[0], states[1], len(STATES))
        row |= {name: int(table[place]) for name, place in CONFUSION.items()}
    if len(deaths.days):
        row["median_difference_d"] = float(np.median(deaths.difference))
        row["mean_difference_d"] = float(deaths.difference.mean())
    if limits := limits_of(deaths.difference):
        for name, values in (("low", limits.low), ("high", limits.high)):
            row |= {f"{name}_d": values[0]}
            row |= {f"{name}_from_d": values[1], f"{name}_to_d": values[2]}
        row |= {"mean_from_d": limits.bias[1], "mean_to_d": limits.bias[2]}
    return row


def called(tracks: pd.DataFrame, individuals: pd.DataFrame) -> dict[int, str]:
    """Return the name of every track as pages have it: the number of its worm, if it has one."""
    followed = individuals[individuals["track"].notna()]
    names = {int(one): f"track {int(one)}" for one in tracks["track"].unique()}
    numbers = zip(followed["track"], followed["individual"], strict=True)
    return names | {int(track): str(int(number)) for track, number in numbers}


def agreement_table(
    by_scorer: Mapping[str, Sequence[Correction]],
    tracks: pd.DataFrame,
    individuals: pd.DataFrame,
    frames: Frames,
    digest: str,
    settings: CorrectedSettings,
) -> tuple[pd.DataFrame, list[Deaths]]:
    """Return a row per pair (``AGREEMENT_COLUMNS``): each scorer with the machine, and two scorers.

    With it what each pair says of deaths, in the same order.

    Args:
        by_scorer: the corrections of each that were not undone.
        tracks, individuals: the tables of the machine; digest: of the file of tracks.
    """
    machine = machine_courses(tracks, individuals, frames)
    opinions = {
        name: opinion_of(lines, tracks, machine, frames, digest, settings)
        for name, lines in sorted(by_scorer.items())
    }
    own = Opinion(machine, frozenset(machine), np.nan)
    pairs = [((THE_MACHINE, own), one) for one in opinions.items()]
    pairs += list(combinations(opinions.items(), 2))
    names = called(tracks, individuals)
    rows, compared_deaths = [], []
    for (name_a, a), (name_b, b) in pairs:
        shared = sorted(a.looked_at & b.looked_at)
        shares = [one.blind_share for one in (a, b) if np.isfinite(one.blind_share)]
        blind = float(np.mean(shares)) if shares else np.nan
        deaths = deaths_of((name_a, name_b), (a.courses, b.courses), shared, frames, names)
        row = compared(a, b, deaths, shared, tracks, frames)
        rows.append({"scorer_a": name_a, "scorer_b": name_b, "blind_share": blind, **row})
        compared_deaths.append(deaths)
    return pd.DataFrame(rows, columns=list(AGREEMENT_COLUMNS)), compared_deaths
