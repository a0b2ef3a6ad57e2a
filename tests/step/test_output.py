"""Outputs are whole or absent, and what killed attempts left of them goes."""

import os
import socket
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from snakescope.step.output import atomic_folder, atomic_write, write_if_changed

HERE = socket.gethostname()


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("whole", [atomic_write, atomic_folder])
def test_a_failure_leaves_what_was_there(tmp_path: Path, whole) -> None:
    (tmp_path / "a.txt").write_text("before")
    with pytest.raises(RuntimeError), whole(tmp_path / "a.txt") as partial:
        if whole is atomic_write:
            partial.write_text("half")
        else:
            partial.mkdir()
        raise RuntimeError
    assert names(tmp_path) == ["a.txt"] and (tmp_path / "a.txt").read_text() == "before"


def left(folder: Path, host: str, process: int, name: str) -> Path:
    return folder / f".partial-{zlib.crc32(host.encode()):08x}-{process}-{name}"


def test_names_of_partial_outputs_are_those_of_these_tests(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "a.tsv") as partial:
        assert partial == left(tmp_path, HERE, os.getpid(), "a.tsv")
        partial.touch()


@pytest.mark.parametrize("host", [HERE, f"another-{HERE}"])
def test_what_a_killed_attempt_left_goes_with_the_next_one(tmp_path: Path, host: str) -> None:
    gone = ended_process()
    own, others = (left(tmp_path, host, gone, name) for name in ("s.zarr", "a-s.zarr"))
    for path in (own, others):
        path.mkdir()
        (path / "0").write_text("x")
    with atomic_folder(tmp_path / "s.zarr") as partial:
        partial.mkdir()
    assert names(tmp_path) == [others.name, "s.zarr"]


def test_what_another_process_still_writes_stays(tmp_path: Path) -> None:
    running = left(tmp_path, HERE, os.getppid(), "a.tsv")
    elsewhere = left(tmp_path, f"another-{HERE}", 1, "a.tsv")
    for path in (running, elsewhere):
        path.write_text("x")
    # Written by runs, of which one may plan while another works, on any machine.
    write_if_changed(tmp_path / "a.tsv", "whole")
    assert names(tmp_path) == sorted([running.name, elsewhere.name, "a.tsv"])
    with atomic_write(tmp_path / "a.tsv") as partial:
        partial.write_text("whole")
    assert names(tmp_path) == sorted([running.name, "a.tsv"])
