"""Detection of the worms of a block by Mask R-CNN on overlapping tiles, in plate coordinates.

Matsuo et al. cut a frame into 49 tiles, which loses or halves worms on the seams. Here tiles
overlap by a margin, so that every worm is complete in one of them, and duplicates are removed
(:mod:`snakescope.healthspan.detection.merge`). False detections are dropped with a reason each.
"""

import argparse
import json
from pathlib import Path

import cv2
import pandas as pd
import torch
from torchvision.models.detection import MaskRCNN

from snakescope.healthspan.detection.border import (
    Border,
    border_of_plate,
    said_of,
    to_border,
)
from snakescope.healthspan.detection.candidates import candidates_of
from snakescope.healthspan.detection.model import build_detector, for_inference
from snakescope.healthspan.detection.search import cut_objects, faint_objects, find_soft
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.detection.size_prior import length_px
from snakescope.healthspan.detection.sorting import Dropped, Surroundings, off_plate, sort_out
from snakescope.healthspan.detection.tile import (
    ORIGIN_COLUMNS,
    assemble,
    plate_picture,
    plate_scale,
)
from snakescope.healthspan.detection.views import Disc
from snakescope.healthspan.registration.reference import read_description, read_reference
from snakescope.imaging.masks import Instance, MaskSet, write_masks
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
    parser.add_argument("--reference", required=True, type=Path, help="reference frame")
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
        border, said = Border(), ""
        if timepoints:
            reference = plate_picture(
                read_reference(arguments.reference),
                plate_scale(arguments.pixel_size_um, pixel_size_um),
                read_description(arguments.reference_description),
            )
            border = border_of_plate(
                model, reference, tiles.height, pixel_size_um, settings, surroundings
            )
            said = said_of(border, settings)
            print(f"{arguments.plate}: {said}", flush=True)
        for timepoint in progress(timepoints, f"{arguments.plate}: frames searched for worms"):
            frame = assemble(tiles, origins, timepoint)
            rows = origins[origins["timepoint"] == timepoint]
            corners = [(int(top), int(left)) for top, left in rows[["top_px", "left_px"]].values]
            found = find_soft(model, frame, corners, tiles.height, settings, surroundings.dish)
            size = (frame.shape[0], frame.shape[1])
            objects = cut_objects(found, size, timepoint, settings)
            worms, left_out = sort_out(objects, frame, pixel_size_um, settings, surroundings)
            instances += [to_border(one, border, settings, size) for one in worms]
            dropped += left_out
            aside = [one.instance for one in left_out if one.reason not in NO_CANDIDATES]
            unsure = candidates_of(
                [*aside, *faint_objects(found, size, timepoint, settings)],
                worms,
                settings,
                lambda one: not off_plate(one, pixel_size_um, settings, surroundings),
                pixel_size_um,
            )
            candidates += [to_border(one, border, settings, size) for one in unsure]
    write_table(arguments.dropped, dropped_table(dropped))
    write_masks(
        arguments.masks,
        MaskSet(
            *(arguments.plate, pixel_size_um, height, width, timepoints),
            *(tuple(instances), tuple(candidates), said),
        ),
    )
