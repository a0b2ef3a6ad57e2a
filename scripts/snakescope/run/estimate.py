"""What a run will take, before it is started: jobs, hours, memory, disk and wall time.

python -m snakescope.run.estimate --nodes 4 --cores-per-node 16 --gpus 4 -- --profile slurm

Everything after ``--`` goes to Snakemake, whose dry run tells the jobs. The table is kept in
logs/runs/estimate.tsv; after the run, ``python -m snakescope.run.summary`` puts what was used beside it.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from snakescope import REPOSITORY
from snakescope.run.announce import PLAN
from snakescope.run.events import RUNS, read_events
from snakescope.run.jobs import Job, dependencies, planned_jobs
from snakescope.run.measured import (
    ASSUMED,
    MEASURED,
    Cost,
    Measured,
    earlier_in,
    measured_file,
    read_rows,
)
from snakescope.run.progress import duration
from snakescope.run.settings import ClusterSettings
from snakescope.run.simulation import Cluster, Task, simulate
from snakescope.step.command import run_step
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write

ESTIMATE = RUNS / "estimate.tsv"
CORES = re.compile(r"-c\d*$|--cores(=|$)")
MOST_CORES = 1024
"""More than a job of any rule asks for."""


@dataclass(frozen=True)
class Line:
    """What all jobs of a rule take: hours of cores and GPUs, peak MB of one, MB of outputs.

    ``basis`` says whether times were measured, assumed, or in part.
    """

    rule: str
    jobs: int
    cpu_h: float
    gpu_h: float
    peak_mb: float
    asked_mb: float
    results_mb: float
    temporary_mb: float
    basis: str
    source: str


COLUMNS = tuple(Line.__dataclass_fields__)


def lines(jobs: Sequence[Job], costs: Mapping[int, Cost]) -> list[Line]:
    """Return one line a rule, in the order of the jobs, and one of them all."""
    rules: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        rules[job.rule].append(job)
    made = [_line(rule, found, costs) for rule, found in rules.items()]
    return [*made, _line("all", jobs, costs)]


def _line(rule: str, jobs: Sequence[Job], costs: Mapping[int, Cost]) -> Line:
    of = [(job, costs[job.number]) for job in jobs]
    sources = sorted({cost.source for _, cost in of})
    return Line(
        rule=rule,
        jobs=len(of),
        cpu_h=sum(cost.cpu_seconds for _, cost in of) / 3600,
        gpu_h=sum(cost.seconds for job, cost in of if job.gpus) / 3600,
        peak_mb=max((cost.max_rss_mb for _, cost in of), default=0.0),
        asked_mb=max((job.mem_mb or 0.0 for job, _ in of), default=0.0),
        results_mb=sum(cost.output_mb for _, cost in of),
        temporary_mb=sum(cost.temporary_mb for _, cost in of),
        basis=basis_of([cost for _, cost in of]),
        source="" if rule == "all" else "; ".join(sources),
    )


def basis_of(costs: Sequence[Cost]) -> str:
    """Return whether times are measured, assumed, or assumed in part."""
    assumed = sum(cost.assumed for cost in costs)
    if not assumed:
        return MEASURED
    return ASSUMED if assumed == len(costs) else f"{ASSUMED} in part"


def warning(table: Sequence[Line]) -> str:
    """Return what of the estimate nobody has measured, loudly, or that all of it was."""
    rules = [line for line in table if line.rule != "all"]
    assumed = [line for line in rules if line.basis != MEASURED]
    if not assumed:
        return f"All times are measured ({len(rules)} rules)."
    cpu_h = sum(line.cpu_h for line in assumed), sum(line.cpu_h for line in rules)
    gpu_h = sum(line.gpu_h for line in assumed), sum(line.gpu_h for line in rules)
    told = [
        f"ASSUMED, NOT MEASURED: {gpu_h[0]:.2f} of {gpu_h[1]:.2f} GPU-hours and {cpu_h[0]:.2f} of"
        f" {cpu_h[1]:.2f} CPU-hours, and the wall time with them:"
    ]
    told += [f"  {line.rule}: {line.source}" for line in assumed]
    told.append(
        "Run one plate here first: estimates in this folder then rest on its measured jobs."
    )
    return "\n".join(told)


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


def text_of(table: Sequence[Line]) -> str:
    """Return the table as TSV."""
    rows = ["\t".join(COLUMNS)]
    for line in table:
        cells = [
            f"{cell:.6g}" if isinstance(cell, float) else cell for cell in asdict(line).values()
        ]
        rows.append("\t".join(str(cell) for cell in cells))
    return "\n".join(rows) + "\n"


def told(table: Sequence[Line]) -> str:
    """Return the table for people, its columns aligned."""
    head = ("rule", "jobs", "CPU-hours", "GPU-hours", "peak MB", "asked MB", "results GB",
            "temporary GB", "times are", "known from")  # fmt: skip
    rows = [
        (line.rule, f"{line.jobs}", f"{line.cpu_h:.2f}", f"{line.gpu_h:.2f}",
         f"{line.peak_mb:.0f}", f"{line.asked_mb:.0f}", f"{line.results_mb / 1000:.2f}",
         f"{line.temporary_mb / 1000:.2f}",
         line.basis if line.basis == MEASURED else line.basis.upper(), line.source)
        for line in table
    ]  # fmt: skip
    return aligned([head, *rows])


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows with the first and the last column to the left, the others to the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    last = len(widths) - 1
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at in (0, last) else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def plan(arguments: Sequence[str], snakefile: Path) -> list[Job]:
    """Return the jobs that a dry run of Snakemake with these arguments plans.

    Raises:
        StepError: the dry run failed; its last words are told.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plan.jsonl")
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile), "--dry-run"]
        # A profile for a cluster has no cores, and a dry run would plan with one.
        cores = () if any(map(CORES.match, arguments)) else ("--cores", str(MOST_CORES))
        ended = subprocess.run(
            [*command, *arguments, *cores, "--quiet", "all"],
            env={**os.environ, PLAN: str(path)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if ended.returncode:
            said = (ended.stdout + ended.stderr).strip()
            raise StepError(f"snakemake --dry-run: expected a plan, found: {said[-1500:]}")
        return planned_jobs(read_events(path))


def check_cluster(
    jobs: Sequence[Job], nodes: int, cores_per_node: int, gpus: int, at_a_time: int = 1
) -> None:
    """See that every job has room on the nodes that an estimate is asked for.

    Raises:
        StepError: one never would run.
    """
    for option, value in (("--nodes", nodes), ("--jobs", at_a_time)):
        if value < 1:
            raise StepError(f"{option}: expected at least 1, found {value}")
    if any(job.gpus for job in jobs) and gpus < 1:
        raise StepError(
            f"--gpus: expected at least 1, as rules ask for a GPU, found {gpus}; or gpu: 0 in the"
            " profile"
        )
    largest = max(jobs, key=lambda job: job.threads)
    if largest.threads > cores_per_node:
        raise StepError(
            f"--cores-per-node: expected at least {largest.threads}, as {largest.rule} asks for,"
            f" found {cores_per_node}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nodes", type=int, default=2, help="nodes for CPU rules")
    parser.add_argument("--cores-per-node", type=int, default=16)
    parser.add_argument("--gpus", type=int, default=2, help="GPUs in all")
    parser.add_argument("--jobs", type=int, default=200, help="jobs submitted at a time")
    parser.add_argument("--snakefile", type=Path, default=REPOSITORY / "Snakefile")
    parser.add_argument("--measured", default=ClusterSettings().measured)
    parser.add_argument("arguments", nargs="*", help="for Snakemake, after --")
    given = parser.parse_args()
    jobs = plan(given.arguments, given.snakefile)
    if not jobs:
        print("nothing to be done")
        return
    check_cluster(jobs, given.nodes, given.cores_per_node, given.gpus, given.jobs)
    known = Measured(read_rows(measured_file(given.measured, REPOSITORY)), earlier_in())
    costs = {job.number: known.cost(job) for job in jobs}
    table = lines(jobs, costs)
    with atomic_write(ESTIMATE) as partial:
        partial.write_text(text_of(table), encoding="utf-8")
    print(told(table))
    cluster = Cluster(given.nodes * given.cores_per_node, given.gpus, given.jobs)
    run = simulate(tasks_of(jobs, costs), cluster)
    print(
        f"\nWall time about {duration(run.wall_s)} on {given.nodes} nodes of"
        f" {given.cores_per_node} cores and {given.gpus} GPUs that are free for it; written to"
        f" {ESTIMATE}\n{warning(table)}"
    )


if __name__ == "__main__":
    run_step(main)
