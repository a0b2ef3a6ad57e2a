"""Hundreds of plates on a cluster: the start of a job, and a simulated run of all of them.

    python -m benchmarks.workflow.cluster_scale

Measures how long a job's process takes to parse the Snakefile, takes the dry runs that
benchmarks/workflow/dry_run.py measured, plans one plate for several block sizes with the real
workflow, and simulates 100, 300 and 1,000 such plates on 1 to 16 GPUs with the costs of
docs/tables/measured.tsv. Writes docs/tables/cluster-scale.tsv and docs/benchmarks/cluster-scale.md.
"""

import argparse
import csv
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import median

import pandas as pd

from benchmarks import ROOT
from benchmarks.workflow.dry_run import write_raw
from benchmarks.workflow.measured import (
    CUDA,
    Job,
    Measured,
    Row,
    planned_jobs,
    read_rows,
    tasks_of,
)
from benchmarks.workflow.simulation import Cluster, Task, lower_bounds, simulate
from snakescope.report.pages import markdown, write_text
from snakescope.run.estimate import plan
from snakescope.step.command import run_step
from snakescope.step.progress import progress

PLATES = (100, 300, 1000)
"""Few, many, very many; tables of blocks and of speeds are of many."""

GPUS = (1, 2, 4, 8, 16)
BLOCKS = (1, 5, 10, 25, 50)
BLOCK = 10
TIMEPOINTS = 50
CORES = 64
"""CPU cores for the rules without a GPU, in the model."""

DETECT = "healthspan_detect"
GPU_SECONDS = (0.5, 1.0, 2.0, 4.0)
"""Of detection, a timepoint: what the model gives if cards are faster or slower than it assumes."""

OF_ALL_PLATES = ("healthspan_experiment", "healthspan_plates")
"""Rules whose jobs are few and belong to no plate; left out of the model."""


@dataclass(frozen=True)
class Figure:
    """A row of the table."""

    case: str
    metric: str
    value: float
    unit: str


def small_plate(folder: Path, block: int) -> None:
    """Write a plate of empty raw files and its configuration; only to be planned."""
    write_raw(folder / "raw", TIMEPOINTS)
    (folder / "config").mkdir(exist_ok=True)
    header = "plate\texperiment\tcondition\tfolder\tage_at_first_frame_d\tworms"
    (folder / "config/plates.tsv").write_text(f"{header}\np\te\tA\traw\t1\t60\n")
    text = f"healthspan:\n  timepoints_per_block: {block}\n"
    (folder / "config/config.yaml").write_text(text)


@cache
def plan_of_a_plate(block: int) -> list[Job]:
    """Return the jobs of one plate of 50 timepoints."""
    with tempfile.TemporaryDirectory() as folder:
        small_plate(Path(folder), block)
        jobs = planned_jobs(plan(["--directory", folder, "--cores", "1"], ROOT / "Snakefile"))
    return [job for job in jobs if job.rule not in OF_ALL_PLATES]


def of_many(tasks: dict[int, Task], plates: int) -> dict[int, Task]:
    """Return the tasks of many plates alike, a plate's jobs after one another in number."""
    step = max(tasks) + 1
    return {
        plate * step + number: replace(task, after=tuple(plate * step + one for one in task.after))
        for plate in range(plates)
        for number, task in tasks.items()
    }


