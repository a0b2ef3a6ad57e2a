"""Crops of training scenes with the seven augmentations of the paper (section 3.2.3).

Zero to three of: flip left-right, flip up-down, turn by 30 degrees, change of scale and
aspect, grey offset of up to 40, brighter or darker, Gaussian blur. The geometric ones are
one affine map, so a crop is resampled once.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snakescope.healthspan.detection.channel_overlay import GROUND
from snakescope.healthspan.detection.model import as_input
from snakescope.healthspan.simulation.optics import blurred
from snakescope.healthspan.training.detector_examples import Scene
from snakescope.imaging.masks import Instance

LEAST_VISIBLE_SHARE = 0.3
LEAST_VISIBLE_PX = 60

FINER = 4
"""Masks are drawn so many times as large, and pooled."""


AIMED_SHARE = 0.6
"""Share of the crops that look at a worm; the rest looks anywhere."""


def draw_centre(rng: np.random.Generator, scene: Scene, crop_size: int) -> NDArray[np.float64]:
    """Where on the scene a crop looks, (x, y): about a random worm, or anywhere."""
    size = scene.picture.shape[0]
    if scene.worms and rng.random() < AIMED_SHARE:
        y, x = scene.worms[int(rng.integers(len(scene.worms)))].centroid
        aim = np.array([x, y]) + rng.uniform(-0.3, 0.3, size=2) * crop_size
        return np.clip(aim, 0.4 * crop_size, size - 0.4 * crop_size)
    margin = crop_size / 2
    return rng.uniform(min(margin, size / 2), max(size - margin, size / 2), 2)


def draw_map(
    rng: np.random.Generator, centre: NDArray[np.float64], crop_size: int, jitter: float = 0.0
) -> NDArray[np.float64]:
    """A random affine map from scene to crop, 2 x 3, for (x, y), with ``centre`` in its middle.

    ``jitter`` is the greatest change of scale (natural logarithm) beside that of the aspect.
    """
    matrix = np.eye(2)
    if rng.random() < 0.5:
        matrix = np.diag([-1.0, 1.0]) @ matrix
    if rng.random() < 0.5:
        matrix = np.diag([1.0, -1.0]) @ matrix
    if rng.random() < 0.5:
        angle = np.deg2rad(30 * rng.integers(12))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = turn @ matrix
    if rng.random() < 0.4:
        matrix = np.diag(np.exp(rng.uniform(-0.18, 0.18, size=2))) @ matrix
    if jitter:
        matrix = matrix * np.exp(rng.uniform(-jitter, jitter))
    return np.column_stack([matrix, crop_size / 2 - matrix @ centre])


def _grey(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Up to two of: offset, gain about the ground, blur."""
    image = picture.astype(np.float32)
    if rng.random() < 0.35:
        image = image + rng.uniform(-40, 40)
    if rng.random() < 0.45:
        image = (image - GROUND) * rng.uniform(0.5, 1.5) + GROUND
    if rng.random() < 0.2:
        image = blurred(image, rng.uniform(0.4, 1.3))
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _warped_mask(
    one: Instance, matrix: NDArray[np.float64], size: int
) -> tuple[NDArray[np.uint8], float]:
    """Coverage of each pixel of the crop (uint8, 255 is all), and the share that is on the crop.

    Coverage, not yes or no: the border of a body 8 px wide is a third of it. Where the map shrinks,
    the mask is drawn :data:`FINER` times as large and pooled.
    """
    local = matrix.copy()
    local[:, 2] += matrix[:, :2] @ (one.left, one.top)
    corners = np.array(
        [[x, y, 1] for x in (0, one.mask.shape[1]) for y in (0, one.mask.shape[0])], np.float64
    )
    reached = corners @ local.T
    left, top = np.clip(np.floor(reached.min(axis=0)).astype(int) - 2, 0, size)
    right, bottom = np.clip(np.ceil(reached.max(axis=0)).astype(int) + 2, 0, size)
    mask = np.zeros((size, size), np.uint8)
    if left < right and top < bottom:
        fine = local * FINER
        fine[:, 2] += (FINER - 1) / 2 - FINER * np.array([left, top])
        large = cv2.warpAffine(
            np.pad(one.mask.astype(np.uint8) * 255, 1),
            fine @ np.array([[1.0, 0, -1], [0, 1, -1], [0, 0, 1]]),
            ((right - left) * FINER, (bottom - top) * FINER),
            flags=cv2.INTER_LINEAR,
        )
        # A threshold on the fine grid keeps the body's width where interpolation blurs it.
        sharp = np.where(large >= 128, 255, 0).astype(np.uint8)
        inner = cv2.resize(sharp, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
        mask[top:bottom, left:right] = inner
    whole = one.area * abs(np.linalg.det(matrix[:, :2]))
    return mask, float(mask.sum(dtype=np.int64)) / 255 / max(whole, 1.0)


def draw_crop(
    rng: np.random.Generator, scene: Scene, size: int, jitter: float = 0.0
) -> tuple[Tensor, dict[str, Tensor]]:
    """A random crop of a scene as input and target of the detector.

    Returns:
        float (1, size, size), and ``boxes`` (n, 4), ``labels`` (n), ``masks`` (n, size, size),
        float32, the coverage of each pixel, 0 to 1.
        Worms of which hardly anything is on the crop are no targets.
    """
    matrix = draw_map(rng, draw_centre(rng, scene, size), size, jitter)
    picture = cv2.warpAffine(
        scene.picture,
        matrix,
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=float(GROUND),
    )
    masks, boxes = [], []
    for one in scene.worms:
        mask, share = _warped_mask(one, matrix, size)
        if share < LEAST_VISIBLE_SHARE or np.count_nonzero(mask >= 128) < LEAST_VISIBLE_PX:
            continue
        left, top, width, height = cv2.boundingRect((mask >= 128).astype(np.uint8))
        if width < 4 or height < 4:
            continue
        masks.append(mask)
        boxes.append([left, top, left + width, top + height])
    target = {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "labels": torch.ones(len(boxes), dtype=torch.int64),
        "masks": torch.from_numpy(np.array(masks, dtype=np.float32).reshape(-1, size, size) / 255),
    }
    return as_input(torch.from_numpy(_grey(rng, np.asarray(picture, dtype=np.uint8)))), target
