"""Which kernels go on from a rung: by the mean IoU on tuning sections.

snakescope membranes select --rows k4-8-16_seed0/steps20.json ... --rung 0 --settings '{}'
    --table rung0.tsv
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from snakescope.membranes.networks.kernels import name_of
from snakescope.membranes.search.plan import halving_plan
from snakescope.membranes.search.settings import SearchSettings
from snakescope.step.tables import write_table


def select(rows: Sequence[Mapping[str, Any]], kept: int) -> pd.DataFrame:
    """A row a setting, the best first: mean IoU over seeds, least, greatest, whether it goes on.

    Of settings with the same mean, the one that comes first in the search goes on.
    """
    table = pd.DataFrame(
        [{"kernels": name_of(one["kernels"]), "tune_iou": one["tune_iou"]} for one in rows]
    )
    groups = table.groupby("kernels", sort=False)["tune_iou"]
    found = groups.agg(["mean", "min", "max", "count"]).reset_index()
    found.columns = pd.Index(["kernels", "tune_iou", "low", "high", "seeds"])
    found = found.sort_values("tune_iou", ascending=False, kind="stable").reset_index(drop=True)
    found["kept"] = ["yes" if place < kept else "no" for place in range(len(found))]
    return found


def read_rows(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """The rows of trials."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--rows", type=Path, nargs="+", required=True, help="JSON of each trial")
    parser.add_argument("--rung", type=int, required=True, help="from 0")
    parser.add_argument("--settings", required=True, help="JSON of membranes.search")
    parser.add_argument("--table", type=Path, required=True, help="TSV to write")


def main(given: argparse.Namespace) -> None:
    """Select the settings that go on."""
    settings = SearchSettings.model_validate_json(given.settings)
    plan = [*halving_plan(len(settings.kernels), settings.rungs, settings.kept), 1]
    write_table(given.table, select(read_rows(given.rows), plan[given.rung + 1]))
