"""Aims of an evaluation against its table: set, method or network, metric, value, low, high."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd


class Aim(NamedTuple):
    """A figure that is aimed at.

    Attributes:
        what: in words.
        set, method, metric: where it is in the table, by its first three columns.
        least: the value from which it is met; of the value itself unless ``bound``.
        bound: the end of the interval that is held against it.
        most: whether ``least`` is the greatest value instead.
    """

    what: str
    set: str
    method: str
    metric: str
    least: float
    bound: str = "value"
    most: bool = False


def found_of(table: pd.DataFrame, set_: str, method: str, metric: str) -> pd.Series | None:
    """The row of a figure, or None."""
    own = table["set"], table[table.columns[1]], table["metric"]
    rows = table[(own[0] == set_) & (own[1] == method) & (own[2] == metric)]
    return None if rows.empty else rows.iloc[0]


def with_interval(row: pd.Series) -> str:
    """A value with its interval, as text."""
    text = f"{float(row['value']):.3f}"
    low, high = float(row["low"]), float(row["high"])
    return text if np.isnan(low) else f"{text} [{low:.3f}, {high:.3f}]"


def aims_table(table: pd.DataFrame, aims: Iterable[Aim]) -> pd.DataFrame:
    """What was aimed at, what was measured, and whether it is met."""
    rows = []
    for aim in aims:
        row = found_of(table, aim.set, aim.method, aim.metric)
        if row is None:
            rows.append((aim.what, f"{aim.least:g}", "not measured", ""))
            continue
        value = float(row[aim.bound])
        met = value <= aim.least if aim.most else value >= aim.least
        rows.append((aim.what, f"{aim.least:.3g}", with_interval(row), "yes" if met else "**no**"))
    return pd.DataFrame(rows, columns=["what", "aim", "measured", "met"])


def wide(table: pd.DataFrame, set_: str, metrics: dict[str, str]) -> pd.DataFrame:
    """Methods of a set in rows, in the order of the table; metrics in columns."""
    part = table[(table["set"] == set_) & table["metric"].isin(metrics)]
    name = table.columns[1]
    rows = []
    for method in part[name].unique():
        cells = {name: method}
        for metric, heading in metrics.items():
            row = found_of(table, set_, method, metric)
            cells[heading] = "" if row is None else with_interval(row)
        rows.append(cells)
    return pd.DataFrame(rows, columns=[name, *metrics.values()])
