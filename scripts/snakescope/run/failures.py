"""What failed in a run: the table of a tree, and what to print of it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from snakescope.step.output import write_if_changed
from snakescope.step.reason import reason
from snakescope.tree.failures import Failure
from snakescope.tree.tree import Tree

FAILURES = "failures.tsv"
SHOWN = 20


def failures_of(tree: Tree[Any], failed: Iterable[Mapping[str, Any]]) -> list[Failure]:
    """Return the jobs of a tree among ``failed`` events, each with its ``attempts``."""
    found = []
    for event in failed:
        name, _, rule = event["rule"].partition("_")
        if name == tree.name:
            wildcards = event["wildcards"]
            others = [value for key, value in wildcards.items() if key not in tree.parts]
            subject = wildcards.get(tree.subject) or next(iter(others), "")
            parts = " ".join(wildcards[key] for key in tree.parts if key in wildcards)
            why = reason(event["log"], event["state"])
            status = "unusable" if rule == "unusable" else "failed"
            attempts = event["attempts"]
            found.append(Failure(subject, rule, parts, why, event["log"], attempts, status))
    return sorted(found)


def write_failures(tree: Tree[Any], failures: Sequence[Failure]) -> str:
    """Write the table of a tree, with the subjects that its sheet excludes, or remove an old one.

    Returns:
        Where it is, or why there is none, as on a full disk.
    """
    path = Path(tree.results, FAILURES)
    excluded = [
        Failure(name, "", "", why, "", 0, "excluded") for name, why in tree.excluded.items()
    ]
    lines = [(tree.subject, *Failure._fields[1:]), *failures, *excluded]
    text = "".join(
        "\t".join(str(cell).replace("\t", " ") for cell in line) + "\n" for line in lines
    )
    try:
        if lines[1:]:
            write_if_changed(path, text)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        return f"which could not be listed in {path} ({error.strerror})"
    return f"listed in {path}"


def report(failures: Sequence[Failure], where: str) -> list[str]:
    """Return what to print of the failures of a tree, which are listed ``where``."""
    lines = [f"{len(failures)} failed, {where}; what does not need it was done:"]
    for one in failures[:SHOWN]:
        lines.append(f"  {' '.join(filter(None, one[:3]))}: {one.reason}\n    {one.log}")
    return [*lines, f"  and {len(failures) - SHOWN} more"] if failures[SHOWN:] else lines
