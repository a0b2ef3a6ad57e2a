"""Non-maximum suppression of the detections of overlapping tiles.

Tiles overlap by a margin, so that a worm at a seam is detected in two or more tiles and complete in
at least one. Of several detections of one worm, a complete one is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from snakescope.healthspan.detection.size_prior import SizePrior
from snakescope.imaging.masks import Instance, cropped, intersection

CUT_MARGIN_PX = 3
"""Masks this close to the border of their tile (px) may be incomplete."""


@dataclass(frozen=True)
class TileDetection(Instance):
    """A detection in one tile.

    Attributes:
        cut: whether it reaches the border of the tile, so that it may be incomplete.
    """

    cut: bool = False


def objects_of(
    output: dict[str, Tensor], top: int, left: int, timepoint: int, score_threshold: float
) -> list[TileDetection]:
    """Return the detections of one tile at (top, left) in plate coordinates, best first.

    Args:
        output: a torchvision Mask R-CNN's ``scores`` (n) and ``masks`` (n, 1, h, w) of a tile.
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
    """Detections that are kept, and their duplicates."""

    kept: list[TileDetection]
    duplicates: list[TileDetection]


def keep_distinct(
    objects: Sequence[TileDetection], max_overlap: float, usual: SizePrior | None = None
) -> Distinct:
    """Drop every detection that mostly overlaps an accepted one.

    Complete detections are accepted before incomplete ones. With a size prior of the frame, the
    most plausible are accepted first, so that one mask of two crossing worms does not suppress the
    masks of both. Without it, and among incomplete detections, the score times the square root of
    the area decides, which prefers the more complete one.

    Args:
        max_overlap: maximum intersection with an accepted detection, as a fraction of the smaller
            of the two areas.
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
