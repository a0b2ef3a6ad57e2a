"""What the Snakefile lets a run say of itself: the event log, progress, warnings, last words."""

import logging
import os
import platform
import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from snakescope.run.alive import alive, at_work, works_here
from snakescope.run.events import last_event, new_log, read_events, runs
from snakescope.run.progress import SUBJECTS, Progress

PLAN = "SNAKESCOPE_PLAN"
"""Environment variable with the file to which a dry run writes its jobs, for an estimate."""

LOCAL = ("local", "dryrun", "touch")
KEPT = (
    "planned with the images that were found before, since the jobs of the run at work here depend"
    " on them; images and settings that changed since count once it has ended"
)


class Aloud(logging.Handler):
    """Tells warnings and errors under ``--quiet all``, of which Snakemake tells none by itself.

    Those of jobs are told at the end of the run.
    """

    def __init__(self) -> None:
        super().__init__(level=logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record."""
        event = str(getattr(record, "event", None) or "error")
        if event == "error" and record.msg:
            print(record.getMessage(), file=sys.stderr, flush=True)


class Announcer:
    """The voice of a run of the main process; a dry run only has one for an estimate.

    ``quiet`` says that Snakemake itself tells nothing, see :class:`Aloud`.

    Attributes:
        beside: a sentence on a run at work here, whose jobs read what was found of plates and
            volumes when it was planned: that is left as it is, and only looked at.
    """

    def __init__(self, logger: Any, quiet: bool = False):
        plan = os.environ.get(PLAN)
        self.logger = logger
        self.events = Progress(plan or new_log(), quiet=bool(plan))
        if plan:
            self.events.open()
        logger.addHandler(self.events)
        if quiet and not plan:
            logger.addHandler(Aloud())
        # Before Snakemake refuses a locked folder without saying who works there.
        if sentence := another_run():
            logger.warning(sentence)
        self.beside = holder_of_lock() or beside_another_run()
        if self.beside:
            logger.warning(KEPT)

    def started(self, dag: Any, executor: str) -> None:
        """Note what the run is going to do, and say loudly if models run without a GPU."""
        jobs = list(dag.needrun_jobs())
        silenced = without_gpu(jobs)
        if silenced and executor not in LOCAL:
            self.logger.warning(
                f"NO GPU: {', '.join(silenced)} run on the CPU, as the profile has gpu: 0 for"
                " them; many times slower"
            )
        self.events.open()
        self.events.temporary = frozenset(str(path) for job in jobs for path in job.temp_output)
        rules = Counter(job.rule.name for job in jobs)
        self.events.write(
            "planned",
            jobs=dict(rules.most_common()),
            gpu_rules=sorted({job.rule.name for job in jobs if job.resources.get("gpu")}),
            **{many: jobs_by(wildcard, jobs) for wildcard, many in SUBJECTS.items()},
        )

    def ended(self, succeeded: bool, said: Sequence[str]) -> None:
        """Note how the run ended, sum it up, and name the command that tells more.

        ``said`` is told before, but for empty texts.
        """
        told = [text for text in said if text]
        self.events.write("run_ended", succeeded=succeeded)
        told.append(self.events.standing.closing())
        summary = command("snakescope.run.summary", str(Path(self.events.path).resolve()))
        told.append(f"What was used and what failed: {summary}")
        print("\n".join(told), file=sys.stderr)


def command(module: str, *words: str) -> str:
    """Return the command line of a module, as it works anywhere and with nothing activated."""
    scripts = shlex.quote(str(Path(__file__).resolve().parents[2]))
    return f"PYTHONPATH={scripts} {shlex.join([sys.executable, '-m', module, *words])}"


def jobs_by(wildcard: str, jobs: Iterable[Any]) -> dict[str, int]:
    """Return how many of the jobs work on each plate, or on each volume."""
    return dict(
        Counter(str(value) for job in jobs if (value := getattr(job.wildcards, wildcard, "")))
    )


def without_gpu(jobs: Iterable[Any]) -> list[str]:
    """Return the names of rules that can use a GPU and have been given none."""
    return sorted({job.rule.name for job in jobs if job.resources.get("gpu") == 0})


def another_run(folder: str | Path = ".") -> str | None:
    """Return a sentence on the run that holds the lock of a working directory, if one does."""
    if sentence := holder_of_lock(folder):
        return sentence
    last = last_unended(folder) if is_locked(folder) else None
    if last is None:
        return None
    return (
        f"{Path(folder).resolve()}: expected no lock, found that of a run that was killed"
        f" (process {last['process']} on {last['host']} since {last['time'][:19]}Z) and may"
        f" have left jobs behind; clear them: {command('snakescope.run.clear')}"
    )


def holder_of_lock(folder: str | Path = ".") -> str | None:
    """Return a sentence on the run that holds the lock and is at work, not one that was killed."""
    if not is_locked(folder):
        return None
    last = last_unended(folder)
    if last is not None and (last["host"] != platform.node() or alive(last["process"])):
        return works_here(folder, [last["process"]], last)
    # Some are still planning, or were asked for other files than the last one.
    others = at_work(folder)
    return works_here(folder, others) if others else None


def is_locked(folder: str | Path) -> bool:
    """Whether a run has locked the working directory, and has not unlocked it since."""
    return any(Path(folder, ".snakemake/locks").glob("*"))


def last_unended(folder: str | Path) -> dict[str, Any] | None:
    """Return the start of the last run, by the event logs, that has not told its end."""
    return next(filter(None, map(unended, reversed(runs(folder)))), None)


def beside_another_run(folder: str | Path = ".") -> str | None:
    """Return a sentence on a run that works in a working directory on this machine, if one does.

    Whatever its targets are: both would write the same tables of failures. For a run that is about
    to start its first job, and has told nothing of itself yet.
    """
    for first in filter(None, map(unended, reversed(runs(folder)))):
        process = first["process"]
        if first["host"] == platform.node() and process != os.getpid() and alive(process):
            return works_here(folder, [process], first)
    return None


def unended(path: Path) -> dict[str, Any] | None:
    """Return the start of a run, by its event log, that has not told its end.

    Every start of a run asks this of all runs before it, so what is between is not read.
    """
    first, last = next(read_events(path), None), last_event(path)
    if first is None or first["event"] != "run_started":
        return None
    return None if last is not None and last["event"] == "run_ended" else first
