"""The figures that tests collect: rows case, metric, value, unit."""

import os
from pathlib import Path

COLUMNS = ("case", "metric", "value", "unit")


class Figures:
    """Rows of a table, written where SNAKESCOPE_FIGURES says, if it does."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, str]] = []

    def add(self, case: str, metric: str, value: object, unit: str) -> None:
        """Add a figure."""
        text = f"{value:.4g}" if isinstance(value, float) else str(value)
        self.rows.append((case, metric, text, unit))

    def write(self) -> None:
        """Write the rows, if anybody wants them and there are any."""
        path = os.environ.get("SNAKESCOPE_FIGURES")
        if path and self.rows:
            lines = ["\t".join(row) for row in (COLUMNS, *self.rows)]
            Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")
