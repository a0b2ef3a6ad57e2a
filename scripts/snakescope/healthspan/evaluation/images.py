"""Scores on real images that no model was trained on: bbbc010, UPV triplets, UPV plate.

- bbbc010: single wells in bright field, masks drawn by hand. Masks are compared at IoU 0.5.
- UPV triplets: crops of one worm on three days, dead or alive by hand; they take the path of a
  plate: registration, overlay, detection, composite, state. Alive is healthy or immobile.
- UPV plate: one dish over four weeks, through the whole workflow; its living worms were counted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from skimage.registration import phase_cross_correlation
from torchvision.models.detection import MaskRCNN

from snakescope.healthspan.detection.channel_overlay import overlay
from snakescope.healthspan.detection.detect import (
    Surroundings,
    find_objects,
    sort_out,
)
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.geometry import TILE_PX
from snakescope.healthspan.states.classify import classify
from snakescope.healthspan.states.composite import composites_of
from snakescope.healthspan.states.settings import CompositeSettings
from snakescope.healthspan.states.states import STATES
from snakescope.healthspan.training.detector_scores import crossing, match
from snakescope.imaging.frames import read_frame
from snakescope.imaging.masks import Instance, cropped, paint
from snakescope.step.progress import progress

UPV_PIXEL_SIZE_UM = 30.0
GREATEST_SHIFT_UM = 400.0
"""Beyond it, a crop's shift against another day's is taken for a mistake."""
WORM_MARGIN_PX = 4
LEAST_OVERLAP = 0.7
"""Share of a crop that a shift must leave on the other."""


@dataclass(frozen=True)
class Models:
    """The two models of the workflow, as a plate uses them."""

    detector: MaskRCNN
    pixel_size_um: float
    classifier: torch.nn.Module
    temperature: float


def find_worms(
    picture: NDArray[np.uint8], timepoint: int, models: Models, settings: DetectSettings
) -> Sequence[Instance]:
    """The worms of one overlay of any size, as a plate's frame would be searched."""
    height, width = picture.shape
    corners = [
        (top, left) for top in range(0, height, TILE_PX) for left in range(0, width, TILE_PX)
    ]
    objects = find_objects(models.detector, picture, corners, TILE_PX, timepoint, settings)
    return sort_out(objects, picture, models.pixel_size_um, settings, Surroundings())[0]


def bbbc010_scores(folder: Path, models: Models) -> Iterator[tuple[str, float]]:
    """Worms drawn by hand, worms found among them, and false ones, over all wells."""
    settings = DetectSettings()
    drawn = pd.read_csv(folder / "worms.csv")
    totals = dict.fromkeys(
        ("worms_true", "worms_found", "worms_false", "iou_sum", "overlapping_true",
         "overlapping_found"), 0.0,
    )  # fmt: skip
    wells = sorted(set(drawn["well"]))
    for well in progress(wells, "bbbc010"):
        truth: list[Instance] = []
        for name in drawn.loc[drawn["well"] == well, "mask"]:
            mask = read_frame(folder / "masks" / name)
            one = cropped(np.asarray(mask > 0), 0, 0, 0, len(truth), 1.0)
            if one is not None:
                truth.append(one)
        picture = overlay({"bright_field": read_frame(folder / "images" / f"{well}.png")})
        found = find_worms(picture, 0, models, settings)
        result = match(truth, found)
        crossed = crossing(truth)
        totals["worms_true"] += len(truth)
        totals["worms_found"] += len(result.pairs)
        totals["worms_false"] += len(found) - len(result.pairs)
        totals["iou_sum"] += sum(value for _, _, value in result.pairs)
        totals["overlapping_true"] += sum(crossed)
        totals["overlapping_found"] += sum(crossed[t] for t, _, _ in result.pairs)
    yield from totals.items()


def ground_shift(
    reference: NDArray[np.uint8],
    picture: NDArray[np.uint8],
    worms: tuple[Sequence[Instance], Sequence[Instance]],
) -> tuple[int, int]:
    """Whole px (y, x) by which ``picture`` is moved to lie on ``reference``, told by the ground.

    Masked normalised cross-correlation (Padfield 2012, in scikit-image): the worms of both, given
    in that order, have no say, since theirs is the movement to be judged.
    """
    margin = np.ones((2 * WORM_MARGIN_PX + 1,) * 2, np.uint8)
    grounds = [
        cv2.dilate(paint(found, *one.shape).astype(np.uint8), margin) == 0
        for found, one in zip(worms, (reference, picture), strict=True)
    ]
    shift = phase_cross_correlation(
        reference,
        picture,
        reference_mask=grounds[0],
        moving_mask=grounds[1],
        overlap_ratio=LEAST_OVERLAP,
    )[0]
    return int(shift[0]), int(shift[1])


