"""The settings of a run that the profile does not hold."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from snakescope.settings.strict import Settings


class ClusterSettings(Settings):
    """Jobs on a cluster; what to request of Slurm is in profiles/slurm."""

    old_keys: ClassVar[Mapping[str, str]] = {"measured": ""}

    cpu_in_place_of_gpu: bool = Field(
        False,
        description="a job that was given a GPU which torch cannot use runs on the CPU instead of"
        " failing",
    )
