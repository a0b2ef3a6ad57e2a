"""How a worm was found: at the first look, or at the second."""

from dataclasses import replace
from pathlib import Path

from snakescope.healthspan.detection.candidates import FIRST_CANDIDATE
from snakescope.healthspan.registration.registered_pages import timepoints_of
from snakescope.imaging.masks import INSTANCES_PER_TIMEPOINT, Instance, MaskSet, read_masks

FIRST_COPY = FIRST_CANDIDATE + INSTANCES_PER_TIMEPOINT // 4
"""Identifiers of masks taken from a neighbour frame begin here, beyond those of candidates."""

CANDIDATE, NEIGHBOUR = "candidate", "neighbour"


def way_of(identifier: int) -> str:
    """How a mask was found: ``candidate``, ``neighbour``, or empty at the first look."""
    number = identifier % INSTANCES_PER_TIMEPOINT
    return NEIGHBOUR if number >= FIRST_COPY else CANDIDATE if number >= FIRST_CANDIDATE else ""


def sightings_beside(masks: str | Path) -> list[Instance]:
    """Read the masks of the second look at a block, without those of the frames next to it.

    They lie beside the masks of the first, and are no inputs of jobs of their own: states, which
    need them, are. Results without a second look have none.

    Args:
        masks: the block's ``masks/<block>.json``.
    """
    path = Path(masks)
    again = path.parent.with_name("second_look") / path.name
    if not again.exists():
        return []
    block = timepoints_of(path)
    return [one for one in read_masks(again).instances if one.timepoint in block]


def all_masks(path: str | Path) -> MaskSet:
    """Read the masks of a block, those of the second look among them, see above."""
    masks = read_masks(path)
    return replace(masks, instances=(*masks.instances, *sightings_beside(path)))
