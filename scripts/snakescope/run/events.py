"""The event log of a run: one JSON object a line, for machines and for the other modules here.

Snakemake tells its log handlers what happens as records with an ``event``. The handler below
writes them, with what a finished job used, to ``logs/runs/<start>-<process>.jsonl``:

==============  ==================================================================
event           keys besides ``time`` (UTC, ISO 8601)
==============  ==================================================================
run_started     host, process, command
planned         jobs (by rule), plates and volumes (jobs by each), gpu_rules
job             job, rule, wildcards, threads, resources, input, output, log, benchmark, reason
submitted       job, slurm_job, slurm_log
slurm_run       name (that of all Slurm jobs of the run)
finished        job, rule, wildcards, seconds, cpu_seconds, max_rss_mb, output_mb,
                temporary_mb, files
failed          job, rule, wildcards, message, logs
message         level, text (warnings and errors of Snakemake)
run_ended       succeeded
==============  ==================================================================

A job that is tried again has a ``job`` and a ``failed`` or ``finished`` event for every attempt.
"""

import csv
import json
import logging
import os
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import IO, Any

RUNS = Path("logs/runs")
"""Folder of the event logs, seen from the working directory."""

SUBMITTED = re.compile(r"Job (\d+) has been submitted with SLURM jobid (\d+) \(log: (.+)\)\.")
SLURM_RUN = re.compile(r"SLURM run ID: (\S+)")
SLURM_STATE = re.compile(r"SLURM status is: '([^']+)'")
NOT_SUBMITTED = re.compile(r"SLURM sbatch failed\. The error message was '(.+)'", re.DOTALL)
SBATCH_CALL = "\n    sbatch call:"
TAIL_BYTES = 2**16
RESOURCES = ("mem_mb", "runtime", "gpu", "gpu_model")


class EventLog(logging.Handler):
    """Writes the events of a run; makes no file before it is opened, when there are jobs.

    ``states`` holds what Slurm called the last attempt of a job that failed, by the job's number,
    see :func:`slurm_state`.
    """

    def __init__(self, path: str | Path):
        super().__init__(level=logging.INFO)
        self.path = Path(path)
        self.jobs: dict[int, dict[str, Any]] = {}
        self.temporary: frozenset[str] = frozenset()
        self.states: dict[int, str] = {}
        self._file: IO[str] | None = None
        self._begun = False
        self._early: list[dict[str, Any]] = []

    def open(self) -> None:
        """Begin the file; what was told before, of the whole run, comes first."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Whole lines, at once: another process may read along.
        self._file = open(self.path, "a", encoding="utf-8", buffering=1)  # noqa: SIM115
        self._begun = True
        self.write("run_started", host=platform.node(), process=os.getpid(), command=sys.argv)
        for line in self._early:
            self._append(line)

    def write(self, event: str, **keys: Any) -> None:
        """Write one event; before the file is open, keep it if it is of the whole run."""
        line = {"time": now(), "event": event, **keys}
        if self._file is not None:
            self._append(line)
        elif event in ("slurm_run", "message"):
            self._early.append(line)

    def _append(self, line: Mapping[str, Any]) -> None:
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(line, default=str) + "\n")
        except OSError as error:
            # A full disk ends the log, not the run.
            self._file = None
            print(f"event log {self.path}: ends here, {error.strerror}", file=sys.stderr)

    def emit(self, record: logging.LogRecord) -> None:
        """Write what a record of Snakemake tells, where it is an event worth keeping."""
        try:
            self._emit(record)
        except OSError as error:
            # An output that cannot be looked at ends no run either.
            print(f"event log {self.path}: {error.strerror}", file=sys.stderr)

    def _emit(self, record: logging.LogRecord) -> None:
        event = str(getattr(record, "event", None) or "")
        told = record.__dict__
        if event and not self._begun:
            return  # a dry run: thousands of jobs, and no file to tell them to
        if event == "job_info":
            job = described(told)
            self.jobs[job["job"]] = job
            self.write("job", **job)
        elif event == "job_finished":
            job = self.jobs.get(told["job_id"], {"job": told["job_id"]})
            self.write("finished", **identity(job), **used(job, self.temporary))
        elif event == "job_error":
            job = self.jobs.get(told["jobid"], {"job": told["jobid"], "rule": told["rule_name"]})
            # The call takes pages, and is in Snakemake's own log.
            message = str(told.get("rule_msg") or "").partition(SBATCH_CALL)[0].strip()
            self.states[job["job"]] = slurm_state(message)
            self.write("failed", **identity(job), message=message, logs=list(told.get("log") or ()))
        elif not event:
            self._message(record)

    def _message(self, record: logging.LogRecord) -> None:
        text = record.getMessage() if record.msg is not None else ""
        if match := SUBMITTED.search(text):
            job, slurm_job, log = match.groups()
            self.write("submitted", job=int(job), slurm_job=slurm_job, slurm_log=log)
        elif match := SLURM_RUN.search(text):
            self.write("slurm_run", name=match[1])
        elif record.levelno >= logging.WARNING and text:
            self.write("message", level=record.levelname.lower(), text=text)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        super().close()


def now() -> str:
    """Return the time, UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def described(told: Mapping[str, Any]) -> dict[str, Any]:
    """Take from Snakemake's record of a job what is worth keeping."""
    resources = told.get("resources") or {}
    kept = {name: resources.get(name) for name in RESOURCES if resources.get(name) is not None}
    return {
        "job": told["jobid"],
        "rule": told["rule_name"],
        "wildcards": dict(told.get("wildcards") or {}),
        "threads": told.get("threads") or 1,
        "local": bool(told.get("local")),
        "resources": kept,
        "input": list(told.get("input") or ()),
        "output": [plain(path) for path in told.get("output") or ()],
        "log": next(iter(told.get("log") or ()), ""),
        "benchmark": told.get("benchmark"),
        "reason": told.get("reason") or "",
    }


