"""The table of trials: a row a training and rung, read back where its key is the same."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from snakescope.membranes.features.statistics import STATISTICS
from snakescope.membranes.networks.kernels import BRANCHES, name_of

SCORES = (
    "seconds", "threshold", "tune_iou", "test_iou", "test_area_ratio", "cell_threshold",
    "tune_v_rand", "test_v_rand", "test_v_info",
)  # fmt: skip
OF_BRANCHES = tuple(f"{name}_{one}" for name in BRANCHES for one in STATISTICS)
COLUMNS = ("key", "kernels", "seed", "steps", *SCORES, *OF_BRANCHES)


def key_of(identity: Mapping[str, Any]) -> str:
    """Eight hexadecimal digits of all that a trial depends on beside kernels, seed and steps."""
    text = json.dumps(identity, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def row_of(key: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """A trial as a row; what was not computed is empty."""
    branches = found.get("branches", {})
    return {
        "key": key,
        "kernels": name_of(found["kernels"]),
        "seed": found["seed"],
        "steps": found["steps"],
        **{name: found.get(name) for name in SCORES},
        **{
            f"{name}_{one}": branches[name][one] if name in branches else None
            for name in BRANCHES
            for one in STATISTICS
        },
    }


def statistics_of_row(row: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The statistics of every branch in a row."""
    return {name: {one: float(row[f"{name}_{one}"]) for one in STATISTICS} for name in BRANCHES}


def complete(table: pd.DataFrame, settings: list[str], steps: int) -> list[int]:
    """The seeds with a row for every setting at so many steps: only these are compared."""
    last = table[table["steps"] == steps]
    done = set(zip(last["seed"].astype(int), last["kernels"], strict=True))
    return [
        seed
        for seed in sorted({int(one) for one, _ in done})
        if all((seed, name) in done for name in settings)
    ]
