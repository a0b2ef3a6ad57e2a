"""Small tables of what took long: the first line is the key of all that a table depends on."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from snakescope.step.output import atomic_write
from snakescope.step.tables import read_table


def read_kept(
    path: Path, key: str, columns: Sequence[str], text: Sequence[str] = ("item",)
) -> pd.DataFrame | None:
    """A table that was kept, where it has this key."""
    if not path.exists() or not path.read_text().startswith(f"# {key}\n"):
        return None
    return read_table(path, list(columns), text=list(text), first_lines=1)


def write_kept(path: Path, key: str, table: pd.DataFrame) -> None:
    """Write a table with its key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as partial:
        partial.write_text(f"# {key}\n" + table.to_csv(sep="\t", index=False, lineterminator="\n"))
