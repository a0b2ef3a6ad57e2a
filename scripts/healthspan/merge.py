"""From the detector's output on tiles to distinct objects of a frame.

Tiles are looked at with a margin, so a worm at a seam is seen by two or more of them, whole
by at least one. What two tiles see of one worm is one object: the fuller view is kept.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from healthspan.likeness import Likeness
from imaging.masks import Instance, cropped, intersection


def objects_of(
    output: dict[str, Tensor], top: int, left: int, timepoint: int, score_threshold: float
) -> list[Instance]:
    """The objects of one tile at (top, left) in plate coordinates, the best first.

    Args:
        output: a torchvision Mask R-CNN's ``scores`` (n) and ``masks`` (n, 1, h, w) of a tile.
    """
    found = []
    scores = output["scores"].cpu()
    for index in torch.nonzero(scores >= score_threshold).flatten().tolist():
        mask = (output["masks"][index, 0] >= 0.5).cpu().numpy()
        instance = cropped(mask, top, left, timepoint, 0, float(scores[index]))
        if instance is not None:
            found.append(instance)
    return found


@dataclass(frozen=True)
class Distinct:
    """Objects kept, and those dropped because they show what another one shows."""

    kept: list[Instance]
    duplicates: list[Instance]


def keep_distinct(
    objects: list[Instance], greatest_overlap: float, usual: Likeness | None = None
) -> Distinct:
    """Drop every object that mostly lies within an accepted one, or holds it.

    Where it is known what the frame's worms are like, the most plausible objects are accepted
    first, so that a mask of two crossing worms does not take the place of the masks of each.
    Where it is not, objects are taken by score times the square root of their area, since of
    two views of one worm the fuller one is right.

    Args:
        greatest_overlap: an object is a duplicate when it shares more than this part of its own
            area, or of the accepted one's, with it.
    """

    def merit(one: Instance) -> float:
        return usual.plausibility(one) if usual else one.score * float(np.sqrt(one.area))

    order = sorted(objects, key=lambda one: (-merit(one), one.top, one.left))
    kept: list[Instance] = []
    duplicates: list[Instance] = []
    for one in order:
        same = any(
            intersection(one, other) > greatest_overlap * min(one.area, other.area)
            for other in kept
        )
        (duplicates if same else kept).append(one)
    return Distinct(kept, duplicates)