def modelled(
    known: Measured, blocks: Sequence[int], plates: Sequence[int] = PLATES
) -> list[Figure]:
    """Simulate all numbers of plates and GPUs, and the block sizes on the middle ones."""
    figures: list[Figure] = []
    plans = {}
    for block in blocks:
        jobs = plan_of_a_plate(block)
        plans[block] = tasks_of(jobs, {job.number: known.cost(job) for job in jobs})
    runs = [(count, gpus, BLOCK) for count in plates for gpus in GPUS]
    runs += [(plates[1], 4, block) for block in blocks if block != BLOCK]
    for count, gpus, block in progress(runs, "simulated runs"):
        tasks = of_many(plans[block], count)
        cluster = Cluster(cores=CORES, gpus=gpus)
        run = simulate(tasks, cluster)
        bounds = lower_bounds(list(tasks.values()), cluster)
        bottleneck = max(bounds, key=lambda part: bounds[part])
        case = f"{count} plates, {gpus} GPUs, blocks of {block}"
        figures += [
            Figure(case, "wall time", run.wall_s / 3600, "h"),
            Figure(case, "jobs", run.jobs, "count"),
            Figure(case, "GPU busy", run.busy_s["gpu"] / (gpus * run.wall_s), "fraction"),
            Figure(case, "GPU held", run.held_s["gpu"] / (gpus * run.wall_s), "fraction"),
            *(
                Figure(case, f"bound: {part}", seconds / 3600, "h")
                for part, seconds in bounds.items()
            ),
            Figure(case, f"bottleneck is the {bottleneck}", 1, "yes=1"),
        ]
    return figures


def by_speed(rows: Sequence[Row], many: int = PLATES[1]) -> list[Figure]:
    """Simulate many plates on 4 GPUs of several speeds, and without any."""
    jobs = plan_of_a_plate(BLOCK)
    costs = {
        f"{speed} s a timepoint": {job.number: at_speed(rows, speed).cost(job) for job in jobs}
        for speed in GPU_SECONDS
    }
    figures = []
    for name, of in progress(costs.items(), "speeds of GPUs"):
        run = simulate(of_many(tasks_of(jobs, of), many), Cluster(cores=CORES, gpus=4))
        case = f"{many} plates, 4 GPUs, detection of {name}"
        figures += [
            Figure(case, "wall time", run.wall_s / 3600, "h"),
            Figure(case, "GPU busy", run.busy_s["gpu"] / (4 * run.wall_s), "fraction"),
        ]
    without = [replace(job, gpus=None) for job in jobs]
    known = Measured(rows, {})
    tasks = tasks_of(without, {job.number: known.cost(job) for job in without})
    run = simulate(of_many(tasks, many), Cluster(cores=CORES, gpus=0))
    case = f"{many} plates, no GPU, {CORES} cores"
    return [*figures, Figure(case, "wall time", run.wall_s / 3600, "h")]


def at_speed(rows: Sequence[Row], speed: float) -> Measured:
    """What jobs take where detection takes ``speed`` s a timepoint on a GPU."""
    return Measured(
        [
            replace(row, cost=replace(row.cost, seconds=speed, cpu_seconds=speed))
            if (row.rule, row.device) == (DETECT, CUDA)
            else row
            for row in rows
        ],
        {},
    )


def processor_seconds(command: Sequence[str], folder: Path) -> float:
    """Return user and system seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def job_start(repeats: int) -> list[Figure]:
    """Measure what parsing the Snakefile adds to the start of a job's process."""
    snakemake = [sys.executable, "-m", "snakemake"]
    with tempfile.TemporaryDirectory() as folder:
        small_plate(Path(folder), BLOCK)
        parse = [*snakemake, "--snakefile", str(ROOT / "Snakefile"), "--directory", folder]
        # The main process scans the raw folders first; a job's process finds the manifests.
        subprocess.run([*parse, "--list-rules"], check=True, capture_output=True)
        here = Path(folder)
        version = [processor_seconds([*snakemake, "--version"], here) for _ in range(repeats)]
        whole = [
            processor_seconds([*parse, "--mode", "remote", "--list-rules"], here)
            for _ in range(repeats)
        ]
    return [
        Figure("job start", "snakemake --version", median(version), "CPU s"),
        Figure("job start", "parsing the Snakefile in a job's process", median(whole), "CPU s"),
        Figure("job start", "difference", median(whole) - median(version), "CPU s"),
    ]


