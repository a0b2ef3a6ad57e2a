"""Rows and files of settings written beside what a person has written there."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from snakescope.healthspan.trial.proposals import settings_text
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


def set_keys(
    path: Path, name: str, keys: Mapping[str, Any], notes: Mapping[str, str], head: str
) -> str:
    """Set settings in a file, comments of other keys kept as far as they stand above a key.

    Args:
        name: of the tree; keys, notes: values and comments by dotted key; head: of a new file.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    stated = yaml.safe_load(text) or {}
    flat = dict(_flat(stated.get(name) or {}))
    kept = _comments(text)
    first = text.partition("\n")[0]
    head = first.removeprefix("# ") if first.startswith("#") else head
    comments = {key: kept.get(f"{name}.{key}", "") for key in flat} | dict(notes)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as partial:
        partial.write_text(settings_text(name, flat | dict(keys), comments, head), encoding="utf-8")
    return f"{path} was written"


def _flat(section: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in section.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _comments(text: str) -> dict[str, str]:
    """Return the comment above every key, by dotted key, of a file that is indented evenly."""
    found: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    comment: list[str] = []
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("#"):
            comment.append(bare.lstrip("# "))
        elif ":" in bare:
            depth = len(line) - len(line.lstrip())
            above = [one for one in above if one[0] < depth]
            above.append((depth, bare.partition(":")[0]))
            found[".".join(name for _, name in above)] = " ".join(comment)
            comment = []
    return found


def set_settings_of_row(path: Path, plate: str, file: str) -> list[str]:
    """Name a file of settings in the row of a plate; say what was done."""
    if path.suffix.lower() not in (".tsv", ".txt", ".csv"):
        return [f"{path}: write {file} into the column settings of {plate} by hand"]
    separator = "," if path.suffix.lower() == ".csv" else "\t"
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    at = next(k for k, line in enumerate(lines) if line.strip() and line[0] != "#")
    header = [cell.strip() for cell in lines[at].split(separator)]
    if "settings" not in header:
        header.append("settings")
        lines[at] = separator.join(header)
    place, named = header.index("settings"), header.index("plate")
    for k in range(at + 1, len(lines)):
        cells = lines[k].split(separator)
        if len(cells) > named and cells[named].strip() == plate:
            cells += [""] * (len(header) - len(cells))
            cells[place] = file
            lines[k] = separator.join(cells)
    with atomic_write(path) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [f"{path}: {plate} names {file}"]
