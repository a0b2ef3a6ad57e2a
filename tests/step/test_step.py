import atexit
import gc
import os
import sys
from pathlib import Path

import pandas as pd
import pytest

from snakescope.step.command import run_module, run_step
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write, write_if_changed
from snakescope.step.progress import progress
from snakescope.step.tables import read_table, write_table


def test_a_failed_write_leaves_nothing(tmp_path) -> None:  # type: ignore[no-untyped-def]
    target = tmp_path / "new" / "out.txt"
    with pytest.raises(RuntimeError), atomic_write(target) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert list(target.parent.iterdir()) == []


def test_a_failed_write_keeps_the_former_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    target = tmp_path / "out.txt"
    target.write_text("whole")
    with pytest.raises(RuntimeError), atomic_write(target) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert target.read_text() == "whole"


def test_unchanged_text_keeps_its_time(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "a.tsv"
    assert write_if_changed(path, "x")
    os.utime(path, (1, 1))
    assert not write_if_changed(path, "x")
    assert path.stat().st_mtime == 1
    assert write_if_changed(path, "y")
    assert path.read_text() == "y"


def test_tables_come_back_and_say_what_they_lack(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "t.tsv"
    write_table(path, pd.DataFrame({"a": [1, None], "b": ["x", "y"]}))
    assert path.read_text() == "a\tb\n1\tx\n\ty\n"
    assert list(read_table(path, ["a"]).columns) == ["a", "b"]
    with pytest.raises(StepError, match=r"t\.tsv: expected the columns a, c, found no c"):
        read_table(path, ["a", "c"])
    with pytest.raises(StepError, match="found no such file"):
        read_table(tmp_path / "none.tsv")


def test_names_of_plates_stay_text(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "a.tsv"
    path.write_text("plate\tcondition\tworms\n007\t1\t60\n")
    assert read_table(path).to_numpy().tolist() == [["007", "1", 60]]


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device", "out.tif"),
        OSError("Can't write data (errno = 28, error message = 'No space left on device')"),
        OSError(122, "Disk quota exceeded"),
    ],
)
def test_a_full_disk_is_no_defect(error: OSError, capsys) -> None:  # type: ignore[no-untyped-def]
    def fails() -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        run_step(fails)
    assert ended.value.code == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"error: {error.filename or Path.cwd()}: expected room on the disk")
    assert "make room and start again" in said


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied", "out.tif"), "Permission denied"),
        (OSError(116, "Stale file handle"), "Stale file handle"),
        (MemoryError(), "Cannot allocate memory"),
    ],
)
def test_what_the_system_refuses_is_a_sentence(error, words, capsys) -> None:  # type: ignore[no-untyped-def]
    def fails() -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        run_step(fails)
    (said,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == 1 and words in said and "run again" in said


def test_a_step_ends_with_one_sentence(capsys) -> None:  # type: ignore[no-untyped-def]
    def fails() -> None:
        raise StepError("a.tif: expected a frame, found none")

    with pytest.raises(SystemExit) as ended:
        run_step(fails)
    assert ended.value.code == 1
    assert capsys.readouterr().err == "error: a.tif: expected a frame, found none\n"


def test_a_defect_keeps_its_traceback() -> None:
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_step(broken)


def test_progress_yields_everything_and_says_so(capsys) -> None:  # type: ignore[no-untyped-def]
    assert list(progress([1, 2, 3], "frames")) == [1, 2, 3]
    assert "frames: 3 of 3" in capsys.readouterr().err


def test_what_a_step_imports_is_not_searched_for_garbage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loaded_step.py").write_text(
        '"""A step."""\nimport gc\n\nwhile_loading = gc.isenabled()\n\n'
        "def add_arguments(parser): pass\n\n"
        "def main(options):\n    global seen\n    seen = gc.isenabled(), gc.get_freeze_count()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    ending: list[object] = []
    monkeypatch.setattr(atexit, "register", ending.append)
    before = gc.get_freeze_count()
    try:
        with pytest.raises(SystemExit) as ended:
            run_module("loaded_step", "loaded", [])
        loaded = sys.modules.pop("loaded_step")
        assert ended.value.code == 0 and gc.isenabled()
        assert not loaded.while_loading and loaded.seen[0] and loaded.seen[1] > before
        assert ending == [gc.freeze]
        with pytest.raises(ModuleNotFoundError):
            run_module("no_such_step", "none", [])
        assert gc.isenabled()
    finally:
        gc.unfreeze()
