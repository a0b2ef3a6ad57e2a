"""Marks the tests that start other programs, so that `make fast` can leave them out."""

from pathlib import Path

import pytest

FOLDERS = {"workflow", "slurm", "benchmarks", "contract"}
"""Folders of tests whose every test starts Snakemake or a script."""
NAMES = ("subprocess", "Workspace", "harness")
"""What a module of tests imports to start a program."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        folders = item.path.relative_to(here).parts[:-1]
        module = getattr(item, "module", None)
        if FOLDERS & set(folders) or any(hasattr(module, name) for name in NAMES):
            item.add_marker("subprocess")
