"""Detection of the worms of a block by Mask R-CNN on overlapping tiles, in plate coordinates.

Matsuo et al. cut a frame into 49 tiles, which loses or halves worms on the seams. Here tiles
overlap by a margin, so that every worm is complete in one of them, and duplicates are removed
(:mod:`snakescope.healthspan.detection.merge`). False detections are dropped with a reason each.
"""

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torchvision.models.detection import MaskRCNN

from snakescope.healthspan.detection.candidates import candidates_of
from snakescope.healthspan.detection.merge import (
    TileDetection,
    keep_distinct,
    largest_piece,
    on_frame,
)
from snakescope.healthspan.detection.model import build_detector, for_inference
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.detection.size_prior import (
    SizePrior,
    contrast,
    estimate_size_prior,
    length_px,
    width_px,
)
from snakescope.healthspan.detection.soft_masks import SoftDetection, View, look, objects_of
from snakescope.healthspan.detection.tile import ORIGIN_COLUMNS, assemble
from snakescope.healthspan.detection.views import (
    LEAST_CONTRAST,
    Disc,
    parts_of,
    view,
    worth_a_look,
)
from snakescope.imaging.masks import INSTANCES_PER_TIMEPOINT, Instance, MaskSet, write_masks
from snakescope.imaging.stacks import Stack
from snakescope.learning.device import choose_device
from snakescope.learning.precision import arithmetic
from snakescope.learning.weights import load_weights
from snakescope.step.errors import StepError
from snakescope.step.progress import progress
from snakescope.step.tables import read_table, write_table

DROPPED_COLUMNS = ["timepoint", "y_px", "x_px", "area_px", "length_px", "score", "reason"]

NO_CANDIDATES = {"duplicate", "edge of dish", "registration mark"}
"""Why an object is dropped that is no worm, whatever the frames before and after show."""


OF_TWO_WORMS = {"too large", "too wide"}
"""Why a mask is left out before it can pass for the better one of the worms that it covers."""


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


def load_detector(
    path: str, sha256: str | None, settings: DetectSettings
) -> tuple[MaskRCNN, float]:
    """Load a detector; return it as it is fastest to use, and its pixel size (um)."""
    model, pixel_size_um = trained_detector(path, sha256, settings)
    device = choose_device(settings.device)
    dtype = arithmetic(settings.precision, device)
    return for_inference(model, device, dtype), pixel_size_um


def trained_detector(
    path: str, sha256: str | None, settings: DetectSettings
) -> tuple[MaskRCNN, float]:
    """Load a detector with the layers that it was trained with; and its pixel size (um)."""
    weights, card = load_weights(path, sha256)
    try:
        least = min(settings.score_threshold, settings.faint_score)
        model = build_detector(card["architecture"], least)
        model.load_state_dict(weights)
        pixel_size = float(card["model_pixel_size_um"])
    except (KeyError, RuntimeError) as error:
        raise StepError(
            f"{path}: expected weights of this workflow's worm detector, found others"
            f" ({type(error).__name__}); restore the file"
        ) from None
    return model.eval(), pixel_size


def find_soft(
    model: MaskRCNN,
    frame: NDArray[np.uint8],
    corners: list[tuple[int, int]],
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
    corners: list[tuple[int, int]],
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
    found: list[SoftDetection], size: tuple[int, int], timepoint: int, settings: DetectSettings
) -> list[TileDetection]:
    """Masks of detections, clipped to the frame of ``size`` (Y, X)."""
    cut = objects_of(found, timepoint, settings.score_threshold, settings.mask_threshold)
    return [on_frame(one, *size) for one in cut]


def faint_objects(
    found: list[SoftDetection], size: tuple[int, int], timepoint: int, settings: DetectSettings
) -> list[TileDetection]:
    """Masks of the detections that are less sure than ``score_threshold``, see ``cut_objects``."""
    lower = settings.model_copy(update={"score_threshold": settings.faint_score})
    unsure = [one for one in found if one.score < settings.score_threshold]
    return cut_objects(unsure, size, timepoint, lower)


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
        if one.area < settings.min_relative_area * usual.area:
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


def dropped_table(dropped: list[Dropped]) -> pd.DataFrame:
    """Return the dropped detections as a table."""
    rows = [
        (
            one.instance.timepoint,
            *(round(v, 1) for v in one.instance.centroid),
            one.instance.area,
            round(length_px(one.instance), 1),
            round(one.instance.score, 3),
            one.reason,
        )
        for one in dropped
    ]
    return pd.DataFrame(rows, columns=DROPPED_COLUMNS)


