"""What to tell a user after a run: which plates failed and why, or which pictures to open."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from snakescope.healthspan.tree import Tree
from snakescope.step.failures import (
    FAILURES,
    Failure,
    failure,
    list_failures,
    of_tree,
    write_failures,
)


def excluded(tree: Tree) -> list[Failure]:
    """Return the plates that the sample sheet excludes."""
    return [
        Failure(name, "", "", plate.exclusion, "", 0, "excluded")
        for name, plate in tree.sheet.items()
        if plate.excluded
    ]


def unfinished(tree: Tree, jobs: Iterable[Any], states: Mapping[int, str]) -> str:
    """Write failures.tsv for the failed ``jobs`` of this tree and return a short table of it.

    Args:
        tree: The tree.
        jobs: Jobs of Snakemake.
        states: What Slurm called the last attempt of jobs, by their number; empty without Slurm.
    """
    found = [
        failure(job, states, ("plate", "experiment"), ("block",))
        for job in of_tree(jobs, "healthspan")
    ]
    return list_failures(f"{tree.results}/{FAILURES}", "plate", found, excluded(tree))


def finished(tree: Tree) -> str:
    """List excluded plates only, and name the pictures to open, where there are any."""
    write_failures(f"{tree.results}/{FAILURES}", "plate", excluded(tree))
    pictures = [path for path in tree.of_experiments("curves.png") if Path(path).exists()]
    sheets = [path for path in tree.of_plates("contact_sheet.html") if Path(path).exists()]
    if sheets:
        pictures.append(
            sheets[0] + (f"  (and {len(sheets) - 1} more plates)" if sheets[1:] else "")
        )
    pages = [path for path in tree.of_plates("quality.html") if Path(path).exists()]
    if pages:
        pictures.append(pages[0] + (f"  (and {len(pages) - 1} more plates)" if pages[1:] else ""))
    if pictures and Path(f"{tree.results}/plates.html").exists():
        pictures.append(f"{tree.results}/plates.html")
    return "\n  ".join(["Open:", *pictures]) if pictures else ""
