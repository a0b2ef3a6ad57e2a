"""The shipped demo, from nothing to scores and pictures."""

import csv
import shutil
from pathlib import Path

import pytest
import tifffile

from snakescope import REPOSITORY
from tests.started import quick_steps, snakemake


@pytest.mark.slow
def test_the_demo_ends_with_scores_and_pictures(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "config", tmp_path / "config")
    words = ["--snakefile", str(REPOSITORY / "Snakefile"), "--cores", "2"]
    words += ["--configfile", "config/examples/membranes_demo/config.yaml", "--", "membranes"]
    ended = snakemake(tmp_path, *words, OMP_NUM_THREADS="1", **quick_steps())
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "V_Rand" in ended.stderr and "page.html" in ended.stderr
    results = tmp_path / "results/membranes/demo"
    with open(results / "scores.tsv", encoding="utf-8", newline="") as file:
        rows = {
            (row["network"], row["metric"]): row for row in csv.DictReader(file, delimiter="\t")
        }
    iou = {name: float(rows[name, "iou"]["value"]) for name in ("network", "raw")}
    assert iou["network"] > iou["raw"] + 0.1
    assert rows["network", "v_rand"]["threshold_from"] == "tuning sections"
    assert tifffile.imread(results / "membranes.tif").shape == (6, 256, 256)
    for picture in ("sections.png", "scores.png"):
        assert (results / picture).stat().st_size > 10_000
