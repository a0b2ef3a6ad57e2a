"""What a run will take, before it is started: jobs, hours, memory, disk and the least wall time."""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter
from math import isinf
from pathlib import Path
from statistics import median
from typing import Any

from snakescope import REPOSITORY
from snakescope.run.events import read_events, runs
from snakescope.run.monitor import PLAN
from snakescope.run.progress import duration
from snakescope.run.summary import (
    ESTIMATE,
    USED,
    Job,
    as_text,
    by_rule,
    gpus_here,
    jobs_of,
    on_processors,
)
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write

MEASURED, ASSUMED = "measured", "ASSUMED"
LATEST_RUNS = 5
MOST_CORES = 1024

CLUSTER = (32, 2)
"""Cores and GPUs of a cluster of which nothing is stated."""
ELSEWHERE = ("--profile", "--executor", "-e")
"""Options of Snakemake with which jobs run on other machines than this one."""


def machine(arguments: Sequence[str]) -> tuple[int, int]:
    """Return the cores and GPUs that a run with these arguments of Snakemake can be taken to have.

    On a cluster ``CLUSTER``, else the cores that are asked for, or all of this machine.
    """
    words = [word.split("=", 1)[0] for word in arguments]
    if any(word in ELSEWHERE for word in words) or os.environ.get("SNAKEMAKE_PROFILE"):
        return CLUSTER
    options = argparse.ArgumentParser(add_help=False, exit_on_error=False, allow_abbrev=False)
    options.add_argument("-c", "--cores", "-j", "--jobs", dest="cores", default="all")
    try:
        asked = options.parse_known_args(list(arguments))[0].cores
    except argparse.ArgumentError:
        asked = "all"
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cores = int(asked) if asked.isdecimal() and int(asked) else here or 1
    return cores, gpus_here()


