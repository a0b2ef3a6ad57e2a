"""What jobs took, measured, as the model of benchmarks/workflow/cluster_scale.py takes it.

The table docs/tables/measured.tsv, which benchmarks/healthspan/measured_costs.py writes, has a row
for each rule and device: ``seconds`` and ``cpu_seconds`` (s), ``output_mb`` and ``temporary_mb`` of
outputs that are kept and that are removed later (MB), ``files`` that are kept (count), all per unit
of size, such as a timepoint of a block; ``start_s`` (s), once a job; ``max_rss_mb`` (MB), the
greatest; ``basis``, ``measured`` or ``assumed``, how its times are known; ``source``, where the row
comes from.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.workflow.simulation import Task
from snakescope.run.events import number
from snakescope.run.summary import size_of
from snakescope.step.errors import StepError

CPU, CUDA = "cpu", "cuda"
MEASURED, ASSUMED = "measured", "assumed"


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
        mem_mb=number(resources.get("mem_mb")),
        runtime_min=number(resources.get("runtime")),
        gpus=None if gpus is None else int(gpus),
        inputs=tuple(event["input"]),
        outputs=tuple(event["output"]),
    )


def dependencies(jobs: Iterable[Job]) -> dict[int, set[int]]:
    """Return the numbers of the jobs that each job waits for."""
    jobs = list(jobs)
    maker = {path: job.number for job in jobs for path in job.outputs}
    return {
        job.number: {maker[path] for path in job.inputs if path in maker} - {job.number}
        for job in jobs
    }


@dataclass(frozen=True)
class Cost:
    """What one job of a rule takes, see the module; ``source`` says how it is known.

    ``assumed`` is set where its times were not measured: not at all, or not on such a device.
    """

    seconds: float
    cpu_seconds: float
    max_rss_mb: float
    output_mb: float
    temporary_mb: float
    files: float
    source: str
    assumed: bool = False

    def times(self, size: float, start_s: float = 0.0) -> "Cost":
        """Return the cost of a job of another size, with what it takes once."""
        return replace(
            self,
            seconds=start_s + self.seconds * size,
            cpu_seconds=start_s + self.cpu_seconds * size,
            output_mb=self.output_mb * size,
            temporary_mb=self.temporary_mb * size,
            files=self.files * size,
        )


def tasks_of(jobs: Sequence[Job], costs: Mapping[int, Cost]) -> dict[int, Task]:
    """Return the tasks to simulate a run with."""
    before = dependencies(jobs)
    return {
        job.number: Task(
            seconds=costs[job.number].seconds,
            cores=job.threads,
            gpu=bool(job.gpus),
            after=tuple(sorted(before[job.number])),
            disk_mb=costs[job.number].output_mb + costs[job.number].temporary_mb,
        )
        for job in jobs
    }


@dataclass(frozen=True)
class Row:
    """A row of the shipped table."""

    rule: str
    device: str
    start_s: float
    cost: Cost


COLUMNS = (
    "rule", "device", "start_s", "seconds", "cpu_seconds", "max_rss_mb", "output_mb",
    "temporary_mb", "files", "basis", "source",
)  # fmt: skip


def read_rows(path: str | Path) -> list[Row]:
    """Read the shipped table.

    Raises:
        StepError: there is none, or a cell that should be a number is not.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    except FileNotFoundError:
        raise StepError(
            f"{path}: expected a table of what jobs take, found none; run"
            " benchmarks/measured_costs.py"
        ) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StepError(
            f"{path}: expected a table of what jobs take, found what cannot be read as one"
            f" ({error}); run benchmarks/measured_costs.py"
        ) from None
    return [_row(path, row) for row in rows]


def _row(path: str | Path, row: Mapping[str, str]) -> Row:
    if not row.get("rule") or row.get("device") not in (CPU, CUDA):
        raise StepError(
            f"{path}: expected a rule and {CPU} or {CUDA} as its device in every row, found"
            f" {row.get('rule')!r} and {row.get('device')!r}"
        )
    cells = {name: number(row.get(name)) for name in COLUMNS[2:9]}
    wrong = [name for name, value in cells.items() if value is None]
    if wrong:
        raise StepError(
            f"{path}: expected a number in {wrong[0]} of {row.get('rule')}, found"
            f" {row.get(wrong[0])!r}"
        )
    numbers = {name: float(value or 0.0) for name, value in cells.items()}
    start_s = numbers.pop("start_s")
    basis = row.get("basis")
    if basis not in (MEASURED, ASSUMED):
        raise StepError(
            f"{path}: expected {MEASURED} or {ASSUMED} in basis of {row.get('rule')}, found"
            f" {basis!r}"
        )
    cost = Cost(**numbers, source=row.get("source") or "", assumed=basis == ASSUMED)
    return Row(row["rule"], row["device"], start_s, cost)


