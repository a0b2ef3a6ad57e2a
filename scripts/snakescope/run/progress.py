"""Progress of a run by plate or volume: lines while it runs, a table for who asks elsewhere.

python -m snakescope.run.progress            # of the latest run in this folder
"""

import argparse
import platform
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from snakescope.run.alive import alive
from snakescope.run.events import EventLog, now, read_events, runs
from snakescope.step.command import run_step
from snakescope.step.errors import StepError

EVERY_S = 60.0
"""Least time between two lines on progress (s)."""


SUBJECTS = {"plate": "plates", "volume": "volumes"}
"""Wildcards with what jobs work on, and what those of a run are called together."""


class Subject(NamedTuple):
    """What a job works on: ``kind`` is plates or volumes; both are empty where it is neither."""

    kind: str
    name: str


def subject_of(wildcards: Mapping[str, Any]) -> Subject:
    """Return what a job with these wildcards works on."""
    for wildcard, kind in SUBJECTS.items():
        if name := str(wildcards.get(wildcard, "")):
            return Subject(kind, name)
    return Subject("", "")


@dataclass
class Standing:
    """How far a run is.

    ``planned`` and ``finished`` count jobs by plate or volume, ``failing`` holds those of jobs
    whose last attempt failed, ``failed`` counts all attempts that did. ``cpu_s`` and ``gpu_s`` are
    seconds of finished steps, those of GPUs as they were reserved, ``slurm`` says whether Slurm did
    so.
    """

    planned: Counter[Subject] = field(default_factory=Counter)
    finished: Counter[Subject] = field(default_factory=Counter)
    failing: dict[int, Subject] = field(default_factory=dict)
    total: int = 0
    done: int = 0
    failed: int = 0
    cpu_s: float = 0.0
    gpu_s: float = 0.0
    gpus: dict[int, int] = field(default_factory=dict)
    slurm: bool = False
    started: str = ""
    latest: str = ""

    def take(self, event: Mapping[str, Any]) -> None:
        """Count one event."""
        self.latest = event["time"]
        self.started = self.started or event["time"]
        subject = subject_of(event.get("wildcards", {}))
        match event["event"]:
            case "planned":
                for kind in SUBJECTS.values():
                    # Logs of earlier versions know no volumes.
                    for name, jobs in event.get(kind, {}).items():
                        self.planned[Subject(kind, name)] += jobs
                self.total = sum(event["jobs"].values())
            case "slurm_run":
                self.slurm = True
            case "job":
                self.gpus[event["job"]] = int(event["resources"].get("gpu") or 0)
            case "finished":
                self.cpu_s += event.get("cpu_seconds") or 0.0
                self.gpu_s += (event.get("seconds") or 0.0) * self.gpus.get(event["job"], 0)
                self.finished[subject] += 1
                self.done += 1
                self.failing.pop(event["job"], None)
            case "failed":
                self.failed += 1
                self.failing[event["job"]] = subject

    def state(self, subject: Subject) -> str:
        """Return done, failing, under way or waiting."""
        if subject in self.failing.values():
            return "failing"
        if self.finished[subject] >= self.planned[subject]:
            return "done"
        return "under way" if self.finished[subject] else "waiting"

    def states(self) -> dict[str, Counter[str]]:
        """Return how many plates, and how many volumes, are in every state; only kinds that are."""
        counted: dict[str, Counter[str]] = {}
        for subject in self.planned:
            counted.setdefault(subject.kind, Counter())[self.state(subject)] += 1
        return counted

    def line(self) -> str:
        """Return how far the run is in one line."""
        share = self.done / self.total if self.total else 1.0
        seconds = elapsed(self.started, self.latest)
        left = f", about {duration(seconds / share - seconds)} left" if 0 < share < 1 else ""
        told = [_counts(kind, sorted(states.items())) for kind, states in self.states().items()]
        return "; ".join([*told, f"jobs: {self.done} of {self.total}{left}"])

    def closing(self) -> str:
        """Return what became of a run that has ended, in one line."""
        told = []
        for kind, states in self.states().items():
            done, failed = states["done"], states["failing"]
            unfinished = states.total() - done - failed
            counts = (("done", done), ("failed", failed), ("unfinished", unfinished))
            told.append(_counts(kind, counts))
        # Without Slurm, nobody gave a GPU to the rules that ask for one.
        on_gpus = f" and {self.gpu_s / 3600:.2f} GPU-hours" if self.slurm else ""
        told.append(
            f"jobs: {self.done} of {self.total} in"
            f" {duration(elapsed(self.started, self.latest))}, {self.failed} attempts failed"
        )
        return "; ".join([*told, f"{self.cpu_s / 3600:.2f} CPU-hours{on_gpus} of steps"])


