"""Clearing up after a killed run, without a cluster; tests/slurm does it with one."""

import os
from argparse import Namespace
from pathlib import Path

import pytest

from snakescope.run.clear import cancel, killed_runs, main
from snakescope.step.errors import StepError
from tests.run.drawn_log import GONE, lock, snakemake_at_work, write_run

ENDED = {"event": "run_ended", "succeeded": True}


def slurm(name: str) -> dict:
    return {"event": "slurm_run", "name": name}


def test_jobs_of_all_runs_of_this_machine_that_never_ended_are_named(tmp_path: Path) -> None:
    write_run(tmp_path, GONE, slurm("u-1"), name="1")
    write_run(tmp_path, GONE, slurm("u-2"), name="2")
    write_run(tmp_path, GONE, slurm("u-3"), ENDED, name="3")
    write_run(tmp_path, GONE, slurm("u-4"), host="login2", name="0")
    write_run(tmp_path, GONE, name="4")
    (tmp_path / "logs/runs/empty.jsonl").touch()
    assert killed_runs(tmp_path) == ["u-1", "u-2"]


def test_a_run_that_lives_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lock(tmp_path)
    with snakemake_at_work(tmp_path) as process:
        write_run(tmp_path, process)
        with pytest.raises(StepError, match=f"found one, process {process} on"):
            main(Namespace())
    assert (tmp_path / ".snakemake/locks").exists()


def test_a_run_of_another_machine_is_cleared_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lock(tmp_path)
    write_run(tmp_path, GONE, host="login2")
    with pytest.raises(StepError, match="login2"):
        main(Namespace())


def test_a_lock_without_a_run_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    main(Namespace())
    lock(tmp_path)
    main(Namespace())
    said = capsys.readouterr().out.splitlines()
    assert [said[0], said[2]] == ["no lock was held", "lock removed"]
    assert not (tmp_path / ".snakemake/locks").exists()


def test_jobs_are_cancelled_and_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = tmp_path / "queue"
    queue.write_text("7\n8\n")
    for name, body in (("squeue", f"cat {queue}"), ("scancel", f"echo -n > {queue}")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert cancel("u-1") == 2
    (tmp_path / "scancel").write_text("#!/bin/sh\n")
    queue.write_text("9\n")
    with pytest.raises(StepError, match="expected jobs 9 to end"):
        cancel("u-1", patience_s=0)
