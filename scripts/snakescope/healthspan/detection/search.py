"""The detector run on the tiles of a frame."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torchvision.models.detection import MaskRCNN

from snakescope.healthspan.detection.detections import SoftDetection, TileDetection, View
from snakescope.healthspan.detection.merge import on_frame
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.detection.soft_masks import look, objects_of
from snakescope.healthspan.detection.views import (
    LEAST_CONTRAST,
    Disc,
    parts_of,
    view,
    worth_a_look,
)


def find_soft(
    model: MaskRCNN,
    frame: NDArray[np.uint8],
    corners: Sequence[tuple[int, int]],
    tile_px: int,
    settings: DetectSettings,
    dish: Disc | None = None,
) -> list[SoftDetection]:
    """Run the detector on the tiles of a frame; masks are not cut yet.

    Args:
        frame: overlay, uint8 (Y, X), plate coordinates.
        corners: (top, left) of the tiles.
    """
    halo = settings.halo_px
    # The maximum of an object exceeds its mean.
    brightest = max(LEAST_CONTRAST, settings.min_contrast)
    pictures, views = [], []
    size = (frame.shape[0], frame.shape[1])
    for part in parts_of(size, corners, tile_px, settings.max_view_px, halo):
        picture, (top, left) = view(frame, part, halo), part[:2]
        if worth_a_look(picture, top - halo, left - halo, dish, brightest):
            pictures.append(picture)
            views.append(View(top - halo, left - halo, *picture.shape))
    found: list[SoftDetection] = []
    for first in range(0, len(views), settings.views_per_batch):
        batch = slice(first, first + settings.views_per_batch)
        found += look(model, pictures[batch], views[batch])
    return found


def find_objects(
    model: MaskRCNN,
    frame: NDArray[np.uint8],
    corners: Sequence[tuple[int, int]],
    tile_px: int,
    timepoint: int,
    settings: DetectSettings,
    dish: Disc | None = None,
) -> list[TileDetection]:
    """Run the detector on all tiles of a frame, without removal of duplicates.

    Args:
        frame: overlay, uint8 (Y, X), plate coordinates.
        corners: (top, left) of the tiles.
    """
    found = find_soft(model, frame, corners, tile_px, settings, dish)
    return cut_objects(found, (frame.shape[0], frame.shape[1]), timepoint, settings)


def cut_objects(
    found: Sequence[SoftDetection], size: tuple[int, int], timepoint: int, settings: DetectSettings
) -> list[TileDetection]:
    """Masks of detections, clipped to the frame of ``size`` (Y, X)."""
    cut = objects_of(found, timepoint, settings.score_threshold, settings.mask_threshold)
    return [on_frame(one, *size) for one in cut]


def faint_objects(
    found: Sequence[SoftDetection], size: tuple[int, int], timepoint: int, settings: DetectSettings
) -> list[TileDetection]:
    """Masks of the detections that are less sure than ``score_threshold``, see ``cut_objects``."""
    lower = settings.model_copy(update={"score_threshold": settings.faint_score})
    unsure = [one for one in found if one.score < settings.score_threshold]
    return cut_objects(unsure, size, timepoint, lower)
