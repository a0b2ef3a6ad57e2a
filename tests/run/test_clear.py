"""Clearing up behind a killed run, without a cluster; tests/slurm does it with one."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from snakescope.run.alive import alive
from snakescope.run.clear import cancel, killed_before, killed_run, unlock
from snakescope.step.errors import StepError

GONE = 2**22 + 1


def log(folder: Path, process: int, host: str = "", ended: bool = False) -> Path:
    events: list[dict] = [
        {"event": "run_started", "process": process, "host": host or platform.node()},
        {"event": "slurm_run", "name": "u-1"},
    ]
    if ended:
        events.append({"event": "run_ended", "succeeded": True})
    path = folder / "a.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def test_a_run_whose_process_is_gone_was_killed(tmp_path: Path) -> None:
    name, sentence = killed_run(log(tmp_path, GONE))
    assert name == "u-1"
    assert f"process {GONE} is gone" in sentence


def test_a_run_that_lives_is_left_alone(tmp_path: Path) -> None:
    script = tmp_path / "snakemake.py"
    script.write_text("input()")
    with subprocess.Popen([sys.executable, str(script)], stdin=subprocess.PIPE) as living:
        with pytest.raises(StepError, match=f"found its process {living.pid} alive"):
            killed_run(log(tmp_path, living.pid))
        living.kill()
    assert not alive(living.pid)


def test_another_process_of_that_number_is_not_the_run(tmp_path: Path) -> None:
    command = Path("/proc/self/cmdline").read_bytes()
    assert alive(os.getpid()) == (b"snakemake" in command)


def test_a_run_of_another_machine_is_cleared_there(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="found one of login2"):
        killed_run(log(tmp_path, GONE, host="login2"))


def test_a_run_that_ended_left_nothing_but_perhaps_a_lock(tmp_path: Path) -> None:
    assert "ended by itself" in killed_run(log(tmp_path, GONE, ended=True))[1]
    assert unlock(tmp_path) is False
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    (tmp_path / ".snakemake/locks/0.output.lock").touch()
    assert unlock(tmp_path) is True
    assert not (tmp_path / ".snakemake/locks").exists()


def test_of_two_runs_that_were_killed_the_jobs_of_both_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "logs/runs"
    folder.mkdir(parents=True)
    for name, host, ended in (("u-1", "", False), ("u-2", "", False), ("u-3", "", True),
                              ("u-4", "login2", False)):  # fmt: skip
        text = log(folder, GONE, host=host, ended=ended).read_text().replace("u-1", name)
        (folder / "a.jsonl").rename(folder / f"{name}.jsonl").write_text(text)
    (folder / "empty.jsonl").touch()
    assert killed_before(tmp_path) == {"u-1", "u-2"}


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
