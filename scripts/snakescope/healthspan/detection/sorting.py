"""Which detections of a frame are worms: duplicates and false ones are dropped, with a reason."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.detection.detections import TileDetection
from snakescope.healthspan.detection.merge import keep_distinct, largest_piece
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.detection.size_prior import (
    SURE_SCORE,
    SizePrior,
    contrast,
    estimate_size_prior,
    length_px,
    width_px,
)
from snakescope.healthspan.detection.views import Disc
from snakescope.imaging.masks import INSTANCES_PER_TIMEPOINT, Instance

OF_TWO_WORMS = {"too large", "too wide"}
"""Why a mask is left out before it can pass for the better one of the worms that it covers."""

OF_SURE_ONES = 0.8
"""Share of the least area that sure detections may have: a male has half the area of the
hermaphrodites beside it, and is found as surely as they are; pieces and crumbs are not."""


@dataclass(frozen=True)
class Surroundings:
    """Areas without worms: outside of the dish, and the registration mark."""

    dish: Disc | None = None
    mark: Disc | None = None


@dataclass(frozen=True)
class Dropped:
    """A detection that was dropped, with the reason."""

    instance: Instance
    reason: str


def reason_to_drop(
    one: Instance,
    frame: NDArray[np.uint8],
    pixel_size_um: float,
    settings: DetectSettings,
    surroundings: Surroundings,
    usual: SizePrior | None = None,
) -> str:
    """Return why a detection is not a worm of the plate; empty if it is one."""
    length = length_px(one)
    if length * pixel_size_um < settings.min_length_um:
        return "too small"
    if length * length / one.area < settings.min_slenderness:
        return "dust"
    if usual is not None:
        least = settings.min_relative_area * (OF_SURE_ONES if one.score >= SURE_SCORE else 1.0)
        if one.area < least * usual.area:
            return "too small"
        if one.area > settings.max_relative_area * usual.area:
            return "too large"
        width = width_px(one)
        if width < settings.min_relative_width * usual.width:
            return "too thin"
        if width > settings.max_relative_width * usual.width:
            return "too wide"
    faintest = settings.min_contrast
    if usual is not None:
        faintest = max(faintest, settings.min_relative_contrast * usual.contrast)
    if contrast(one, frame) < faintest:
        return "faint"
    return off_plate(one, pixel_size_um, settings, surroundings)


def off_plate(
    one: Instance, pixel_size_um: float, settings: DetectSettings, surroundings: Surroundings
) -> str:
    """Return in which area without worms an object lies; empty if in none."""
    y, x = one.centroid
    dish, mark = surroundings.dish, surroundings.mark
    if dish is not None and dish.distance(y, x) * pixel_size_um < settings.rim_um:
        return "edge of dish"
    if mark is not None and mark.distance(y, x) > 0:
        return "registration mark"
    return ""


def sort_out(
    objects: list[TileDetection],
    frame: NDArray[np.uint8],
    pixel_size_um: float,
    settings: DetectSettings,
    surroundings: Surroundings,
) -> tuple[list[TileDetection], list[Dropped]]:
    """Remove duplicates and false detections of a frame.

    Args:
        frame: overlay of the channels, uint8 (Y, X).

    Returns:
        The worms in reading order with identifiers, and the dropped detections with reasons.
    """
    present = [largest_piece(one) for one in objects if one.mask.any()]
    # The arms of the mark, found several times over, are no measure of the worms.
    on_plate = [one for one in present if not off_plate(one, pixel_size_um, settings, surroundings)]
    usual = estimate_size_prior([one for one in on_plate if not one.cut], frame)

    def why(one: TileDetection) -> str:
        return reason_to_drop(one, frame, pixel_size_um, settings, surroundings, usual)

    dropped, remaining = [], []
    for one in present:
        if (reason := why(one)) in OF_TWO_WORMS:
            dropped.append(Dropped(one, reason))
        else:
            remaining.append(one)
    distinct = keep_distinct(remaining, settings.max_overlap, usual)
    dropped += [Dropped(one, "duplicate") for one in distinct.duplicates]
    worms = []
    for one in distinct.kept:
        if reason := why(one):
            dropped.append(Dropped(one, reason))
        else:
            worms.append(one)
    worms.sort(key=lambda one: (one.top, one.left))
    numbered = [
        replace(one, identifier=one.timepoint * INSTANCES_PER_TIMEPOINT + k)
        for k, one in enumerate(worms)
    ]
    return numbered, dropped
