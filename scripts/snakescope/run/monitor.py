"""The event log of the main process, and what it prints and does as a run begins and ends."""

import json
import logging
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from snakemake.logging import logger
from snakemake.settings.types import Quietness
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakescope.run import events
from snakescope.run.failures import failures_of, report, write_failures
from snakescope.run.lock import command, holder
from snakescope.run.progress import Standing
from snakescope.tree.tree import Tree

PLAN = "SNAKESCOPE_PLAN"
"""Environment variable with the file to which a dry run writes its jobs, for an estimate."""


class Monitor(LogHandlerBase):
    """Writes the events of a run and prints progress, whatever ``--quiet`` says.

    A handler as the logger plugins of Snakemake are, but attached by the Snakefile: a plugin works
    only where whoever starts Snakemake names it.

    Args:
        common_settings: ``workflow.output_settings``.
        trees: those of the workflow, by name.
        nothing_to_do: a sentence where a run has nothing to do, else an empty text.
        every_s: least time between two lines on progress (s).
    """

    writes_to_stream, writes_to_file, needs_rulegraph = False, True, False
    has_filter, has_formatter = True, True

    def __init__(
        self,
        common_settings: Any,
        trees: Mapping[str, Tree[Any]],
        nothing_to_do: Callable[[], str] = str,
        every_s: float = 60.0,
    ):
        super().__init__(common_settings, None)
        self.setLevel(logging.INFO)
        self.plan = os.environ.get(PLAN)
        self.path = Path(self.plan) if self.plan else events.new_log()
        self.silent = Quietness.ALL in (common_settings.quiet or ())
        self.trees, self.every_s = trees, every_s
        self.nothing_to_do = nothing_to_do
        self.standing = Standing()
        self.jobs: dict[int, dict[str, Any]] = {}
        self.temporary: frozenset[str] = frozenset()
        self.planned: frozenset[str] = frozenset()
        self._file: Any = None
        self._printed = time.monotonic()
        self._ended = False
        self.stopped, self.cancelled = False, 0

    def stop(self) -> None:
        """Take it that a person stops the run: jobs that end from now on have not failed."""
        self.stopped = True
        logger.addFilter(lambda record: getattr(record, "event", None) != LogEvent.JOB_ERROR)
        self.cancelled = len(self.standing.running)

    def emit(self, record: logging.LogRecord) -> None:
        """Write what is an event of ours; refuse a run where another one works.

        Snakemake states the start of a run, and of a dry run, when it has read the Snakefile and
        neither planned nor locked anything; ``--unlock``, ``--lint`` and the like start none.
        """
        try:
            self._emit(record, record.__dict__)
        except Exception:
            self.handleError(record)  # prints it: nothing here may end a run of days

    def _emit(self, record: logging.LogRecord, keys: dict[str, Any]) -> None:
        event = keys.get("event")
        job = self.jobs.get(keys.get("jobid", keys.get("job_id", -1)))
        if event == LogEvent.WORKFLOW_STARTED:
            self._start(str(keys.get("cmd", "")))
        elif event in (None, LogEvent.ERROR) and record.levelno >= logging.WARNING and self.silent:
            print(record.getMessage(), file=sys.stderr, flush=True)
        elif self._file is None:
            return  # a dry run, with thousands of jobs
        elif event == LogEvent.JOB_INFO:
            job = self.jobs[keys["jobid"]] = events.job_event(keys)
            self.write("job", **job, **({"cost": self._cost(job)} if self.plan else {}))
        elif event == LogEvent.JOB_FINISHED and job:
            self.write("finished", **job_keys(job), **events.used(job, self.temporary))
        elif event == LogEvent.JOB_ERROR and job and not self.stopped:
            self.write("failed", **job_keys(job), **events.failed_event(keys))
        elif event is None and (found := events.slurm_event(record.getMessage())):
            self.write(found[0], **found[1])

    def _start(self, command_line: str) -> None:
        dry = self.common_settings.dryrun
        if sentence := self.nothing_to_do() or (not dry and holder()):
            # Of other exceptions Snakemake prints the way through the logger as well.
            raise SystemExit(f"error: {sentence}")
        if dry and not self.plan:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Whole lines, at once: another process may read along.
            self._file = open(self.path, "a", encoding="utf-8", buffering=1)  # noqa: SIM115
        except OSError as error:
            self._lose(error)
        self.write("run_started", host=platform.node(), process=os.getpid(), command=command_line)

    def _lose(self, error: OSError) -> None:
        """Go on without the log, as on a full disk."""
        self._file = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        print(f"event log {self.path}: ends here, {error.strerror}", file=sys.stderr)

    def _cost(self, job: dict[str, Any]) -> Any:
        """Peak (MB) and seconds of a planned job by the table of its tree, None without a row."""
        name, _, rule = job["rule"].partition("_")
        tree = self.trees.get(name)
        try:
            return tree.cost(rule, SimpleNamespace(**job["wildcards"])) if tree else None
        except LookupError:
            return None

    def write(self, event: str, **keys: Any) -> None:
        """Write an event; print progress now and then, and when all of a subject is done."""
        line = {"time": events.now(), "event": event, **keys}
        self.standing.take(line)
        try:
            self._file.write(json.dumps(line, default=str) + "\n")
        except OSError as error:
            self._lose(error)
        if self.plan or event != "finished":
            return
        subject = self.standing.subject(keys["wildcards"])
        whole = bool(subject.name) and self.standing.state(subject) == "done"
        if whole or time.monotonic() - self._printed >= self.every_s:
            self._printed = time.monotonic()
            done = f"{subject.name} is done; " if whole else ""
            print(f"{done}{self.standing.line()}", file=sys.stderr, flush=True)

    def started(self, workflow: Any) -> None:
        """Note what the run is going to do, and warn if models run without a GPU."""
        jobs = list(workflow.dag.needrun_jobs())
        rules = without_gpu(jobs)
        if rules and not workflow.local_exec:
            logger.warning(
                f"NO GPU: {', '.join(rules)} run on the CPU, as the profile has gpu: 0 for them;"
                " many times slower"
            )
        self.temporary = frozenset(str(path) for job in jobs for path in job.temp_output)
        self.planned = frozenset(str(path) for job in jobs for path in job.output)
        subjects = {
            kind: Counter(str(name) for job in jobs if (name := getattr(job.wildcards, kind, "")))
            for kind in (tree.subject for tree in self.trees.values())
        }
        by_rule = Counter(job.rule.name for job in jobs)
        self.write("planned", jobs=dict(by_rule.most_common()), subjects=subjects)

    def ended(self, succeeded: bool) -> None:
        """Write the tables of failures, and print what became of the run and what to look at."""
        self.write("run_ended", succeeded=succeeded)
        self._ended = True
        lines = []
        for tree in filter(lambda tree: tree.opened, self.trees.values()):
            failures = failures_of(tree, self.standing.failing.values())
            where = write_failures(tree, failures)
            if failures:
                lines += report(failures, where)
                unfinished = self.standing.unfinished(tree.subject)
                lines += tree.without_failed(failures, unfinished, self.planned)
            elif succeeded:
                lines += tree.summary()
            lines += tree.standing({one.subject for one in failures if one.status == "failed"})
        lines.append(self.standing.closing())
        if self.stopped:
            jobs = f"{self.cancelled} job{'s' * (self.cancelled != 1)}"
            lines.append(f"stopped by Ctrl-C or kill -INT: {jobs} cancelled; run again to go on")
        summary = command("summary", str(self.path.resolve()))
        print("\n".join([*lines, f"What was used and what failed: {summary}"]), file=sys.stderr)

    def close(self) -> None:
        """Close the file, with an end also where no hook was called; remove one without a job."""
        if self._file is not None:
            if not self._ended:
                self.write("run_ended", succeeded=False)
            self._file.close()
            self._file = None
            if not self.jobs:
                self.path.unlink(missing_ok=True)
        super().close()


def job_keys(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return what every event of a job has."""
    return {name: job[name] for name in ("job", "rule", "wildcards")}


def without_gpu(jobs: Iterable[Any]) -> list[str]:
    """Return the names of rules that can use a GPU and have been given none."""
    return sorted({job.rule.name for job in jobs if job.resources.get("gpu") == 0})
