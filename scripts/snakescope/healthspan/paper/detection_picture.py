"""A scene with the outlines of its worms: in truth, and as each method finds them (figure 13)."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snakescope.healthspan.evaluation.detection_scores import ignored
from snakescope.healthspan.training.detector_scores import match
from snakescope.healthspan.training.labelled_images import LabelledImage
from snakescope.imaging.masks import Instance
from snakescope.imaging.style import figure_style

FOUND, WRONG = (63, 143, 91), (209, 60, 50)
"""Colours (RGB) of worms that were found or are right, and of those missed or false."""
FINER = 2


def outlined(
    picture: NDArray[np.uint8], worms: Sequence[Instance], right: Sequence[bool]
) -> NDArray[np.uint8]:
    """The picture with outlines, uint8 (2 Y, 2 X, 3)."""
    large = cv2.resize(picture, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_LINEAR)
    canvas = np.repeat(np.asarray(large)[:, :, None], 3, axis=2).copy()
    for one, ok in zip(worms, right, strict=True):
        mask = np.repeat(np.repeat(one.mask.astype(np.uint8), FINER, 0), FINER, 1)
        offset = (one.left * FINER, one.top * FINER)
        outline, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=offset)
        cv2.drawContours(canvas, outline, -1, FOUND if ok else WRONG, FINER)
    return np.asarray(canvas, np.uint8)


def detection_picture(image: LabelledImage, ways: Mapping[str, Sequence[Instance]]) -> Figure:
    """A panel a method: green what it found, red what is false; worms that it missed are bare.

    Args:
        ways: the worms that each method found.
    """
    with figure_style():
        figure = Figure(figsize=(3.3 * (1 + len(ways)), 3.6), layout="constrained")
        axes = figure.subplots(1, 1 + len(ways))
        axes[0].imshow(outlined(image.picture, image.worms, [True] * len(image.worms)))
        axes[0].set_title(f"truth: {len(image.worms)} worms")
        for ax, (name, found) in zip(axes[1:], ways.items(), strict=True):
            # What lies on worms that the border cuts counts neither way.
            taken = {d for _, d, _ in match(image.worms, found).pairs}
            drawn = [k in taken or not ignored(one, image.ignore) for k, one in enumerate(found)]
            found = [one for one, shown in zip(found, drawn, strict=True) if shown]
            pairs = match(image.worms, found).pairs
            taken = {d for _, d, _ in pairs}
            ax.imshow(outlined(image.picture, found, [k in taken for k in range(len(found))]))
            ax.set_title(f"{name}: {len(pairs)} found, {len(found) - len(pairs)} others")
        for ax in axes:
            ax.set(xticks=[], yticks=[])
            ax.grid(False)
        return figure