def dry_runs(path: Path) -> list[Figure]:
    """Take the dry runs that were measured before; none where there is no such table."""
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    figures = []
    for row in rows:
        case = f"{row['what']}, {row['plates']} plates x {row['timepoints']} timepoints"
        figures += [
            Figure(case, "jobs", float(row["jobs"]), "count"),
            Figure(case, "wall time", float(row["seconds"]), "s"),
            Figure(case, "processor time", float(row["cpu_seconds"]), "CPU s"),
            Figure(case, "peak memory", float(row["peak_rss_mb"]), "MB"),
        ]
    return figures


def overheads(path: Path) -> list[Figure]:
    """Take what the tests on Slurm measured of allocations; none before they ran."""
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [
        Figure(row["case"], row["metric"], float(row["value"]), row["unit"])
        for row in rows
        if row["case"].startswith("overhead") and "healthspan_" not in row["metric"]
    ]


def table(figures: Sequence[Figure]) -> str:
    """The figures as TSV."""
    return _table(figures).to_csv(sep="\t", index=False)


def matrix(
    figures: Sequence[Figure], metric: str, form: str, plates: Sequence[int] = PLATES
) -> str:
    """One figure of the model by plates and GPUs."""
    found = {one.case: one.value for one in figures if one.metric == metric}
    columns: dict[str, Sequence[float]] = {"plates": plates}
    for gpus in GPUS:
        cases = (f"{count} plates, {gpus} GPUs, blocks of {BLOCK}" for count in plates)
        columns[f"{gpus} GPU"] = [found[case] for case in cases]
    return markdown(pd.DataFrame(columns), dict.fromkeys(list(columns)[1:], form))


def block_table(
    figures: Sequence[Figure], many: int = PLATES[1], blocks: Sequence[int] = BLOCKS
) -> str:
    """Wall time, jobs and GPU use by block size, of many plates on 4 GPUs."""
    found = {(one.case, one.metric): one.value for one in figures}
    forms = {"jobs": ".0f", "wall time": ".1f", "GPU busy": ".0%", "GPU held": ".0%"}
    cases = [f"{many} plates, 4 GPUs, blocks of {block}" for block in blocks]
    columns = {metric: [found[case, metric] for case in cases] for metric in forms}
    table = pd.DataFrame({"timepoints a block": blocks, **columns})
    hours = {"wall time": "wall time (h)"}
    return markdown(table.rename(columns=hours), {hours.get(k, k): v for k, v in forms.items()})


def speed_table(figures: Sequence[Figure], many: int = PLATES[1]) -> str:
    """Wall time by the speed of the cards, and without any."""
    found = {(one.case, one.metric): one.value for one in figures}
    cases = {
        f"4 GPUs, {speed} s a timepoint": (
            f"{many} plates, 4 GPUs, detection of {speed} s a timepoint"
        )
        for speed in GPU_SECONDS
    }
    without = f"no GPU, detection on the {CORES} cores"
    cases[without] = f"{many} plates, no GPU, {CORES} cores"
    table = pd.DataFrame(
        {
            f"{many} plates on": list(cases),
            "wall time (h)": [found[case, "wall time"] for case in cases.values()],
            "GPU busy": [found.get((case, "GPU busy")) for case in cases.values()],
        }
    )
    return markdown(table, {"wall time (h)": ".1f", "GPU busy": ".0%"})


def others(figures: Sequence[Figure]) -> str:
    """All figures that are no part of the model."""
    rows = [one for one in figures if not re.match(r"\d+ plates, (\d+|no) GPU", one.case)]
    return markdown(_table(rows).rename(columns={"metric": "figure"}))


def _table(figures: Sequence[Figure]) -> pd.DataFrame:
    rows = [(one.case, one.metric, f"{one.value:.4g}", one.unit) for one in figures]
    return pd.DataFrame(rows, columns=["case", "metric", "value", "unit"])