def _counts(kind: str, counts: Iterable[tuple[str, int]]) -> str:
    return f"{kind}: {', '.join(f'{count} {state}' for state, count in counts if count)}"


class Progress(EventLog):
    """An event log that also tells on stderr how far the run is, also under ``--quiet``."""

    def __init__(self, path: str | Path, quiet: bool = False, every_s: float = EVERY_S):
        super().__init__(path)
        self.standing = Standing()
        self.quiet = quiet
        self.every_s = every_s
        self._told = time.monotonic()

    def write(self, event: str, **keys: Any) -> None:
        """Write an event; tell of progress now and then, and when a plate or volume is done."""
        super().write(event, **keys)
        self.standing.take({"time": now(), "event": event, **keys})
        if self.quiet or event != "finished":
            return
        subject = subject_of(keys.get("wildcards", {}))
        whole = bool(subject.name) and self.standing.state(subject) == "done"
        if whole or time.monotonic() - self._told >= self.every_s:
            self._told = time.monotonic()
            done = f"{subject.name} is done; " if whole else ""
            print(f"{done}{self.standing.line()}", file=sys.stderr, flush=True)


def standing_of(events: Iterable[Mapping[str, Any]]) -> Standing:
    """Return how far the run with these events is."""
    standing = Standing()
    for event in events:
        standing.take(event)
    return standing


def elapsed(first: str, last: str) -> float:
    """Return the seconds between two times of events."""
    if not first or not last:
        return 0.0
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()


def duration(seconds: float) -> str:
    """Return a duration as people say it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def latest(given: Path | None) -> Path:
    """Return the event log that was asked for, or that of the latest run here.

    Raises:
        StepError: there is none.
    """
    found = [given] if given else runs()
    if not found or not found[-1].is_file():
        raise StepError(
            f"{given or 'logs/runs'}: expected the event log of a run, found none; name it, or"
            " call this in the folder where Snakemake ran"
        )
    return found[-1]


def events_of(path: Path) -> list[dict[str, Any]]:
    """Return the events of a run.

    Raises:
        StepError: the log does not begin as one, as where the disk was full.
    """
    events = list(read_events(path))
    if not events or events[0]["event"] != "run_started":
        raise StepError(
            f"{path}: expected the events of a run, found no start of one, as where the disk was"
            " full or the file damaged; remove it and call this again for the run before"
        )
    return events


def told(events: Sequence[Mapping[str, Any]], standing: Standing) -> str:
    """Return how far a run is, or how it ended: by itself, or killed where that can be seen."""
    first = events[0]
    if events[-1]["event"] == "run_ended":
        return f"ended; {standing.closing()}"
    if first["host"] == platform.node() and not alive(first["process"]):
        return f"killed, its process {first['process']} is gone; {standing.closing()}"
    return standing.line()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("events", nargs="?", type=Path, help="event log; else the latest here")
    path = latest(parser.parse_args().events)
    events = events_of(path)
    standing = standing_of(events)
    print(f"{path}: {told(events, standing)}")
    for kind, many in SUBJECTS.items():
        subjects = [subject for subject in standing.planned if subject.kind == many]
        if subjects:
            print(f"{kind}\tstate\tfinished\tplanned")
        for subject in subjects:
            finished, planned = standing.finished[subject], standing.planned[subject]
            print(f"{subject.name}\t{standing.state(subject)}\t{finished}\t{planned}")


if __name__ == "__main__":
    run_step(main)
