"""The schedule of a series: usual time between images, days without images, gaps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from snakescope.healthspan.plates.gaps import WIDE

HAND_H = 20.0
"""Usual interval (h) from which on a person takes the images: days off are then no fault."""
WIDEST_BRIDGE = 5.0
"""Longest gap, in usual intervals, that composites are proposed to bridge."""


@dataclass(frozen=True)
class Schedule:
    """A schedule.

    Attributes:
        times_h: of the timepoints (h), ascending.
        usual_h: usual time between them; None for fewer than two.
        gaps: time before and after every gap (h).
        scheduled: whether gaps are frames that are missing, rather than days off.
    """

    times_h: tuple[float, ...]
    usual_h: float | None
    gaps: tuple[tuple[float, float], ...]
    scheduled: bool

    @property
    def bridge_h(self) -> float:
        """The farthest neighbour to propose (h): as far as the widest gap that is no long break."""
        steps = [after - before for before, after in pairwise(self.times_h)]
        usual = self.usual_h or 0.0
        near = [step for step in steps if step <= WIDEST_BRIDGE * usual]
        return float(math.ceil(1.1 * max(near, default=usual)))

    def said(self, first_h: float = 0.0) -> str:
        """Return the schedule in words; ``first_h`` is the time that names give to the first."""
        count = len(self.times_h)
        if self.usual_h is None:
            return f"{count} timepoint"
        by_day = self.usual_h >= HAND_H
        unit, size = ("day", 24.0) if by_day else ("h", 1.0)
        start, end = ((first_h + self.times_h[k]) / size for k in (0, -1))
        span = f"days {start:g} to {end:g}" if by_day else f"{start:g} to {end:g} h"
        if not self.gaps:
            return f"{count} timepoints, {span}, every {self.usual_h:g} h, no gap"
        shown = [
            _between((first_h + before) / size, (first_h + after) / size, self.usual_h / size)
            for before, after in self.gaps[:6]
        ]
        more = f" and {len(self.gaps) - 6} more" if len(self.gaps) > 6 else ""
        where = f"{unit} {', '.join(shown)}{more}" if by_day else f"{', '.join(shown)}{more} h"
        return f"{count} timepoints, {span}, every {self.usual_h:g} h; no image at {where}"


def _between(before: float, after: float, step: float) -> str:
    """Return the scheduled times between two, such as 9 to 10."""
    first, last = before + step, after - step
    # Times off the schedule by some minutes are told by the whole step.
    if step >= 1:
        first, last = round(first), round(last)
    return f"{first:g}" if last <= first else f"{first:g} to {last:g}"


def schedule_of(times_h: Sequence[float]) -> Schedule:
    """Describe the times of a series (h), ascending and relative to the first."""
    times = tuple(times_h)
    steps = [after - before for before, after in pairwise(times)]
    if not steps:
        return Schedule(times, None, (), False)
    usual = median(steps)
    # Minutes that an instrument starts late, and hours of a person, are no part of the schedule.
    unit = 24.0 if usual >= HAND_H else 1 / 12
    usual = max(1, round(usual / unit)) * unit if usual >= unit else usual
    gaps = [pair for pair in pairwise(times) if pair[1] - pair[0] > WIDE * usual]
    return Schedule(times, usual, tuple(gaps), usual < HAND_H)


def looks_like_days(numbers: Sequence[int]) -> bool:
    """Return whether numbers without a unit are days: working days with weekends between.

    Args:
        numbers: ascending, each once.
    """
    if len(numbers) < 4 or numbers[-1] > 90:
        return False
    gaps = [after - before for before, after in pairwise(numbers)]
    breaks = [k for k, gap in enumerate(gaps) if gap == 3]
    week = [numbers[after] - numbers[before] for before, after in pairwise(breaks)]
    return len(breaks) >= 1 and all(one % 7 == 0 for one in week) and max(gaps) <= 8
