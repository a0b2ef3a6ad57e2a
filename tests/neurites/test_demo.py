"""The shipped demo, from nothing to scores and pictures."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr

from snakescope import REPOSITORY
from tests.started import quick_steps, snakemake


@pytest.mark.slow
def test_the_demo_ends_with_a_score_and_pictures(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "config", tmp_path / "config")
    words = ["--snakefile", str(REPOSITORY / "Snakefile"), "--cores", "2"]
    words += ["--configfile", "config/examples/neurites_demo/config.yaml", "--", "neurites"]
    ended = snakemake(tmp_path, *words, OMP_NUM_THREADS="1", **quick_steps())
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "ARAND" in ended.stderr and "sections.png" in ended.stderr
    results = tmp_path / "results/neurites/demo"
    with open(results / "scores.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    written = next(row for row in rows if row["written"] == "yes")
    # One object for all, or every fragment for itself, would be above 0.5.
    assert float(written["arand"]) < 0.35
    assert int(written["segments"]) > 10
    labels = np.asarray(zarr.open_array(str(results / "segmentation.ome.zarr/0"), mode="r"))
    assert labels.shape == zarr.open_array(str(results / "image.zarr"), mode="r").shape
    with open(results / "objects.tsv", encoding="utf-8", newline="") as file:
        voxels = {
            int(row["object"]): int(row["voxels"]) for row in csv.DictReader(file, delimiter="\t")
        }
    names, counts = np.unique(labels[labels > 0], return_counts=True)
    assert voxels == dict(zip(names.tolist(), counts.tolist(), strict=True))
    for picture in ("sections.png", "neurites.png", "scores.png"):
        assert (results / picture).stat().st_size > 10_000
