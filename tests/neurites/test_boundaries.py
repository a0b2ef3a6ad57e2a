"""A volume with boundary probabilities is segmented without the network."""

from pathlib import Path

import numpy as np
import tifffile

from tests.neurites.clone import ROWS, Volumes


def test_boundaries_take_the_place_of_the_network(tmp_path: Path) -> None:
    clone = Volumes(tmp_path / "clone")
    clone.subjects()
    tifffile.imwrite(clone.root / "boundaries.tif", np.full((4, 16, 16), 100, np.uint8))
    lines = ROWS.splitlines()
    sheet = [f"{lines[0]}\tboundaries", f"{lines[1]}\t", f"{lines[2]}\t\tboundaries.tif"]
    clone.sheet_file("volumes.tsv", "\n".join(sheet) + "\n")
    ended = clone.snakemake("--dry-run", "--", "neurites")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    jobs = (ended.stdout + ended.stderr).split("rule neurites_")
    made = {job.split(":")[0] for job in jobs if "output: results/neurites/b/affinities" in job}
    assert made == {"boundaries"}
    made = {job.split(":")[0] for job in jobs if "output: results/neurites/a/affinities" in job}
    assert made == {"affinities"}
