"""Non-maximum suppression of the detections of overlapping tiles.

Tiles overlap by a margin, so that a worm at a seam is detected in two or more tiles and complete in
at least one. Of several detections of one worm, a complete one is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from snakescope.healthspan.detection.detections import TileDetection
from snakescope.healthspan.detection.size_prior import SizePrior
from snakescope.imaging.masks import Instance, intersection, on_shared_box

MAX_COVERED = 0.75
"""Share of a mask on all the accepted ones together from which on it is made of pieces of them:
half of one and half of the other of two worms that cross."""


@dataclass(frozen=True)
class Distinct:
    """Detections that are kept, and their duplicates."""

    kept: list[TileDetection]
    duplicates: list[TileDetection]


def largest_piece(instance: TileDetection) -> TileDetection:
    """Return an instance without small components apart from its largest one."""
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(
        instance.mask.astype(np.uint8), connectivity=8
    )
    if count <= 2:
        return instance
    # The mask of a worm that another one crosses may consist of two halves.
    areas = statistics[1:, cv2.CC_STAT_AREA]
    kept = 1 + np.flatnonzero(areas >= 0.2 * areas.max())
    mask = np.isin(labels, kept)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    inner = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return replace(
        instance, top=instance.top + int(rows[0]), left=instance.left + int(columns[0]), mask=inner
    )


def on_frame(instance: TileDetection, height: int, width: int) -> TileDetection:
    """Clip an instance to the frame."""
    top, left = max(instance.top, 0), max(instance.left, 0)
    bottom, right = min(instance.bottom, height), min(instance.right, width)
    inner = instance.mask[
        top - instance.top : max(bottom, top) - instance.top,
        left - instance.left : max(right, left) - instance.left,
    ]
    return replace(instance, top=top, left=left, mask=inner)


def keep_distinct(
    objects: Sequence[TileDetection], max_overlap: float, usual: SizePrior | None = None
) -> Distinct:
    """Drop every detection that mostly overlaps an accepted one, or several taken together.

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
        same = same or covered(one, kept) > MAX_COVERED * one.area
        (duplicates if same else kept).append(one)
    return Distinct(kept, duplicates)


def covered(one: Instance, others: Sequence[Instance]) -> int:
    """Return how many pixels of an instance lie on any of the others."""
    under = replace(one, mask=np.zeros_like(one.mask))
    for other in others:
        if both := on_shared_box(under, other):
            both[0][...] |= both[1]
    return intersection(one, under)
