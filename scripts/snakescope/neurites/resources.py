"""Memory and time that jobs ask for, by the voxels that they see.

Peaks and seconds of processors are those of docs/tables/neurites-memory.tsv, written by
benchmarks/neurites_memory.py; a test holds the figures here against that table. A job asks for a
third more memory than its step took, and for what Snakemake takes beside it. Free of numpy, since
the Snakefile asks for it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from snakescope.neurites.fragments.context import through_sections
from snakescope.neurites.fragments.settings import FragmentsSettings
from snakescope.step.request import TIME_MARGIN, asked_mb

LEAST_MINUTES = 10
MOST_MINUTES = 24 * 60
"""Of a training, which goes on from its checkpoint when it is tried again."""


@dataclass(frozen=True)
class Size:
    """What a job works on.

    Attributes:
        kind: of its work, where a step has several, see ``COSTS``.
        mvoxel: million voxels of its block, slab or volume.
        part: million voxels that it holds at a time, where that is less; of networks, million
            voxels of the patches of a batch times the channels of the finest level.
        work: million voxels that pass through it, where they do so more than once.
    """

    kind: str
    mvoxel: float
    part: float = 0.0
    work: float | None = None


@dataclass(frozen=True)
class Cost:
    """What a step takes.

    Attributes:
        base_mb: memory whatever the input, mostly imported libraries (MB).
        mb_per_mvoxel: memory for each million voxels that the job sees (MB).
        s_per_mvoxel: time for each million voxels (s).
        mb_per_part: memory for each million voxels, or values, that it holds at a time (MB).
    """

    base_mb: float
    mb_per_mvoxel: float
    s_per_mvoxel: float
    mb_per_part: float = 0.0

    def memory_mb(self, size: Size) -> float:
        """Greatest resident memory of a job (MB)."""
        return self.base_mb + self.mb_per_mvoxel * size.mvoxel + self.mb_per_part * size.part


COSTS = {
    ("fragments", "sections"): Cost(216, 23.2, 0.4),
    ("fragments", "3-D"): Cost(210, 24.8, 0.7),
    ("fragments", "waterz"): Cost(150, 186, 1.5),
    ("region_graph", "sections"): Cost(173, 65, 0.5),
    ("region_graph", "3-D"): Cost(172, 20, 0.5),
    ("region_graph", "waterz"): Cost(187, 298, 3.0),
    ("simulate", ""): Cost(90, 107, 3.0),
    # Grey values of 8 bit, and all that has to be converted.
    ("ingest", "image"): Cost(65, 2.9, 0.1),
    ("ingest", "labels"): Cost(70, 23, 0.1),
    # Parts are values of contacts in hand.
    ("agglomerate", ""): Cost(240, 0.35, 0.1, mb_per_part=0.85),
    ("agglomerate", "waterz"): Cost(240, 190, 2.0, mb_per_part=10.5),
    # Parts are blocks, sections in a picture, and slabs as deep as chunks are.
    ("segmentation", ""): Cost(310, 0.05, 0.2, mb_per_part=52),
    ("evaluate", ""): Cost(290, 0.2, 0.2, mb_per_part=44),
    ("pictures", ""): Cost(150, 0.0, 0.1, mb_per_part=230),
    ("export", ""): Cost(43, 0.0, 0.5, mb_per_part=37),
    # By the values of the finest level of the network: voxels of a batch times channels.
    ("predict", ""): Cost(575, 34, 0.3, mb_per_part=22),
    ("train", "base 1"): Cost(1290, 9, 1.0, mb_per_part=92),
    **{
        ("train", f"{memory} {n}"): Cost(
            1175 + 115 * n, 9, 0.6 + 0.6 * n, mb_per_part=first + n * more
        )
        for n in range(1, 5)
        for memory, first, more in (("stored", 52, 77), ("reversible", 71, 9), ("frugal", 64, 0))
    },
}
"""By step and by the kind of its work; of fragments, see :func:`kind_of`; of a training, what it
keeps for the backward pass and the blocks of a module."""


def kind_of(settings: FragmentsSettings, voxel_nm: Sequence[float]) -> str:
    """How fragments are found: sections, 3-D or waterz; ``voxel_nm`` along z, y and x."""
    if settings.method == "waterz":
        return "waterz"
    return "3-D" if through_sections(settings, voxel_nm) else "sections"


def memory_mb(step: str, size: Size, processes: int = 1) -> int:
    """Memory to ask for (MB), for a job of a step, of which ``processes`` work under another."""
    cost = COSTS[step, size.kind]
    peak = cost.memory_mb(size)
    if processes > 1:
        # One more, which holds no part of its own.
        peak += cost.base_mb * processes + cost.mb_per_part * size.part * (processes - 1)
    return asked_mb(peak)


def runtime_min(step: str, size: Size) -> int:
    """Time to ask for (min), for a job of a step."""
    work = size.mvoxel if size.work is None else size.work
    seconds = TIME_MARGIN * COSTS[step, size.kind].s_per_mvoxel * work
    minutes = LEAST_MINUTES + math.ceil(seconds / 60)
    return min(MOST_MINUTES, minutes) if step == "train" else minutes
