"""Files of corrections: what is read, what is refused, and what undo and redo leave."""

import errno
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakescope.healthspan.review.corrections import (
    COLUMNS,
    OLDER,
    Correction,
    as_text,
    exclusion,
    files_of,
    named_file,
    parse,
    read,
    replay,
)
from snakescope.healthspan.review.planning import Reviews
from snakescope.step.errors import StepError, SystemFault
from tests.healthspan.review.lines import line

GOOD = [
    line(1, "dead", track=4, timepoint=12, y_px=10.5, x_px=7.0, machine_value="14"),
    line(2, "censored", timepoint=5, reason="on the wall"),
    line(3, "several", value=3),
    line(4, "undo", value=2),
    line(5, "redo", value=2, blind=True),
]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "p.anna.tsv"
    path.write_text(as_text(GOOD))
    assert read(path) == GOOD
    # As a spreadsheet or an editor on Windows saves it.
    path.write_bytes(b"\xef\xbb\xbf" + as_text(GOOD).replace("\n", "\r\n").encode())
    assert read(path) == GOOD


def cells(**changed: str) -> str:
    own = dict(zip(COLUMNS, GOOD[0].cells(), strict=True)) | changed
    return "\t".join(COLUMNS) + "\n" + "\t".join(own[name] for name in COLUMNS) + "\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: expected the columns id, time_utc"),
        ("id\tscorer\n", "line 1: expected the columns id, time_utc"),
        ("\t".join(COLUMNS) + "\n1\t2\n", "line 2: expected 16 cells, found 2"),
        (cells(id="x"), "line 2: expected id as a whole number of 1 or more, found 'x'"),
        (cells(plate="q"), "line 2: expected plate p as in the file's name, found 'q'"),
        (cells(scorer="ben"), "expected scorer anna as in the file's name"),
        (cells(time_utc="29.11.2026 09:00"), "expected time_utc as 2026-11-29T09:00:00Z"),
        (cells(action="kill"), "expected an action of dead, last_healthy"),
        (cells(timepoint="-1"), "expected timepoint as a whole number of 0 or more"),
        (cells(timepoint="1.5"), "expected timepoint as a whole number"),
        (cells(y_px="nan"), "expected y_px as a number of pixels, found 'nan'"),
        (cells(x_px="1,5"), "expected x_px as a number of pixels, found '1,5'"),
        (cells(value="3"), "expected no value for dead, found '3'"),
        (cells(action="several", value="12"), "expected 2 to 9 worms in one, found 12"),
        (cells(action="several", value="1"), "expected value as a whole number of 2 or more"),
        (cells(action="censored"), "expected a reason for censored, found none"),
        (cells(action="exclude_plate", track="0"), "expected a reason for exclude_plate, found"),
        (cells(track="0"), "expected track as a whole number of 1 or more, found '0'"),
        (cells(action="same_as", value="2", reason="there"), "expected where the worm of track 2 "),
        (cells(reason="=HYPERLINK(1)"), "does not begin with = + - @"),
        (cells(action="censored", reason="  "), "expected a reason for censored, found none"),
        (cells(action="censored", reason="a\0b"), "expected a reason of at most 100 letters"),
        (cells(blind="yes"), "expected blind as 0 or 1"),
        (cells(digest="../x"), "expected the digest of a table of tracks"),
        (cells(machine_value="soon"), "expected machine_value as a whole number"),
        (cells(action="undo", value="1"), "expected undo of a line before it that counts, found 1"),
        (cells(action="redo", value="7"), "expected redo of a line before it that was undone"),
    ],
)
def test_a_line_that_cannot_be_used_is_told(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "p.anna.tsv"
    path.write_text(text)
    with pytest.raises(StepError) as told:
        read(path)
    assert said in str(told.value)
    assert str(told.value).startswith(f"{path}: line ")
    assert str(told.value).endswith("correct these lines, or remove them")


def test_every_line_that_cannot_be_used_is_told_at_once() -> None:
    text = as_text([GOOD[0], replace(GOOD[1], id=1), replace(GOOD[2], value=40)])
    with pytest.raises(ValueError, match=r"line 3: .* above 1.*line 4: expected 2 to 9"):
        parse(text, "p", "anna")


def test_other_bytes_are_told(tmp_path: Path) -> None:
    path = tmp_path / "p.anna.tsv"
    path.write_bytes(as_text(GOOD).encode("utf-16"))
    with pytest.raises(StepError, match="expected text in UTF-8"):
        read(path)


def test_a_file_that_may_not_be_read_is_told_and_not_taken_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "corrections"
    folder.mkdir()
    path = folder / "p.anna.tsv"
    path.write_text(as_text([line(1, "exclude_plate", track=0, reason="fog")]))
    reviews = Reviews(str(tmp_path), str(folder), lambda: None)

    def refuse(self: Path | str, *given: object, **more: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    said = f"{path}: expected a file that can be read, found 'Permission denied'"
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", refuse)
        patched.setattr("io.open", refuse)
        patched.setattr("builtins.open", refuse)
        for act in (
            lambda: read(path),
            lambda: exclusion([path]),
            lambda: reviews.excluded({"p"}, True),
            lambda: reviews.write({"p"}, "plates.tsv"),
        ):
            with pytest.raises(SystemFault, match=re.escape(said)):
                act()
    assert list(reviews.excluded({"p"}, True)) == ["p"]


def test_undo_and_redo() -> None:
    kept, undone = replay(GOOD)
    assert [one.id for one in kept] == [1, 2, 3] and undone == []
    kept, undone = replay(GOOD[:-1])
    assert [one.id for one in kept] == [1, 3]
    assert [one.id for one in undone] == [2]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=25))
