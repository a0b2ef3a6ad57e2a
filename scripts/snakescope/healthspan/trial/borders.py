"""Where masks end at other thresholds, for a person to choose by eye.

No rule finds the border that people draw: it differs from one kind of truth to another by more than
a pixel (docs, healthspan-detection, Width). A look at a few worms decides it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.detection.detect import cut_objects
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.detection.soft_masks import SoftDetection
from snakescope.healthspan.trial.objects import Found, Searched
from snakescope.imaging.masks import Instance, intersection

THRESHOLDS = (0.5, 0.4, 0.25, 0.15)
"""Tried beside the one that is set; 0.15 makes masks a fourth larger than 0.4 does."""

SHOWN = 6

Worm = tuple[Searched, Found, SoftDetection]
"""The frame, the worm as it is kept, and its mask before it was cut."""


def soft_of(one: Instance, soft: Sequence[SoftDetection]) -> SoftDetection | None:
    """The detection that an object was cut from; None if it is not there."""
    for each in soft:
        height, width = each.probability.shape
        inside = (
            each.top <= one.top
            and each.left <= one.left
            and one.bottom <= each.top + height
            and one.right <= each.left + width
        )
        if inside and each.score == one.score:
            return each
    return None


def shown_worms(
    searched: Mapping[int, Searched], found: Mapping[int, Sequence[Found]]
) -> list[Worm]:
    """The surest kept worms of all frames, those that moved first."""
    worms = []
    for timepoint, objects in found.items():
        one = searched[timepoint]
        for each in objects:
            soft = None if each.reason else soft_of(each.instance, one.soft)
            if soft is not None:
                worms.append((one, each, soft))
    worms.sort(key=lambda worm: (not worm[1].moved, -worm[1].instance.score))
    return worms[:SHOWN]


def at_threshold(worm: Worm, settings: DetectSettings, threshold: float) -> Instance:
    """The worm with its mask cut at another threshold; as it is where nothing reaches it."""
    one, each, soft = worm
    other = settings.model_copy(update={"mask_threshold": threshold, "score_threshold": 0.0})
    size = (one.picture.shape[0], one.picture.shape[1])
    cut = cut_objects([soft], size, one.timepoint, other)
    return cut[0] if cut and intersection(cut[0], each.instance) else each.instance


def borders(
    searched: Mapping[int, Searched],
    found: Mapping[int, Sequence[Found]],
    settings: DetectSettings,
) -> list[tuple[float, float, list[tuple[NDArray[np.uint8], Instance]]]]:
    """Masks of some worms at each threshold, the highest first.

    Returns:
        The threshold, the median area over that at the threshold that is set, and each worm's
        overlay (uint8, (Y, X)) and mask; nothing without worms.
    """
    worms = shown_worms(searched, found)
    if not worms:
        return []
    now = settings.mask_threshold
    areas = [at_threshold(worm, settings, now).area for worm in worms]
    rows = []
    for threshold in sorted({*THRESHOLDS, now}, reverse=True):
        masks = [at_threshold(worm, settings, threshold) for worm in worms]
        share = float(np.median([one.area / area for one, area in zip(masks, areas, strict=True)]))
        pictures = [worm[0].picture for worm in worms]
        rows.append((threshold, share, list(zip(pictures, masks, strict=True))))
    return rows
