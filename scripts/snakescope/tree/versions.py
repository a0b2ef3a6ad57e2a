"""Versions of steps (until rules ask their tree)."""

from snakescope.healthspan.steps import STEPS as HEALTHSPAN
from snakescope.neurites.steps import STEPS as NEURITES

STEPS = {"healthspan": HEALTHSPAN, "neurites": NEURITES}


def version_of(tree: str, step: str) -> int:
    """Version of the results of a step."""
    return STEPS[tree][step].version
