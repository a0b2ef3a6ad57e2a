"""Gaps in a series of images whose schedule nobody stated: told, not filled."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

FEWEST = 4
"""Timepoints from which on an interval counts as usual."""
WIDE = 1.6
"""Usual intervals from which on a gap is told: where one image is missing it is two."""


def widest_gap(times_h: Sequence[float]) -> tuple[int, float, float, int] | None:
    """Find where images are likely to be missing.

    Args:
        times_h: of the timepoints (h), ascending.

    Returns:
        Index of the timepoint before the widest gap, its width (h), the usual interval (h), and
        the number of such gaps; None where there is none.
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
