"""What the workflow says of raw data before it plans: ``python -m benchmarks.workflow.planned C``.

The trees are opened as the main process of Snakemake opens them; then the rule that each subject
begins with is printed.
"""

import sys
from pathlib import Path

from snakescope.run.settings import sections_of
from snakescope.settings.files import read_config
from snakescope.settings.load import load_sections
from snakescope.step.command import run_step
from snakescope.trees import TREES

FIRST = {"healthspan": "reference", "neurites": "describe"}


def look(path: Path) -> None:
    """Open every tree of a configuration."""
    settings = load_sections(read_config(path), sections_of(TREES), str(path))
    for name, tree in TREES.items():
        opened = tree(settings[name], scans=True, warn=lambda note: print(note))
        opened.open()
        for subject in opened.subjects:
            print(f"{name}_{FIRST.get(name, 'first')} {subject}")


if __name__ == "__main__":
    run_step(lambda: look(Path(sys.argv[1])))
