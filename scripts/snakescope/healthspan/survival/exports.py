"""Survival tables in the forms that other programs read.

Each takes the survival table of an experiment: one row per worm and outcome, with
outcome, condition, plate, day (middle of the interval, or day of censoring) and event
(1 ended, 0 censored). OASIS 2 and Prism compare all groups of a file with each other, so lifespan
and healthspan go to them apart; JMP takes both, by the column ``outcome``.
"""

import pandas as pd

from snakescope.healthspan.survival.estimators import OUTCOMES

PRISM_FIRST_DAY = 0.001
"""Prism passes over a row at 0."""


def oasis2(survival: pd.DataFrame, outcome: str) -> str:
    """OASIS 2 text: per condition a line ``% name``, then day, dead, censored (tab-separated)."""
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
    """Prism survival table: day, then a column a condition: 1 ended, 0 censored, else empty."""
    own = survival[survival["outcome"] == outcome]
    ordered = own.sort_values("day", kind="stable", ignore_index=True)
    table = pd.DataFrame({"day": ordered["day"].astype(float).clip(lower=PRISM_FIRST_DAY)})
    for condition in own["condition"].unique():
        event = ordered["event"].where(ordered["condition"] == condition)
        table[str(condition)] = event.astype("Int64")
    return table


def jmp(survival: pd.DataFrame) -> pd.DataFrame:
    """JMP table: day, censored (1 = censored), count, condition, plate, outcome."""
    table = survival.assign(censored=1 - survival["event"])
    keys = ["outcome", "condition", "plate", "day", "censored"]
    counted = table.groupby(keys, sort=False).size().rename("count").reset_index()
    counted["order"] = counted["outcome"].map({name: i for i, name in enumerate(OUTCOMES)})
    counted = counted.sort_values(
        ["order", "condition", "plate", "day", "censored"], kind="stable", ignore_index=True
    )
    return counted[["day", "censored", "count", "condition", "plate", "outcome"]]
