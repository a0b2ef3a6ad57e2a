"""What a job asks a cluster for, by what its step was measured to take."""

import math

SNAKEMAKE_MB = 300
"""The two Snakemake processes of a job, beside its step: sacct saw 150 MB of each (MB)."""

LEAST_MB = 500

MEMORY_MARGIN = 1.33
TIME_MARGIN = 6
"""Slower processors and file systems, and others at work on them, than in the measurement."""


def asked_mb(peak_mb: float) -> int:
    """Memory to ask for (MB): a third more than the step's peak, and what Snakemake takes."""
    return max(LEAST_MB, 50 * math.ceil((MEMORY_MARGIN * peak_mb + SNAKEMAKE_MB) / 50))
