"""What a run used by rule, compared with what was estimated, and what failed."""

import argparse
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from snakescope.run.events import RUNS, events_of, now, number, runs
from snakescope.run.lock import at_work
from snakescope.run.progress import add_arguments, duration, standing_of
from snakescope.step.output import atomic_write
from snakescope.step.reason import reason

__all__ = ["add_arguments", "main"]

ESTIMATE = RUNS / "estimate.tsv"
BLOCK = re.compile(r"[a-z]*(\d+)-[a-z]*(\d+)")
USED = ("seconds", "cpu_seconds", "max_rss_mb", "output_mb", "temporary_mb")

Job = dict[str, Any]
"""The last ``job`` event of a job with, in addition, ``size`` (units of work, such as timepoints of
a block), ``gpu`` (whether it was to have one), ``requested_mb``, ``requested_s``, ``attempts`` and,
once it has finished, ``USED``."""


def jobs_of(events: Iterable[Mapping[str, Any]]) -> list[Job]:
    """Return the jobs that events tell of, without the default target, which runs nothing."""
    jobs: dict[int, Job] = {}
    for event in events:
        if event["event"] == "job" and event["output"]:
            requested = {name: number(value) for name, value in event["resources"].items()}
            jobs[event["job"]] = {
                **event,
                "size": size_of(event["wildcards"]),
                "gpu": bool(requested.get("gpu")),
                "requested_mb": requested.get("mem_mb") or 0.0,
                "requested_s": 60 * (requested.get("runtime") or 0.0),
                "attempts": jobs.get(event["job"], {}).get("attempts", 0) + 1,
            }
        elif event["event"] == "finished" and event["job"] in jobs:
            jobs[event["job"]] |= {name: event[name] for name in USED}
    return list(jobs.values())


def gpus_here() -> int:
    """Return how many GPUs this machine has."""
    return len(list(Path("/dev").glob("nvidia[0-9]*")))


def on_processors(jobs: Iterable[Job]) -> list[Job]:
    """Jobs that ran where no GPU is: those that would have used one did without."""
    return [{**job, "gpu": False} for job in jobs]


def size_of(wildcards: Mapping[str, str]) -> int:
    """Return the length of the block among the wildcards, such as t000-t009, else 1."""
    match = BLOCK.fullmatch(wildcards.get("block", ""))
    return int(match[2]) - int(match[1]) + 1 if match else 1


def by_rule(jobs: Sequence[Job]) -> pd.DataFrame:
    """Return what jobs took, by rule and of all: hours, peaks (MB), outputs (MB).

    ``jobs`` counts those with ``seconds``, that is, planned or finished.
    """
    rows = [
        {**dict.fromkeys(USED), **job, "rule": rule, "counts": "seconds" in job}
        for job in jobs
        for rule in (job["rule"], "all")
    ]
    table = pd.DataFrame(rows).astype(dict.fromkeys(USED, float))
    table = table.assign(cpu_h=table.cpu_seconds / 3600, gpu_h=table.seconds * table.gpu / 3600)
    table = table.sort_values("rule", key=lambda rules: rules == "all", kind="stable")
    groups = table.groupby("rule", sort=False)
    sums = {"jobs": "counts", "attempts": "attempts", "cpu_h": "cpu_h", "gpu_h": "gpu_h"}
    peaks = {"peak_mb": "max_rss_mb", "requested_mb": "requested_mb"}
    found = {name: groups[column].sum() for name, column in sums.items()}
    found |= {name: groups[column].max() for name, column in peaks.items()}
    # Not 0 where nobody knows.
    found |= {"results_mb": groups.output_mb.sum(min_count=1)}
    found |= {"temporary_mb": groups.temporary_mb.sum(min_count=1)}
    return pd.DataFrame(found).reset_index()


def as_text(table: pd.DataFrame) -> str:
    """Return a table in aligned columns, with two decimals but for counts and memory."""
    whole = ("jobs", "attempts", "peak_mb", "requested_mb")
    digits = [".0f" if name in whole else ".2f" for name in table.columns]
    known = table.astype(object).where(table.notna(), None)
    return known.to_markdown(index=False, tablefmt="plain", floatfmt=digits, missingval="?")


def compared(used: pd.DataFrame, estimate: pd.DataFrame) -> pd.DataFrame:
    """Return what was used, where it was estimated as ``used/estimated``."""
    expected = estimate.set_index("rule").reindex(used.rule)
    for name in ("jobs", "cpu_h", "gpu_h", "peak_mb", "results_mb", "temporary_mb"):
        form = "{:.0f}" if name in ("jobs", "peak_mb") else "{:.2f}"
        used[name] = [
            "/".join(form.format(value) for value in pair if not pd.isna(value))
            for pair in zip(used[name], expected[name], strict=True)
        ]
    return used


def main(options: argparse.Namespace) -> None:
    """Print what was used by rule and which jobs failed for good; write the former by the log."""
    path, events = events_of(options.log)
    standing, jobs = standing_of(events), jobs_of(events)
    if not gpus_here() and not any(event["event"] == "slurm_run" for event in events):
        jobs = on_processors(jobs)
    ended = "ended" if events[-1]["event"] == "run_ended" else "not ended, or killed,"
    if ended != "ended" and [path] == runs()[-1:] and at_work():
        ended, standing.latest = "still at work", now()
    print(f"{path}: {ended} after {duration(standing.elapsed_s)}")
    if ended == "still at work":
        print(*standing.at_work(standing.latest), sep="\n")
    if jobs:
        used = by_rule(jobs)
        with atomic_write(path.with_suffix(".used.tsv")) as partial:
            used.to_csv(partial, sep="\t", index=False, float_format="%.6g")
        if ESTIMATE.exists():
            used = compared(used, pd.read_csv(ESTIMATE, sep="\t"))
        print(as_text(used))
    print(f"\n{len(standing.failing)} jobs failed for good")
    for event in standing.failing.values():
        job = " ".join([event["rule"], *event["wildcards"].values()])
        why = reason(event["log"], event["state"])
        print(f"  {job}, {event['attempts']} attempts: {why}\n    {event['log']}")