def earlier(events: Iterable[Mapping[str, Any]]) -> dict[str, Cost]:
    """Return the median cost of a unit of every rule, from events of finished jobs.

    Memory is the greatest of all.
    """
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for event in events:
        if event["event"] == "finished" and event.get("seconds") is not None:
            found[event["rule"]].append(event)
    costs = {}
    for rule, jobs in found.items():
        sizes = [size_of(job["wildcards"]) for job in jobs]

        def per_unit(key: str, jobs: Sequence[Any] = jobs, sizes: Sequence[int] = sizes) -> float:
            return median((j.get(key) or 0.0) / s for j, s in zip(jobs, sizes, strict=True))

        costs[rule] = Cost(
            seconds=per_unit("seconds"),
            cpu_seconds=per_unit("cpu_seconds"),
            max_rss_mb=max(job.get("max_rss_mb") or 0.0 for job in jobs),
            output_mb=per_unit("output_mb"),
            temporary_mb=per_unit("temporary_mb"),
            files=per_unit("files"),
            source=f"{len(jobs)} earlier jobs",
        )
    return costs


class Measured:
    """Answers what a job will take: by earlier runs, by the table, or by what its rule asks for."""

    def __init__(self, rows: Sequence[Row], history: Mapping[tuple[str, str], Cost]):
        self.rows = {(row.rule, row.device): row for row in rows}
        self.history = history

    def cost(self, job: Job) -> Cost:
        """Return what a job will take; ``source`` says ``asked for`` where nobody measured.

        Figures of a CPU for a job that gets a GPU, and those that were asked for, are assumed.
        """
        device = CUDA if job.gpus else CPU
        if (job.rule, device) in self.history:
            return self.history[job.rule, device].times(job.size)
        row = self.rows.get((job.rule, device))
        if row is None and (other := self.rows.get((job.rule, CPU))):
            source = f"{other.cost.source}, on the CPU"
            row = replace(other, cost=replace(other.cost, source=source, assumed=True))
        if row is not None:
            return row.cost.times(job.size, row.start_s)
        seconds = (job.runtime_min or 0.0) * 60
        asked = "asked for, not measured"
        files = float(len(job.outputs))
        return Cost(
            seconds, seconds * job.threads, job.mem_mb or 0.0, 0.0, 0.0, files, asked, assumed=True
        )  # fmt: skip


def rows_of(
    whole: Iterable[Mapping[str, Any]], tiny: Iterable[Mapping[str, Any]], device: str, source: str
) -> list[Row]:
    """Return a row for every rule; what a tiny job takes counts once, the rest per unit of size.

    Times are those of the processor, of steps with one thread: others may have worked on the
    machine as well.

    Args:
        whole: Events of a run on plates as they are.
        tiny: Events of a run on plates that are next to nothing.
        device: Where models ran.
        source: What was measured, and where.
    """
    once = earlier({**event, "wildcards": {}} for event in tiny)

    def start_s(rule: str) -> float:
        return once[rule].cpu_seconds if rule in once else 0.0

    events = [
        {**event, "cpu_seconds": max((event["cpu_seconds"] or 0.0) - start_s(event["rule"]), 0.0)}
        for event in whole
        if event["event"] == "finished"
    ]
    return [
        Row(rule, device, start_s(rule), replace(cost, seconds=cost.cpu_seconds, source=source))
        for rule, cost in sorted(earlier(events).items())
    ]


def text_of(rows: Iterable[Row]) -> str:
    """Return the table as TSV."""
    lines = ["\t".join(COLUMNS)]
    for row in rows:
        cost = row.cost
        numbers = (
            row.start_s, cost.seconds, cost.cpu_seconds, cost.max_rss_mb, cost.output_mb,
            cost.temporary_mb, cost.files,
        )  # fmt: skip
        basis = ASSUMED if cost.assumed else MEASURED
        cells = (row.rule, row.device, *(f"{value:.4g}" for value in numbers), basis, cost.source)
        lines.append("\t".join(cells))
    return "\n".join(lines) + "\n"
