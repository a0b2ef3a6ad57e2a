"""The table of failures of a tree, and what is printed of it."""

import csv
from pathlib import Path
from types import SimpleNamespace

import pytest

from snakescope.run.failures import SHOWN, failures_of, report, write_failures
from snakescope.tree.failures import Failure


def tree(folder: Path, **excluded: str) -> SimpleNamespace:
    keys = {"name": "fungi", "subject": "dish", "parts": ("block", "network", "n")}
    return SimpleNamespace(**keys, results=str(folder), excluded=excluded)


def failed(folder: Path, rule: str, text: str = "error: mould", **wildcards: str) -> dict:
    log = folder / f"{rule}.log"
    log.write_text(f"{text}\n")
    event = {"rule": rule, "wildcards": wildcards, "log": str(log), "state": ""}
    return {**event, "attempts": 2}


def rows(folder: Path) -> list[dict[str, str]]:
    with open(folder / "failures.tsv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_jobs_of_a_tree_are_listed_by_subject_with_their_reason(tmp_path: Path) -> None:
    events = [
        failed(tmp_path, "fungi_grow", dish="b", block="t000-t009"),
        failed(tmp_path, "fungi_unusable", "error: b\tx", dish="a"),
        failed(tmp_path, "fungi_compare", series="one"),
        failed(tmp_path, "fungi_train", network="u", n="2"),
        failed(tmp_path, "moss_grow", dish="b"),
    ]
    failures = failures_of(tree(tmp_path), events)
    assert write_failures(tree(tmp_path), failures) == f"listed in {tmp_path}/failures.tsv"
    table = rows(tmp_path)
    assert list(table[0]) == ["dish", "rule", "block", "reason", "log", "attempts", "status"]
    assert [list(row.values())[:3] for row in table] == [
        ["", "train", "u 2"], ["a", "unusable", ""], ["b", "grow", "t000-t009"],
        ["one", "compare", ""],
    ]  # fmt: skip
    assert [row["status"] for row in table] == ["failed", "unusable", "failed", "failed"]
    assert (table[1]["reason"], table[2]["reason"], table[2]["attempts"]) == ("b x", "mould", "2")
    lines = report(failures, "there")
    assert lines[0].startswith("4 failed, there")
    assert lines[3].startswith("  b grow t000-t009: mould\n    ")


def test_what_slurm_says_counts_where_a_log_says_nothing(tmp_path: Path) -> None:
    event = failed(tmp_path, "fungi_grow", "", dish="b") | {"state": "TIMEOUT"}
    assert failures_of(tree(tmp_path), [event])[0].reason.startswith("over its time")


def test_excluded_subjects_are_listed_and_an_old_table_is_removed(tmp_path: Path) -> None:
    write_failures(tree(tmp_path, c="fogged"), [])
    assert [list(row.values()) for row in rows(tmp_path)] == [
        ["c", "", "", "fogged", "", "0", "excluded"]
    ]
    write_failures(tree(tmp_path), [])
    assert not (tmp_path / "failures.tsv").exists()


def test_of_many_failures_some_are_printed() -> None:
    failures = [Failure(f"{n:03d}", "grow", "", "mould", "x.log", 1) for n in range(SHOWN + 3)]
    lines = report(failures, "there")
    assert len(lines) == SHOWN + 2 and lines[-1] == "  and 3 more"


def test_where_the_table_cannot_be_written_is_stated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("snakescope.run.failures.write_if_changed", full)
    where = write_failures(tree(tmp_path), [Failure("b", "grow", "", "mould", "x.log", 1)])
    assert "could not be listed" in where and "No space left on device" in where
