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
from snakescope.healthspan.review.corrections import Correction
from snakescope.healthspan.review.histories import (
    Course,
    Frames,
    corrected_courses,
    machine_courses,
)
from snakescope.healthspan.review.settings import CorrectedSettings
from snakescope.healthspan.states.states import STATES

AGREEMENT_COLUMNS = (
    "scorer_a",
    "scorer_b",
    "worms",
    "worms_of_one",
    "states",
    "weighted_kappa",
    "deaths",
    "deaths_of_one",
    "share_within_one_frame",
    "median_difference_d",
    "mean_difference_d",
    "low_d",
    "high_d",
    "blind_share",
)
THE_MACHINE = "machine"
FEWEST_FOR_LIMITS = 3


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
    a: Opinion, b: Opinion, shared: Sequence[int], tracks: pd.DataFrame, frames: Frames
) -> dict[str, Any]:
    """Return the measures of agreement of two opinions on the shared tracks.

    Differences are b - a in days of the first frame in which a worm is dead, with their limits of
    agreement (mean and 1.96 standard deviations, Bland and Altman 1986). Kappa has quadratic
    weights over the states of every sighting of worms that both count.
    """
    from snakescope.learning.scores import quadratic_kappa

    both = [one for one in shared if a.courses[one].counted and b.courses[one].counted]
    either = [one for one in shared if a.courses[one].counted or b.courses[one].counted]
    states: tuple[list[int], list[int]] = ([], [])
    for track in both:
        seen = np.sort(tracks.loc[tracks["track"] == track, "timepoint"].to_numpy(np.int64))
        rank = np.searchsorted(frames.timepoint, seen)
        for own, opinion in zip(states, (a, b), strict=True):
            own += [STATES.index(state) for state in opinion.courses[track].states(rank)]
    dies = [(a.courses[one].history, b.courses[one].history) for one in both]
    ranks = np.array([(x.dead, y.dead) for x, y in dies if x.dies and y.dies], np.int64)
    ranks = ranks.reshape(-1, 2)
    difference = frames.day[ranks[:, 1]] - frames.day[ranks[:, 0]]
    row: dict[str, Any] = {
        "worms": len(either),
        "worms_of_one": len(either) - len(both),
        "states": len(states[0]),
        "deaths": len(ranks),
        "deaths_of_one": sum(x.dies != y.dies for x, y in dies),
    }
    if states[0]:
        row["weighted_kappa"] = quadratic_kappa(states[0], states[1], len(STATES))
    if len(ranks):
        row["share_within_one_frame"] = float((np.abs(np.diff(ranks, axis=1)) <= 1).mean())
        row["median_difference_d"] = float(np.median(difference))
        row["mean_difference_d"] = float(difference.mean())
    if len(ranks) >= FEWEST_FOR_LIMITS:
        spread = 1.96 * float(difference.std(ddof=1))
        row |= {"low_d": row["mean_difference_d"] - spread}
        row |= {"high_d": row["mean_difference_d"] + spread}
    return row


def agreement_table(
    by_scorer: Mapping[str, Sequence[Correction]],
    tracks: pd.DataFrame,
    individuals: pd.DataFrame,
    frames: Frames,
    digest: str,
    settings: CorrectedSettings,
) -> pd.DataFrame:
    """Return a row per pair (``AGREEMENT_COLUMNS``): each scorer with the machine, and two scorers.

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
    rows = []
    for (name_a, a), (name_b, b) in pairs:
        shared = sorted(a.looked_at & b.looked_at)
        shares = [one.blind_share for one in (a, b) if np.isfinite(one.blind_share)]
        blind = float(np.mean(shares)) if shares else np.nan
        row = compared(a, b, shared, tracks, frames)
        rows.append({"scorer_a": name_a, "scorer_b": name_b, "blind_share": blind, **row})
    return pd.DataFrame(rows, columns=list(AGREEMENT_COLUMNS))
