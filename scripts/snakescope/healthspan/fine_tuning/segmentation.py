"""Segmentations of COCO files as masks: polygons, and run lengths, plain or compressed."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from snakescope.healthspan.fine_tuning.polygons import filled

Origin = Literal["corner", "centre"]
BEYOND_PX = 2.0
"""A polygon may reach so far out of its image, as drawing programs let it."""

FARTHEST_PX = 100_000
"""Whoever draws a polygon needs memory for the whole length of its sides."""

FEWEST = 6
"""Numbers of a polygon of three corners."""


def polygons_in(segmentation: Sequence[Any]) -> list[Sequence[float]]:
    """Polygons, be they one list of numbers or a list of such."""
    flat = segmentation and all(isinstance(one, (int, float)) for one in segmentation)
    return [segmentation] if flat else list(segmentation)


def drawn(
    segmentation: Any, shape: tuple[int, int], origin: Origin = "corner"
) -> tuple[NDArray[np.bool_], bool]:
    """The mask (Y, X) of polygons, or of run lengths, plain or compressed, and whether it was cut.

    A plain list of numbers is a polygon, or run lengths where it fills the image.

    Raises:
        ValueError: an empty segmentation, or run lengths of a smaller size.
    """
    height, width = shape
    if isinstance(segmentation, list) and segmentation and not isinstance(segmentation[0], list):
        whole = all(isinstance(one, int) and one >= 0 for one in segmentation)
        if whole and sum(segmentation) == height * width:
            segmentation = {"size": [height, width], "counts": segmentation}
    if isinstance(segmentation, list):
        polygons = [
            [float(value) for value in one[: len(one) // 2 * 2]]
            for one in polygons_in(segmentation)
            if len(one) >= FEWEST
        ]
        if not polygons:
            raise ValueError("no polygon of three corners")
        if origin == "centre":
            polygons = [[value + 0.5 for value in one] for one in polygons]
        corners = np.concatenate(polygons)
        if not np.isfinite(corners).all():
            raise ValueError("corners that are no numbers")
        if np.abs(corners).max() > FARTHEST_PX:
            raise ValueError("corners far out of the image")
        return filled(polygons, shape), _reaches_out(polygons, shape)
    return _of_runs(segmentation, shape)


def _of_runs(segmentation: Any, shape: tuple[int, int]) -> tuple[NDArray[np.bool_], bool]:
    rows, columns = (int(side) for side in segmentation["size"])
    if rows < shape[0] or columns < shape[1]:
        raise ValueError(
            f"run lengths of {columns} x {rows} px, less than the image's {shape[1]} x {shape[0]}"
        )
    counts = segmentation["counts"]
    if isinstance(counts, (str, bytes)):
        counts = _uncompressed(counts)
    # What does not fill the image is decoded without a complaint, and the rest is left to chance.
    if sum(counts) != rows * columns or min(counts) < 0:
        raise ValueError("run lengths that do not fill the image")
    coded = {"size": [rows, columns], "counts": counts}
    mask = np.asarray(coco_mask.decode(coco_mask.frPyObjects(coded, rows, columns)), bool)
    return mask[: shape[0], : shape[1]], mask.shape != shape


def _uncompressed(counts: str | bytes) -> list[int]:
    """Return run lengths that COCO compressed: five bits a letter, differences from the third on.

    Raises:
        IndexError: the last one is cut off.
    """
    text = counts.encode() if isinstance(counts, str) else counts
    found: list[int] = []
    place = 0
    while place < len(text):
        value = bits = 0
        more = True
        while more:
            letter = text[place] - 48
            value |= (letter & 31) << bits
            more = bool(letter & 32)
            place, bits = place + 1, bits + 5
        if letter & 16:
            value -= 1 << bits
        found.append(value + (found[-2] if len(found) > 2 else 0))
    return found


def _reaches_out(polygons: Sequence[Sequence[float]], shape: tuple[int, int]) -> bool:
    corners = np.concatenate([np.asarray(one, float).reshape(-1, 2) for one in polygons])
    low, high = corners.min(axis=0), corners.max(axis=0)
    return bool(
        min(low) < -BEYOND_PX or high[0] > shape[1] + BEYOND_PX or high[1] > shape[0] + BEYOND_PX
    )
