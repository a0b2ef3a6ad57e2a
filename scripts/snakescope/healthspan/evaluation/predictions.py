"""Detections of labelled images, kept on disk before masks are cut, so that settings can be swept.

A file an image, named by the image and by a checksum of weights, picture and the settings that the
network's output depends on.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray
from torchvision.models.detection import MaskRCNN

from snakescope.healthspan.detection.border import worms_of_picture
from snakescope.healthspan.detection.detections import SoftDetection, View
from snakescope.healthspan.detection.search import find_soft
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.detection.views import tile_corners
from snakescope.healthspan.geometry import TILE_PX
from snakescope.healthspan.training.labelled_images import LabelledImage
from snakescope.imaging.masks import Instance, cropped
from snakescope.step.output import atomic_write

LEAST_SCORE = 0.05
"""Detections of lower scores are not kept."""


def corners_of(picture: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """(top, left) of the tiles of an overlay of any size."""
    return tile_corners(picture.shape, TILE_PX)


def key_of(image: LabelledImage, sha256: str, settings: DetectSettings) -> str:
    """Digest of all that the output of the network depends on."""
    digest = hashlib.blake2b(digest_size=8)
    looked = f"{settings.halo_px} {settings.max_view_px} {settings.min_contrast}"
    digest.update(f"4 {sha256} {looked} {settings.precision}".encode())
    digest.update(str(image.picture.shape).encode() + image.picture.tobytes())
    return digest.hexdigest()


def soft_predictions(
    image: LabelledImage, model: MaskRCNN, sha256: str, settings: DetectSettings, folder: Path
) -> list[SoftDetection]:
    """What the network finds on an image, from ``folder`` if it is there.

    Args:
        model: with a score threshold of ``LEAST_SCORE``.
        sha256: of its weights.
    """
    path = folder / f"{image.name}-{key_of(image, sha256, settings)}.npz"
    if path.exists():
        return read_soft(path)
    found = find_soft(model, image.picture, corners_of(image.picture), TILE_PX, settings)
    with atomic_write(path) as partial:
        write_soft(partial, found)
    return found


def write_soft(path: Path, found: list[SoftDetection]) -> None:
    """Write detections as NPZ: a row each, and all their masks in one array."""
    rows = [
        (one.view.top, one.view.left, one.view.height, one.view.width, one.top, one.left,
         *one.probability.shape)
        for one in found
    ]  # fmt: skip
    values = [one.probability.ravel() for one in found]
    with path.open("wb") as stream:
        np.savez_compressed(
            stream,
            rows=np.array(rows, np.int64).reshape(-1, 8),
            scores=np.array([one.score for one in found], np.float64),
            values=np.concatenate(values) if values else np.zeros(0, np.uint8),
        )


def read_soft(path: Path) -> list[SoftDetection]:
    """Read what :func:`write_soft` wrote."""
    with np.load(path) as content:
        rows, scores, values = content["rows"], content["scores"], content["values"]
    found, at = [], 0
    for row, score in zip(rows.tolist(), scores.tolist(), strict=True):
        height, width = row[6:]
        mask = values[at : at + height * width].reshape(height, width)
        at += height * width
        found.append(SoftDetection(View(*row[:4]), row[4], row[5], mask, score))
    return found


def worms_of(
    image: LabelledImage,
    soft: list[SoftDetection],
    settings: DetectSettings,
    pixel_size_um: float,
    score_threshold: float | None = None,
) -> list[Instance]:
    """The worms of an image as a plate's frame would have them.

    Args:
        score_threshold: in place of that of the settings.
    """
    if score_threshold is not None:
        settings = settings.model_copy(update={"score_threshold": score_threshold})
    return list(worms_of_picture(soft, image.picture, 0, pixel_size_um, settings))


def peer_instances(path: Path) -> list[Instance]:
    """Published predictions of PatchPerPix of a well: ``vote_instances``, (instances, 1, y, x)."""
    with h5py.File(path, "r") as file:
        stack = np.asarray(file["vote_instances"])
    found: list[Instance] = []
    for number, layer in enumerate(stack.reshape(-1, *stack.shape[-2:])):
        for value in np.unique(layer[layer > 0]):
            one = cropped(np.asarray(layer == value), 0, 0, 0, len(found), 1.0)
            if one is not None:
                found.append(replace(one, identifier=number))
    return found
