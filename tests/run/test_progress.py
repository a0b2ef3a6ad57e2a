"""How far runs are, by their events."""

import json
from argparse import Namespace
from pathlib import Path

import pytest

from snakescope.run import progress, summary
from snakescope.run.progress import Subject, duration, main, standing_of
from tests.run.drawn_log import GONE, snakemake_at_work, write_run

USED = {"seconds": 3600.0, "cpu_seconds": 1800.0, "max_rss_mb": 9.0, "output_mb": 1.0}
USED |= {"temporary_mb": 0.0}


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

    monkeypatch.setattr(progress, "now", lambda: "2026-01-01T00:01:00Z")
    with snakemake_at_work(tmp_path) as process:
        assert said(process) == "plates: 1 under way; jobs: 1 of 2, about 60 s left"
    over = "plates: 1 under way; jobs: 1 of 2 in 60 s"
    assert said(GONE).startswith(f"killed, its process {GONE} is gone; {over}")
    ended = event("run_ended", 0, "", 1)
    assert said(GONE, ended).startswith(f"ended; {over}")
    assert json.dumps(ended)


def begun(number: int, plate: str, minute: int, **keys: object) -> dict:
    keys = {"output": ["a"], "resources": {}, "log": f"{plate}.log", **keys}
    return event("job", number, plate, minute, **keys)


def test_a_long_job_is_told_and_time_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for module in (progress, summary):
        monkeypatch.setattr(module, "now", lambda: "2026-01-01T05:00:00Z")
    events = [
        planned(5, plate={"p": 2, "q": 1, "r": 2}), begun(1, "p", 1), event("finished", 1, "p", 2),
        begun(2, "p", 10), begun(3, "q", 12), {"event": "submitted", "job": 3, "time": (
            "2026-01-01T00:12:01Z")}, begun(4, "r", 13), event("failed", 4, "r", 14),
        begun(9, "", 14, output=[]),
    ]  # fmt: skip
    with snakemake_at_work(tmp_path) as process:
        write_run(tmp_path, process, *events)
        main(Namespace(log=None))
        first, *lines = capsys.readouterr().out.splitlines()
        # One of five jobs in five hours.
        assert "jobs: 1 of 5, about 20.0 h left" in first
        assert lines[:2] == [
            "at work since 2026-01-01T00:10:00Z, for 4.8 h: r p; p.log",
            "submitted since 2026-01-01T00:12:00Z, for 4.8 h: r q; q.log",
        ]
        states = [line.split("\t")[1:3] for line in lines[2:]]
        assert states == [["p", "under way"], ["q", "under way"], ["r", "failed"]]
        (tmp_path / ".snakemake/locks").mkdir(parents=True)
        summary.main(Namespace(log=None))
        said = capsys.readouterr().out
        assert "still at work after 5.0 h" in said and "for 4.8 h: r p; p.log" in said
    # Of a run that was killed nobody knows more than its last event.
    write_run(tmp_path, GONE, *events)
    main(Namespace(log=None))
    assert "in 14 min" in capsys.readouterr().out


def test_of_many_jobs_at_work_the_longest_are_named() -> None:
    standing = standing_of([begun(k, f"p{k}", k) for k in range(1, 13)])
    lines = standing.at_work("2026-01-01T01:00:00Z")
    assert len(lines) == 9 and lines[-1] == "and 4 jobs more"
    assert lines[0].endswith("for 59 min: r p1; p1.log")
    assert not standing_of([begun(1, "p", 1), event("run_ended", 0, "", 2)]).running
