"""The jobs of a run, planned or done, as the event log tells them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

RANGE = re.compile(r"^[a-z]*(\d+)-[a-z]*(\d+)$")
"""A block, such as t000-t009. Names of plates may look like that, too."""


@dataclass(frozen=True)
class Job:
    """A job: ``size`` is the length of its block, such as timepoints, else 1.

    ``gpus`` is None for a rule that could not use any, 0 for one that was given none.
    """

    number: int
    rule: str
    wildcards: Mapping[str, str]
    size: int
    threads: int
    mem_mb: float | None
    runtime_min: float | None
    gpus: int | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def planned_jobs(events: Iterable[Mapping[str, Any]]) -> list[Job]:
    """Return the jobs that events tell of, each once, as it was first started."""
    found: dict[int, Job] = {}
    for event in events:
        # The default target is a job without outputs, and runs nothing.
        if event["event"] == "job" and event["output"] and event["job"] not in found:
            found[event["job"]] = job_of(event)
    return list(found.values())


def job_of(event: Mapping[str, Any]) -> Job:
    """Return the job of a ``job`` event."""
    resources = event["resources"]
    gpus = resources.get("gpu")
    return Job(
        number=event["job"],
        rule=event["rule"],
        wildcards=event["wildcards"],
        size=size_of(event["wildcards"]),
        threads=event["threads"],
        mem_mb=amount(resources.get("mem_mb")),
        runtime_min=amount(resources.get("runtime")),
        gpus=None if gpus is None else int(gpus),
        inputs=tuple(event["input"]),
        outputs=tuple(event["output"]),
    )


def amount(value: Any) -> float | None:
    """Return a resource as a number; None where Snakemake does not know it yet."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def size_of(wildcards: Mapping[str, str]) -> int:
    """Return the length of the block among the wildcards, else 1."""
    match = RANGE.match(str(wildcards.get("block", "")))
    return int(match[2]) - int(match[1]) + 1 if match else 1


def dependencies(jobs: Iterable[Job]) -> dict[int, set[int]]:
    """Return the numbers of the jobs that each job waits for."""
    jobs = list(jobs)
    maker = {path: job.number for job in jobs for path in job.outputs}
    return {
        job.number: {maker[path] for path in job.inputs if path in maker} - {job.number}
        for job in jobs
    }
