"""Two runs in one folder: whatever they are asked for, the second refuses and harms nothing."""

import os
import subprocess
import sys
import time
from pathlib import Path

from snakescope.run.events import read_events, runs
from tests.healthspan.clone import Workspace

REFERENCE = "results/healthspan/{}/reference.json"
OPENED = "a/registered/t009-t011.ome.tif"
PATIENCE_S = 120


def manifests(folder: Path) -> dict[Path, str]:
    return {path: path.read_text() for path in folder.glob("results/healthspan/*/manifest/*")}


def at_work(folder: Path) -> bool:
    """Whether the first run has told of a job."""
    logs = runs(folder)
    return bool(logs) and any(event["event"] == "job" for event in read_events(logs[-1]))


def test_a_run_for_other_files_refuses_beside_one_that_works(workspace: Workspace) -> None:
    held = workspace.root / "held"
    held.touch()
    environment = {"STUB_RAN": str(workspace.root / "first.txt"), "STUB_HELD_BY": str(held)}
    first = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", REFERENCE.format("a")],
        cwd=workspace.root, env={**os.environ, **environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + PATIENCE_S
        while not at_work(workspace.root):
            assert first.poll() is None and time.monotonic() < until
            time.sleep(0.2)
        second = workspace.snakemake(REFERENCE.format("b"))
        assert second.returncode != 0
        said = f"expected no run at work here, found one, process {first.pid} on"
        assert said in second.stdout + second.stderr
        assert not (workspace.root / REFERENCE.format("b")).exists()
        assert not (workspace.root / "results/healthspan/failures.tsv").exists()
        # The first one's lock is still there, and planning beside it is allowed.
        assert list((workspace.root / ".snakemake/locks").iterdir())
        assert "b/reference.ome.tif" in workspace.plan(REFERENCE.format("b"))
        # But nothing is written that the first one's jobs read: this timepoint opens a block.
        found = manifests(workspace.root)
        workspace.raw("a", 10)
        assert OPENED not in workspace.plan()
        beside = workspace.snakemake(
            "--dry-run", "--config", "healthspan={timepoints_per_block: 2}"
        )
        assert "planned with the images that were found before" in beside.stdout + beside.stderr
        assert manifests(workspace.root) == found
        assert first.poll() is None
    finally:
        held.unlink()
        assert first.wait(timeout=PATIENCE_S) == 0
    assert (workspace.root / REFERENCE.format("a")).exists()
    assert workspace.run(REFERENCE.format("b")) == {"b/reference.ome.tif"}
    assert OPENED in workspace.plan()
