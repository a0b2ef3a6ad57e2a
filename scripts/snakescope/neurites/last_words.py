"""What to tell a user after a run: scores and pictures, or what failed and why."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from snakescope.neurites.tree import Tree
from snakescope.neurites.volumes.sheet import TRAINED_ON
from snakescope.step.failures import FAILURES, failure, list_failures, of_tree, write_failures

BLOCKS = ("box", "kind", "slab", "network", "n", "seed", "suffix")
"""Wildcards that tell which part of a volume, or which training, a job works on."""


def finished(tree: Tree) -> str:
    """Return the scores of every volume with truth, and the pictures to open.

    The table of what failed in an earlier run is removed.
    """
    write_failures(f"{tree.results}/{FAILURES}", "volume", ())
    lines = []
    for name, volume in tree.volumes.items():
        folder = Path(tree.results, name)
        if volume.labels and (folder / "scores.tsv").exists():
            with open(folder / "scores.tsv", encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file, delimiter="\t"))
            told = [("written", row) for row in rows if row["written"] == "yes"]
            told += [("best", row) for row in sorted(rows, key=lambda row: float(row["arand"]))[:1]]
            trained_on = f" ({TRAINED_ON})" if volume.set == "train" else ""
            for what, row in told:
                lines.append(
                    f"{name}{trained_on}, {what} ({row['scoring']}, threshold {row['threshold']}): "
                    f"ARAND {float(row['arand']):.4f}, VOI split {float(row['voi_split']):.3f} + "
                    f"merge {float(row['voi_merge']):.3f} bits"
                )
        pictures = [folder / name for name in ("sections.png", "neurites.png", "scores.png")]
        lines += [f"  open {path}" for path in pictures if path.exists()]
    return "\n".join(lines)


def unfinished(tree: Tree, jobs: Iterable[Any], states: Mapping[int, str]) -> str:
    """Write failures.tsv for the failed ``jobs`` of this tree and return a short table of it.

    Args:
        tree: The tree.
        jobs: Jobs of Snakemake.
        states: What Slurm called the last attempt of jobs, by their number; empty without Slurm.
    """
    found = [failure(job, states, ("volume",), BLOCKS) for job in of_tree(jobs, "neurites")]
    return list_failures(f"{tree.results}/{FAILURES}", "volume", found)
