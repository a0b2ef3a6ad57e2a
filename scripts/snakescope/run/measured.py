"""What jobs took, measured: in earlier runs of this folder, else in the shipped table.

The table (`cluster: measured:`) has a row for each rule and device: ``seconds`` and
``cpu_seconds`` (s), ``output_mb`` and ``temporary_mb`` of outputs that are kept and that are
removed later (MB), ``files`` that are kept (count), all per unit of size, such as a timepoint of a
block; ``start_s`` (s), once a job; ``max_rss_mb`` (MB), the greatest; ``basis``, ``measured`` or
``assumed``, how its times are known; ``source``, where the row comes from.

python -m snakescope.run.measured LOG --tiny LOG --device cpu --source "what and where" --write TABLE

makes such rows of the event logs of two runs, one of plates as they are and one of plates so small
that it shows what a job takes once. Rows of other rules and devices are kept.
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from snakescope.run.events import number, read_events, runs
from snakescope.run.jobs import Job, size_of
from snakescope.step.command import run_step
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write

CPU, CUDA = "cpu", "cuda"
MEASURED, ASSUMED = "measured", "assumed"
LATEST_RUNS = 5
"""Earlier runs beyond the last so many are not looked at."""


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


def measured_file(named: str, repository: str | Path) -> Path:
    """Return the path of the table; that of the working directory comes before the repository's."""
    return Path(named) if Path(named).exists() else Path(repository, named)


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
            f"{path}: expected a table of what jobs take, found none; see cluster: measured:"
        ) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StepError(
            f"{path}: expected a table of what jobs take, found what cannot be read as one"
            f" ({error}); see cluster: measured:"
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


def by_device(events: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the finished jobs of event logs, those to which Slurm gave a GPU apart.

    Without Slurm nobody gives one to the rules that ask, and they may well have run without.
    """
    found: dict[str, list[Mapping[str, Any]]] = {CPU: [], CUDA: []}
    slurm = False
    gpus: set[int] = set()
    for event in events:
        match event["event"]:
            case "run_started":
                slurm, gpus = False, set()
            case "slurm_run":
                slurm = True
            case "job" if event["resources"].get("gpu"):
                gpus.add(event["job"])
            case "finished":
                found[CUDA if slurm and event["job"] in gpus else CPU].append(event)
    return found


def earlier_in(folder: str | Path = ".") -> dict[tuple[str, str], Cost]:
    """Return the costs of a unit by rule and device that earlier runs of a folder measured."""
    logs = runs(folder)[-LATEST_RUNS:]
    found = by_device(event for log in logs for event in read_events(log))
    return {
        (rule, device): cost
        for device, events in found.items()
        for rule, cost in earlier(events).items()
    }


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


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("--tiny", type=Path, required=True)
    parser.add_argument("--device", choices=(CPU, CUDA), default=CPU)
    parser.add_argument("--source", required=True)
    parser.add_argument("--write", type=Path, required=True)
    given = parser.parse_args()
    made = rows_of(read_events(given.log), read_events(given.tiny), given.device, given.source)
    new = {(row.rule, row.device) for row in made}
    kept = [row for row in (read_rows(given.write) if given.write.exists() else [])
            if (row.rule, row.device) not in new]  # fmt: skip
    with atomic_write(given.write) as partial:
        partial.write_text(text_of([*made, *kept]), encoding="utf-8")


if __name__ == "__main__":
    run_step(main)
