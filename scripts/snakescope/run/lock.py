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
    sentence = at_work(folder)
    if sentence or not locked(folder):
        return sentence
    killed = next(filter(None, map(unended, reversed(runs(folder)))), None)
    return (
        f"{Path(folder).resolve()}: expected no lock, found that of a run that was killed"
        f" ({described(killed) if killed else 'one without a log'}) and may have left jobs on the"
        f" cluster; clear them: {command('clear')}"
    )


def at_work(folder: str | Path = ".") -> str | None:
    """Return one sentence on the run that works in a folder, None if none does.

    A run of this machine counts from its first event on, so also while it plans and holds no lock;
    one of another machine, whose process nobody sees from here, as long as there is a lock.
    """
    logs = list(reversed(runs(folder)))
    found = next((first for path in logs if alive(first := start_of(path), folder)), None)
    if found is None and locked(folder):
        last = next(filter(None, map(unended, logs)), None)
        found = last if last and last["host"] != platform.node() else None
    if found is None:
        return None
    return (
        f"{Path(folder).resolve()}: expected no run at work here, found one, {described(found)};"
        " wait for it, or stop it first, by Ctrl-C or kill -INT"
    )


def locked(folder: str | Path = ".") -> bool:
    """Whether a run of Snakemake holds a lock of a folder, or was killed with it."""
    return any(Path(folder, LOCKS).glob("*"))


def start_of(path: Path) -> dict[str, Any]:
    """Return the first event of a run by its log, an empty one where that is damaged."""
    first = next(read_events(path), {})
    return first if first.get("event") == "run_started" else {}


def unended(path: Path) -> dict[str, Any]:
    """Return the first event of a run that has not written its end, an empty one if it has."""
    ended = any(event["event"] == "run_ended" for event in read_events(path))
    return {} if ended else start_of(path)


def described(first: Mapping[str, Any]) -> str:
    """Return process, machine and start of a run."""
    return f"process {first['process']} on {first['host']} since {first['time'][:19]}Z"


def alive(first: Mapping[str, Any], folder: str | Path = ".") -> bool:
    """Whether a run, by the first event of its log, is another Snakemake at work in a folder here.

    The number of its process may belong to another program since. Of a process of another user,
    whose folder is hidden, the command line counts.
    """
    import psutil  # not for jobs, which import this module as well

    if first.get("host") != platform.node() or first["process"] == os.getpid():
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
