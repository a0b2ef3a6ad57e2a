"""Jobs that failed and why: a table among the results of a tree, and a short one to be told."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from snakescope.step.output import write_if_changed
from snakescope.step.reason import reason

FAILURES = "failures.tsv"
SHOWN = 20


class Failure(NamedTuple):
    """A job that failed, with the reason its log gives in one sentence.

    ``subject`` is what the sheet has a row of, a plate or a volume, and the first column of the
    table is called so. ``status`` is failed, or unusable for a subject whose raw images cannot be
    used, or excluded for one that the sheet leaves out.
    """

    subject: str
    rule: str
    block: str
    reason: str
    log: str
    attempts: int
    status: str = "failed"


def failure(
    job: Any, states: Mapping[int, str], subjects: Sequence[str], blocks: Sequence[str]
) -> Failure:
    """Describe a failed Snakemake job.

    Args:
        job: Snakemake's; its rule is called after its tree, such as ``healthspan_detect``.
        states: what Slurm called the last attempt of jobs, by their number; empty without Slurm.
        subjects: wildcards of which the first that the job has is its subject.
        blocks: wildcards that tell which part of the subject the job works on.
    """
    wildcards = dict(job.wildcards.items())
    log = str(job.log[0]) if job.log else ""
    return Failure(
        next((str(wildcards[name]) for name in subjects if wildcards.get(name)), ""),
        job.rule.name.partition("_")[2],
        " ".join(str(wildcards[name]) for name in blocks if name in wildcards),
        reason(log, states.get(getattr(job, "jobid", -1), "")),
        log,
        job.attempt,
        "unusable" if job.rule.name.endswith("_unusable") else "failed",
    )


def write_failures(path: str | Path, subject: str, found: Sequence[Failure]) -> None:
    """Write the table of all of which results are missing, or remove an earlier one.

    Args:
        path: the table.
        subject: what its first column is called, plate or volume.
        found: none removes the table.
    """
    if not found:
        Path(path).unlink(missing_ok=True)
        return
    lines = ["\t".join((subject, *Failure._fields[1:]))]
    lines += ["\t".join(str(cell).replace("\t", " ") for cell in one) for one in found]
    write_if_changed(path, "\n".join(lines) + "\n")


def list_failures(
    path: str | Path, subject: str, failed: Iterable[Failure], others: Sequence[Failure] = ()
) -> str:
    """Write the table of failures and return a short one of those that ``failed``, if any did.

    Args:
        path, subject: as of :func:`write_failures`.
        failed: told and written; others: only written.
    """
    found = sorted(failed)
    try:
        write_failures(path, subject, [*found, *others])
        listed = f"listed in {path}"
    except OSError as error:
        # A full disk, for one: then at least they are told.
        listed = f"which could not be listed in {path} ({error.strerror})"
    if not found:
        return ""
    told = [f"{len(found)} failed, {listed}; what does not need it was done:"]
    for one in found[:SHOWN]:
        told.append(f"  {' '.join(filter(None, one[:3]))}: {one.reason}\n    {one.log}")
    if len(found) > SHOWN:
        told.append(f"  and {len(found) - SHOWN} more")
    return "\n".join(told)


def of_tree(jobs: Iterable[Any], tree: str) -> list[Any]:
    """Return the jobs of the rules of a tree, healthspan or neurites."""
    return [job for job in jobs if job.rule.name.partition("_")[0] == tree]
