"""Survival tables in the forms that other programs read.

Each takes the survival table of an experiment: one row per worm and outcome, with
outcome, condition, plate, day (middle of the interval, or day of censoring) and event
(1 ended, 0 censored).
"""

import pandas as pd

from healthspan.survival import OUTCOMES


def group_names(survival: pd.DataFrame) -> pd.Series:
    """``condition lifespan`` or ``condition healthspan`` for each row."""
    return survival["condition"].astype(str) + " " + survival["outcome"].astype(str)


def oasis2(survival: pd.DataFrame) -> str:
    """OASIS 2 text: per group a line ``% name``, then day, dead, censored (tab-separated)."""
    lines: list[str] = []
    named = survival.assign(group=group_names(survival))
    for group, rows in named.groupby("group", sort=False):
        lines.append(f"% {group}")
        for day, at_day in rows.groupby("day", sort=True):
            dead = int((at_day["event"] == 1).sum())
            lines.append(f"{day:g}\t{dead}\t{len(at_day) - dead}")
        lines.append("")
    return "\n".join(lines)


def prism(survival: pd.DataFrame) -> pd.DataFrame:
    """Prism survival table: day, then a column per group with 1 died, 0 censored, else empty."""
    ordered = survival.assign(group=group_names(survival)).sort_values(
        "day", kind="stable", ignore_index=True
    )
    table = pd.DataFrame({"day": ordered["day"]})
    for group in group_names(survival).unique():
        event = ordered["event"].where(ordered["group"] == group)
        table[str(group)] = event.astype("Int64")
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
