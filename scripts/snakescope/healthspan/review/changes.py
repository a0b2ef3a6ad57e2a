"""What the review of a plate changed: corrections by kind, curves, and the time that it took."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from snakescope.healthspan.review.association import APPLIED, STALE
from snakescope.healthspan.review.corrected_tables import Corrected
from snakescope.healthspan.review.corrections import (
    ALIVE,
    CENSORED,
    CHECKED,
    DEAD,
    LAST_HEALTHY,
    NOT_A_WORM,
    SAME_AS,
    SEVERAL,
    TIME,
    WORM,
    Correction,
)
from snakescope.healthspan.survival.curves import CORRECTED_WORMS, plate_curves
from snakescope.healthspan.tracking.individuals import CORRECTED_BY, MACHINE

KINDS = (DEAD, LAST_HEALTHY, ALIVE, CENSORED, NOT_A_WORM, WORM, SEVERAL, SAME_AS)
CHANGES_COLUMNS = (
    "plate",
    "scorers",
    *KINDS,
    CHECKED,
    "stale",
    CORRECTED_WORMS,
    "alive_distance",
    "healthy_distance",
    "minutes",
)
LONGEST_PAUSE_S = 300.0
"""Whoever says nothing for longer does something else; the page reckons so too."""

LEVEL = 0.95


def minutes_spent(lines: Sequence[Correction]) -> float:
    """Return how long a scorer was at work on a plate, by the times of all lines of a file (min).

    Pauses of more than ``LONGEST_PAUSE_S`` do not count, and what came before the first line is not
    known.
    """
    times = [datetime.strptime(one.time_utc, TIME).timestamp() for one in lines]
    gaps = np.diff(times)
    return float(gaps[(gaps >= 0) & (gaps <= LONGEST_PAUSE_S)].sum() / 60)


def curve_changes(
    machine: tuple[pd.DataFrame, pd.DataFrame], made: tuple[pd.DataFrame, pd.DataFrame]
) -> tuple[float, float]:
    """Return the greatest distance of the curves alive and healthy, before and after, in shares.

    Args:
        machine, made: tables of individuals and counts.
    """
    before, after = (plate_curves(*tables, LEVEL)[0] for tables in (machine, made))
    found = []
    for name in ("alive", "healthy"):
        # Where a curve ends since no worm is watched any longer, its last value stands.
        both = [table[name].ffill().to_numpy(np.float64) for table in (before, after)]
        apart = np.abs(both[0] - both[1])
        found.append(float(np.nanmax(apart)) if np.isfinite(apart).any() else 0.0)
    return found[0], found[1]


def corrected_worms(tracks: pd.DataFrame) -> int:
    """Return of how many worms people changed something, from the tracks with corrections.

    Those that they took out or put in are among them; several in one are one.
    """
    worms = (tracks["counted"] == 1) | (tracks[f"counted{MACHINE}"] == 1)
    return int(tracks.loc[worms & (tracks[CORRECTED_BY] != ""), "track"].nunique())


def changes_table(
    plate: str,
    files: Mapping[str, Sequence[Correction]],
    machine: tuple[pd.DataFrame, pd.DataFrame],
    made: Corrected,
) -> pd.DataFrame:
    """Return the one row of a plate (``CHANGES_COLUMNS``).

    Args:
        files: all lines of every scorer.
        machine: individuals and counts of the machine.
        made: the tables with the corrections, and what became of every line.
    """
    applied = made.lines.loc[made.lines["standing"] == APPLIED, "action"].value_counts()
    checked = made.lines["action"] == CHECKED
    alive, healthy = curve_changes(machine, (made.individuals, made.counts))
    row = {
        "plate": plate,
        "scorers": " ".join(sorted(files)),
        **{kind: int(applied.get(kind, 0)) for kind in KINDS},
        CHECKED: int(checked.sum()),
        "stale": int((made.lines["standing"] == STALE).sum()),
        CORRECTED_WORMS: corrected_worms(made.tracks),
        "alive_distance": round(alive, 4),
        "healthy_distance": round(healthy, 4),
        "minutes": round(sum(minutes_spent(lines) for lines in files.values()), 1),
    }
    return pd.DataFrame([row], columns=list(CHANGES_COLUMNS))
