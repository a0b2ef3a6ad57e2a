"""What to tell a user after a run: which plates failed and why, or which pictures to open."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from healthspan.tree import FAILURES, Tree
from step.output import write_if_changed
from step.reason import reason

SHOWN = 20


class Failure(NamedTuple):
    """A job that failed, with the reason its log gives in one sentence.

    ``status`` is failed, or unusable for a plate whose raw folder cannot be used, or excluded for
    one that the sample sheet leaves out.
    """

    plate: str
    rule: str
    block: str
    reason: str
    log: str
    attempts: int
    status: str = "failed"


def failure(job: Any, states: Mapping[int, str]) -> Failure:
    """Describe a failed Snakemake job; ``states`` is what Slurm called jobs, by their number."""
    wildcards = dict(job.wildcards.items())
    log = str(job.log[0]) if job.log else ""
    return Failure(
        str(wildcards.get("plate") or wildcards.get("experiment") or ""),
        job.rule.name.removeprefix("healthspan_"),
        wildcards.get("block", ""),
        reason(log, states.get(getattr(job, "jobid", -1), "")),
        log,
        job.attempt,
        "unusable" if job.rule.name.endswith("_unusable") else "failed",
    )


def excluded(tree: Tree) -> list[Failure]:
    """Return the plates that the sample sheet excludes."""
    return [
        Failure(name, "", "", plate.exclusion, "", 0, "excluded")
        for name, plate in tree.sheet.items()
        if plate.excluded
    ]


def write_failures(tree: Tree, found: Sequence[Failure]) -> str:
    """Write the table of all plates of which results are missing, or remove an earlier one."""
    path = f"{tree.results}/{FAILURES}"
    if not found:
        Path(path).unlink(missing_ok=True)
        return path
    lines = ["\t".join(Failure._fields)]
    lines += ["\t".join(str(cell).replace("\t", " ") for cell in one) for one in found]
    write_if_changed(path, "\n".join(lines) + "\n")
    return path


def unfinished(tree: Tree, jobs: Iterable[Any], states: Mapping[int, str]) -> str:
    """Write failures.tsv for the failed ``jobs`` and return a short table of it.

    Args:
        tree: The tree.
        jobs: Jobs of Snakemake.
        states: What Slurm called the last attempt of jobs, by their number; empty without Slurm.
    """
    found = sorted(failure(job, states) for job in jobs)
    try:
        listed = f"listed in {write_failures(tree, [*found, *excluded(tree)])}"
    except OSError as error:
        # A full disk, for one: then at least they are told.
        listed = f"which could not be listed in {tree.results}/{FAILURES} ({error.strerror})"
    told = [f"{len(found)} failed, {listed}; what does not need it was done:"]
    for one in found[:SHOWN]:
        told.append(f"  {' '.join(filter(None, one[:3]))}: {one.reason}\n    {one.log}")
    if len(found) > SHOWN:
        told.append(f"  and {len(found) - SHOWN} more")
    return "\n".join(told)


def finished(tree: Tree) -> str:
    """List excluded plates only, and name the pictures to open, where there are any."""
    write_failures(tree, excluded(tree))
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
