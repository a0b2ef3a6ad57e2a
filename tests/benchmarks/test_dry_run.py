"""The benchmark of planning plans the real workflow, and has nothing to do afterwards."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.workflow import dry_run
from snakescope.step.tables import read_table


def test_two_small_plates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table, page = tmp_path / "t.tsv", tmp_path / "t.md"
    words = [
        "--plates",
        "2",
        "--timepoints",
        "11",
        "--times",
        "1",
        "--table",
        str(table),
        "--page",
        str(page),
    ]
    monkeypatch.setattr(sys, "argv", ["dry_run", *words])
    dry_run.main()
    found = read_table(table, dry_run.COLUMNS)
    # Of each plate, three jobs for each of two blocks and four for all; one experiment, one table.
    assert found["what"].tolist() == ["first", "again", "printed", "nothing to do"]
    assert found["jobs"].tolist() == [22, 22, 22, 0]
    assert (found["peak_rss_mb"] > 50).all()
    assert "| nothing to do | 2 x 11 | 0 |" in page.read_text()


def test_a_plate_has_the_files_that_the_docs_say_and_results_under_a_hundred(
    tmp_path: Path,
) -> None:
    dry_run.prepare(tmp_path, 1, 50)
    ran = subprocess.run(
        dry_run.snakemake(tmp_path, "--dry-run"), capture_output=True, text=True, check=True
    )
    results, beside = dry_run.kept_files(tmp_path, ran.stdout + ran.stderr, "P0000")
    said = " ".join((dry_run.ROOT / "docs/operate/storage.md").read_text().split())
    assert f"50 timepoints has {results} files of results" in said
    assert f"and {beside} logs and benchmarks" in said
    assert results < 100
