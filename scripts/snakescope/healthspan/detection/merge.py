"""From the detector's output on tiles to distinct objects of a frame.

Tiles are looked at with a margin, so a worm at a seam is seen by two or more of them, whole
by at least one. What two tiles see of one worm is one object: a view that shows it whole is
kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from snakescope.healthspan.detection.size_prior import SizePrior
from snakescope.imaging.masks import Instance, cropped, intersection

CUT_MARGIN_PX = 3
"""A mask that comes this near to the border of its view may go on beyond it."""


@dataclass(frozen=True)
class TileDetection(Instance):
    """An object as one view of the frame shows it.

    Attributes:
        cut: whether it reaches the border of that view, so that part of it may be missing.
    """

    cut: bool = False


def objects_of(
    output: dict[str, Tensor], top: int, left: int, timepoint: int, score_threshold: float
) -> list[TileDetection]:
    """The objects of one view at (top, left) in plate coordinates, the best first.

    Args:
        output: a torchvision Mask R-CNN's ``scores`` (n) and ``masks`` (n, 1, h, w) of a view.
    """
    found = []
    scores = output["scores"].cpu()
    height, width = output["masks"].shape[-2:]
    for index in torch.nonzero(scores >= score_threshold).flatten().tolist():
        mask = (output["masks"][index, 0] >= 0.5).cpu().numpy()
        one = cropped(mask, top, left, timepoint, 0, float(scores[index]))
        if one is not None:
            room = min(one.top - top, one.left - left)
            room = min(room, top + height - one.bottom, left + width - one.right)
            what = (one.timepoint, one.identifier, one.top, one.left, one.mask, one.score)
            found.append(TileDetection(*what, cut=room < CUT_MARGIN_PX))
    return found


@dataclass(frozen=True)
class Distinct:
    """Objects kept, and those dropped because they show what another one shows."""

    kept: list[TileDetection]
    duplicates: list[TileDetection]


def keep_distinct(
    objects: Sequence[TileDetection], max_overlap: float, usual: SizePrior | None = None
) -> Distinct:
    """Drop every object that mostly lies within an accepted one, or holds it.

    Objects that a view shows whole are accepted before those it cuts. Where it is known what the
    frame's worms are like, the most plausible are accepted first, so that a mask of two crossing
    worms does not take the place of the masks of each. Where it is not, or where all views cut
    them, score times the square root of the area decides: of two views the fuller one is right.

    Args:
        max_overlap: an object is a duplicate when it shares more than this part of its own
            area, or of the accepted one's, with it.
    """

    def merit(one: TileDetection) -> float:
        if usual is None or one.cut:
            return one.score * float(np.sqrt(one.area))
        return usual.plausibility(one)

    order = sorted(objects, key=lambda one: (one.cut, -merit(one), one.top, one.left))
    kept: list[TileDetection] = []
    duplicates: list[TileDetection] = []
    for one in order:
        same = any(
            intersection(one, other) > max_overlap * min(one.area, other.area) for other in kept
        )
        (duplicates if same else kept).append(one)
    return Distinct(kept, duplicates)
