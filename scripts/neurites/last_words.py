"""What to tell a user after a run: scores and pictures, or what failed and why."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from neurites.tree import Tree
from step.reason import reason


def finished(tree: Tree) -> str:
    """Return the scores of every volume with truth, and the pictures to open."""
    lines = []
    for name, volume in tree.volumes.items():
        folder = Path(tree.results, name)
        if volume.labels and (folder / "scores.tsv").exists():
            with open(folder / "scores.tsv", encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file, delimiter="\t"))
            told = [("written", row) for row in rows if row["written"] == "yes"]
            told += [("best", row) for row in sorted(rows, key=lambda row: float(row["arand"]))[:1]]
            for what, row in told:
                lines.append(
                    f"{name}, {what} ({row['scoring']}, threshold {row['threshold']}): "
                    f"ARAND {float(row['arand']):.4f}, VOI split {float(row['voi_split']):.3f} + "
                    f"merge {float(row['voi_merge']):.3f} bits"
                )
        pictures = [folder / name for name in ("sections.png", "neurites.png", "scores.png")]
        lines += [f"  open {path}" for path in pictures if path.exists()]
    return "\n".join(lines)


def unfinished(jobs: Iterable[Any], states: Mapping[int, str]) -> str:
    """Return, for every failed job, why it failed in one sentence, and its log.

    Args:
        jobs: Jobs of Snakemake.
        states: What Slurm called the last attempt of jobs, by their number; empty without Slurm.
    """
    lines = ["Failed; what does not need it was done:"]
    for job in sorted(jobs, key=str):
        log = str(job.log[0]) if job.log else ""
        why = reason(log, states.get(getattr(job, "jobid", -1), ""))
        lines.append(f"  {job.rule.name} {' '.join(map(str, job.wildcards))}: {why}\n    {log}")
    return "\n".join(lines)
