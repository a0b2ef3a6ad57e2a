"""Masks that overlap as a stack of label images, as napari opens and writes them.

A label image has one number a pixel, so that of two worms that cross one would be cut. In a stack
such worms have layers of their own.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from snakescope.imaging.masks import Instance, cropped, intersection
from snakescope.step.errors import StepError

TIFFS = (".tif", ".tiff")
LABELS_DTYPE = np.uint16


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
