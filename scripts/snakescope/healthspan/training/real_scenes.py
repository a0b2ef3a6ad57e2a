"""Training scenes from real images with masks: cut to scenes, with crossings pasted into them.

A real body whose mask is known can be laid across another one: crossings cost no labels.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.detection.channel_overlay import GROUND
from snakescope.healthspan.training.detector_examples import Scene
from snakescope.healthspan.training.labelled_images import (
    Box,
    LabelledImage,
    coco_images,
    quantworm_gender,
    quantworm_length,
)
from snakescope.imaging.masks import Instance, cropped
from snakescope.step.progress import progress

TRAIN_SETS = ("quantworm_gender", "quantworm_length", "hilariie_mating")
"""Sets of which images are marked for training: plates 1 to 3; 1, 2, 6 and 7; all."""

TRAIN_LICENCES = (
    (
        "QuantWorm, WormGender plates 1 to 3 (Labocha et al. 2015), automatic masks",
        "MIT, weiweizhong2020/QuantWorm",
    ),
    (
        "QuantWorm, WormLength plates 1, 2, 6, 7 (Jung et al. 2014), automatic masks",
        "MIT, weiweizhong2020/QuantWorm",
    ),
    (
        "frames of mating worms, polygons drawn by hand and thinned",
        "MIT, hilariie/C-elegans-tracker",
    ),
)
"""What they are, and their licences, for model cards."""

LARGEST_OF_USUAL = 1.7
"""Labels of more than so many usual areas are two worms that an automatic tool took for one."""


def train_images(worms: Path) -> Iterator[LabelledImage]:
    """The real images that shipped weights may be trained on, from the folder ``worms``."""
    if (worms / "quantworm_gender").is_dir():
        yield from quantworm_gender(worms / "quantworm_gender", (1, 2, 3))
    if (worms / "quantworm_length").is_dir():
        yield from quantworm_length(worms / "quantworm_length", (1, 2, 6, 7))
    folder = worms / "hilariie_mating"
    if folder.is_dir():
        names = {path.name: 0.6 for path in sorted(folder.glob("*.jpg"))}
        for image in coco_images(folder, names, exhaustive=True):
            # Drawn 20 to 40 % too wide: one pixel on either side.
            yield with_thinner_masks(image)


def with_thinner_masks(image: LabelledImage) -> LabelledImage:
    """The image, a pixel taken off either side of its masks."""
    thin = []
    for one in image.worms:
        padded = np.pad(one.mask.astype(np.uint8), 1)
        mask = cv2.erode(padded, np.ones((3, 3), np.uint8)).astype(bool)
        kept = cropped(mask, one.top - 1, one.left - 1, 0, one.identifier, 1.0)
        if kept is not None:
            thin.append(kept)
    return LabelledImage(image.name, image.group, image.picture, thin, ignore=image.ignore)


def cut_instance(one: Instance, top: int, left: int, size: int) -> Instance | None:
    """An instance on a scene of ``size`` at (top, left); None if it is not on it."""
    t, lf = max(one.top, top), max(one.left, left)
    b, r = min(one.bottom, top + size), min(one.right, left + size)
    if t >= b or lf >= r:
        return None
    inner = one.mask[t - one.top : b - one.top, lf - one.left : r - one.left]
    return cropped(inner, t - top, lf - left, 0, one.identifier, 1.0)


def without_unlabelled(
    image: LabelledImage, largest: float = LARGEST_OF_USUAL
) -> tuple[NDArray[np.uint8], list[Instance]]:
    """The picture with what has no label painted over by the ground, and its labels.

    Labels of more than ``largest`` usual areas count as none.
    """
    worms, hidden = list(image.worms), list(image.ignore)
    if worms:
        usual = float(np.median([one.area for one in worms]))
        for one in worms:
            if one.area > largest * usual:
                hidden.append((one.left, one.top, one.mask.shape[1], one.mask.shape[0]))
        worms = [one for one in worms if one.area <= largest * usual]
    picture = image.picture.copy()
    keep = np.zeros(picture.shape, np.uint8)
    for one in worms:
        keep[one.top : one.bottom, one.left : one.right] |= one.mask.astype(np.uint8)
    keep = np.asarray(cv2.dilate(keep, np.ones((13, 13), np.uint8)))
    for box in hidden:
        rows, columns = box_slices(box, picture.shape)
        place = picture[rows, columns]
        place[keep[rows, columns] == 0] = GROUND
    return picture, worms


def box_slices(box: Box, shape: tuple[int, ...], margin: int = 4) -> tuple[slice, slice]:
    """Rows and columns of a box with a margin."""
    left, top, width, height = box
    return (
        slice(max(int(top) - margin, 0), min(int(top + height) + margin + 1, shape[0])),
        slice(max(int(left) - margin, 0), min(int(left + width) + margin + 1, shape[1])),
    )


def scenes_of(
    image: LabelledImage, size: int, largest: float = LARGEST_OF_USUAL
) -> Iterator[Scene]:
    """Squares of ``size`` of an image that show a labelled worm."""
    picture, worms = without_unlabelled(image, largest)
    height, width = picture.shape
    if min(height, width) < size:
        picture = np.pad(
            picture,
            ((0, max(size - height, 0)), (0, max(size - width, 0))),
            constant_values=GROUND,
        )
        height, width = picture.shape
    down, across = -(-height // size), -(-width // size)
    for top in np.linspace(0, height - size, down).astype(int):
        for left in np.linspace(0, width - size, across).astype(int):
            cut = [cut_instance(one, int(top), int(left), size) for one in worms]
            here = [one for one in cut if one is not None and one.area >= 60]
            if here:
                yield Scene(picture[top : top + size, left : left + size].copy(), here)


def with_crossings(rng: np.random.Generator, scene: Scene, count: int) -> Scene:
    """The scene with ``count`` of its worms laid across others, turned and mirrored."""
    size = scene.picture.shape[0]
    picture, worms = scene.picture.copy(), list(scene.worms)
    whole = [
        one
        for one in scene.worms
        if min(one.top, one.left) > 3 and max(one.bottom, one.right) < size - 3
    ]
    for _ in range(count if whole else 0):
        donor = whole[int(rng.integers(len(whole)))]
        mask = np.pad(donor.mask, 3)
        patch = scene.picture[donor.top - 3 : donor.bottom + 3, donor.left - 3 : donor.right + 3]
        turns = int(rng.integers(4))
        mask, patch = np.rot90(mask, turns), np.rot90(patch, turns)
        if rng.random() < 0.5:
            mask, patch = mask[:, ::-1], patch[:, ::-1]
        onto = worms[int(rng.integers(len(worms)))]
        y, x = np.array(onto.centroid) + rng.normal(size=2) * rng.uniform(3, 40)
        top = int(np.clip(y - mask.shape[0] / 2, 0, size - mask.shape[0]))
        left = int(np.clip(x - mask.shape[1] / 2, 0, size - mask.shape[1]))
        place = picture[top : top + mask.shape[0], left : left + mask.shape[1]]
        soft = cv2.GaussianBlur(
            cv2.dilate(np.ascontiguousarray(mask).astype(np.float32), np.ones((3, 3))), (0, 0), 0.8
        )
        brighter = np.maximum(patch.astype(np.float32), place)
        place[:] = np.rint(soft * brighter + (1 - soft) * place).astype(np.uint8)
        one = cropped(np.ascontiguousarray(mask), top, left, 0, len(worms), 1.0)
        if one is not None:
            worms.append(one)
    return Scene(picture, worms)


def real_scenes(images: Iterable[LabelledImage], size: int, seed: int) -> list[Scene]:
    """Scenes of real images: each as it is, and once more with crossings pasted into it."""
    scenes: list[Scene] = []
    for image in progress(list(images), "real images cut to scenes"):
        for scene in scenes_of(image, size):
            rng = np.random.default_rng([seed, 11, len(scenes)])
            scenes.append(scene)
            scenes.append(with_crossings(rng, scene, int(rng.integers(1, 5))))
    return scenes
