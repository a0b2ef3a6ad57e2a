"""Where the masks of a plate end: further out, where its worms would come out thinner than worms.

The network puts the border where contrast has fallen to half. In some bright field images the
body reaches a pixel further on each side, and no grey value says so (docs, healthspan-detection,
No thinner than worms are). Anatomy does: the mask of a C. elegans is about 13 times as long as it
is wide from larva to old age, give or take a quarter.
What is a worm is decided with masks as the network draws them; those that are kept are then made
wider, all of a plate alike, until its usual worm is as wide as that. Masks never become thinner.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from torchvision.models.detection import MaskRCNN

from snakescope.healthspan.detection.detections import SoftDetection, TileDetection
from snakescope.healthspan.detection.merge import largest_piece, on_frame
from snakescope.healthspan.detection.search import cut_objects, find_soft
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.detection.size_prior import MIN_SURE, SURE_SCORE, length_px
from snakescope.healthspan.detection.sorting import Surroundings, sort_out
from snakescope.healthspan.detection.views import boldness, tile_corners
from snakescope.imaging.masks import Instance, cropped

STEPS_PX = (0.25, 0.5, 0.75, 1.0)
"""By which masks may be made wider on each side (px). More than one would be guessing: on no real
images with masks drawn by people does the body reach further."""

FINER = 4
"""Masks are made wider on a grid so many times finer, since a pixel is an eighth of a body."""

ENOUGH = 40
"""Sure worms on which the width of a plate's worms is measured, at most about."""

TILES_AT_A_TIME, MOST_TILES = 4, 24
"""Tiles of a reference frame that are searched before worms are counted, and in all. Both are part
of the result, and no setting of speed changes them."""


@dataclass(frozen=True)
class Border:
    """How much wider masks are made, and why.

    Attributes:
        wider_px: on each side.
        width: median of the mean widths of sure worms without it, in their lengths; NaN where too
            few are sure.
        worms: sure ones that it was measured on.
    """

    wider_px: float = 0.0
    width: float = float("nan")
    worms: int = 0


def relative_width(one: Instance) -> float:
    """The mean width of a slender body in its lengths, whatever its bends.

    Of a strip, half the perimeter is length plus width, and the area is their product.
    """
    half, area = length_px(one), one.area
    root = float(np.sqrt(max(half * half - 4 * area, 0.0)))
    return (half - root) / (half + root) if half > 0 else 0.0


