"""The settings of the workflow on a cluster that are no matter of the profile."""

from pydantic import Field

from snakescope.settings.strict import Settings


class ClusterSettings(Settings):
    """Jobs on a cluster; what to ask Slurm for stands in profiles/slurm."""

    cpu_in_place_of_gpu: bool = Field(
        False,
        description="a job that was given a GPU which torch cannot use runs on the CPU instead of"
        " failing",
    )
    measured: str = Field(
        "resources/measured.tsv",
        min_length=1,
        description="what jobs took where there is no benchmark file of them yet, for estimates;"
        " from the working directory, else from the repository (file)",
    )
