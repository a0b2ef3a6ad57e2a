"""How far a run is, by plate, volume or whatever its trees work on."""

import argparse
import platform
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from snakescope.run.events import events_of, now
from snakescope.run.lock import alive

MOST_SHOWN = 8
"""Jobs at work that are named."""


class Subject(NamedTuple):
    """What a job works on, such as plate A1; empty if it is no subject of a tree."""

    kind: str = ""
    name: str = ""


@dataclass
class Standing:
    """How far a run is.

    ``planned`` and ``finished`` count jobs by subject, ``failing`` holds, by job, the event
    of a last attempt that failed, with its ``attempts``; ``attempts`` counts all that failed.
    ``running`` holds, by job, the event of an attempt that has begun, or was given to a cluster,
    with whether it was ``submitted``.
    """

    planned: Counter[Subject] = field(default_factory=Counter)
    finished: Counter[Subject] = field(default_factory=Counter)
    failing: dict[int, dict[str, Any]] = field(default_factory=dict)
    attempts: Counter[int] = field(default_factory=Counter)
    running: dict[int, dict[str, Any]] = field(default_factory=dict)
    total: int = 0
    started: str = ""
    latest: str = ""

    def take(self, event: Mapping[str, Any]) -> None:
        """Count one event."""
        self.latest = event["time"]
        self.started = self.started or event["time"]
        if event["event"] == "planned":
            self.total = sum(event["jobs"].values())
            for kind, jobs in event["subjects"].items():
                self.planned.update({Subject(kind, name): n for name, n in jobs.items()})
        elif event["event"] == "job" and event["output"]:
            self.running[event["job"]] = {**event, "submitted": False}
        elif event["event"] == "submitted" and event["job"] in self.running:
            self.running[event["job"]]["submitted"] = True
        elif event["event"] == "run_ended":
            self.running.clear()
        elif event["event"] == "finished":
            self.running.pop(event["job"], None)
            self.finished[self.subject(event["wildcards"])] += 1
            self.failing.pop(event["job"], None)
        elif event["event"] == "failed":
            self.running.pop(event["job"], None)
            self.attempts[event["job"]] += 1
            self.failing[event["job"]] = {**event, "attempts": self.attempts[event["job"]]}

    def subject(self, wildcards: Mapping[str, str]) -> Subject:
        """Return what a job with these wildcards works on."""
        found = (Subject(*item) for item in wildcards.items())
        return next((subject for subject in found if subject in self.planned), Subject())

    def state(self, subject: Subject) -> str:
        """Return done, failed, under way or waiting."""
        if any(self.subject(event["wildcards"]) == subject for event in self.failing.values()):
            return "failed"
        if self.finished[subject] >= self.planned[subject]:
            return "done"
        begun = any(self.subject(job["wildcards"]) == subject for job in self.running.values())
        return "under way" if begun or self.finished[subject] else "waiting"

    def unfinished(self, kind: str) -> set[str]:
        """Return the subjects of a kind of which jobs are left, as those that failed."""
        subjects = (one for one in self.planned if one.kind == kind)
        return {subject.name for subject in subjects if self.state(subject) != "done"}

    def counts(self) -> str:
        """Return how many subjects of every kind are in every state, and the jobs that are done."""
        states: dict[str, Counter[str]] = {}
        for subject in self.planned:
            states.setdefault(subject.kind, Counter())[self.state(subject)] += 1
        parts = [
            f"{kind}s: {', '.join(f'{count} {state}' for state, count in sorted(found.items()))}"
            for kind, found in states.items()
        ]
        return "; ".join([*parts, f"jobs: {self.finished.total()} of {self.total}"])

    def line(self) -> str:
        """Return how far the run is in one line."""
        done, seconds = self.finished.total(), self.elapsed_s
        if not 0 < done < self.total:
            return self.counts()
        return f"{self.counts()}, about {duration(seconds * (self.total / done - 1))} left"

    def at_work(self, until: str) -> list[str]:
        """Return the jobs that run at a time (UTC, ISO 8601), a line each, the longest first."""
        jobs = sorted(self.running.values(), key=lambda job: str(job["time"]))
        lines = []
        for job in jobs[:MOST_SHOWN]:
            name = " ".join([job["rule"], *job["wildcards"].values()])
            began = "submitted" if job["submitted"] else "at work"
            took = duration(_seconds(job["time"], until))
            log = f"; {job['log']}" if job["log"] else ""
            lines.append(f"{began} since {job['time'][:19]}Z, for {took}: {name}{log}")
        more = len(jobs) - MOST_SHOWN
        return [*lines, *([f"and {more} jobs more"] if more > 0 else [])]

    def closing(self) -> str:
        """Return what became of a run that has ended, in one line."""
        failed = self.attempts.total()
        return f"{self.counts()} in {duration(self.elapsed_s)}, {failed} attempts failed"

    @property
    def elapsed_s(self) -> float:
        """Seconds from the first event to the last."""
        return _seconds(self.started, self.latest)


def _seconds(first: str, last: str) -> float:
    begin, end = map(datetime.fromisoformat, (first, last))
    return (end - begin).total_seconds()


def standing_of(events: Iterable[Mapping[str, Any]]) -> Standing:
    """Return how far the run with these events is."""
    standing = Standing()
    for event in events:
        standing.take(event)
    return standing


def duration(seconds: float) -> str:
    """Return a duration in the unit that suits it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("log", nargs="?", type=Path, help="event log; else the latest here")


def main(options: argparse.Namespace) -> None:
    """Print how far a run is, or how it ended, and the state of every subject."""
    path, events = events_of(options.log)
    standing, first = standing_of(events), events[0]
    lines: list[str] = []
    if events[-1]["event"] == "run_ended":
        text = f"ended; {standing.closing()}"
    elif first["host"] == platform.node() and not alive(first, path.resolve().parents[2]):
        text = f"killed, its process {first['process']} is gone; {standing.closing()}"
    else:
        # A run writes nothing down while its jobs work.
        standing.latest = now()
        text, lines = standing.line(), standing.at_work(standing.latest)
    print(f"{path}: {text}", *lines, sep="\n")
    for subject in standing.planned:
        counts = f"{standing.finished[subject]} of {standing.planned[subject]} jobs"
        print(*subject, standing.state(subject), counts, sep="\t")
