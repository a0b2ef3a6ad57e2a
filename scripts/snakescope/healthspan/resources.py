"""Memory and time that the jobs of the tree ask for, by the size of their input.

Peaks and seconds of processors are those of docs/tables/full-geometry.tsv, written by
benchmarks/full_geometry.py; a test holds the figures here against that table. A job asks for a
third more memory than its step took, so for less than twice as much, and for what Snakemake takes
beside it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from snakescope.step.request import TIME_MARGIN, asked_mb

LEAST_MINUTES = 5

PAPER_MEGAPIXELS = 3080 * 3080 / 1e6


@dataclass(frozen=True)
class Cost:
    """What a step takes.

    Attributes:
        base_mb: memory whatever the input, mostly imported libraries (MB).
        mb_per_megapixel: memory for each megapixel of a frame (MB).
        mb_per_frame: memory for each frame of a job, as worms found on it (MB).
        base_s: time whatever the input (s).
        s_per_megapixel: time for each megapixel of each frame of a job (s).
        s_per_frame: time for each frame of a job, beside its pixels (s).
    """

    base_mb: float
    mb_per_megapixel: float = 0.0
    mb_per_frame: float = 0.0
    base_s: float = 3.0
    s_per_megapixel: float = 0.0
    s_per_frame: float = 0.0

    def memory_mb(self, megapixels: float, frames: int) -> float:
        """Greatest resident memory (MB) of a job of ``frames`` frames of ``megapixels`` each."""
        return self.base_mb + self.mb_per_megapixel * megapixels + self.mb_per_frame * frames

    def seconds(self, megapixels: float, frames: int) -> float:
        """Seconds of one processor of a job of ``frames`` frames of ``megapixels`` each."""
        each = self.s_per_megapixel * megapixels + self.s_per_frame
        return self.base_s + each * frames


COSTS = {
    "simulate": Cost(171, 39.1, 0.5, s_per_megapixel=0.25),
    "reference": Cost(127, 6.5),
    "register": Cost(119, 29.2, s_per_megapixel=0.15),
    "frames_table": Cost(71),
    "tile": Cost(128, 24.6, s_per_megapixel=0.12),
    "detect": Cost(1150, 15, base_s=8, s_per_megapixel=1.7),
    "composite": Cost(150, 0.5, 1, s_per_frame=0.1),
    "classify": Cost(930, 0, 5, base_s=7, s_per_frame=0.2),
    "states_table": Cost(72),
    "track": Cost(130, 0, 0.5, s_per_frame=0.3),
    "curves": Cost(188),
    "contact_sheet": Cost(130, 5, 1, s_per_megapixel=0.1, s_per_frame=0.1),
    "quality": Cost(290, 10, 1, base_s=6, s_per_megapixel=0.05),
    "provenance": Cost(50),
    "experiment": Cost(190, 0, 0.5, base_s=8, s_per_frame=0.2),
    "plates_table": Cost(72),
}
"""Of every step; the frames of an experiment and of the table of plates are their plates."""


TRAINING_MB = {
    "detector": {"resnet18_half": 1290.0, "resnet101": 3280.0},
    "classifier": {"mlp_mixer": 940.0},
}
"""Peaks of trainings on next to no examples, by model and architecture (MB)."""

EXAMPLE_MB = {"detector": 1.0, "classifier": 0.234}
"""Of every example, which a training holds all in memory: scenes of 560 px, composites (MB)."""


def training_mb(model: str, architecture: str, examples: float) -> int:
    """Memory to ask for (MB), for the training of a model on so many ``examples``.

    An architecture that was not measured counts as the largest that was.
    """
    measured = TRAINING_MB[model]
    peak = measured.get(architecture, max(measured.values())) + EXAMPLE_MB[model] * examples
    return asked_mb(peak)


def memory_mb(steps: Iterable[str], megapixels: float, frames: int) -> int:
    """Memory to ask for (MB), for a job that runs ``steps`` one after the other."""
    peak = max(COSTS[step].memory_mb(megapixels, frames) for step in steps)
    return asked_mb(peak)


def runtime_min(steps: Iterable[str], megapixels: float, frames: int) -> int:
    """Time to ask for (min), for a job that runs ``steps`` one after the other."""
    seconds = sum(COSTS[step].seconds(megapixels, frames) for step in steps)
    return max(LEAST_MINUTES, math.ceil(TIME_MARGIN * seconds / 60))
