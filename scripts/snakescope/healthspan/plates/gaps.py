"""Detection of gaps in a series of images without a stated schedule."""

import math
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


def beyond_neighbours(times_h: Sequence[float], max_gap_h: float) -> list[str]:
    """Return a note where the schedule exceeds the farthest neighbour of a composite.

    Args:
        times_h: of the timepoints (h), ascending; max_gap_h: farthest neighbour (h).
    """
    steps = [after - before for before, after in pairwise(times_h)]
    wide = [step for step in steps if step > max_gap_h]
    if not wide:
        return []
    alone = sum(
        before > max_gap_h and after > max_gap_h
        for before, after in pairwise([float("inf"), *steps, float("inf")])
    )
    lost = f"; at {alone} timepoints no worm gets a state for it" if alone else ""
    return [
        f"{len(wide)} of {len(steps)} steps between images, up to {max(wide):g} h, are longer than"
        f" {max_gap_h:g} h (states: composite: max_gap_h), so images across them are not compared"
        f"{lost}; set max_gap_h to {math.ceil(1.1 * max(wide)):g}"
    ]
