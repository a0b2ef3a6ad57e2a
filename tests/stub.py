"""Stands in for every step: makes the outputs that it is called with, and notes that it ran.

Snakemake removes the outputs of a job before it starts, so the paths below results/ that do not
exist are those to make.
"""

import os
import re
import sys
import time
from pathlib import Path

FOLDERS = re.compile(r"\d+|.*\.ome\.zarr")
INPUTS = ("image.zarr", "labels.zarr", "volume.json", "fragments", "graphs")
"""Inputs that need not exist here."""


def missing_outputs(words: list[str]) -> list[Path]:
    """The paths of a command line that a step is to make."""
    paths = [Path(word) for word in words if word.startswith("results/")]
    return [path for path in paths if not path.exists() and path.name not in INPUTS]


def make(path: Path, text: str) -> None:
    """Make a file, or a folder where the workflow expects one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if FOLDERS.fullmatch(path.name):
        path.mkdir()
    else:
        path.write_text(text, encoding="utf-8")


def main() -> None:
    """Make every missing file below results/ that the command line names."""
    outputs = missing_outputs(sys.argv[1:])
    if not outputs:  # outside of a job nothing is removed first
        outputs = [
            Path(sys.argv[sys.argv.index("--table" if "--table" in sys.argv else "--survival") + 1])
        ]
    while Path(os.environ.get("STUB_HELD_BY", "nothing")).exists():
        time.sleep(0.1)
    for path in outputs:
        make(path, " ".join(sys.argv[1:]) + "\n")
    with open(os.environ["STUB_RAN"], "a", encoding="utf-8") as ran:
        ran.write(f"{outputs[0]}\n")
    if os.environ.get("STUB_FAILS", "nothing") in str(outputs[0]):
        for path in outputs:
            path.unlink()
        sys.exit(f"error: {outputs[0]}: made to fail")


if __name__ == "__main__":
    main()
