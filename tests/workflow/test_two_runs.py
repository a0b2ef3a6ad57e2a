"""Two runs in one folder: whatever they are asked for, the second refuses and harms nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

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


@contextmanager
def run_at_work(
    workspace: Workspace, in_background: bool = False
) -> Iterator["subprocess.Popen[bytes]"]:
    """A run for plate a whose first job waits, and goes on at the end.

    Args:
        in_background: as a script starts it with &, SIGINT ignored; what it says is in said.txt.
    """
    held = workspace.root / "held"
    held.touch()
    environment = {"STUB_RAN": str(workspace.root / "first.txt"), "STUB_HELD_BY": str(held)}
    first = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", REFERENCE.format("a")],
        cwd=workspace.root, env={**os.environ, **environment},
        stdout=(workspace.root / "said.txt").open("wb"), stderr=subprocess.STDOUT,
        start_new_session=True, preexec_fn=_ignore_interrupt if in_background else None,
    )  # fmt: skip
    try:
        until = time.monotonic() + PATIENCE_S
        while not at_work(workspace.root):
            assert first.poll() is None and time.monotonic() < until
            time.sleep(0.2)
        yield first
    finally:
        held.unlink()
        first.wait(timeout=PATIENCE_S)


def _ignore_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.mark.parametrize(("in_background", "whole_group"), [(True, False), (False, True)])
def test_an_interrupt_ends_jobs_and_run_and_nothing_has_failed(
    workspace: Workspace, in_background: bool, whole_group: bool
) -> None:
    with run_at_work(workspace, in_background) as first:
        time.sleep(2)  # until the job waits
        (os.killpg if whole_group else os.kill)(first.pid, signal.SIGINT)
        first.wait(timeout=30)
        assert (workspace.root / "held").exists()
        said = (workspace.root / "said.txt").read_text()
    assert first.returncode == 1
    assert "stopped by Ctrl-C or kill -INT: 1 job cancelled; run again" in said
    assert "0 attempts failed" in said
    assert "Traceback" not in said and "Error in rule" not in said
    assert not list(workspace.root.glob(".snakemake/locks/*"))
    assert not (workspace.root / "results/healthspan/failures.tsv").exists()
    assert not (workspace.root / "results/healthspan/a/problem.html").exists()
    assert workspace.run(REFERENCE.format("a")) == {"a/reference.ome.tif"}


def test_a_run_for_other_files_refuses_beside_one_that_works(workspace: Workspace) -> None:
    with run_at_work(workspace) as first:
        second = workspace.snakemake("--quiet", "all", "--", REFERENCE.format("b"))
        assert second.returncode != 0
        (sentence,) = (line for line in second.stderr.splitlines() if "found one" in line)
        assert f"expected no run at work here, found one, process {first.pid} on" in sentence
        assert "Traceback" not in second.stderr and "locked" not in second.stderr
        assert not (workspace.root / REFERENCE.format("b")).exists()
        assert not (workspace.root / "results/healthspan/failures.tsv").exists()
        assert len(runs(workspace.root)) == 1
        # The first one's lock is still there, and planning beside it is allowed.
        assert list((workspace.root / ".snakemake/locks").iterdir())
        assert "b/reference.ome.tif" in workspace.plan(REFERENCE.format("b"))
        # Of the very files that the first one makes as well: one sentence, and no error.
        beside = workspace.snakemake("--dry-run", REFERENCE.format("a"))
        said = beside.stdout + beside.stderr
        assert beside.returncode == 0 and f"process {first.pid} on" in said
        assert "Error" not in said and "locked" not in said
        assert "a/reference.ome.tif" in said
        # But nothing is written that the first one's jobs read: this timepoint opens a block.
        found = manifests(workspace.root)
        workspace.raw("a", 10)
        assert OPENED not in workspace.plan()
        beside = workspace.snakemake(
            "--dry-run", "--config", "healthspan={timepoints_per_block: 2}"
        )
        assert beside.returncode == 0
        assert "found before" in beside.stdout + beside.stderr
        assert manifests(workspace.root) == found
        assert first.poll() is None
    assert first.returncode == 0
    assert (workspace.root / REFERENCE.format("a")).exists()
    assert workspace.run(REFERENCE.format("b")) == {"b/reference.ome.tif"}
    assert OPENED in workspace.plan()


@pytest.mark.parametrize("clear", [True, False])
def test_after_a_run_that_was_killed_the_way_on_is_named(workspace: Workspace, clear: bool) -> None:
    with run_at_work(workspace) as first:
        first.kill()
        first.wait()
        refused = workspace.snakemake(REFERENCE.format("b"))
        assert refused.returncode != 0
        said = refused.stdout + refused.stderr
        assert f"killed (process {first.pid} on" in said and said.rstrip().endswith("clear")
        assert list((workspace.root / ".snakemake/locks").iterdir())
        if clear:
            assert "lock removed" in workspace.command("clear")
        else:
            assert workspace.snakemake("--unlock").returncode == 0
    assert workspace.run(REFERENCE.format("b")) == {"b/reference.ome.tif"}
