"""What a successive halving trains, and what that costs. Free of numpy."""

from collections.abc import Sequence
from itertools import pairwise


def halving_plan(count: int, rungs: Sequence[int], kept: float = 0.5) -> list[int]:
    """How many settings are trained up to each rung."""
    numbers = [count]
    for _ in rungs[1:]:
        numbers.append(max(1, round(numbers[-1] * kept)))
    return numbers


def cost_of_halving(count: int, rungs: Sequence[int], seeds: int, kept: float = 0.5) -> int:
    """Optimiser steps of a successive halving: over rungs, settings times seeds times new steps."""
    new = [after - before for before, after in pairwise([0, *rungs])]
    plan = halving_plan(count, rungs, kept)
    return sum(n * steps for n, steps in zip(plan, new, strict=True)) * seeds
