"""Marks the tests that start other programs, so that `make fast` can leave them out."""

from pathlib import Path

import pytest

FOLDERS = {"workflow", "slurm", "benchmarks", "contract"}
"""Folders of tests whose every test starts Snakemake or a script."""

STARTERS = ("harness", "clone", "started")
"""Modules of whose names whoever uses one starts programs."""


def starts_programs(module: object) -> bool:
    """Whether a module of tests imports the harness, or subprocess."""
    names = vars(module).values()
    return hasattr(module, "subprocess") or any(
        str(getattr(value, "__module__", "")).endswith(STARTERS) for value in names
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by folder and by what a module imports, so that no test needs to be marked by hand.

    Files of marked tests come first: beside others they take minutes, and one that is begun last
    would be waited for alone.
    """
    here = Path(__file__).parent
    for item in items:
        folders = item.path.relative_to(here).parts[:-1]
        if FOLDERS & set(folders) or starts_programs(getattr(item, "module", None)):
            item.add_marker("subprocess")
    marks = ("slow", "subprocess")
    long = {item.path for item in items if any(map(item.get_closest_marker, marks))}
    items.sort(key=lambda item: item.path not in long)