def in_register(pictures: list[NDArray[np.uint8]], models: Models) -> list[NDArray[np.uint8]]:
    """Three crops, the first and the last moved onto the second."""
    found = [find_worms(one, t, models, DetectSettings()) for t, one in enumerate(pictures)]
    greatest = GREATEST_SHIFT_UM / models.pixel_size_um
    moved = list(pictures)
    for t in (0, 2):
        y, x = ground_shift(pictures[1], pictures[t], (found[1], found[t]))
        if np.hypot(y, x) <= greatest:
            matrix = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
            size = (pictures[t].shape[1], pictures[t].shape[0])
            warped = cv2.warpAffine(pictures[t], matrix, size, borderMode=cv2.BORDER_REPLICATE)
            moved[t] = np.asarray(warped, np.uint8)
    return moved


def triplet_state(pictures: list[NDArray[np.uint8]], models: Models) -> str:
    """State of the worm in the middle of the second of three daily crops; ``none`` if not found."""
    settings = DetectSettings()
    instances: list[Instance] = []
    for timepoint, picture in enumerate(pictures):
        for one in find_worms(picture, timepoint, models, settings):
            instances.append(replace(one, identifier=len(instances)))
    middle = np.array(pictures[1].shape) / 2
    worms = [one for one in instances if one.timepoint == 1]
    if not worms:
        return "none"
    centred = min(worms, key=lambda one: float(np.hypot(*(np.array(one.centroid) - middle))))
    composites = composites_of(
        [1], {0: 0.0, 1: 24.0, 2: 48.0}, instances, CompositeSettings(max_gap_h=36)
    )
    chosen = [one for one in composites if one.instance.identifier == centred.identifier]
    probabilities = classify(models.classifier, chosen[0].picture[None], models.temperature)
    return STATES[int(probabilities[0].argmax())]


def triplet_scores(folder: Path, models: Models) -> Iterator[tuple[str, float]]:
    """Sequences, those called right, and those in which no worm was found."""
    labels = pd.read_csv(folder / "labels.csv")
    scale = UPV_PIXEL_SIZE_UM / models.pixel_size_um
    right = not_found = count = 0
    for _, rows in labels.groupby("sequence_id", sort=True):
        rows = rows.sort_values("frame_0before_1current_2after")
        pictures = []
        for name in rows["file"]:
            crop = read_frame(folder / name)
            size = tuple(round(side * scale) for side in reversed(crop.shape))
            large = cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC)
            pictures.append(overlay({"bright_field": np.asarray(large)}))
        state = triplet_state(in_register(pictures, models), models)
        alive = state in ("healthy", "immobile")
        right += state != "none" and alive == (rows["label"].iloc[0] == "alive")
        not_found += state == "none"
        count += 1
    yield from (("sequences", count), ("right", right), ("not_found", not_found))


def upv_plate_scores(counts: pd.DataFrame, truth: pd.DataFrame) -> Iterator[tuple[str, float]]:
    """Days, and days on which the living count is within one of the hand count.

    Args:
        counts: counts.tsv of the plate, one usable row a day in the order of the days.
        truth: counts by hand, in the order of the days.
    """
    days = truth["day"] - truth["day"].iloc[0]
    found = dict(zip((counts["time_h"] / 24).round().astype(int), counts["alive"], strict=True))
    for day, living in zip(days, truth["living_manual_count_from_filename"], strict=True):
        alive = found.get(int(day), np.nan)
        yield f"day_{int(day)}_true", float(living)
        yield f"day_{int(day)}_found", float(alive)
    differences = [
        abs(found.get(int(day), np.nan) - living)
        for day, living in zip(days, truth["living_manual_count_from_filename"], strict=True)
    ]
    yield "days", float(len(differences))
    yield "days_within_one", float(sum(d <= 1 for d in differences))
