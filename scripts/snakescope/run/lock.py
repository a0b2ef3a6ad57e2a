"""Who works in a folder, by Snakemake's lock and the event logs of its runs.

While another run works in a folder a second one is refused, and a dry run writes nothing there: it
plans with the manifests that the jobs of that run read.
"""

import os
import platform
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snakescope.run.events import read_events, runs

LOCKS = Path(".snakemake/locks")
"""Snakemake's locks of a folder; a run that ends removes those of all."""


def holder(folder: str | Path = ".") -> str | None:
    """Return a sentence on the run that works in a folder or was killed there, None if neither."""
    if (sentence := at_work(folder)) or not locked(folder):
        return sentence
    killed = last_unended(folder)
    return (
        f"{Path(folder).resolve()}: expected no lock, found that of a run that was killed"
        f" ({described(killed) if killed else 'one without a log'}) and may have left jobs on the"
        f" cluster; clear them: {command('clear')}"
    )


def at_work(folder: str | Path = ".") -> str | None:
    """Return a sentence on the run that works in a folder, None if none does.

    A run of this machine counts from its first event on, so also while it plans and holds no lock;
    one of another machine, whose process nobody sees from here, as long as there is a lock.
    """
    starts = [next(read_events(path), {}) for path in runs(folder)]
    found = [first for first in starts if "process" in first and alive(first, folder)]
    if not found and locked(folder):
        last = last_unended(folder)
        found = [last] if last and last["host"] != platform.node() else []
    if not found:
        return None
    return (
        f"{Path(folder).resolve()}: expected no run at work here, found one,"
        f" {described(found[-1])}; wait for it, or stop it first, by Ctrl-C or kill -INT"
    )


def locked(folder: str | Path = ".") -> bool:
    """Whether a run of Snakemake holds a lock of a folder, or was killed with it."""
    return any(Path(folder, LOCKS).glob("*"))


def last_unended(folder: str | Path) -> dict[str, Any] | None:
    """Return the first event of the last run that has not written its end."""
    for path in reversed(runs(folder)):
        events = {event["event"]: event for event in read_events(path)}
        if "run_started" in events and "run_ended" not in events:
            return events["run_started"]
    return None


def described(first: Mapping[str, Any]) -> str:
    """Return process, machine and start of a run by its first event."""
    return f"process {first['process']} on {first['host']} since {first['time'][:19]}Z"


def alive(first: Mapping[str, Any], folder: str | Path = ".") -> bool:
    """Whether a run, by the first event of its log, is another Snakemake at work in a folder here.

    The number of its process may belong to another program since. Of a process of another user,
    whose folder is hidden, the command line counts.
    """
    import psutil  # not for jobs, which import this module as well

    if first["host"] != platform.node() or first["process"] == os.getpid():
        return False
    try:
        process = psutil.Process(first["process"])
        called = any("snakemake" in word for word in process.cmdline())
        if not called or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return Path(process.cwd()) == Path(folder).resolve()
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False


def command(*words: str) -> str:
    """Return the command line ``snakescope ...``, as it works anywhere with nothing activated."""
    installed = Path(sys.executable).with_name("snakescope")
    start = [str(installed)] if installed.exists() else [sys.executable, "-m", "snakescope"]
    return shlex.join([*start, *words])
