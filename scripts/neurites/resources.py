"""Memory and time that jobs on blocks ask for, by the voxels that they see.

Peaks and seconds of processors are those of docs/tables/neurites-memory.tsv, written by
benchmarks/neurites_memory.py; a test holds the figures here against that table. A job asks for a
third more memory than its step took, and never for less than Snakemake's own process takes. Free
of numpy, since the Snakefile asks for it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from neurites.fragment_context import through_sections
from neurites.settings.fragments import FragmentsSettings

FLOOR_MB = 500
"""A job is a Snakemake process of its own, which takes 150 to 300 MB beside its step (MB)."""

MEMORY_MARGIN = 1.33
TIME_MARGIN = 6
"""Slower processors and file systems, and others at work on them, than in the measurement."""

LEAST_MINUTES = 10


@dataclass(frozen=True)
class Cost:
    """What a step takes.

    Attributes:
        base_mb: memory whatever the input, mostly imported libraries (MB).
        mb_per_mvoxel: memory for each million voxels that the job sees (MB).
        s_per_mvoxel: time for each million voxels (s).
    """

    base_mb: float
    mb_per_mvoxel: float
    s_per_mvoxel: float


COSTS = {
    ("fragments", "sections"): Cost(216, 23.2, 0.4),
    ("fragments", "3-D"): Cost(210, 24.8, 0.7),
    ("fragments", "waterz"): Cost(150, 186, 1.5),
    ("region_graph", "sections"): Cost(177, 31.5, 0.5),
    ("region_graph", "3-D"): Cost(169, 17.4, 0.5),
    ("region_graph", "waterz"): Cost(187, 298, 3.0),
}
"""By step and by the kind of fragments, see :func:`kind_of`."""


def kind_of(settings: FragmentsSettings, voxel_nm: Sequence[float]) -> str:
    """How fragments are found: sections, 3-D or waterz; ``voxel_nm`` along z, y and x."""
    if settings.method == "waterz":
        return "waterz"
    return "3-D" if through_sections(settings, voxel_nm) else "sections"


def memory_mb(step: str, kind: str, mvoxel: float) -> int:
    """Memory to ask for (MB), for a job of a step that sees ``mvoxel`` million voxels."""
    cost = COSTS[step, kind]
    peak = cost.base_mb + cost.mb_per_mvoxel * mvoxel
    return max(FLOOR_MB, 50 * math.ceil(MEMORY_MARGIN * peak / 50))


def runtime_min(step: str, kind: str, mvoxel: float) -> int:
    """Time to ask for (min), for a job of a step that sees ``mvoxel`` million voxels."""
    return LEAST_MINUTES + math.ceil(TIME_MARGIN * COSTS[step, kind].s_per_mvoxel * mvoxel / 60)
