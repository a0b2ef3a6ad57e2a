"""Pictures of held-out images: what was found before and after, beside what is annotated."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.training.detector_scores import match
from snakescope.healthspan.training.labelled_images import LabelledImage
from snakescope.imaging.masks import Instance
from snakescope.imaging.overlays import outlined

RIGHT, FALSE, MISSED = "#56b4e9", "#f0a500", "#ff5fa8"
KEYS = (
    ("found (IoU of 0.5 or more with an annotated worm)", RIGHT),
    ("found, no annotated worm", FALSE),
    ("annotated, not found", MISSED),
)
"""Meaning of the colours, which differ in lightness for those who do not tell hues."""

MAX_PX = 1400
"""Longest side of a panel (px)."""
HEAD_PX, GAP_PX = 30, 8


def panel(image: LabelledImage, found: Sequence[Instance], title: str) -> NDArray[np.uint8]:
    """An image with outlines and a line of counts above, uint8 (Y, X, 3)."""
    height, width = image.picture.shape
    scale = float(np.clip(MAX_PX / max(height, width), 0.25, 2.0))
    size = (round(width * scale), round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    grey = cv2.resize(image.picture, size, interpolation=how)
    drawn = np.repeat(np.asarray(grey, np.uint8)[:, :, None], 3, axis=2)
    pairs = match(image.worms, found).pairs
    right, seen = {number for _, number, _ in pairs}, {truth for truth, _, _ in pairs}
    groups: tuple[tuple[str, list[Instance]], ...] = (
        (RIGHT, [one for k, one in enumerate(found) if k in right]),
        (FALSE, [one for k, one in enumerate(found) if k not in right]),
        (MISSED, [one for k, one in enumerate(image.worms) if k not in seen]),
    )
    for colour, members in groups:
        drawn = outlined(drawn, members, {}, colour, scale=scale, thickness=1 if scale < 1.5 else 2)
    head = np.full((HEAD_PX, drawn.shape[1], 3), 255, np.uint8)
    text = (
        f"{title}: {len(seen)} of {len(image.worms)} worms found, {len(found) - len(right)} false"
    )
    wide = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.55, 1)[0][0]
    letters = 0.55 * min(1.0, (head.shape[1] - 8) / wide)
    cv2.putText(
        head, text, (4, 21), cv2.FONT_HERSHEY_SIMPLEX, letters, (30, 30, 30), 1, cv2.LINE_AA
    )
    return np.vstack([head, drawn])


def before_and_after(
    image: LabelledImage, found: Mapping[str, Sequence[Instance]]
) -> NDArray[np.uint8]:
    """Panels of an image side by side, or below each other where it is wide."""
    panels = [panel(image, worms, f"{image.name}, {name}") for name, worms in found.items()]
    height, width = panels[0].shape[:2]
    beside = width < 1.6 * height
    gap = (height, GAP_PX, 3) if beside else (GAP_PX, width, 3)
    space = np.full(gap, 255, np.uint8)
    parts = [panels[0], *(part for one in panels[1:] for part in (space, one))]
    return np.concatenate(parts, axis=1 if beside else 0)
