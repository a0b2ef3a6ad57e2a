"""Objects of a few frames of a plate, as the detector and its rules see them.

Whether an object lies elsewhere in the other frames tells worms from what belongs to the plate,
without a person's labels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from torchvision.models.detection import MaskRCNN

from snakescope.healthspan.detection.channel_overlay import GROUND, contrast_of
from snakescope.healthspan.detection.detections import SoftDetection, TileDetection
from snakescope.healthspan.detection.search import cut_objects, find_soft
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.detection.size_prior import SURE_SCORE, contrast
from snakescope.healthspan.detection.sorting import Surroundings, sort_out
from snakescope.healthspan.detection.views import Disc, boldness, tile_corners, worth_a_look
from snakescope.healthspan.states.body import body_mask, slender_size
from snakescope.imaging.masks import Instance

MOVED = 0.35
"""Share of an object's contrast that is left at its place in another frame, if it has moved."""
MOST_TILES = 140
"""Tiles of a frame that are searched, those with the boldest objects first."""
WALL_SHARE = 0.08
"""Share of the edge of a dish at which something lies in all frames, where the wall ends."""
LEAST_TRIED = 0.2
"""Least confidence of the objects of a trial: less sure ones are tried beside those that count."""
BOLD = 24
"""Grey values above the ground from which on something is seen."""


@dataclass(frozen=True)
class Found:
    """An object of a frame.

    Attributes:
        instance: its mask; reason: why it is dropped, empty if kept.
        contrast: mean grey value above the ground; left: the most of it that is left at its place
            in another frame, as a share; 0 where there is no other frame.
        length_um, width_um: of its body, to half of its contrast, as `snakescope inspect` says
            them; edge_um: from the edge of the dish to its centre.
    """

    instance: Instance
    reason: str
    contrast: float
    left: float
    length_um: float
    width_um: float
    edge_um: float

    @property
    def moved(self) -> bool:
        """Whether it lies elsewhere in all other frames."""
        return self.left < MOVED

    @property
    def sure(self) -> bool:
        """Whether the detector is sure of it."""
        return self.instance.score >= SURE_SCORE


@dataclass(frozen=True)
class Searched:
    """A frame that was searched.

    Attributes:
        timepoint: its index; picture: its overlay in plate coordinates, uint8 (Y, X).
        objects: what the detector found, with duplicates, down to ``LEAST_TRIED``.
        corners: (top, left) of searched tiles.
        tiles: number of all tiles.
        soft: the objects before their masks are cut.
    """

    timepoint: int
    picture: NDArray[np.uint8]
    objects: list[TileDetection]
    corners: list[tuple[int, int]]
    tiles: int
    soft: list[SoftDetection] = field(default_factory=list)


def search(
    model: MaskRCNN,
    picture: NDArray[np.uint8],
    timepoint: int,
    tile_px: int,
    settings: DetectSettings,
    dish: Disc | None,
) -> Searched:
    """Find the objects of an overlay on its boldest tiles."""
    height, width = picture.shape
    corners = tile_corners(picture.shape, tile_px)
    bold = []
    for top, left in corners:
        tile = picture[top : top + tile_px, left : left + tile_px]
        if worth_a_look(tile, top, left, dish):
            bold.append((boldness(tile), top, left))
    chosen = sorted((top, left) for _, top, left in sorted(bold, reverse=True)[:MOST_TILES])
    least = min(settings.score_threshold, LEAST_TRIED)
    plain = settings.model_copy(update={"min_contrast": 0.0, "score_threshold": least})
    soft = find_soft(model, picture, chosen, tile_px, plain, dish)
    found = cut_objects(soft, (height, width), timepoint, plain)
    return Searched(timepoint, picture, found, chosen, len(corners), soft)


def judged(
    one: Searched,
    others: Sequence[NDArray[np.uint8]],
    pixel_size_um: float,
    settings: DetectSettings,
    around: Surroundings,
) -> list[Found]:
    """Return the objects of a frame as the settings keep or drop them; duplicates are left out.

    Args:
        others: overlays of the other frames; pixel_size_um: of the detector.
    """
    objects = [each for each in one.objects if each.score >= settings.score_threshold]
    kept, dropped = sort_out(objects, one.picture, pixel_size_um, settings, around)
    pairs: list[tuple[Instance, str]] = [(instance, "") for instance in kept]
    pairs += [(o.instance, o.reason) for o in dropped if o.reason != "duplicate"]
    found = []
    for instance, reason in pairs:
        value = contrast(instance, one.picture)
        left = [contrast(instance, other) / max(value, 1.0) for other in others]
        edge = float("inf")
        if around.dish is not None:
            edge = around.dish.distance(*instance.centroid) * pixel_size_um
        inside = one.picture[instance.top : instance.bottom, instance.left : instance.right]
        # Overlays compress contrast, by which half of it lies farther out.
        body = np.where(instance.mask, contrast_of(inside), 0)
        length, width = slender_size(body_mask(body) if value > 0 else instance.mask)
        found.append(
            Found(
                instance, reason, value, max(left, default=0.0),
                length * pixel_size_um, width * pixel_size_um, edge,
            )
        )  # fmt: skip
    return found


def counts_by_reason(found: Mapping[int, Sequence[Found]]) -> dict[str, list[int]]:
    """Return the numbers of objects by reason, a number a frame; those that are kept first."""
    reasons = dict.fromkeys(["", *sorted({o.reason for one in found.values() for o in one} - {""})])
    return {
        reason or "kept": [sum(o.reason == reason for o in one) for one in found.values()]
        for reason in reasons
    }


def wall_um(
    pictures: Sequence[NDArray[np.uint8]],
    dish: Disc,
    pixel_size_um: float,
    farthest_um: float = 600,
) -> float:
    """Return how far the wall of a dish reaches inwards from the edge that was found (um).

    In the frame with the widest wall, the last distance from the edge at which something is bold
    in more directions than farther inside; 0 without any.

    Args:
        pictures: overlays of frames on the same reference, uint8 (Y, X).
    """
    depth = np.arange(0, int(farthest_um / pixel_size_um))
    angles = np.linspace(0, 2 * np.pi, 1440, endpoint=False)[:, None]
    y = (dish.y + (dish.radius - depth) * np.sin(angles)).astype(np.float32)
    x = (dish.x + (dish.radius - depth) * np.cos(angles)).astype(np.float32)
    height, width = pictures[0].shape
    inside = (y >= 0) & (x >= 0) & (y < height) & (x < width)
    ends = [0]
    for one in pictures:
        rays = cv2.remap(one, x, y, cv2.INTER_LINEAR, borderValue=GROUND)
        bold = (rays >= GROUND + BOLD) & inside
        share = bold.sum(axis=0) / np.maximum(inside.sum(axis=0), 1)
        wall = np.flatnonzero(share > np.median(share[len(share) // 2 :]) + WALL_SHARE)
        ends.append(int(wall[-1]) + 1 if len(wall) else 0)
    return float(max(ends)) * pixel_size_um
