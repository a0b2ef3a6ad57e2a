"""Outputs are whole or absent, and what killed attempts left of them goes."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from step.output import ABANDONED_S, whole_file, whole_folder

HERE = socket.gethostname()


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("whole", [whole_file, whole_folder])
def test_a_failure_leaves_what_was_there(tmp_path: Path, whole) -> None:
    (tmp_path / "a.txt").write_text("before")
    with pytest.raises(RuntimeError), whole(tmp_path / "a.txt") as partial:
        if whole is whole_file:
            partial.write_text("half")
        else:
            partial.mkdir()
        raise RuntimeError
    assert names(tmp_path) == ["a.txt"] and (tmp_path / "a.txt").read_text() == "before"


def test_what_a_killed_attempt_left_goes_with_the_next_one(tmp_path: Path) -> None:
    gone = ended_process()
    left = [f".partial-{gone}-{HERE}-s.zarr", f".partial-{gone}-{HERE}-a-s.zarr"]
    for name in left:
        (tmp_path / name).mkdir()
        (tmp_path / name / "0").write_text("x")
    with whole_folder(tmp_path / "s.zarr") as partial:
        partial.mkdir()
    assert names(tmp_path) == [left[1], "s.zarr"]  # The other is another output's.


def test_what_others_still_write_stays(tmp_path: Path) -> None:
    other_host = f"another-{HERE}"
    young, old = (tmp_path / f".partial-{n}-{other_host}-a.tsv" for n in (1, 2))
    running = tmp_path / f".partial-{os.getppid()}-{HERE}-a.tsv"
    for path in (young, old, running):
        path.write_text("x")
    past = time.time() - ABANDONED_S - 10
    for path in (old, running):
        os.utime(path, (past, past))
    with whole_file(tmp_path / "a.tsv") as partial:
        partial.write_text("whole")
    assert names(tmp_path) == sorted([young.name, running.name, "a.tsv"])
