"""The event log: what a run tells, and what is read back."""

import json
import logging
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from snakescope.run.announce import (
    another_run,
    beside_another_run,
    command,
    holder_of_lock,
    unended,
    without_gpu,
)
from snakescope.run.clear import killed_run, refuse_beside_others
from snakescope.run.events import (
    TAIL_BYTES,
    EventLog,
    benchmark_row,
    last_event,
    plain,
    read_events,
    runs,
)
from snakescope.run.progress import Progress, Subject, duration, events_of, standing_of, told
from snakescope.step.errors import StepError

GONE = 2**22 + 1
"""No process has this number."""


def record(event: str | None, message: str = "", level: int = logging.INFO, **extra: object):
    made = logging.LogRecord("snakemake", level, "", 0, message, None, None)
    if event:
        made.event = event
    made.__dict__.update(extra)
    return made


def job(number: int, rule: str, output: str, benchmark: str | None = None, plate: str = "p"):
    return record(
        "job_info", jobid=number, rule_name=rule, wildcards={"plate": plate}, threads=2,
        resources={"mem_mb": 500, "runtime": 5, "gpu": 1, "_cores": 2}, input=["a"],
        output=[output], log=["x.log"], benchmark=benchmark, reason="new",
    )  # fmt: skip


def test_nothing_is_written_before_there_are_jobs(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "logs/runs/a.jsonl")
    log.emit(record(None, "SLURM run ID: u-1"))
    log.emit(job(1, "r", "out"))
    assert not (tmp_path / "logs").exists()
    log.open()
    events = list(read_events(log.path))
    assert [event["event"] for event in events] == ["run_started", "slurm_run"]
    assert events[0]["process"] == os.getpid()


def test_a_finished_job_states_what_it_used(tmp_path: Path) -> None:
    out, measured = tmp_path / "out.tif", tmp_path / "b.tsv"
    out.write_bytes(b"1" * 2_000_000)
    measured.write_text("s\th:m:s\tmax_rss\tcpu_time\n12.5\t0:00:12\t640.0\t11.0\n")
    log = EventLog(tmp_path / "a.jsonl")
    log.open()
    log.emit(job(7, "r", str(out), str(measured)))
    log.emit(
        record(None, f"Job 7 has been submitted with SLURM jobid 99 (log: {tmp_path}/99.log).")
    )
    log.emit(record("job_finished", job_id=7))
    _, started, submitted, finished = read_events(log.path)
    assert started["resources"] == {"mem_mb": 500, "runtime": 5, "gpu": 1}
    assert (submitted["job"], submitted["slurm_job"]) == (7, "99")
    assert finished["rule"] == "r" and finished["wildcards"] == {"plate": "p"}
    assert (finished["seconds"], finished["cpu_seconds"], finished["max_rss_mb"]) == (12.5, 11, 640)
    assert (finished["output_mb"], finished["files"], finished["temporary_mb"]) == (2.0, 1, 0)
    log.temporary = frozenset({str(out)})
    log.emit(record("job_finished", job_id=7))
    finished = list(read_events(log.path))[-1]
    assert (finished["output_mb"], finished["files"], finished["temporary_mb"]) == (0, 0, 2.0)


def test_errors_and_warnings_are_events(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "a.jsonl")
    log.open()
    log.emit(job(1, "r", "out"))
    lost = "For further error details see the log. SLURM status is: 'TIMEOUT'. "
    log.emit(record("job_error", jobid=1, rule_name="r", rule_msg=lost, log=["x.log"]))
    log.emit(record(None, "beware", logging.WARNING))
    log.emit(record(None, "chatter"))
    failed, warned = list(read_events(log.path))[2:]
    assert (failed["event"], failed["logs"]) == ("failed", ["x.log"])
    assert failed["message"] == lost.strip()
    assert log.states == {1: "TIMEOUT"}
    assert (warned["level"], warned["text"]) == ("warning", "beware")


def test_a_job_that_slurm_refuses_is_told_without_the_call(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "a.jsonl")
    log.open()
    log.emit(job(1, "r", "out"))
    said = (
        "SLURM sbatch failed. The error message was 'sbatch: error: Batch job submission failed:"
        " Requested time limit is invalid (missing or exceeds some limit)'."
    )
    call = f"{said}\n    sbatch call:\n        sbatch --parsable --comment 'was'\n"
    log.emit(record("job_error", jobid=1, rule_name="r", rule_msg=call, log=["x.log"]))
    assert log.states == {
        1: "REFUSED Requested time limit is invalid (missing or exceeds some limit)"
    }
    assert list(read_events(log.path))[-1]["message"] == said
    # What counts is the last attempt.
    log.emit(record("job_error", jobid=1, rule_name="r", rule_msg="", log=["x.log"]))
    assert log.states == {1: ""}


def test_a_full_disk_ends_the_log_and_not_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    log = Progress("/dev/full", every_s=1e9)
    log.open()
    for number in (1, 2):
        log.emit(job(number, "r", "out"))
        log.emit(record("job_finished", job_id=number))
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("event log")]
    assert said == ["event log /dev/full: ends here, No space left on device"]
    assert log.standing.done == 2