def bottlenecks(figures: Sequence[Figure]) -> str:
    """Say which part of the cluster bounds which runs."""
    found: dict[str, list[str]] = {}
    for one in figures:
        if one.metric.startswith("bottleneck is the ") and one.case.endswith(f"of {BLOCK}"):
            part = one.metric.removeprefix("bottleneck is the ")
            found.setdefault(part, []).append(one.case.removesuffix(f", blocks of {BLOCK}"))
    if len(found) == 1:
        return f"- **{next(iter(found))}**: every run"
    return "\n".join(f"- **{part}**: {'; '.join(cases)}" for part, cases in found.items())


def page(
    figures: Sequence[Figure],
    sources: Sequence[str],
    plates: Sequence[int] = PLATES,
    blocks: Sequence[int] = BLOCKS,
) -> str:
    """The page of the documentation."""
    assumed = "\n".join(f"- {source}" for source in sources)
    return f"""# Hundreds of plates

## Measured

{others(figures)}

Dry runs are those of `benchmarks/workflow/dry_run.py`, the overhead of a job is that of
`benchmarks/workflow/cluster_faults.py`.

## Modelled

A discrete-event simulation (`benchmarks/workflow/simulation.py`): plates of {TIMEPOINTS}
timepoints, their own jobs as a dry run of the real workflow plans them, {CORES} CPU cores, 200
jobs at a time, a submission every {Cluster(1, 1).submit_s} s, {Cluster(1, 1).start_s} s from the
start of a job to
that of its step, a look at the queue every {Cluster(1, 1).poll_s:.0f} s (up to
{Cluster(1, 1).greatest_poll_s:.0f} s without news), a file system of
{Cluster(1, 1).disk_mb_per_s:.0f} MB/s.
Costs of steps are those of `docs/tables/measured.tsv`, which says where each is from; those of the
GPU are **assumed** as long as nobody has measured them on the cards themselves:

{assumed}

Wall time (h), blocks of {BLOCK}:

{matrix(figures, "wall time", ".1f", plates)}

Share of the time in which GPUs work:

{matrix(figures, "GPU busy", ".2f", plates)}

What is assumed of the GPU decides the wall time; so, by the speed of the card:

{speed_table(figures, plates[1])}

Many free cores do better than a few cards: `gpu: 0` in the profile
([cluster.md](../operate/cluster.md)) has models run on them.

What bounds the run, by the shortest time that each part alone would need:

{bottlenecks(figures)}

{plates[1]} plates on 4 GPUs by the size of blocks:

{block_table(figures, plates[1], blocks)}

A job costs its start whatever it does, so small blocks hold GPUs that do not work; large ones make
an update of one timepoint dear, since its whole block is done again (and its neighbours'
composites). {BLOCK} timepoints are five days of pictures. "Busy" counts a step's loading of
libraries and weights; "held" is what Slurm reserves. For a first run over old plates, 25 a block
are the better choice; for plates that grow by two timepoints a day, {BLOCK}.

Made by `.venv/bin/python -m benchmarks.workflow.cluster_scale`. The same as a table:
[tables/cluster-scale.tsv](../tables/cluster-scale.tsv).
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="measurements of a job's start")
    parser.add_argument("--plates", type=int, nargs=3, default=PLATES, help="few, many, very many")
    parser.add_argument(
        "--blocks", type=int, nargs="+", default=BLOCKS, help=f"timepoints of a block; {BLOCK} too"
    )
    parser.add_argument("--measured", type=Path, default=ROOT / "docs/tables/measured.tsv")
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/cluster-scale.tsv")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/benchmarks/cluster-scale.md")
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    rows = read_rows(given.measured)
    figures = [
        *dry_runs(ROOT / "docs/tables/dry-run.tsv"),
        *job_start(given.repeats),
        *overheads(ROOT / "docs/tables/cluster-faults.tsv"),
        *modelled(Measured(rows, {}), given.blocks, given.plates),
        *by_speed(rows, given.plates[1]),
    ]
    sources = [f"{row.rule}: {row.cost.source}" for row in rows if row.cost.assumed]
    for path, text in (
        (given.table, table(figures)),
        (given.page, page(figures, sources, given.plates, given.blocks)),
    ):
        write_text(path, text)


if __name__ == "__main__":
    run_step(main)
