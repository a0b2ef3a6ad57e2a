"""Records as Snakemake gives them to its log handlers, and logs of runs that never were."""

import json
import logging
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from snakemake_interface_logger_plugins.common import LogEvent

GONE = 2**22 + 1
"""No process has this number."""

SETTINGS = SimpleNamespace(dryrun=False, quiet=None)


def record(event: LogEvent | None, message: str = "", level: int = logging.INFO, **keys: Any):
    made = logging.LogRecord("snakemake", level, "", 0, message, None, None)
    if event:
        made.event = event
    made.__dict__.update(keys)
    return made


def job(number: int, rule: str, output: str, benchmark: str | None = None, plate: str = "p"):
    return record(
        LogEvent.JOB_INFO, jobid=number, rule_name=rule, wildcards={"plate": plate}, threads=2,
        resources={"mem_mb": 500, "runtime": 5, "gpu": 1, "_cores": 2}, input=["a"],
        output=[output], log=["x.log"], benchmark=benchmark, reason="new",
    )  # fmt: skip


def finished(number: int):
    return record(LogEvent.JOB_FINISHED, job_id=number)


def failed(number: int, message: str | None = None):
    return record(LogEvent.JOB_ERROR, jobid=number, rule_name="r", rule_msg=message, log=["x.log"])


def write_run(folder: Path, process: int, *more: dict, host: str = "", name: str = "1") -> Path:
    path = folder / f"logs/runs/20260101T000000Z-{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    time = {"time": "2026-01-01T00:00:00Z"}
    first = {"event": "run_started", "process": process, "host": host or platform.node()}
    path.write_text("".join(json.dumps({**time, **event}) + "\n" for event in (first, *more)))
    return path


def lock(folder: Path) -> None:
    (folder / ".snakemake/locks").mkdir(parents=True)
    (folder / ".snakemake/locks/0.input.lock").touch()


@contextmanager
def snakemake_at_work(folder: Path) -> Iterator[int]:
    """A process that passes for a Snakemake in a folder, and its number."""
    script = folder / "snakemake"
    script.write_text("print(flush=True); input()")
    command = [sys.executable, str(script)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=folder, **pipes) as process:
        assert process.stdout is not None and process.stdout.readline()
        yield process.pid
        process.kill()
