"""The frames of a plate in one table, and the plate that has lost too many."""

import sys
from pathlib import Path

import pytest

from snakescope.healthspan.registration import frames_table
from snakescope.healthspan.registration.frames_table import (
    COLUMNS,
    check_enough,
    join_frames,
    losses,
)
from snakescope.step.command import call
from snakescope.step.errors import StepError


def block(path: Path, *rows: tuple[int, str, str]) -> Path:
    lines = ["\t".join(COLUMNS)]
    for page, (timepoint, status, reason) in enumerate(rows):
        found = status == "registered"
        shift = ["0.123456789", "-3.5", "0", "0.9", "mark"] if found else [""] * 5
        cells = [str(timepoint), str(timepoint * 12), str(page) if found else "", status, reason]
        lines.append("\t".join([*cells, *shift]))
    path.write_text("\n".join(lines) + "\n")
    return path


def registered(*timepoints: int) -> list[tuple[int, str, str]]:
    return [(timepoint, "registered", "") for timepoint in timepoints]


def run(monkeypatch: pytest.MonkeyPatch, tables: list[Path], limit: float, output: Path) -> None:
    arguments = ["--plate", "p1", "--max-missing-fraction", str(limit), "--frames", str(output)]
    monkeypatch.setattr(sys, "argv", ["frames", "--tables", *map(str, tables), *arguments])
    call(frames_table)


def test_blocks_are_joined_in_order_of_time_and_to_the_last_digit(tmp_path: Path) -> None:
    late = block(tmp_path / "late.tsv", *registered(998, 1000))
    early = block(tmp_path / "early.tsv", *registered(0, 2))
    frames = join_frames([late, early])
    assert list(frames["timepoint"]) == ["0", "2", "998", "1000"]
    assert list(frames.columns) == list(COLUMNS)
    assert set(frames["shift_y_px"]) == {"0.123456789"}


def test_whole_table_is_written_and_losses_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = block(
        tmp_path / "a.tsv",
        *registered(0, 1, 2),
        (3, "unreadable", "truncated"),
        (4, "missing", "no image"),
        (5, "unregistered", "no mark"),
    )
    run(monkeypatch, [table], 0.5, tmp_path / "frames.tsv")
    assert (tmp_path / "frames.tsv").read_text() == table.read_text()
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "warning: plate p1: frame t003 unreadable (truncated) is left out",
        "warning: plate p1: frame t005 unregistered (no mark) is left out",
    ]


def test_plate_that_lost_more_than_allowed_fails_and_leaves_no_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = block(
        tmp_path / "a.tsv", *registered(0, 1), (2, "unreadable", "truncated"), (3, "missing", "")
    )
    with pytest.raises(StepError) as failed:
        run(monkeypatch, [table], 0.49, tmp_path / "frames.tsv")
    assert str(failed.value) == (
        "plate p1: expected at most 49% of 4 frames missing, unreadable or unregistered "
        "(plates.max_missing_fraction), found 2: t002 unreadable (truncated); t003 missing; look "
        "at the log of its register jobs, then exclude the plate with this reason, mend its "
        "frames or raise the limit"
    )
    assert not (tmp_path / "frames.tsv").exists()
    run(monkeypatch, [table], 0.5, tmp_path / "frames.tsv")


def test_plate_without_any_frame_fails_whatever_the_limit(tmp_path: Path) -> None:
    frames = join_frames([block(tmp_path / "a.tsv", (0, "missing", ""), (1, "unreadable", ""))])
    assert len(losses(frames)) == 2
    with pytest.raises(StepError, match="found 2: t000 missing; t001 unreadable"):
        check_enough("p1", frames, 1.0)


def test_timepoint_in_two_tables_is_refused(tmp_path: Path) -> None:
    first = block(tmp_path / "a.tsv", *registered(0, 1))
    second = block(tmp_path / "b.tsv", *registered(1, 2))
    with pytest.raises(StepError, match=r"b.tsv: expected timepoint 1 once, .*a.tsv too"):
        join_frames([first, second])


def test_other_tables_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.tsv"
    other.write_text("timepoint\tstatus\n0\tregistered\n")
    with pytest.raises(StepError, match=r"other.tsv: expected the columns .* found no time_h"):
        join_frames([other])
    with pytest.raises(StepError, match=r"gone.tsv: expected a table, found no such file"):
        join_frames([tmp_path / "gone.tsv"])
