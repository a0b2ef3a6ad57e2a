"""Masks of worms as people annotate them: label images, and one image a mask.

COCO files are read by :mod:`snakescope.healthspan.fine_tuning.coco`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.fine_tuning.label_stack import layers_in, worms_of_stack
from snakescope.imaging.frames import read_picture
from snakescope.imaging.masks import Instance, cropped
from snakescope.step.errors import StepError, SystemFault

FINER = 4
"""Masks are drawn so many times as large, and pooled, where they are brought to another scale."""


@dataclass
class Annotations:
    """The worms of one image, in its own pixels.

    Attributes:
        worms: masks of single worms.
        ignore: left, top, width, height of what has no single mask and may be worms (px).
        notes: what was found and done, a sentence each.
        stated: how many masks were given.
        dropped: of each that could not be used, why, in the same words for the same fault.
    """

    worms: list[Instance] = field(default_factory=list)
    ignore: list[tuple[float, float, float, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stated: int = 0
    dropped: list[str] = field(default_factory=list)


def read_label_image(path: str, shape: tuple[int, int]) -> Annotations:
    """Read a label image: 0 is ground, every other number a worm.

    An image of a single number, with several pieces, is taken for masks that lack numbers. A TIFF
    file may have several layers, so that worms overlap.

    Raises:
        StepError: no image, or one of another size than ``shape`` (Y, X).
    """
    found = Annotations()
    if (stack := layers_in(path)) is not None:
        found.worms, found.notes = worms_of_stack(path, stack, shape)
        return found
    labels = picture_of(path, shape)
    numbers = np.unique(labels[labels > 0])
    if len(numbers) == 1:
        count, pieces = cv2.connectedComponents((labels > 0).astype(np.uint8))
        if count > 2:
            labels, numbers = pieces, np.arange(1, count)
            found.notes.append(
                f"one number for all worms, taken for {count - 1} worms by what is connected; give"
                " each worm a number, or worms that touch are one"
            )
    for number in numbers:
        one = cropped(np.asarray(labels == number), 0, 0, 0, len(found.worms), 1.0)
        if one is not None:
            found.worms.append(one)
    return found


def read_single_masks(paths: Sequence[str], shape: tuple[int, int]) -> Annotations:
    """Read images of one mask each; worms may overlap. Unreadable ones are noted and left out.

    Raises:
        StepError: none can be read.
    """
    found = Annotations()
    for path in paths:
        try:
            mask = picture_of(path, shape) > 0
        except SystemFault:
            raise
        except StepError as error:
            found.notes.append(f"a mask is left out: {error}")
            continue
        one = cropped(np.asarray(mask), 0, 0, 0, len(found.worms), 1.0)
        if one is None:
            found.notes.append(f"{path}: a mask without a pixel, left out")
        else:
            found.worms.append(one)
    if paths and len(found.notes) == len(paths):
        raise StepError(found.notes[0].removeprefix("a mask is left out: "))
    return found


def picture_of(path: str, shape: tuple[int, int]) -> NDArray[Any]:
    """Read an image of labels of the size of its image (Y, X)."""
    labels = read_picture(path, labels=True)
    if labels.shape != shape:
        raise StepError(
            f"{path}: expected masks of the size of their image, {shape[1]} x {shape[0]} px, found"
            f" {labels.shape[1]} x {labels.shape[0]}; export them at that size"
        )
    return labels


def rescaled(
    worms: Sequence[Instance], shape: tuple[int, int], wanted: tuple[int, int]
) -> Iterator[Instance]:
    """Masks of an image of ``shape`` (Y, X) on that image resampled to ``wanted``.

    They are drawn :data:`FINER` times as large and pooled, so that their border is kept to a
    fraction of a pixel. Those of which nothing is left are left out.
    """
    if shape == wanted:
        yield from worms
        return
    scale = np.array([wanted[1] / shape[1], wanted[0] / shape[0]])
    for one in worms:
        first = np.floor(scale * (one.left, one.top)).astype(int) - 1
        last = np.ceil(scale * (one.right, one.bottom)).astype(int) + 1
        width, height = (last - first).tolist()
        # From the padded crop to the fine grid; whole numbers are centres of pixels.
        factor = scale * FINER
        shift = (np.array([one.left, one.top]) - 1 + 0.5) * factor - first * FINER - 0.5
        large = cv2.warpAffine(
            np.pad(one.mask.astype(np.uint8) * 255, 1),
            np.array([[factor[0], 0, shift[0]], [0, factor[1], shift[1]]]),
            (width * FINER, height * FINER),
            flags=cv2.INTER_LINEAR,
        )
        sharp = np.where(large >= 128, 255, 0).astype(np.uint8)
        small = cv2.resize(sharp, (width, height), interpolation=cv2.INTER_AREA) >= 128
        inner = small[
            max(-first[1], 0) : wanted[0] - first[1], max(-first[0], 0) : wanted[1] - first[0]
        ]
        left, top = np.maximum(first, 0).tolist()
        kept = cropped(np.asarray(inner), top, left, 0, one.identifier, 1.0)
        if kept is not None:
            yield kept
