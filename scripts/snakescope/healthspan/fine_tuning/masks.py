"""Masks of worms as people annotate them: label images, stacks of them, and one image a mask.

A label image has one number a pixel, so that of two worms that cross one would be cut. In a stack,
as napari opens and writes it, such worms have layers of their own.

COCO files are read by :mod:`snakescope.healthspan.fine_tuning.coco`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from snakescope.imaging.frames import read_picture
from snakescope.imaging.masks import Instance, cropped, intersection
from snakescope.step.errors import StepError, SystemFault

FINER = 4
"""Masks are drawn so many times as large, and pooled, where they are brought to another scale."""

TIFFS = (".tif", ".tiff")
LABELS_DTYPE = np.uint16


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


def label_stack(
    worms: Sequence[Instance], numbers: Sequence[int], shape: tuple[int, int]
) -> NDArray[np.uint16]:
    """Return the masks of an image as labels (layers, Y, X), each on the first layer that is free.

    Args:
        numbers: the label of each worm, from 1 on.
        shape: of the image (Y, X).
    """
    layers: list[list[int]] = [[]]
    for place, one in enumerate(worms):
        for layer in layers:
            if not any(intersection(one, worms[other]) for other in layer):
                layer.append(place)
                break
        else:
            layers.append([place])
    stack = np.zeros((len(layers), *shape), LABELS_DTYPE)
    for plane, layer in zip(stack, layers, strict=True):
        for place in layer:
            one = worms[place]
            plane[one.top : one.bottom, one.left : one.right][one.mask] = numbers[place]
    return stack


def write_label_stack(path: Path, stack: NDArray[np.uint16]) -> None:
    """Write labels (layers, Y, X), of one layer as a plain label image."""
    single = stack[0] if len(stack) == 1 else stack
    axes = "YX" if len(stack) == 1 else "ZYX"
    tifffile.imwrite(path, single, compression="zlib", metadata={"axes": axes})


def layers_in(path: str) -> NDArray[np.integer] | None:
    """Return the labels (layers, Y, X) of a TIFF file of several layers; None of any other file."""
    if Path(path).suffix.lower() not in TIFFS:
        return None
    try:
        with tifffile.TiffFile(path) as file:
            (series,) = file.series
            wide = [size for size in series.shape if size > 1]
            if len(wide) != 3 or {"S", "C"} & set(series.axes):
                return None
            stack = series.asarray().reshape(wide)
    # Of a damaged file whoever reads it as one picture says what is wrong.
    except Exception:
        return None
    return stack if np.issubdtype(stack.dtype, np.integer) else None


def worms_of_stack(
    path: str, stack: NDArray[np.integer], shape: tuple[int, int]
) -> tuple[list[Instance], list[str]]:
    """Return the worms of a stack of labels, and what is to be known of them.

    The same number on two layers is one worm where its pieces touch or overlap, as when it was
    painted on the layer that happened to be shown; else two worms, as of layers that each count
    from 1.

    Raises:
        StepError: the layers have another size than the image.
    """
    if stack.shape[1:] != shape:
        raise StepError(
            f"{path}: expected layers of labels of the size of their image, {shape[1]} x"
            f" {shape[0]} px, found {stack.shape[2]} x {stack.shape[1]}; export them at that size"
        )
    worms: list[Instance] = []
    notes = []
    for number in np.unique(stack[stack > 0]).tolist():
        pieces: list[NDArray[np.bool_]] = []
        joined = 0
        for plane in stack == number:
            if not plane.any():
                continue
            touching = [k for k, one in enumerate(pieces) if (_wider(one) & plane).any()]
            for k in reversed(touching):
                plane = plane | pieces.pop(k)
            joined += len(touching)
            pieces.append(plane)
        if joined:
            notes.append(f"worm {number} has pieces on several layers, taken for one worm")
        if len(pieces) > 1:
            notes.append(f"label {number} is {len(pieces)} worms, apart on several layers")
        found = (cropped(one, 0, 0, 0, len(worms) + k, 1.0) for k, one in enumerate(pieces))
        worms += [one for one in found if one is not None]
    return worms, notes


def _wider(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask with the pixels beside, above and below it."""
    made = mask.copy()
    made[1:] |= mask[:-1]
    made[:-1] |= mask[1:]
    made[:, 1:] |= mask[:, :-1]
    made[:, :-1] |= mask[:, 1:]
    return made
