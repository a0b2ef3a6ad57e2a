"""Which frames of plates would teach the detector most, if somebody corrected their masks."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from snakescope.healthspan.fine_tuning.settings import AnnotationPackageSettings
from snakescope.healthspan.tracking.individuals import CORRECTED_BY, MACHINE

TRACK_COLUMNS = ("timepoint", "instance", "track", "state", "consistent_state", "counted", "reason")
PROBABILITIES = {"healthy": "p_healthy", "immobile": "p_immobile", "dead": "p_dead"}
CORRECTED, DISAGREEING, UNSURE = "corrected", "disagreeing", "unsure"
REASONS = {
    CORRECTED: "worms of which a person said something else than the machine (count)",
    DISAGREEING: "worms whose state in this picture is not that of their course, and how far the"
    " number found is from that of the frames around (count)",
    UNSURE: "sum over its worms of how unsure their state is (1 - probability)",
}
"""What is measured of a frame, in the order in which frames are chosen."""

AROUND = 3
"""Frames before and after, of which the number of worms is compared."""


class Chosen(NamedTuple):
    """A frame that is chosen, and for which of ``REASONS``."""

    plate: str
    timepoint: int
    why: str


def frame_scores(tracks: pd.DataFrame) -> pd.DataFrame:
    """Return a row per timepoint with a column per ``REASONS``, from a table of tracks.

    With corrections the table has the machine's calls beside those that count.
    """
    sure = np.full(len(tracks), np.nan)
    for state, column in PROBABILITIES.items():
        own = (tracks["state"] == state).to_numpy()
        sure[own] = tracks.loc[own, column]
    counted = (tracks["counted"] == 1).to_numpy()
    otherwise = counted & (tracks["state"] != tracks["consistent_state"]).to_numpy()
    corrected = np.zeros(len(tracks), bool)
    if CORRECTED_BY in tracks:
        by = (tracks[CORRECTED_BY].fillna("") != "").to_numpy()
        for name in ("consistent_state", "counted"):
            corrected |= by & (tracks[name] != tracks[f"{name}{MACHINE}"]).to_numpy()
    table = pd.DataFrame(
        {
            "timepoint": tracks["timepoint"],
            CORRECTED: corrected,
            DISAGREEING: otherwise,
            UNSURE: 1 - np.nan_to_num(sure, nan=1.0),
            "found": 1,
        }
    )
    scores = table.groupby("timepoint", as_index=False).sum()
    found = scores["found"].to_numpy(float)
    usual = pd.Series(found).rolling(2 * AROUND + 1, center=True, min_periods=1).median()
    scores[DISAGREEING] = scores[DISAGREEING] + np.abs(found - usual.to_numpy())
    return scores.drop(columns="found").astype(dict.fromkeys(REASONS, float))


def choose(scores: Mapping[str, pd.DataFrame], settings: AnnotationPackageSettings) -> list[Chosen]:
    """Return the frames to annotate: in turn the best for each reason, apart from one another.

    Args:
        scores: of every plate, as :func:`frame_scores` gives them.
    """
    every = pd.concat(
        [table.assign(plate=plate) for plate, table in scores.items()], ignore_index=True
    )
    orders = {
        why: [
            (str(row["plate"]), int(row["timepoint"]))
            for row in every[every[why] > 0]
            .sort_values([why, "plate", "timepoint"], ascending=[False, True, True])
            .to_dict("records")
        ]
        for why in REASONS
    }
    taken: dict[str, list[int]] = {}
    chosen: list[Chosen] = []
    while len(chosen) < settings.frames and any(orders.values()):
        for why, order in orders.items():
            found = _first(order, taken, settings)
            if found is not None and len(chosen) < settings.frames:
                taken.setdefault(found[0], []).append(found[1])
                chosen.append(Chosen(*found, why))
    return chosen


def _first(
    order: list[tuple[str, int]],
    taken: Mapping[str, Sequence[int]],
    settings: AnnotationPackageSettings,
) -> tuple[str, int] | None:
    """Take the first frame of an order that may be chosen; those before it are removed."""
    while order:
        plate, timepoint = order.pop(0)
        there = taken.get(plate, ())
        apart = all(abs(timepoint - one) >= settings.apart_frames for one in there)
        if apart and len(there) < settings.frames_per_plate:
            return plate, timepoint
    return None
