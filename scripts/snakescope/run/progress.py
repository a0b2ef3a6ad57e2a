"""How far a run is, by plate, volume or whatever its trees work on."""

import argparse
import platform
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from snakescope.run.events import events_of
from snakescope.run.lock import alive


class Subject(NamedTuple):
    """What a job works on, such as plate A1; empty if it is no subject of a tree."""

    kind: str = ""
    name: str = ""


@dataclass
class Standing:
    """How far a run is.

    ``planned`` and ``finished`` count jobs by subject, ``failing`` holds, by job, the event
    of a last attempt that failed, with its ``attempts``; ``attempts`` counts all that failed.
    """

    planned: Counter[Subject] = field(default_factory=Counter)
    finished: Counter[Subject] = field(default_factory=Counter)
    failing: dict[int, dict[str, Any]] = field(default_factory=dict)
    attempts: Counter[int] = field(default_factory=Counter)
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
        elif event["event"] == "finished":
            self.finished[self.subject(event["wildcards"])] += 1
            self.failing.pop(event["job"], None)
        elif event["event"] == "failed":
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
        return "under way" if self.finished[subject] else "waiting"

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

    def closing(self) -> str:
        """Return what became of a run that has ended, in one line."""
        failed = self.attempts.total()
        return f"{self.counts()} in {duration(self.elapsed_s)}, {failed} attempts failed"

    @property
    def elapsed_s(self) -> float:
        """Seconds from the first event to the last."""
        first, last = map(datetime.fromisoformat, (self.started, self.latest))
        return (last - first).total_seconds()


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
    text = standing.line()
    if events[-1]["event"] == "run_ended":
        text = f"ended; {standing.closing()}"
    elif first["host"] == platform.node() and not alive(first, path.resolve().parents[2]):
        text = f"killed, its process {first['process']} is gone; {standing.closing()}"
    print(f"{path}: {text}")
    for subject in standing.planned:
        counts = f"{standing.finished[subject]} of {standing.planned[subject]} jobs"
        print(*subject, standing.state(subject), counts, sep="\t")
