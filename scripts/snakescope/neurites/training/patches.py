"""Patches of labelled volumes, as the training of the networks takes them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snakescope.learning.loading import rng_of
from snakescope.neurites.prediction.patches import Triple
from snakescope.neurites.prediction.predict import ArrayLike3D
from snakescope.neurites.training.augment import Image, Labels, augmented, margin_yx
from snakescope.neurites.training.settings import KEPT_IN_MEMORY, TrainSettings
from snakescope.step.errors import StepError

Batch = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Grey values 0 to 1 and labels, (N, z, y, x) each."""

SECTIONS_AT_ONCE = 16


@dataclass(frozen=True)
class Labelled:
    """Sections ``first`` to ``last`` - 1 of a volume with labels; 0 is no object."""

    name: str
    image: ArrayLike3D
    labels: ArrayLike3D
    first: int
    last: int

    @property
    def sections(self) -> int:
        return self.last - self.first

    @property
    def shape(self) -> Triple:
        """Voxels of these sections along z, y and x."""
        height, width = (int(side) for side in self.image.shape[1:])
        return self.sections, height, width


def labelled(name: str, image: ArrayLike3D, labels: ArrayLike3D) -> Labelled:
    """A volume with its labels, all sections.

    Raises:
        StepError: they do not belong together.
    """
    if tuple(image.shape) != tuple(labels.shape):
        raise StepError(
            f"{name}: expected labels of the image's shape {_by(image.shape)}, found"
            f" {_by(labels.shape)}; name the labels of this volume in the sheet"
        )
    if np.dtype(image.dtype) != np.uint8 or np.dtype(labels.dtype).kind not in "ui":
        raise StepError(
            f"{name}: expected an image of 8 bit and labels of whole numbers, found {image.dtype}"
            f" and {labels.dtype}; ingest the volume again"
        )
    if int(np.prod(image.shape)) <= KEPT_IN_MEMORY:
        everything = (slice(None), slice(None), slice(None))
        image, labels = np.asarray(image[everything]), np.asarray(labels[everything])
    return Labelled(name, image, labels, 0, int(image.shape[0]))


def content(volume: Labelled) -> str:
    """A checksum of a volume's sections and labels: 16 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=8)
    for begin in range(volume.first, volume.last, SECTIONS_AT_ONCE):
        where = (slice(begin, min(begin + SECTIONS_AT_ONCE, volume.last)), slice(None), slice(None))
        for array in (volume.image, volume.labels):
            digest.update(np.ascontiguousarray(array[where]).data)
    return digest.hexdigest()


def split(volume: Labelled, share: float, least: int = 1) -> tuple[Labelled, Labelled]:
    """The first sections for training; the last ``share``, ``least`` at least, for validation."""
    cut = max(volume.first, volume.last - max(least, round(volume.sections * share)))
    parts = ((volume.first, cut), (cut, volume.last))
    one, other = (Labelled(volume.name, volume.image, volume.labels, a, b) for a, b in parts)
    return one, other


def check_fits(volume: Labelled, patch: Triple, purpose: str) -> None:
    """Refuse a volume that has no patch.

    Raises:
        StepError: it is smaller than a patch.
    """
    if any(size < side for size, side in zip(volume.shape, patch, strict=True)):
        raise StepError(
            f"{volume.name}: expected at least a patch of {_by(patch)} voxels for {purpose}, found"
            f" {_by(volume.shape)}; give the set validation to another volume of the sheet, or set"
            " a smaller patch_zyx"
        )


def check_labelled(volume: Labelled, purpose: str) -> None:
    """Refuse sections in which nothing is labelled.

    Raises:
        StepError: there is no label but 0.
    """
    for begin in range(volume.first, volume.last, SECTIONS_AT_ONCE):
        end = min(begin + SECTIONS_AT_ONCE, volume.last)
        if np.any(volume.labels[slice(begin, end), slice(None), slice(None)]):
            return
    raise StepError(
        f"{volume.name}: expected labels in the sections for {purpose}, {volume.first} to"
        f" {volume.last - 1}, found only 0; give the set validation to another volume of the sheet,"
        " or label some of these sections"
    )


def _triple(numbers: list[int]) -> Triple:
    z, y, x = numbers
    return z, y, x


def _by(shape: Iterable[int]) -> str:
    return " x ".join(map(str, shape))


def window(volume: Labelled, corner: Triple, size: Triple) -> tuple[Image, Labels]:
    """A window; beyond the edges of the volume's part it is mirrored, labels alike."""
    inside, beyond = [], []
    ends = ((volume.first, volume.last), *((0, int(n)) for n in volume.image.shape[1:]))
    for (first, last), low, side in zip(ends, corner, size, strict=True):
        high = low + side
        inside.append(slice(max(first, low), min(last, high)))
        beyond.append((max(0, first - low), max(0, high - last)))
    where = (inside[0], inside[1], inside[2])
    image = np.asarray(volume.image[where]).astype(np.float32) / 255
    labels = np.asarray(volume.labels[where]).astype(np.int64)
    return np.pad(image, beyond, "symmetric"), np.pad(labels, beyond, "symmetric")


def draw_patch(
    rng: np.random.Generator, volumes: list[Labelled], settings: TrainSettings, varied: bool = True
) -> tuple[Image, Labels]:
    """A patch from a random place of the volumes, each as likely as it is large; augmented or not.

    Returns:
        Grey values 0 to 1 and labels, both of shape ``settings.patch_zyx``.
    """
    patch = settings.patch_zyx
    sizes = np.array([float(np.prod(v.shape)) for v in volumes])
    volume = volumes[int(rng.choice(len(volumes), p=sizes / sizes.sum()))]
    shape = volume.shape
    turned = varied and settings.isotropic and settings.augment.flips
    # The axis of the volume that becomes each axis of the patch.
    axes = [int(axis) for axis in rng.permutation(3)] if turned else [0, 1, 2]
    margins = (0, *margin_yx(settings.augment, patch)) if varied else (0, 0, 0)
    corner, size = [0, 0, 0], [0, 0, 0]
    for axis, side, margin in zip(axes, patch, margins, strict=True):
        room = max(0, shape[axis] - side)
        first = volume.first if axis == 0 else 0
        corner[axis] = first + int(rng.integers(0, room + 1)) - margin
        size[axis] = side + 2 * margin
    image, labels = window(volume, _triple(corner), _triple(size))
    if not varied:
        return image, labels
    image, labels = image.transpose(axes), labels.transpose(axes)
    return augmented(rng, image, labels, patch, settings.augment)


def draw_batch(volumes: list[Labelled], settings: TrainSettings, step: int) -> Batch:
    """The batch of a step, which depends on the seed and the step only."""
    rng = rng_of(settings.seed, 11, step)
    pairs = [draw_patch(rng, volumes, settings) for _ in range(settings.batch)]
    return np.stack([image for image, _ in pairs]), np.stack([labels for _, labels in pairs])
