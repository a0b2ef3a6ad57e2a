"""What the jobs of a tree take, and what they ask a cluster for.

One table a tree serves requests of memory and time and the estimates of a run.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

SNAKEMAKE_MB = 300
"""The two Snakemake processes of a job, beside its step: sacct saw 150 MB of each (MB)."""

MIN_MB = 500
MIN_MINUTES = 5
MEMORY_MARGIN = 1.33
TIME_MARGIN = 6
"""Slower processors and file systems, and others at work on them, than in the measurement."""

TRAINING_MINUTES = 24 * 60
"""At most of a request for a training, which goes on from its checkpoint when it is tried again."""


class Size(NamedTuple):
    """How much a job works on.

    Attributes:
        kind: of its work, where a step has several; the key in the table is then ``step kind``.
        amounts: by the unit that costs count, such as megapixel or frame.
    """

    kind: str = ""
    amounts: Mapping[str, float] = {}


@dataclass(frozen=True)
class Cost:
    """What a step takes, as measured.

    Attributes:
        mb: memory whatever the input, mostly imported libraries (MB).
        mb_per: memory for each unit of the job (MB).
        s: time of one processor whatever the input (s).
        s_per: time for each unit of the job (s).
        max_minutes: of a request, for work that goes on from a checkpoint when it is tried again.
        files_mb_per: what is kept on the disk for each unit of the job (MB); empty if unknown.
    """

    mb: float
    mb_per: Mapping[str, float] = field(default_factory=dict)
    s: float = 3.0
    s_per: Mapping[str, float] = field(default_factory=dict)
    max_minutes: float = math.inf
    files_mb_per: Mapping[str, float] = field(default_factory=dict)

    def memory_mb(self, size: Size) -> float:
        """Peak resident memory of the step (MB)."""
        return self.mb + _sum(self.mb_per, size.amounts)

    def seconds(self, size: Size) -> float:
        """Time of one processor (s)."""
        return self.s + _sum(self.s_per, size.amounts)

    def files_mb(self, size: Size) -> float:
        """Results that are kept (MB), not a number where that is unknown."""
        return _sum(self.files_mb_per, size.amounts) if self.files_mb_per else math.nan


def _sum(rates: Mapping[str, float], amounts: Mapping[str, float]) -> float:
    return sum(rate * amounts.get(unit, 0.0) for unit, rate in rates.items())


def request_mb(peak_mb: float) -> int:
    """Memory to ask for (MB): a third more than the step's peak, and what Snakemake takes."""
    return max(MIN_MB, 50 * math.ceil((MEMORY_MARGIN * peak_mb + SNAKEMAKE_MB) / 50))


def request_minutes(seconds: float, max_minutes: float = math.inf) -> int:
    """Time to ask for (min)."""
    return int(min(max_minutes, max(MIN_MINUTES, math.ceil(TIME_MARGIN * seconds / 60))))