def plain(path: str) -> str:
    """Return a path without the words that Snakemake puts behind it, such as ``(update)``."""
    return re.sub(r" \((?:pipe|service|update|missing|retrieve|send to storage)[^)]*\)$", "", path)


def slurm_state(message: str) -> str:
    """Return what Slurm called a job that failed, by Snakemake's message, empty if nothing.

    It is ``REFUSED`` and Slurm's words for one that it did not take.
    """
    if match := SLURM_STATE.search(message):
        return match[1]
    if match := NOT_SUBMITTED.search(message):
        return f"REFUSED {match[1].splitlines()[-1].rpartition(': ')[2]}"
    return ""


def identity(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return what tells a job from others."""
    return {name: job[name] for name in ("job", "rule", "wildcards") if name in job}


def used(job: Mapping[str, Any], temporary: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return what a finished job used: its benchmark file, and the size of its outputs.

    Returns:
        seconds and cpu_seconds of the step (s), max_rss_mb (MB), output_mb and temporary_mb of
        outputs that are kept and that are removed later (MB, 10^6 bytes), files that are kept
        (count); None where it was not measured, as Snakemake's benchmark does not measure the
        memory of a step shorter than it looks at.

    Args:
        job: What :func:`described` returned.
        temporary: Paths of outputs that are removed later.
    """
    seconds, cpu_seconds, max_rss_mb = benchmark_row(job.get("benchmark"))
    sizes = {
        path: Path(path).stat().st_size for path in job.get("output", ()) if Path(path).is_file()
    }
    removed = sum(size for path, size in sizes.items() if path in temporary)
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "max_rss_mb": max_rss_mb,
        "output_mb": round((sum(sizes.values()) - removed) / 1e6, 3),
        "temporary_mb": round(removed / 1e6, 3),
        "files": sum(path not in temporary for path in sizes),
    }


def benchmark_row(path: str | Path | None) -> tuple[float | None, float | None, float | None]:
    """Return wall-clock seconds, CPU seconds and peak memory (MB) of a benchmark file."""
    try:
        with open(path or "", encoding="utf-8", newline="") as file:
            row = next(csv.DictReader(file, delimiter="\t"), {})
    except OSError:
        return None, None, None
    return number(row.get("s")), number(row.get("cpu_time")), number(row.get("max_rss"))


def number(text: str | None) -> float | None:
    """Return a cell as a number, None where Snakemake wrote that it does not know."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if isfinite(value) else None


def read_events(path: str | Path) -> Iterator[dict[str, Any]]:
    """Yield the events of a log; a line that is not whole, as of a killed run, is left out."""
    with open(path, encoding="utf-8", errors="replace") as file:
        yield from whole_events(file)


def last_event(path: str | Path) -> dict[str, Any] | None:
    """Return the last event of a log by its last ``TAIL_BYTES``; None where no event ends there.

    The end of a run is a short line, so a log that has one is never taken for one without.
    """
    with open(path, "rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
        lines = file.read().decode("utf-8", errors="replace").splitlines()
    return next(whole_events(reversed(lines)), None)


def whole_events(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the events among lines of a log."""
    for line in lines:
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(event, dict) and "event" in event:
            yield event


def runs(folder: str | Path = ".") -> list[Path]:
    """Return the event logs of a working directory, the oldest first."""
    return sorted(Path(folder, RUNS).glob("*.jsonl"))


def new_log(folder: str | Path = ".") -> Path:
    """Return the name for the event log of a run that starts now."""
    return Path(folder, RUNS, f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}.jsonl")
