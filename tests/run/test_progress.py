"""How far runs are, by their events."""

import json
from argparse import Namespace
from pathlib import Path

import pytest

from snakescope.run.progress import Subject, duration, main, standing_of
from tests.run.drawn_log import GONE, snakemake_at_work, write_run

USED = {"seconds": 3600.0, "cpu_seconds": 1800.0}


def event(name: str, number: int, plate: str, minute: int = 0, **keys: object) -> dict:
    time = f"2026-01-01T00:{minute:02d}:00Z"
    keys = {"rule": "r", "log": "", "state": "", "message": "", **USED, **keys}
    return {"event": name, "job": number, "wildcards": {"plate": plate}, "time": time, **keys}


def planned(jobs: int, **subjects: dict[str, int]) -> dict:
    return event("planned", 0, "", jobs={"r": jobs}, subjects=subjects)


def test_a_plate_has_failed_until_another_attempt_makes_good() -> None:
    events = [planned(1, plate={"p": 1}), event("failed", 1, "p", 1)]
    standing = standing_of(events)
    assert standing.state(Subject("plate", "p")) == "failed"
    assert [failed["attempts"] for failed in standing.failing.values()] == [1]
    standing = standing_of([*events, event("finished", 1, "p", 2)])
    assert standing.state(Subject("plate", "p")) == "done" and not standing.failing
    assert standing.line() == "plates: 1 done; jobs: 1 of 1"


def test_the_last_line_of_a_run_sums_it_up() -> None:
    events = [
        planned(3, plate={"p": 1, "q": 1, "r": 1}),
        event("failed", 1, "p", 2), event("finished", 1, "p", 3), event("failed", 2, "q", 5),
    ]  # fmt: skip
    standing = standing_of(events)
    assert standing.closing() == (
        "plates: 1 done, 1 failed, 1 waiting; jobs: 1 of 3 in 5 min, 2 attempts failed"
    )
    assert standing.unfinished("plate") == {"q", "r"}


def test_subjects_of_every_kind_are_counted_and_a_run_without_any_counts_its_jobs() -> None:
    done = event("finished", 1, "", 1) | {"wildcards": {"volume": "a", "box": "z"}}
    events = [planned(3, plate={}, volume={"a": 1, "b": 2}), done]
    standing = standing_of(events)
    assert standing.line().startswith("volumes: 1 done, 1 waiting; jobs: 1 of 3, about ")
    # A plate and a volume of one name are two.
    events[0] = planned(3, plate={"a": 1}, volume={"a": 1, "b": 2})
    assert standing_of(events).line().startswith("plates: 1 waiting; volumes: 1 done, 1 waiting; ")
    assert standing_of([planned(1)]).closing().startswith("jobs: 0 of 1 in 0 s, ")


@pytest.mark.parametrize(("seconds", "text"), [(40, "40 s"), (600, "10 min"), (36000, "10.0 h")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_progress_of_a_run_that_is_over_promises_no_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    events = [planned(2, plate={"p": 2}), event("finished", 1, "p", 1)]

    def said(process: int, *more: dict) -> str:
        path = write_run(tmp_path, process, *events, *more)
        main(Namespace(log=None))
        first, *table = capsys.readouterr().out.splitlines()
        assert table == ["plate\tp\tunder way\t1 of 2 jobs"]
        return first.removeprefix(f"{path.relative_to(tmp_path)}: ")

    with snakemake_at_work(tmp_path) as process:
        assert said(process) == "plates: 1 under way; jobs: 1 of 2, about 60 s left"
    over = "plates: 1 under way; jobs: 1 of 2 in 60 s"
    assert said(GONE).startswith(f"killed, its process {GONE} is gone; {over}")
    ended = event("run_ended", 0, "", 1)
    assert said(GONE, ended).startswith(f"ended; {over}")
    assert json.dumps(ended)
