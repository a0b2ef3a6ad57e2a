"""What is proposed for a folder of images: each with what it is from and how sure it is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any

import yaml

WIDTHS = (12, 46, 44)


@dataclass(frozen=True)
class Proposal:
    """One proposal.

    Attributes:
        what: of what, in a word or two; value: what is proposed, in words.
        source: what it was read from; sure: sure, likely, unsure or unknown.
        keys: settings by dotted key below the tree, where they differ from the configuration.
    """

    what: str
    value: str
    source: str
    sure: str
    keys: Mapping[str, Any] = field(default_factory=dict)


def table(proposals: Iterable[Proposal]) -> list[str]:
    """Return proposals as lines of a table in aligned columns."""
    rows = [("what", "proposal", "from", "sure")]
    rows += [(one.what, one.value, one.source, one.sure) for one in proposals]
    lines = []
    for row in rows:
        cells = [wrap(cell, width) or [""] for cell, width in zip(row[:3], WIDTHS, strict=True)]
        for k in range(max(map(len, cells))):
            parts = [
                (cell[k] if k < len(cell) else "").ljust(width)
                for cell, width in zip(cells, WIDTHS, strict=True)
            ]
            lines.append("  ".join([*parts, row[3] if k == 0 else ""]).rstrip())
    return lines


def keys_of(proposals: Iterable[Proposal]) -> dict[str, Any]:
    """Return all settings that are proposed, by dotted key."""
    return {key: value for one in proposals for key, value in one.keys.items()}


def settings_text(name: str, keys: Mapping[str, Any], notes: Mapping[str, str], head: str) -> str:
    """Return a file of settings as YAML, each key with a comment on what it is from.

    Args:
        name: of the tree; keys: values by dotted key; notes: comments by dotted key.
        head: first line, a comment.
    """
    nested: dict[str, Any] = {}
    for key, value in keys.items():
        *parents, last = key.split(".")
        section = nested
        for parent in parents:
            section = section.setdefault(parent, {})
        section[last] = value
    lines = [f"# {head}", f"{name}:" if keys else f"{name}: {{}}"]
    lines += _lines(nested, notes, (), 1)
    return "\n".join(lines) + "\n"


def _lines(
    section: Mapping[str, Any], notes: Mapping[str, str], path: tuple[str, ...], depth: int
) -> list[str]:
    lines = []
    for key, value in section.items():
        here = (*path, key)
        if isinstance(value, Mapping):
            lines += [f"{'  ' * depth}{key}:", *_lines(value, notes, here, depth + 1)]
            continue
        for note in wrap(notes.get(".".join(here), ""), 92 - 2 * depth):
            lines.append(f"{'  ' * depth}# {note}")
        lines.append(f"{'  ' * depth}{key}: {scalar(value)}")
    return lines


def scalar(value: Any) -> str:
    """Return a value as YAML on one line; text is quoted, as a pattern has braces."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")


def rows_text(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Return rows of a sheet with tabs, the header first; empty columns are left out."""
    columns = [
        name
        for name in dict.fromkeys(key for row in rows for key in row)
        if any(row.get(name) for row in rows)
    ]
    return ["\t".join(columns), *("\t".join(row.get(name, "") for name in columns) for row in rows)]