MARK_SHARE = 0.35
"""Radius around the centre of the mark without worms, as a fraction of its width.

Centres of the arms of the cross are within it; worms next to the mark are kept.
"""


def read_surroundings(description: Path, scale: float) -> Surroundings:
    """Read dish and mark of the reference frame of a plate, in plate coordinates.

    Args:
        scale: plate coordinates (px) per raw pixel.

    Raises:
        StepError: the file is not the description of a reference frame.
    """
    try:
        reference = json.loads(description.read_text(encoding="utf-8"))
        centre, radius = reference["dish_centre_px"], reference["dish_radius_px"]
        mark = reference["mark"]
        dish = None
        if centre is not None and radius is not None:
            dish = Disc(centre[0] * scale, centre[1] * scale, radius * scale)
        disc = None
        if mark["found"]:
            reach = MARK_SHARE * mark["span_px"]
            disc = Disc(mark["y_px"] * scale, mark["x_px"] * scale, reach * scale)
        return Surroundings(dish, disc)
    except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise StepError(
            f"{description}: expected the description of a reference frame, found"
            f" {type(error).__name__}; remove the file and run again"
        ) from None


def check_pixel_size(tiles: Stack, pixel_size_um: float) -> None:
    """Refuse tiles whose pixel size differs from that of the detector, which would miss most worms.

    Raises:
        StepError: the sizes (um) differ by more than one in a thousand.
    """
    found = tiles.pixel_size_um
    if found is not None and abs(found / pixel_size_um - 1) > 1e-3:
        raise StepError(
            f"{tiles.path}: expected tiles of {pixel_size_um:g} um a pixel, on which the detector"
            f" was trained, found {found:g};"
            f" set detection: tile: model_pixel_size_um: {pixel_size_um:g}"
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--tiles", required=True, type=Path)
    parser.add_argument("--origins", required=True, type=Path)
    parser.add_argument("--reference-description", required=True, type=Path)
    parser.add_argument("--plate", required=True)
    parser.add_argument("--pixel-size-um", required=True, type=float, help="of the raw frames")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--sha256", default=None, help="checksum that the weights must have")
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--masks", required=True, type=Path)
    parser.add_argument("--dropped", required=True, type=Path)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    settings = DetectSettings.model_validate_json(arguments.settings)
    model, pixel_size_um = load_detector(arguments.weights, arguments.sha256 or None, settings)
    scale = arguments.pixel_size_um / pixel_size_um
    surroundings = read_surroundings(arguments.reference_description, scale)
    origins = read_table(arguments.origins, ORIGIN_COLUMNS)
    height = int(origins["frame_height_px"].iloc[0]) if len(origins) else 0
    width = int(origins["frame_width_px"].iloc[0]) if len(origins) else 0
    timepoints = tuple(int(t) for t in sorted(origins["timepoint"].unique()))
    instances: list[Instance] = []
    dropped: list[Dropped] = []
    candidates: list[Instance] = []
    with Stack(arguments.tiles) as tiles:
        check_pixel_size(tiles, pixel_size_um)
        for timepoint in progress(timepoints, f"{arguments.plate}: frames searched for worms"):
            frame = assemble(tiles, origins, timepoint)
            rows = origins[origins["timepoint"] == timepoint]
            corners = [(int(top), int(left)) for top, left in rows[["top_px", "left_px"]].values]
            found = find_soft(model, frame, corners, tiles.height, settings, surroundings.dish)
            size = (frame.shape[0], frame.shape[1])
            objects = cut_objects(found, size, timepoint, settings)
            worms, left_out = sort_out(objects, frame, pixel_size_um, settings, surroundings)
            instances += worms
            dropped += left_out
            aside = [one.instance for one in left_out if one.reason not in NO_CANDIDATES]
            candidates += candidates_of(
                [*aside, *faint_objects(found, size, timepoint, settings)],
                worms,
                settings,
                lambda one: not off_plate(one, pixel_size_um, settings, surroundings),
                pixel_size_um,
            )
    write_table(arguments.dropped, dropped_table(dropped))
    write_masks(
        arguments.masks,
        MaskSet(
            *(arguments.plate, pixel_size_um, height, width, timepoints),
            *(tuple(instances), tuple(candidates)),
        ),
    )
