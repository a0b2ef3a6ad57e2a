"""The event log of a run, ``logs/runs/<start>-<process>.jsonl``: one JSON object a line.

===========  ===========================================================================
event        keys besides ``time`` (UTC, ISO 8601); one of each for every attempt at a job
===========  ===========================================================================
run_started  host, process, command
planned      jobs (by rule), subjects (jobs by every plate, volume, ...)
job          job, rule, wildcards, threads, resources, input, output, log, benchmark, reason
submitted    job, slurm_job, slurm_log
slurm_run    name (that of all Slurm jobs of the run)
finished     job, rule, wildcards, seconds, cpu_seconds, max_rss_mb, output_mb, temporary_mb, files
failed       job, rule, wildcards, log, message, state (Slurm's)
run_ended    succeeded
===========  ===========================================================================
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

from snakescope.step.errors import StepError
from snakescope.step.rows import table_rows

RUNS = Path("logs/runs")
"""Folder of the event logs, seen from the working directory."""

# No event of Snakemake has these; tests find the words in the installed Slurm plugin.
SUBMITTED = re.compile(r"Job (\d+) has been submitted with SLURM jobid (\d+) \(log: (.+)\)\.")
SLURM_RUN = re.compile(r"SLURM run ID: (\S+)")
SLURM_STATE = re.compile(r"SLURM status is: '([^']+)'")
NOT_SUBMITTED = re.compile(r"SLURM sbatch failed\. The error message was '(.+)'", re.DOTALL)
SBATCH_CALL = "\n    sbatch call:"

# What Snakemake appends to the path of an output.
FLAGS = re.compile(r" \((?:pipe|service|update|missing|retrieve|send to storage)[^)]*\)$")
RESOURCES = ("mem_mb", "runtime", "gpu", "gpu_model")


def job_event(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is worth keeping of Snakemake's record of a job (``JOB_INFO``)."""
    resources = keys.get("resources") or {}
    return {
        "job": keys["jobid"],
        "rule": keys["rule_name"],
        "wildcards": dict(keys.get("wildcards") or {}),
        "threads": keys.get("threads") or 1,
        "resources": {key: found for key in RESOURCES if (found := resources.get(key)) is not None},
        "input": list(keys.get("input") or ()),
        "output": [FLAGS.sub("", path) for path in keys.get("output") or ()],
        "log": next(iter(keys.get("log") or ()), ""),
        "benchmark": keys.get("benchmark"),
        "reason": keys.get("reason") or "",
    }


def failed_event(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is worth keeping of Snakemake's record of a failed attempt (``JOB_ERROR``).

    ``state`` is what Slurm called it, or ``REFUSED`` and Slurm's words where it took no job.
    """
    # The call takes pages, and is in Snakemake's own log.
    message = str(keys.get("rule_msg") or "").partition(SBATCH_CALL)[0].strip()
    state = found[1] if (found := SLURM_STATE.search(message)) else ""
    if refused := NOT_SUBMITTED.search(message):
        state = f"REFUSED {refused[1].splitlines()[-1].rpartition(': ')[2]}"
    return {"log": next(iter(keys.get("log") or ()), ""), "message": message, "state": state}


def slurm_event(text: str) -> tuple[str, dict[str, Any]] | None:
    """Return the event, and its keys, that a message of the Slurm plugin tells of."""
    if found := SUBMITTED.search(text):
        return "submitted", {"job": int(found[1]), "slurm_job": found[2], "slurm_log": found[3]}
    return ("slurm_run", {"name": found[1]}) if (found := SLURM_RUN.search(text)) else None


def used(job: Mapping[str, Any], temporary: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return what a finished job used, by its benchmark file and the sizes of its outputs.

    Times (s), peak memory (MB) and outputs (MB, 10^6 bytes); None where Snakemake measured none,
    as in very short steps. Of the outputs, those at ``temporary`` paths are removed later.
    """
    try:
        row = next(iter(table_rows(job.get("benchmark") or "")), {})
    except OSError:
        row = {}
    sizes = {path: os.path.getsize(path) for path in job["output"] if os.path.isfile(path)}  # noqa: PTH113, PTH202
    removed = sum(size for path, size in sizes.items() if path in temporary)
    return {
        "seconds": number(row.get("s")),
        "cpu_seconds": number(row.get("cpu_time")),
        "max_rss_mb": number(row.get("max_rss")),
        "output_mb": round((sum(sizes.values()) - removed) / 1e6, 3),
        "temporary_mb": round(removed / 1e6, 3),
        "files": sum(path not in temporary for path in sizes),
    }


def number(value: Any) -> float | None:
    """Return a cell or a resource as a number, None where it is none yet."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if isfinite(found) else None


def now() -> str:
    """Return the time, UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def read_events(path: str | Path) -> Iterator[dict[str, Any]]:
    """Yield the events of a log; a line that is not whole, as of a killed run, is left out."""
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                event = json.loads(line)
            except json.JSONDecodeError:
                continue
            if isinstance(event, dict) and "event" in event:
                yield event


def runs(folder: str | Path = ".") -> list[Path]:
    """Return the event logs of a working directory, the oldest first."""
    return sorted(Path(folder, RUNS).glob("*.jsonl"))


def new_log() -> Path:
    """Return the path for the event log of a run that starts now."""
    return RUNS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}.jsonl"


def events_of(given: Path | None) -> tuple[Path, list[dict[str, Any]]]:
    """Return the path and the events of the given log, or of that of the latest run here.

    Raises:
        StepError: there is none, or it does not begin as one.
    """
    path = given or next(reversed(runs()), RUNS)
    events = list(read_events(path)) if path.is_file() else []
    if not events or events[0]["event"] != "run_started":
        raise StepError(
            f"{path}: expected the event log of a run, found none, or one without its start; name"
            " another, or call this in the folder where Snakemake ran"
        )
    return path, events
