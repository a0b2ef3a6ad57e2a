"""The benchmark of planning plans the real workflow, and has nothing to do afterwards."""

import subprocess
from pathlib import Path

from benchmarks.workflow import dry_run


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
