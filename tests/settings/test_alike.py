"""One person who is spelt in two ways."""

import os
from pathlib import Path

import pytest

from snakescope.settings.alike import alike, is_copy, is_one, notes_of_persons


def test_case_blanks_and_marks_do_not_tell_two_names_apart() -> None:
    names = ["P1", "p1", "P-2", "P 2", "P_2", "P12", "P1-2", "P10", "P012", "\uff301"]
    assert alike(names) == [("P1", "p1", "\uff301"), ("P-2", "P 2", "P_2"), ("P12", "P012")]
    (note,) = notes_of_persons("donors", ["d1", "D1", "d1", "d11"])
    assert note.startswith("the donors 'd1' and 'D1' are taken for different ones")


def test_copies_are_told_from_files_of_their_size_and_their_beginning(tmp_path: Path) -> None:
    one, copy, end, other = (str(tmp_path / name) for name in ("1", "2", "3", "4"))
    data = bytes(200_000)
    for path, content in ((one, data), (copy, data), (end, data[:-1] + b"x"), (other, b"x" + data)):
        Path(path).write_bytes(content)
    assert is_copy(one, copy) and not is_copy(one, end) and not is_copy(one, other)
    assert not is_copy(one, str(tmp_path)) and not is_copy(one, str(tmp_path / "absent"))
    Path(copy).write_bytes(b"y" + data[1:])
    os.utime(copy, ns=(1, 1))
    assert not is_copy(one, copy)


def test_one_file_is_known_by_any_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a").write_text("")
    Path("link").symlink_to("a")
    assert is_one("a", "./a") and is_one("link", str(tmp_path / "a")) and not is_one("a", "b")
