"""Tab-separated tables as rows of text, without pandas: for what is read while a run is planned."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path


def table_rows(path: str | Path) -> list[dict[str, str]]:
    """Return the cells of every row of a table by column.

    Raises:
        OSError: it is absent, or cannot be read.
    """
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def table_text(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Return the text of a table with a header; None is an empty cell."""
    text = io.StringIO()
    csv.writer(text, delimiter="\t", lineterminator="\n").writerows([columns, *rows])
    return text.getvalue()
