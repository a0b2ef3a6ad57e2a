"""Detection of gaps in a series of images without a stated schedule."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

FEWEST = 4
"""Minimum number of timepoints for an estimate of the usual interval."""
WIDE = 1.6
"""Minimum width of a gap in usual intervals; one missing image makes a gap of two."""


def widest_gap(times_h: Sequence[float]) -> tuple[int, float, float, int] | None:
    """Find the widest gap in a series of times.

    Args:
        times_h: of the timepoints (h), ascending.

    Returns:
        Index of the timepoint before the widest gap, its width (h), the usual interval (h), and
        the number of gaps; None without a gap.
    """
    if len(times_h) < FEWEST:
        return None
    steps = [after - before for before, after in pairwise(times_h)]
    usual = median(steps)
    wide = [index for index, step in enumerate(steps) if step > WIDE * usual]
    if not wide:
        return None
    index = max(wide, key=lambda one: steps[one])
    return index, steps[index], usual, len(wide)
