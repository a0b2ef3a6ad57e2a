"""Where masks end at other thresholds, for a person to choose by eye.

What people draw as the border differs from one kind of truth to another by more than a pixel (docs,
healthspan-detection, No thinner than worms are), and the width that worms have settles a part of it
only. A look at a few worms decides it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.detection.border import Border, to_border
from snakescope.healthspan.detection.detections import SoftDetection, TileDetection
from snakescope.healthspan.detection.search import cut_objects
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.trial.objects import Found, Searched
from snakescope.imaging.masks import Instance, intersection

THRESHOLDS = (0.5, 0.4, 0.25, 0.15)
"""Tried beside the one that is set; 0.15 makes masks a fourth larger than 0.4 does."""

SHOWN = 6

Worm = tuple[Searched, Found, SoftDetection]
"""The frame, the worm as it is kept, and its mask before it was cut."""


def shown_worms(
    searched: Mapping[int, Searched], found: Mapping[int, Sequence[Found]]
) -> list[Worm]:
    """The surest kept worms of all frames, those that moved first."""
    worms = []
    for timepoint, objects in found.items():
        one = searched[timepoint]
        for each in objects:
            instance = each.instance
            soft = instance.soft if isinstance(instance, TileDetection) else None
            if soft is not None and not each.reason:
                worms.append((one, each, soft))
    worms.sort(key=lambda worm: (not worm[1].moved, -worm[1].instance.score))
    # A worm that lies still is shown once, not once a frame.
    apart: list[Worm] = []
    for worm in worms:
        if not any(intersection(worm[1].instance, one[1].instance) for one in apart):
            apart.append(worm)
    return apart[:SHOWN]


def at_threshold(worm: Worm, settings: DetectSettings, threshold: float) -> Instance:
    """The worm with its mask cut at another threshold; as it is where nothing reaches it."""
    one, each, soft = worm
    other = settings.model_copy(update={"mask_threshold": threshold, "score_threshold": 0.0})
    size = (one.picture.shape[0], one.picture.shape[1])
    cut = cut_objects([soft], size, one.timepoint, other)
    return cut[0] if cut and intersection(cut[0], each.instance) else each.instance


def as_now(worm: Worm, settings: DetectSettings, border: Border) -> Instance:
    """The worm with the mask that a run of its plate would give it."""
    one, each, _ = worm
    size = (one.picture.shape[0], one.picture.shape[1])
    kept = each.instance
    return to_border(kept, border, settings, size) if isinstance(kept, TileDetection) else kept


def borders(
    searched: Mapping[int, Searched],
    found: Mapping[int, Sequence[Found]],
    settings: DetectSettings,
    border: Border,
) -> list[tuple[str, list[tuple[NDArray[np.uint8], Instance]]]]:
    """Masks of some worms as they are now, and cut at each threshold, the highest first.

    Returns:
        The settings and the median area over that of now, and each worm's overlay (uint8, (Y, X))
        and mask; nothing without worms.
    """
    worms = shown_worms(searched, found)
    if not worms:
        return []
    pictures = [worm[0].picture for worm in worms]
    present = [as_now(worm, settings, border) for worm in worms]
    rows = []
    if border.wider_px:
        said = f"now: cut at {settings.mask_threshold:g} and {border.wider_px:g} px wider"
        rows.append((said, list(zip(pictures, present, strict=True))))
    for threshold in sorted({*THRESHOLDS, settings.mask_threshold}, reverse=True):
        masks = [at_threshold(worm, settings, threshold) for worm in worms]
        if threshold == settings.mask_threshold and not border.wider_px:
            said = f"now: cut at {threshold:g}"
        else:
            pairs = zip(masks, present, strict=True)
            share = float(np.median([mask.area / now.area for mask, now in pairs]))
            said = f"cut at {threshold:g}, {share:.2f} of the area of now"
        rows.append((said, list(zip(pictures, masks, strict=True))))
    return rows