def widened(one: TileDetection, wider_px: float, mask_threshold: float) -> TileDetection:
    """A detection whose mask reaches further by ``wider_px`` on each side, not clipped yet.

    Its border is where the probability crosses the threshold, between pixels.
    """
    if one.soft is None or wider_px == 0:
        return one
    margin = int(np.ceil(wider_px)) + 2
    probability = np.pad(one.soft.probability, margin)
    fine = cv2.resize(probability, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_LINEAR)
    outside = (fine < mask_threshold * 255).astype(np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    reached = np.where(distance <= wider_px * FINER, 255, 0).astype(np.uint8)
    height, width = probability.shape
    coarse = cv2.resize(reached, (width, height), interpolation=cv2.INTER_AREA)
    top, left = one.soft.top - margin, one.soft.left - margin
    wide = cropped(np.asarray(coarse >= 128), top, left, one.timepoint, one.identifier, one.score)
    if wide is None:
        return one
    return replace(one, top=wide.top, left=wide.left, mask=wide.mask)


def is_sure(one: TileDetection) -> bool:
    """Whether a worm is one by which others are judged: sure and complete."""
    return one.soft is not None and one.score >= SURE_SCORE and not one.cut


def border_of(worms: Sequence[TileDetection], settings: DetectSettings) -> Border:
    """How much wider masks are made, by the sure ones among the worms of a frame."""
    sure = [one for one in worms if is_sure(one)]
    if len(sure) < MIN_SURE or settings.least_width == 0:
        return Border(worms=len(sure))

    def width(wider_px: float) -> float:
        masks = [largest_piece(widened(one, wider_px, settings.mask_threshold)) for one in sure]
        return float(np.median([relative_width(mask) for mask in masks]))

    before = width(0.0)
    if before >= settings.least_width:
        return Border(0.0, before, len(sure))
    enough = (step for step in STEPS_PX if width(step) >= settings.least_width)
    return Border(next(enough, STEPS_PX[-1]), before, len(sure))


def to_border(
    one: TileDetection, border: Border, settings: DetectSettings, size: tuple[int, int]
) -> TileDetection:
    """A kept object with the mask that it has on its plate, clipped to ``size`` (Y, X)."""
    if border.wider_px == 0 or one.soft is None:
        return one
    return largest_piece(on_frame(widened(one, border.wider_px, settings.mask_threshold), *size))


def worms_within(
    soft: Sequence[SoftDetection],
    picture: NDArray[np.uint8],
    timepoint: int,
    pixel_size_um: float,
    settings: DetectSettings,
    surroundings: Surroundings,
) -> list[TileDetection]:
    """The worms of a picture that was searched, with masks as the network draws them."""
    size = (picture.shape[0], picture.shape[1])
    objects = cut_objects(soft, size, timepoint, settings)
    return sort_out(objects, picture, pixel_size_um, settings, surroundings)[0]


def worms_of_picture(
    soft: Sequence[SoftDetection],
    picture: NDArray[np.uint8],
    timepoint: int,
    pixel_size_um: float,
    settings: DetectSettings,
) -> list[TileDetection]:
    """The worms of a picture that is a plate's only one, with the masks that they have there."""
    worms = worms_within(soft, picture, timepoint, pixel_size_um, settings, Surroundings())
    border = border_of(worms, settings)
    size = (picture.shape[0], picture.shape[1])
    return [to_border(one, border, settings, size) for one in worms]


def border_of_plate(
    model: MaskRCNN,
    picture: NDArray[np.uint8],
    tile_px: int,
    pixel_size_um: float,
    settings: DetectSettings,
    surroundings: Surroundings,
) -> Border:
    """How much wider the masks of all frames of a plate are made, by its reference frame.

    The boldest tiles are searched, until there are enough worms.

    Args:
        picture: overlay of the reference frame, uint8 (Y, X).
        pixel_size_um: of the picture.
    """
    if settings.least_width == 0:
        return Border()
    corners = tile_corners(picture.shape, tile_px)
    tiles = {at: picture[at[0] : at[0] + tile_px, at[1] : at[1] + tile_px] for at in corners}
    order = sorted(corners, key=lambda at: (-boldness(tiles[at]), at))[:MOST_TILES]
    # Tile by tile, also where a run looks at larger parts of its frames.
    by_tile = settings.model_copy(update={"max_view_px": tile_px})
    soft: list[SoftDetection] = []
    worms: list[TileDetection] = []
    for first in range(0, len(order), TILES_AT_A_TIME):
        some = order[first : first + TILES_AT_A_TIME]
        soft += find_soft(model, picture, some, tile_px, by_tile, surroundings.dish)
        worms = worms_within(soft, picture, 0, pixel_size_um, settings, surroundings)
        if sum(is_sure(one) for one in worms) >= ENOUGH:
            break
    return border_of(worms, settings)


def said_of(border: Border, settings: DetectSettings) -> str:
    """One sentence on where masks end."""
    as_drawn = "masks end where the network draws them"
    if settings.least_width == 0:
        return f"{as_drawn} (least_width 0)"
    if border.worms < MIN_SURE:
        return (
            f"{as_drawn}: {border.worms} worms of the reference frame are sure enough to measure,"
            f" and {MIN_SURE} are needed"
        )
    if border.wider_px == 0:
        return (
            f"{as_drawn}: {border.worms} worms of the reference frame are in the median"
            f" {border.width:.4f} of their length wide, at least least_width"
            f" {settings.least_width:g}"
        )
    return (
        f"masks are made {border.wider_px:g} px wider on each side: as the network draws them,"
        f" {border.worms} worms of the reference frame are in the median {border.width:.4f} of"
        f" their length wide, less than least_width {settings.least_width:g}"
    )
