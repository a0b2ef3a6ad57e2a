"""The worms of an experiment as other programs read them, and what the files were made with."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from snakescope.healthspan.survival.estimators import OUTCOMES
from snakescope.tree.provenance import configuration, sha256_of_file, software

PRISM_FIRST_DAY = 0.001
"""Prism ignores rows at day 0."""
DAYS = (
    "Days are the middles of the intervals between the two pictures in which an event fell, since"
    " these programs take no intervals; survival.tsv has both ends."
)
FILES = {
    "survival.tsv": "one row per worm and outcome, with both ends of the interval",
    "oasis2_<outcome>.txt": "OASIS 2: % condition, then day, ended, censored",
    "prism_<outcome>.csv": "Prism: one row per worm, one column per condition, 1 ended, 0 censored",
    "jmp.csv": "JMP: day, censored (1 = censored), count, condition, plate, outcome",
}


def oasis2(survival: pd.DataFrame, outcome: str) -> str:
    """Return OASIS 2 text: per condition a line ``% name``, then lines of day, dead, censored."""
    lines: list[str] = []
    own = survival[survival["outcome"] == outcome]
    for condition, rows in own.groupby("condition", sort=False):
        lines.append(f"% {condition}")
        for day, at_day in rows.groupby("day", sort=True):
            dead = int((at_day["event"] == 1).sum())
            lines.append(f"{day:g}\t{dead}\t{len(at_day) - dead}")
        lines.append("")
    return "\n".join(lines)


def prism(survival: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Return the Prism table: day, and a column per condition: 1 ended, 0 censored, else empty."""
    own = survival[survival["outcome"] == outcome]
    ordered = own.sort_values("day", kind="stable", ignore_index=True)
    conditions = [str(one) for one in own["condition"].unique()]
    time = "day" if "day" not in conditions else "time (d)"
    columns: dict[str, pd.Series[Any]] = {
        time: ordered["day"].astype(float).clip(lower=PRISM_FIRST_DAY)
    }
    for condition in conditions:
        event = ordered["event"].where(ordered["condition"] == condition)
        columns[condition] = event.astype("Int64")
    return pd.DataFrame(columns)


def jmp(survival: pd.DataFrame) -> pd.DataFrame:
    """Return the JMP table: day, censored (1 = censored), count, condition, plate, outcome."""
    table = survival.assign(censored=1 - survival["event"])
    keys = ["outcome", "condition", "plate", "day", "censored"]
    counted = table.groupby(keys, sort=False).size().rename("count").reset_index()
    counted["order"] = counted["outcome"].map({name: i for i, name in enumerate(OUTCOMES)})
    counted = counted.sort_values(
        ["order", "condition", "plate", "day", "censored"], kind="stable", ignore_index=True
    )
    return counted[["day", "censored", "count", "condition", "plate", "outcome"]]


def exports_of(
    experiment: str, condition: Mapping[str, str], provenances: Sequence[str], path: str
) -> dict[str, Any]:
    """Return what the files of an experiment hold and were made with, as these formats have no
    place for comments.

    Args:
        condition: of each plate that is compared; provenances: of each plate, JSON.
        path: configuration.yaml of the run.
    """
    plates = {}
    for one in provenances:
        stated = json.loads(Path(one).read_text(encoding="utf-8"))
        plates[stated["plate"]] = {
            "condition": condition.get(stated["plate"], "left out"),
            "code": stated.get("code"),
            "configuration": stated.get("configuration"),
            "provenance_sha256": sha256_of_file(one),
        }
    return {
        "experiment": experiment,
        "explanation": DAYS,
        "files": FILES,
        **software(),
        "configuration": configuration(path),
        "plates": plates,
    }
