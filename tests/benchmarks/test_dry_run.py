"""The benchmark of planning plans the real workflow, and has nothing to do afterwards."""

import sys
from pathlib import Path

import pytest

from benchmarks import dry_run
from step.tables import read_table


def test_two_small_plates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table, page = tmp_path / "t.tsv", tmp_path / "t.md"
    words = ["--plates", "2", "--timepoints", "11", "--table", str(table), "--page", str(page)]
    monkeypatch.setattr(sys, "argv", ["dry_run", *words])
    dry_run.main()
    found = read_table(table, dry_run.COLUMNS)
    # Of each plate, three jobs for each of two blocks and seven for all; one experiment, one table.
    assert found["jobs"].tolist() == [28, 28, 0]
    assert (found["peak_rss_mb"] > 50).all()
    assert "| nothing to do | 2 x 11 | 0 |" in page.read_text()
