"""Composites with the states that people gave them: what the classifier learns of a review.

Labels are of worms that somebody looked at, corrected or checked: their state at every timepoint at
which they were seen, as the corrected course of the worm has it. What nobody looked at is no label,
and neither is what several worms are in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from snakescope.healthspan.states.classify import read_composites
from snakescope.healthspan.states.models import WINDOW_PX, colours_of
from snakescope.healthspan.states.states import STATES

LOOKED_AT = ("applied", "checked")
"""What became of the lines of corrections by which a worm was looked at."""
SEVERAL = "several"
TRACK_COLUMNS = ("timepoint", "instance", "track", "consistent_state", "counted")
LINES_COLUMNS = ("action", "track", "standing")
COUNT_COLUMNS = ("plate", "part", "worms", *STATES)


@dataclass(frozen=True)
class StateExamples:
    """Composites of worms of one plate.

    Attributes:
        plate: its name.
        colours: uint8 (N, 128, 128), as ``states.models.colours_of`` has them.
        states: numbers of ``STATES``, (N,).
        tracks: of each worm, (N,).
    """

    plate: str
    colours: torch.Tensor
    states: NDArray[np.int64]
    tracks: NDArray[np.int64]


def labels_of(tracks: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Return instance, track and state of the sightings of worms that somebody looked at.

    Args:
        tracks: corrected (``TRACK_COLUMNS``).
        lines: what became of every line of corrections (``LINES_COLUMNS``).
    """
    there = lines[lines["standing"].isin(LOOKED_AT)]
    # A line that found no worm has no track.
    number = pd.to_numeric(there["track"], errors="coerce")
    several = set(number[there["action"] == SEVERAL].dropna().astype(int))
    looked_at = set(number.dropna().astype(int)) - several
    own = tracks[tracks["track"].isin(looked_at) & (tracks["counted"] == 1)]
    own = own[own["consistent_state"].isin(STATES)]
    return own[["instance", "track", "consistent_state"]].reset_index(drop=True)


def examples_of(plate: str, labels: pd.DataFrame, composites: Sequence[Path]) -> StateExamples:
    """Return the composites of labelled sightings.

    Args:
        labels: as :func:`labels_of` gives them.
        composites: stacks of the blocks of the plate, their indices beside them (``.tsv``).

    Raises:
        StepError: a stack or an index is absent or damaged.
    """
    wanted = labels.set_index("instance")
    colours = [torch.zeros((0, WINDOW_PX, WINDOW_PX), dtype=torch.uint8)]
    found = []
    for path in composites:
        stack, index = read_composites(path, path.with_suffix(".tsv"))
        # Without a neighbour a composite shows no movement.
        tells = index["before"].notna() | index["after"].notna()
        rows = np.flatnonzero((tells & index["instance"].isin(wanted.index)).to_numpy())
        if len(rows):
            colours.append(colours_of(stack[rows]))
            found.append(wanted.loc[index["instance"].iloc[rows]])
    table = pd.concat(found) if found else labels[:0]
    number = {name: place for place, name in enumerate(STATES)}
    return StateExamples(
        plate,
        torch.cat(colours),
        np.array([number[one] for one in table["consistent_state"]], np.int64),
        table["track"].to_numpy(np.int64),
    )


def counts_table(plates: Sequence[StateExamples], parts: Mapping[str, str]) -> pd.DataFrame:
    """Return a row per plate: its part, its worms, and composites of each state."""
    rows = []
    for one in plates:
        counts = np.bincount(one.states, minlength=len(STATES)).tolist()
        rows.append((one.plate, parts[one.plate], len(set(one.tracks.tolist())), *counts))
    return pd.DataFrame(rows, columns=list(COUNT_COLUMNS))
