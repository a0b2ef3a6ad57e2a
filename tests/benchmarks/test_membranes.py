"""Rows of the table of membranes whose trainings are not at hand are kept."""

from pathlib import Path

import pandas as pd

from benchmarks.membranes import folds
from snakescope.step.tables import write_table


def test_rows_of_other_networks_are_kept(tmp_path: Path) -> None:
    rows = [("isbi2012_5fold", "dcn", 0.5), ("isbi2012_5fold", "unet", 0.6)]
    known = [{"set": a, "network": b, "metric": "iou", "value": value} for a, b, value in rows]
    write_table(tmp_path / "t.tsv", pd.DataFrame(known, columns=list(folds.COLUMNS)))
    fresh = pd.DataFrame([{**known[0], "value": 0.9}], columns=list(folds.COLUMNS))
    assert folds.earlier_rows(tmp_path / "t.tsv", fresh)["network"].tolist() == ["unet"]
    assert folds.earlier_rows(tmp_path / "absent.tsv", fresh).empty