def test_a_line_cut_off_by_a_kill_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"event": "run_started"}\n7\n\x00\xff\n{}\n{"event": "job", "jo')
    assert [event["event"] for event in read_events(path)] == ["run_started"]


def test_the_end_of_a_long_log_is_found_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    start = json.dumps({"event": "run_started", "process": 7}) + "\n"
    jobs = "".join(json.dumps({"event": "job", "job": n}) + "\n" for n in range(5000))
    assert len(jobs) > TAIL_BYTES
    path.write_text(start + jobs)
    assert last_event(path) == {"event": "job", "job": 4999}
    assert unended(path) == {"event": "run_started", "process": 7}
    path.write_text(start + jobs + '{"event": "run_ended"}\n{"event": "jo')
    assert last_event(path) == {"event": "run_ended"} and unended(path) is None
    # Cut off within one line of many plates: nothing whole is near the end, and no end of a run.
    path.write_text(start + '{"event": "planned", "plates": "' + "p" * 2 * TAIL_BYTES)
    assert last_event(path) is None and unended(path) == {"event": "run_started", "process": 7}
    path.write_text("")
    assert last_event(path) is None and unended(path) is None


def test_a_step_too_short_to_be_measured_has_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "b.tsv"
    path.write_text("s\tmax_rss\tcpu_time\n0.01\t-\tNA\n")
    assert benchmark_row(path) == (0.01, None, None)
    assert benchmark_row(tmp_path / "absent") == (None, None, None)


@pytest.mark.parametrize(("told", "path"), [("a b.tif", "a b.tif"), ("a.tsv (update)", "a.tsv")])
def test_paths_lose_the_words_of_snakemake(told: str, path: str) -> None:
    assert plain(told) == path


def test_a_plate_that_is_done_is_told_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Progress(tmp_path / "a.jsonl", every_s=1e9)
    log.open()
    log.write("planned", jobs={"r": 3}, plates={"p": 1, "q": 2}, gpu_rules=[])
    for number, plate in ((1, "q"), (2, "p")):
        log.emit(job(number, "r", "out", plate=plate))
        log.emit(record("job_finished", job_id=number))
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("p is done; plates: 1 done, 1 under way; jobs: 2 of 3, about ")


def test_a_plate_fails_until_another_attempt_makes_good() -> None:
    where = {"wildcards": {"plate": "p"}}
    events = [
        {"event": "planned", "plates": {"p": 1}, "jobs": {"r": 1}, "time": "2026-01-01T00:00:00Z"},
        {"event": "failed", "job": 1, "time": "2026-01-01T00:01:00Z", **where},
    ]
    assert standing_of(events).state(Subject("plates", "p")) == "failing"
    events.append({"event": "finished", "job": 1, "time": "2026-01-01T00:02:00Z", **where})
    standing = standing_of(events)
    assert standing.state(Subject("plates", "p")) == "done"
    assert standing.line() == "plates: 1 done; jobs: 1 of 1"


def test_the_last_line_of_a_run_sums_it_up() -> None:
    def event(name: str, number: int, plate: str, minute: int, **more: object) -> dict:
        time = f"2026-01-01T00:{minute:02d}:00Z"
        return {"event": name, "job": number, "wildcards": {"plate": plate}, "time": time, **more}

    took = {"seconds": 3600.0, "cpu_seconds": 1800.0}
    events = [
        {**event("planned", 0, "", 0), "plates": {"p": 1, "q": 1, "r": 1}, "jobs": {"r": 3}},
        event("job", 1, "p", 1, resources={"gpu": 1}),
        event("failed", 1, "p", 2),
        event("finished", 1, "p", 3, **took),
        event("job", 2, "q", 4, resources={}),
        event("failed", 2, "q", 5),
    ]
    said = (
        "plates: 1 done, 1 failed, 1 unfinished; jobs: 1 of 3 in 5 min, 2 attempts failed;"
        " 0.50 CPU-hours"
    )
    assert standing_of(events).closing() == f"{said} of steps"
    on_slurm = [event("slurm_run", 0, "", 0), *events]
    assert standing_of(on_slurm).closing() == f"{said} and 1.00 GPU-hours of steps"


def test_volumes_are_told_as_volumes_and_a_run_without_either_tells_its_jobs() -> None:
    start, end = {"time": "2026-01-01T00:00:00Z"}, {"time": "2026-01-01T00:01:00Z"}
    events = [
        {"event": "planned", **start, "plates": {}, "volumes": {"a": 1, "b": 2}, "jobs": {"r": 3}},
        {"event": "finished", **end, "job": 1, "wildcards": {"volume": "a", "box": "z"}},
    ]
    standing = standing_of(events)
    assert standing.line().startswith("volumes: 1 done, 1 waiting; jobs: 1 of 3, about ")
    assert standing.closing().startswith("volumes: 1 done, 1 unfinished; jobs: 1 of 3 in 60 s")
    # A plate and a volume of one name are two.
    events[0]["plates"] = {"a": 1}
    assert standing_of(events).line().startswith("plates: 1 waiting; volumes: 1 done, 1 waiting; ")
    training = [{"event": "planned", **start, "plates": {}, "volumes": {}, "jobs": {"r": 1}}]
    assert standing_of(training).closing().startswith("jobs: 0 of 1 in 0 s, ")


@pytest.mark.parametrize(("seconds", "text"), [(40, "40 s"), (600, "10 min"), (36000, "10.0 h")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def write_run(folder: Path, process: int, *more: str) -> None:
    path = folder / "logs/runs/20260101T000000Z-1.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    first = {"event": "run_started", "time": "2026-01-01T00:00:00Z", "process": process}
    lines = [json.dumps({**first, "host": platform.node()})]
    path.write_text("\n".join([*lines, *more]) + "\n")


def lock(folder: Path) -> None:
    (folder / ".snakemake/locks").mkdir(parents=True)
    (folder / ".snakemake/locks/0.input.lock").touch()


@contextmanager
def snakemake_at_work(folder: Path) -> Iterator[int]:
    """A process that passes for a Snakemake in a folder, and the number of it."""
    script = folder / "snakemake"
    script.write_text("print(flush=True); input()")
    command = [sys.executable, str(script)]
    with subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdout.readline()
        yield process.pid
        process.kill()


def test_who_holds_the_lock_is_told(tmp_path: Path) -> None:
    assert another_run(tmp_path) is None
    with snakemake_at_work(tmp_path) as process:
        write_run(tmp_path, process)
        assert another_run(tmp_path) is None
        lock(tmp_path)
        assert f"here, found one, process {process} on" in str(another_run(tmp_path))
        assert " since 2026-01-01T00:00:00Z; wait for it" in str(another_run(tmp_path))
        # In the words of whoever meets it later, when it plans no more and holds no lock.
        assert beside_another_run(tmp_path) == another_run(tmp_path) == holder_of_lock(tmp_path)
    assert holder_of_lock(tmp_path) is None
    assert "python -m snakescope.run.clear" in str(another_run(tmp_path)).replace("\n", " ")
    # Another program may have got the number of the run since, after a restart for one.
    write_run(tmp_path, os.getppid())
    assert "python -m snakescope.run.clear" in str(another_run(tmp_path)).replace("\n", " ")
    write_run(tmp_path, GONE, '{"event": "run_ended"}')
    assert another_run(tmp_path) is None


def test_a_run_without_a_log_yet_is_not_taken_for_one_that_was_killed(tmp_path: Path) -> None:
    write_run(tmp_path, GONE)
    lock(tmp_path)
    with snakemake_at_work(tmp_path) as process:
        assert f"here, found one, process {process} on" in str(another_run(tmp_path))
        with pytest.raises(StepError) as refused:
            refuse_beside_others(tmp_path)
        assert str(refused.value) == another_run(tmp_path)
        refuse_beside_others(tmp_path / "logs")
    refuse_beside_others(tmp_path)


def test_progress_of_a_run_that_is_over_promises_no_time(tmp_path: Path) -> None:
    start, end = {"time": "2026-01-01T00:00:00Z"}, {"time": "2026-01-01T00:01:00Z"}
    planned = json.dumps({"event": "planned", **start, "plates": {"p": 2}, "jobs": {"r": 2}})
    done = json.dumps({"event": "finished", **end, "job": 1, "wildcards": {"plate": "p"}})
    ended = json.dumps({"event": "run_ended", **end})

    def said(process: int, *more: str) -> str:
        write_run(tmp_path, process, planned, done, *more)
        events = events_of(*runs(tmp_path))
        return told(events, standing_of(events))

    with snakemake_at_work(tmp_path) as process:
        assert said(process) == "plates: 1 under way; jobs: 1 of 2, about 60 s left"
    over = "plates: 1 unfinished; jobs: 1 of 2 in 60 s"
    assert said(GONE).startswith(f"killed, its process {GONE} is gone; {over}")
    assert said(GONE, ended).startswith(f"ended; {over}")


@pytest.mark.parametrize("text", ["", "\0\0\n", '{"event": "job"}\n'])
def test_a_log_without_a_start_is_refused_with_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(text)
    for read in (events_of, killed_run):
        with pytest.raises(StepError, match=f"{path}: expected the events of a run"):
            read(path)


def test_commands_that_are_told_work_anywhere_and_with_nothing_activated(tmp_path: Path) -> None:
    told = command("snakescope.run.summary", "absent run.jsonl")
    bare = {"PATH": "/usr/bin:/bin"}
    ended = subprocess.run(
        told, shell=True, cwd=tmp_path, env=bare, capture_output=True, text=True, check=False
    )
    assert ended.stderr.startswith("error: absent run.jsonl: expected the event log of a run")


def test_rules_that_were_given_no_gpu_are_named() -> None:
    def one(rule: str, **resources: int) -> SimpleNamespace:
        return SimpleNamespace(rule=SimpleNamespace(name=rule), resources=resources)

    assert without_gpu([one("a", gpu=0), one("b", gpu=1), one("c"), one("a", gpu=0)]) == ["a"]
