"""Rows and files of settings written beside what a person has written there."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from snakescope.step.output import atomic_write

MARK = "proposed by: snakescope"


def write_settings(path: Path, text: str) -> str:
    """Write a file of settings, if there is none or one that was proposed; say what was done."""
    if path.exists():
        before = path.read_text(encoding="utf-8")
        if before == text:
            return f"{path} is as it was"
        if MARK not in before.partition("\n")[0]:
            return f"{path} was not written: it is there, and not one of snakescope; compare them"
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return f"{path} was written"


def write_row(path: Path, rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Add rows to a sample sheet of text, with the columns that it lacks; say what was done.

    Rows of plates that are there already stay as they are.
    """
    if path.suffix.lower() not in (".tsv", ".txt", ".csv"):
        return [f"{path}: add the rows above by hand; only sheets of text are written"]
    separator = "," if path.suffix.lower() == ".csv" else "\t"
    lines = path.read_text(encoding="utf-8-sig").splitlines() if path.exists() else []
    at = next((k for k, line in enumerate(lines) if line.strip() and line[0] != "#"), None)
    header = [cell.strip() for cell in lines[at].split(separator)] if at is not None else []
    columns = header or [
        "plate",
        "experiment",
        "condition",
        "folder",
        "age_at_first_frame_d",
        "worms",
    ]
    needed = dict.fromkeys(key for row in rows for key in row if row[key])
    columns = [*columns, *(name for name in needed if name not in columns)]
    body = lines[at + 1 :] if at is not None else []
    first = columns.index("plate") if "plate" in columns else 0
    there = {
        line.split(separator)[first].strip().lower()
        for line in body
        if line.strip() and line[0] != "#" and len(line.split(separator)) > first
    }
    new = [row for row in rows if row["plate"].lower() not in there]
    said = [
        f"{path}: {row['plate']} is there already, its row stays" for row in rows if row not in new
    ]
    if new:
        text = [*(lines[:at] if at is not None else lines), separator.join(columns), *body]
        text += [
            separator.join(_cell(row.get(name, ""), separator) for name in columns) for row in new
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as partial:
            partial.write_text("\n".join(text) + "\n", encoding="utf-8")
        said.append(f"{path}: {len(new)} row{'s' * (len(new) > 1)} added")
    return said


def _cell(text: str, separator: str) -> str:
    quoted = '"' + text.replace('"', '""') + '"'
    return quoted if separator in text or '"' in text else text