def plan(arguments: Sequence[str], snakefile: Path) -> list[dict[str, Any]]:
    """Return the events of the jobs that a dry run of Snakemake with these arguments plans.

    Raises:
        StepError: the dry run failed; the end of what it wrote is stated.
    """
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile), *arguments]
    # A profile for a cluster has no cores, and a dry run would plan with one.
    if not any(word.startswith(("-c", "--cores")) for word in arguments):
        command += ["--cores", str(MOST_CORES)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plan.jsonl")
        ended = subprocess.run(
            [*command, "--dry-run", "--quiet", "all"],
            env={**os.environ, PLAN: str(path)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if ended.returncode:
            text = (ended.stdout + ended.stderr).strip()
            raise StepError(f"snakemake --dry-run: expected a plan, found: {text[-1500:]}")
        return list(read_events(path)) if path.exists() else []


def earlier(folder: str | Path = ".") -> dict[tuple[str, bool], list[Job]]:
    """Return the jobs that the latest runs of a folder measured, by rule and whether on a GPU.

    Only Slurm gives GPUs to the rules that ask: without it they may well have run without.
    """
    found = defaultdict(list)
    for log in runs(folder)[-LATEST_RUNS:]:
        events = list(read_events(log))
        slurm = any(event["event"] == "slurm_run" for event in events)
        for job in jobs_of(events):
            if job.get("seconds") is not None:
                found[job["rule"], slurm and job["gpu"]].append(job)
    return found


def cost_of(job: Job, known: Mapping[tuple[str, bool], list[Job]]) -> dict[str, Any]:
    """Return what a planned job will take (``USED``), with ``basis`` and ``source``.

    By the median of earlier jobs of the folder, else by the cost table of the tree, else by what it
    requests. Figures of a table are of processors, so of jobs on a GPU they are assumed.
    """
    if like := known.get((job["rule"], job["gpu"])):
        cost = {name: median((one[name] or 0) / one["size"] for one in like) for name in USED}
        cost = {name: unit * job["size"] for name, unit in cost.items()}
        cost["max_rss_mb"] = max(one["max_rss_mb"] or 0.0 for one in like)
        return {**cost, "basis": MEASURED, "source": f"{len(like)} earlier jobs"}
    if job.get("cost"):
        mb, seconds, files_mb = job["cost"]
        basis = ASSUMED if job["gpu"] else MEASURED
        values = (seconds, seconds, mb, files_mb, None, basis, "cost table")
    else:
        seconds = job["requested_s"]
        values = (seconds, seconds * job["threads"], job["requested_mb"], None, None, ASSUMED,
                  "requested, not measured")  # fmt: skip
    return dict(zip((*USED, "basis", "source"), values, strict=True))


def bounds_s(jobs: Sequence[Job], cores: int, gpus: int) -> dict[str, float]:
    """Return the least wall times (s) of jobs with costs, by what sets them, on a free cluster.

    Infinite where a job has no room.
    """
    maker = {path: job["job"] for job in jobs for path in job["output"]}
    after = {job["job"]: {maker[path] for path in job["input"] if path in maker} for job in jobs}
    seconds = {job["job"]: job["seconds"] for job in jobs}
    end: dict[int, float] = {}
    for one in TopologicalSorter(after).static_order():
        end[one] = seconds[one] + max((end[before] for before in after[one]), default=0.0)
    widest = max(job["threads"] for job in jobs)
    on_gpus = sum(job["seconds"] for job in jobs if job["gpu"])
    of_cores = sum(job["cpu_seconds"] for job in jobs)
    return {
        "the longest chain of jobs": max(end.values()),
        f"{cores} cores": of_cores / cores if widest <= cores else float("inf"),
        f"{gpus} GPUs": on_gpus / gpus if gpus else float("inf") if on_gpus else 0.0,
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    text = " (default: of this machine; with --profile or --executor {})"
    parser.add_argument("--cores", type=int, help="cores of all nodes" + text.format(CLUSTER[0]))
    parser.add_argument("--gpus", type=int, help="GPUs of all nodes" + text.format(CLUSTER[1]))
    parser.add_argument("--snakefile", type=Path, default=REPOSITORY / "Snakefile")
    parser.add_argument("arguments", nargs="*", help="for Snakemake, after --")


def main(options: argparse.Namespace) -> None:
    """Plan a run, print what it will take by rule, and write that for the summary."""
    jobs = jobs_of(plan(options.arguments, options.snakefile))
    if not jobs:
        print("nothing to be done")
        return
    known = earlier()
    cores, gpus = machine(options.arguments)
    cores = cores if options.cores is None else options.cores
    gpus = gpus if options.gpus is None else options.gpus
    if not gpus:
        jobs = on_processors(jobs)
    jobs = [{**job, **cost_of(job, known)} for job in jobs]
    table = by_rule(jobs).drop(columns="attempts")
    for name in ("basis", "source"):
        found = {rule: {job[name] for job in jobs if job["rule"] == rule} for rule in table.rule}
        table[name] = ["; ".join(sorted(found[rule])) for rule in table.rule]
    with atomic_write(ESTIMATE) as partial:
        table.to_csv(partial, sep="\t", index=False, float_format="%.6g")
    print(as_text(table))
    bounds = bounds_s(jobs, cores, gpus)
    longest = max(bounds, key=lambda name: bounds[name])
    widest = max(jobs, key=lambda job: job["threads"])
    if isinf(bounds[longest]):
        print(
            f"\nNo wall time: {widest['rule']} asks for {widest['threads']} threads, more than"
            f" --cores {cores}. On one machine it gets fewer and takes longer, on a cluster it"
            f" never starts; written to {ESTIMATE}"
        )
    else:
        print(
            f"\nWall time at least {duration(bounds[longest])} on {cores} cores and"
            f" {gpus} GPUs (--cores, --gpus), by {longest}; written to {ESTIMATE}"
        )
    assumed = [job for job in jobs if job["basis"] == ASSUMED]
    if assumed:
        print(
            f"ASSUMED, NOT MEASURED: {', '.join(dict.fromkeys(job['rule'] for job in assumed))},"
            f" {_gpu_h(assumed):.2f} of {_gpu_h(jobs):.2f} GPU-hours with them; run one subject"
            " here first: estimates in this folder then rest on its measured jobs"
        )


def _gpu_h(jobs: Sequence[Job]) -> float:
    return sum(job["seconds"] for job in jobs if job["gpu"]) / 3600
