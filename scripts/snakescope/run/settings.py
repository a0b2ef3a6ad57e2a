"""The settings of a run that the profile does not hold, and those of all trees."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from snakescope.settings.files import read_config
from snakescope.settings.load import load_sections
from snakescope.settings.strict import Settings
from snakescope.tree.tree import Tree


class ClusterSettings(Settings):
    """Jobs on a cluster; what to request of Slurm is in profiles/slurm."""

    old_keys: ClassVar[Mapping[str, str]] = {"measured": ""}

    cpu_in_place_of_gpu: bool = Field(
        False,
        description="a job that was given a GPU which torch cannot use runs on the CPU instead of"
        " failing",
    )


def sections_of(trees: Mapping[str, type[Tree[Any]]]) -> dict[str, type[Settings]]:
    """Return the model of each top-level key of the configuration: each tree's, and of jobs."""
    return {**{name: tree.section for name, tree in trees.items()}, "cluster": ClusterSettings}


def read_settings(path: str | Path, trees: Mapping[str, type[Tree[Any]]]) -> dict[str, Settings]:
    """Return the settings in a configuration file, by section; all defaults where it is absent.

    Raises:
        StepError: the file cannot be read, or holds what its sections refuse.
    """
    config = read_config(path) if Path(path).exists() else {}
    return load_sections(config, sections_of(trees), str(path))
