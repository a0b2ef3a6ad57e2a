"""Augmentation of training patches: geometry, which moves image and labels alike, and looks.

After Lee et al. 2017, "Superhuman Accuracy on the SNEMI3D Connectomics Challenge", section 3.1:
misalignment, missing and out-of-focus sections, warping, grey values, flips and turns.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.neurites.prediction.patches import Triple
from snakescope.neurites.training.settings import AugmentSettings

Image = NDArray[np.float32]
"""Grey values from 0 to 1, shape (z, y, x)."""

Labels = NDArray[np.int64]


def margin_yx(settings: AugmentSettings, patch: Triple) -> tuple[int, int]:
    """Voxels needed beyond a patch along y and x, so that warps and shifts find an image."""
    reach = settings.misalignment_px if settings.misalignment_share > 0 else 0
    if settings.warp_share > 0:
        half = max(patch[1:]) / 2
        reach += round(half * settings.scaling + 2 * settings.elastic_px)
        reach += round(half * np.sin(np.deg2rad(settings.rotation_deg)))
    return reach, reach


@dataclass(frozen=True)
class Warp:
    """Where every voxel of a section comes from: maps of x and y (px), one for all sections."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]


def draw_warp(rng: np.random.Generator, settings: AugmentSettings, source: Triple) -> Warp:
    """A turn, a change of size and an elastic displacement; or none of them."""
    _, height, width = source
    y, x = np.mgrid[:height, :width].astype(np.float32)
    if rng.random() >= settings.warp_share:
        return Warp(x, y)
    angle = np.deg2rad(rng.uniform(-settings.rotation_deg, settings.rotation_deg))
    sizes = 1 + rng.uniform(-settings.scaling, settings.scaling, 2)
    centre_y, centre_x = (height - 1) / 2, (width - 1) / 2
    dy, dx = (y - centre_y) * sizes[0], (x - centre_x) * sizes[1]
    elastic = np.zeros((2, height, width), np.float32)
    if settings.elastic_px > 0:
        coarse = rng.normal(0, settings.elastic_px, (2, height // 32 + 2, width // 32 + 2))
        for k in range(2):
            elastic[k] = cv2.resize(
                coarse[k].astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
            )
    sine, cosine = np.sin(angle), np.cos(angle)
    return Warp(
        (centre_x + cosine * dx - sine * dy + elastic[0]).astype(np.float32),
        (centre_y + sine * dx + cosine * dy + elastic[1]).astype(np.float32),
    )


def draw_shifts(
    rng: np.random.Generator, settings: AugmentSettings, sections: int
) -> NDArray[np.int64]:
    """How far each section is misaligned along y and x (px), shape (sections, 2).

    Half of the misaligned patches have one section that slipped, half have a step after which
    all sections are shifted.
    """
    shifts = np.zeros((sections, 2), np.int64)
    if sections < 2 or rng.random() >= settings.misalignment_share:
        return shifts
    far = settings.misalignment_px
    shift = rng.integers(-far, far + 1, 2)
    where = int(rng.integers(1, sections))
    if rng.random() < 0.5:
        shifts[where] = shift
    else:
        shifts[where:] = shift
    return shifts


def moved(
    image: Image, labels: Labels, warp: Warp, shifts: NDArray[np.int64], patch: Triple
) -> tuple[Image, Labels]:
    """The middle patch of a warped and misaligned source; labels by the nearest voxel.

    Args:
        image, labels: shape (patch z, source y, source x).
        shifts: shape (sections, 2), along y and x (px).
    """
    names, numbers = np.unique(labels, return_inverse=True)
    numbers = numbers.reshape(labels.shape).astype(np.float32)  # exact: cv2 has no larger integers
    top, left = ((labels.shape[k] - patch[k]) // 2 for k in (1, 2))
    rows, columns = slice(top, top + patch[1]), slice(left, left + patch[2])
    map_x, map_y = warp.x[rows, columns], warp.y[rows, columns]
    picture = np.empty(patch, np.float32)
    objects = np.empty(patch, np.int64)
    for z in range(patch[0]):
        along_y, along_x = map_y + float(shifts[z, 0]), map_x + float(shifts[z, 1])
        picture[z] = cv2.remap(
            image[z], along_x, along_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        found = cv2.remap(
            numbers[z], along_x, along_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101
        )
        objects[z] = names[np.rint(found).astype(np.int64)]
    return picture, objects


def flipped(rng: np.random.Generator, image: Image, labels: Labels) -> tuple[Image, Labels]:
    """Mirrored along each axis, and with y and x exchanged, each by a toss of a coin."""
    axes = tuple(axis for axis in range(3) if rng.random() < 0.5)
    image, labels = np.flip(image, axes), np.flip(labels, axes)
    if rng.random() < 0.5 and image.shape[1] == image.shape[2]:
        image, labels = image.swapaxes(1, 2), labels.swapaxes(1, 2)
    return np.ascontiguousarray(image), np.ascontiguousarray(labels)


def grey_changed(
    rng: np.random.Generator, image: Image, contrast: float, by_section_share: float = 0.5
) -> Image:
    """Other contrast, brightness and gamma; for the patch, or for each section its own."""
    count = len(image) if rng.random() < by_section_share else 1
    scale = 1 + rng.uniform(-contrast, contrast, (count, 1, 1))
    offset = rng.uniform(-contrast, contrast, (count, 1, 1))
    gamma = 2.0 ** rng.uniform(-1, 1, (count, 1, 1))
    changed = np.clip(image * scale + 0.5 * offset, 0, 1) ** gamma
    return changed.astype(np.float32)


def _some_sections(rng: np.random.Generator, sections: int, most: int) -> NDArray[np.int64]:
    count = int(rng.integers(1, min(most, sections) + 1))
    return rng.choice(sections, count, replace=False)


def _region(rng: np.random.Generator, height: int, width: int) -> tuple[slice, slice]:
    """A whole section, or, as often, one of the quadrants about a random point."""
    if rng.random() < 0.5:
        return slice(None), slice(None)
    y, x = int(rng.integers(1, height)), int(rng.integers(1, width))
    rows = slice(0, y) if rng.random() < 0.5 else slice(y, None)
    columns = slice(0, x) if rng.random() < 0.5 else slice(x, None)
    return rows, columns


def with_missing(rng: np.random.Generator, image: Image, most: int) -> Image:
    """Up to ``most`` sections, or parts of them, are one grey value."""
    image = image.copy()
    for z in _some_sections(rng, len(image), most):
        image[(z, *_region(rng, *image.shape[1:]))] = rng.random()
    return image


def with_blur(rng: np.random.Generator, image: Image, most: int, blur_px: float) -> Image:
    """Up to ``most`` sections, or parts of them, are out of focus."""
    image = image.copy()
    for z in _some_sections(rng, len(image), most):
        region = _region(rng, *image.shape[1:])
        blurred = cv2.GaussianBlur(image[z], (0, 0), float(rng.uniform(0.5, 1)) * blur_px)
        image[(z, *region)] = blurred[region]
    return image


def augmented(
    rng: np.random.Generator,
    image: Image,
    labels: Labels,
    patch: Triple,
    settings: AugmentSettings,
) -> tuple[Image, Labels]:
    """A varied patch of a source that is larger by :func:`margin_yx` on each side.

    Args:
        image: grey values 0 to 1, shape (patch z, patch y + 2 margins, patch x + 2 margins).
        labels: the same shape, 0 where there is no object.
    """
    shape = (patch[0], image.shape[1], image.shape[2])
    warp = draw_warp(rng, settings, shape)
    shifts = draw_shifts(rng, settings, patch[0])
    image, labels = moved(image, labels, warp, shifts, patch)
    if settings.flips:
        image, labels = flipped(rng, image, labels)
    if rng.random() < settings.grey_share:
        image = grey_changed(rng, image, settings.contrast, settings.grey_by_section_share)
    if rng.random() < settings.blurred_share:
        image = with_blur(rng, image, settings.max_sections, settings.blur_px)
    if rng.random() < settings.missing_share:
        image = with_missing(rng, image, settings.max_sections)
    return image, labels