def test_replay_is_what_a_stack_of_undo_would_be(choices: list[int]) -> None:
    """Any order of corrections, undo and redo as the page makes them survives the file."""
    lines: list[Correction] = []
    done: list[int] = []
    taken: list[int] = []
    for number, choice in enumerate(choices, start=1):
        if choice == 0 and done:
            lines.append(line(number, "undo", value=done[-1]))
            taken.append(done.pop())
        elif choice == 1 and taken:
            lines.append(line(number, "redo", value=taken[-1]))
            done.append(taken.pop())
        else:
            lines.append(line(number, "dead", timepoint=choice))
            done.append(number)
            taken = []
    kept, undone = replay(parse(as_text(lines), "p", "anna"))
    assert {one.id for one in kept} == set(done)
    own = {one.id for one in lines if one.action == "dead"}
    assert {one.id for one in undone} == own - set(done)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("p.anna.tsv", ("p", "anna")),
        ("plate.7_a.ben-2.tsv", ("plate.7_a", "ben-2")),
        ("p.tsv", None),
        (".anna.tsv", None),
        ("p.an na.tsv", None),
        ("p.anna.txt", None),
        ("p q.anna.tsv", None),
    ],
)
def test_names_of_files(name: str, expected: tuple[str, str] | None) -> None:
    found = named_file(name)
    assert (found and (found.plate, found.scorer)) == expected


def test_files_of_a_folder(tmp_path: Path) -> None:
    assert files_of(tmp_path / "none") == ({}, [])
    for name in ("a.anna.tsv", "a.ben.tsv", "b.anna.tsv", "notes.tsv", ".partial-a.anna.tsv", "x"):
        (tmp_path / name).touch()
    # As browsers and spreadsheets save them, and what is no file at all.
    as_saved = ["c.anna.TSV", "c.anna.csv", "c.anna.tsv.txt", "c.anna.xlsx"]
    for name in as_saved:
        (tmp_path / name).touch()
    (tmp_path / "c.folder.tsv").mkdir()
    found, others = files_of(tmp_path)
    assert {plate: [one.scorer for one in files] for plate, files in found.items()} == {
        "a": ["anna", "ben"],
        "b": ["anna"],
    }
    assert [Path(path).name for path in others] == [
        *as_saved[:2], "c.anna.tsv.txt", "c.anna.xlsx", "c.folder.tsv", "notes.tsv",
    ]  # fmt: skip


def left_out(folder: Path, scorer: str, *lines: Correction) -> Path:
    path = folder / f"p.{scorer}.tsv"
    path.write_text(as_text(replace(one, scorer=scorer) for one in lines))
    return path


def test_a_plate_is_left_out_until_that_is_undone_or_another_decides(tmp_path: Path) -> None:
    out = line(1, "exclude_plate", track=0, reason="fog")
    anna = left_out(tmp_path, "anna", out)
    ben = left_out(tmp_path, "ben", line(1, "dead"))
    assert exclusion([anna, ben]) == "left out in its review (anna: fog)"
    results = str(tmp_path / "results")
    review = Reviews(results, str(tmp_path), lambda: None)
    assert review.excluded(["p", "q"], looks=True) == {"p": "left out in its review (anna: fog)"}
    assert review.excluded(["q"], looks=True) == {}
    # A job has what the main process found, whatever was said since.
    review.excluded(["p"], looks=True)
    anna.unlink()
    assert set(review.excluded(["p"], looks=False)) == {"p"}
    assert review.excluded(["p"], looks=True) == {} == review.excluded(["p"], looks=False)
    anna = left_out(tmp_path, "anna", out, line(2, "undo", track=0, value=1))
    assert exclusion([anna, ben]) == ""
    anna = left_out(tmp_path, "anna", out)
    kept = left_out(tmp_path, "adjudicated", line(1, "checked"))
    assert exclusion([anna, kept]) == ""
    anna.write_text("exclude_plate")
    assert exclusion([anna]) == ""


def test_a_file_that_was_begun_before_lines_had_their_time_is_read_and_goes_on() -> None:
    older = "\n".join(row.rpartition("\t")[0] for row in as_text(GOOD).splitlines())
    assert older.splitlines()[0].split("\t") == list(OLDER)
    assert parse(older, "p", "anna") == GOOD
    timed = [*parse(older, "p", "anna"), line(6, "dead", time_h=36.25)]
    assert parse(as_text(timed), "p", "anna") == timed
    mixed = older + "\n" + as_text(timed).splitlines()[-1]
    with pytest.raises(ValueError, match="line 7: expected 15 cells, found 16"):
        parse(mixed, "p", "anna")
    with pytest.raises(ValueError, match="expected time_h as a number of hours, found 'soon'"):
        parse(cells(time_h="soon"), "p", "anna")
