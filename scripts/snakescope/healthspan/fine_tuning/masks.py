"""Masks of worms as people annotate them: label images, one image a mask, COCO files."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from snakescope.imaging.frames import read_picture
from snakescope.imaging.masks import Instance, cropped
from snakescope.step.errors import StepError, SystemFault

FINER = 4
"""Masks are drawn so many times as large, and pooled, where they are brought to another scale."""

BEYOND_PX = 2.0
"""A polygon may reach so far out of its image, as drawing programs let it."""


@dataclass
class Annotations:
    """The worms of one image, in its own pixels.

    Attributes:
        worms: masks of single worms.
        ignore: left, top, width, height of what has no single mask and may be worms (px).
        notes: what was found and done, a sentence each.
    """

    worms: list[Instance] = field(default_factory=list)
    ignore: list[tuple[float, float, float, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_label_image(path: str, shape: tuple[int, int]) -> Annotations:
    """Read a label image: 0 is ground, every other number a worm.

    An image of a single number, with several pieces, is taken for masks that lack numbers.

    Raises:
        StepError: no image, or one of another size than ``shape`` (Y, X).
    """
    labels = picture_of(path, shape)
    found = Annotations()
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


@lru_cache(maxsize=2)
def read_coco(path: str) -> dict[str, Sequence[Mapping[str, Any]]]:
    """Read a COCO file: the annotations of every image, by its ``file_name``.

    Raises:
        StepError: no such file, or none with images and annotations.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        names = {str(one["file_name"]): one["id"] for one in content["images"]}
        by_image: dict[Any, list[Mapping[str, Any]]] = {}
        for note in content["annotations"]:
            by_image.setdefault(note["image_id"], []).append(note)
    except FileNotFoundError:
        raise StepError(f"{path}: expected a COCO file, found no such file") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StepError(
            f"{path}: expected a COCO file with images and annotations, found something else"
            f" ({type(error).__name__}: {error}); export it as COCO instance segmentation"
        ) from None
    return {name: by_image.get(identifier, []) for name, identifier in names.items()}


def of_coco(
    path: str, notes: Mapping[str, Sequence[Mapping[str, Any]]], image: str, shape: tuple[int, int]
) -> Annotations:
    """The worms of one image of a COCO file, which names it by its path or by its file name.

    Raises:
        StepError: the file does not name the image, or two images so.
    """
    named = [one for one in notes if Path(one).name == Path(image).name]
    exact = [one for one in named if Path(image).as_posix().endswith(one)]
    chosen = exact if len(exact) == 1 else named
    if len(chosen) != 1:
        raise StepError(
            f"{path}: expected {Path(image).name} once among its images, found it"
            f" {len(chosen)} times; correct file_name"
        )
    found = Annotations()
    for number, note in enumerate(notes[chosen[0]], start=1):
        what = f"annotation {note.get('id', number)}"
        try:
            box = note.get("bbox")
            if note.get("iscrowd") and box:
                left, top, width, height = (float(side) for side in box)
                found.ignore.append((left, top, width, height))
                continue
            mask = drawn(note["segmentation"], shape)
            if _reaches_out(note["segmentation"], shape):
                found.notes.append(f"{what} reaches out of the image and is cut at its border")
        except (KeyError, ValueError, TypeError, IndexError) as error:
            reason = f"{type(error).__name__}: {error}"
            found.notes.append(f"{what} has no polygon or run lengths ({reason}), left out")
            continue
        one = cropped(mask, 0, 0, 0, len(found.worms), 1.0)
        if one is None:
            found.notes.append(f"{what} has no pixel on the image, left out")
        else:
            found.worms.append(one)
    return found


def drawn(segmentation: Any, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The mask (Y, X) of polygons, or of run lengths, plain or compressed, as COCO draws it.

    Raises:
        ValueError: an empty segmentation, or run lengths of another size.
    """
    height, width = shape
    if isinstance(segmentation, list):
        polygons = [[float(v) for v in one] for one in segmentation if len(one) >= 6]
        if not polygons:
            raise ValueError("no polygon of three corners")
        coded = coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))
    else:
        if list(segmentation["size"]) != [height, width]:
            raise ValueError(f"run lengths of size {segmentation['size']}, not {[height, width]}")
        counts = segmentation["counts"]
        coded = segmentation if isinstance(counts, (str, bytes)) else None
        if coded is None:
            if sum(counts) != height * width:
                raise ValueError("run lengths that do not fill the image")
            coded = coco_mask.frPyObjects(dict(segmentation), height, width)
    return np.asarray(coco_mask.decode(coded), bool)


def _reaches_out(segmentation: Any, shape: tuple[int, int]) -> bool:
    if not isinstance(segmentation, list):
        return False
    corners = np.concatenate([np.asarray(one, float).reshape(-1, 2) for one in segmentation])
    low, high = corners.min(axis=0), corners.max(axis=0)
    return bool(
        min(low) < -BEYOND_PX or high[0] > shape[1] + BEYOND_PX or high[1] > shape[0] + BEYOND_PX
    )


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
