"""Crops of one worm on three days, dead or alive by hand (UPV), and what tells them apart.

The crops take the path of a plate: registration, overlay, detection, composite, evidence, state.
The label is of the sequence: all worms called dead lie still from the first image to the last, so a
worm that moved on either side of the middle image counts as alive. Each crop is centred on the
worm that was labelled: where no worm is found there, the detector looks again with a lower
threshold.

Beside it a plain measure, without any model: the share of the dark body in the middle that moved.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage
from skimage.registration import phase_cross_correlation

from snakescope.healthspan.detection.channel_overlay import contrast_of, overlay
from snakescope.healthspan.detection.search import find_objects
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.detection.sorting import Surroundings, reason_to_drop
from snakescope.healthspan.evaluation.images import Models, find_worms
from snakescope.healthspan.geometry import TILE_PX
from snakescope.healthspan.states.classify import classify
from snakescope.healthspan.states.composite import compose
from snakescope.healthspan.states.evidence import Frame, evidence_of
from snakescope.healthspan.states.fusion import SHIPPED, fused
from snakescope.healthspan.states.pixels import change
from snakescope.healthspan.states.settings import CompositeSettings, EvidenceSettings
from snakescope.healthspan.states.states import DEAD, STATES
from snakescope.imaging.frames import read_frame
from snakescope.imaging.masks import Instance, paint
from snakescope.step.progress import progress

Pictures = Sequence[NDArray[np.uint8]]

UPV_PIXEL_SIZE_UM = 30.0
GREATEST_SHIFT_UM = 400.0
"""Beyond it, a crop's shift against another day's is taken for a mistake."""
WORM_MARGIN_PX = 4
LEAST_OVERLAP = 0.7
"""Share of a crop that a shift must leave on the other."""
MIDDLE_UM = 500.0
"""The labelled worm's centre lies as near to the middle of its crop as this, half a worm (um)."""
SECOND_LOOK_SCORE = 0.05
"""Least confidence of a detection where a worm is known to lie."""
PLAIN_SHARE = 0.035
"""The plain measure calls a worm alive if a greater share of its body moved."""
PLAIN_CONTRAST = 4.0
"""A body is darker than its ground by so many standard deviations."""
PLAIN_LEAST_PX, PLAIN_MIDDLE_PX, PLAIN_REACH_PX = 150, 40, 60
"""Least size of a body; where in a crop its darkest part is looked for, and how far it reaches."""


@dataclass(frozen=True)
class Sequence3:
    """Three overlays in register, the labelled worm and the other worms of each."""

    frames: tuple[Frame, Frame, Frame]
    worm: int | None


def ground_shift(
    reference: NDArray[np.uint8],
    picture: NDArray[np.uint8],
    bodies: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> tuple[int, int]:
    """Whole px (y, x) by which ``picture`` is moved to lie on ``reference``, told by the ground.

    Masked normalised cross-correlation (Padfield 2012, in scikit-image): pixels of the worms of
    both, given in that order, have no say, since theirs is the movement to be judged.
    """
    margin = np.ones((2 * WORM_MARGIN_PX + 1,) * 2, np.uint8)
    grounds = [cv2.dilate(one.astype(np.uint8), margin) == 0 for one in bodies]
    shift = phase_cross_correlation(
        reference,
        picture,
        reference_mask=grounds[0],
        moving_mask=grounds[1],
        overlap_ratio=LEAST_OVERLAP,
    )[0]
    return int(shift[0]), int(shift[1])


def in_register(
    pictures: Pictures, bodies: Sequence[NDArray[np.bool_]], pixel_size_um: float
) -> list[NDArray[np.uint8]]:
    """Three crops, the first and the last moved onto the second by their ground."""
    greatest = GREATEST_SHIFT_UM / pixel_size_um
    moved = list(pictures)
    for t in (0, 2):
        y, x = ground_shift(pictures[1], pictures[t], (bodies[1], bodies[t]))
        if np.hypot(y, x) <= greatest:
            matrix = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
            size = (pictures[t].shape[1], pictures[t].shape[0])
            warped = cv2.warpAffine(pictures[t], matrix, size, borderMode=cv2.BORDER_REPLICATE)
            moved[t] = np.asarray(warped, np.uint8)
    return moved


def from_middle(one: Instance, shape: tuple[int, ...]) -> float:
    """Distance (px) of a worm's centre from the middle of a crop."""
    return float(np.hypot(*(np.array(one.centroid) - np.array(shape) / 2)))


def second_look(picture: NDArray[np.uint8], timepoint: int, models: Models) -> Instance | None:
    """The surest detection in the middle of a crop, by a lower threshold; None without any."""
    settings = DetectSettings(score_threshold=SECOND_LOOK_SCORE)
    heads = models.detector.roi_heads
    usual = heads.score_thresh
    heads.score_thresh = SECOND_LOOK_SCORE
    try:
        found = find_objects(models.detector, picture, [(0, 0)], TILE_PX, timepoint, settings)
    finally:
        heads.score_thresh = usual
    near = [
        one
        for one in found
        if one.mask.any()
        and from_middle(one, picture.shape) * models.pixel_size_um <= MIDDLE_UM
        and not reason_to_drop(one, picture, models.pixel_size_um, settings, Surroundings())
    ]
    return max(near, key=lambda one: one.score, default=None)


def worms_of(picture: NDArray[np.uint8], timepoint: int, models: Models) -> list[Instance]:
    """The worms of a crop, with the one in its middle, if need be by a second look."""
    found = list(find_worms(picture, timepoint, models, DetectSettings()))
    greatest = MIDDLE_UM / models.pixel_size_um
    if all(from_middle(one, picture.shape) > greatest for one in found):
        again = second_look(picture, timepoint, models)
        if again is not None:
            found.append(again)
    return [replace(one, identifier=k + 1000 * timepoint) for k, one in enumerate(found)]


def sequence_of(pictures: Pictures, models: Models) -> Sequence3:
    """Find and register the worms of three daily overlays."""
    bodies = [paint(worms_of(p, t, models), *p.shape) for t, p in enumerate(pictures)]
    moved = in_register(pictures, bodies, models.pixel_size_um)
    before, at, after = (Frame(worms_of(p, t, models), p) for t, p in enumerate(moved))
    greatest = MIDDLE_UM / models.pixel_size_um
    distances = [from_middle(one, pictures[1].shape) for one in at.worms]
    worm = int(np.argmin(distances)) if distances and min(distances) <= greatest else None
    return Sequence3((before, at, after), worm)


def looks_of(sequence: Sequence3) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """How the labelled worm of the middle image looks: by both neighbours, by either one alone.

    Returns:
        Composites, uint8 (3, 128, 128, 3), and the shares of the body that moved, before and after
        (3, 2), NaN on a side that is not looked at.
    """
    before, at, after = sequence.frames
    row = sequence.worm
    assert row is not None
    settings = CompositeSettings(max_gap_h=36)
    tolerance = EvidenceSettings().tolerance_of(UPV_PIXEL_SIZE_UM)
    composites, moved = [], []
    for first, second in ((before, after), (before, None), (None, after)):
        composites.append(
            compose(
                at.worms,
                None if first is None else first.worms,
                None if second is None else second.worms,
                settings,
            )[row]
        )
        told = evidence_of(at, first, second, settings.window_px, tolerance)[row]
        moved.append((told.moved_before, told.moved_after))
    return np.array(composites), np.array(moved, dtype=np.float64)


def states_of(sequence: Sequence3, models: Models, grey_values: bool) -> list[str]:
    """States of the labelled worm in the middle image: by both neighbours, by either one alone.

    Args:
        grey_values: weigh them beside the masks.
    """
    composites, moved = looks_of(sequence)
    found = classify(models.classifier, composites, models.temperature)
    if grey_values:
        found = fused(found, moved, SHIPPED)
    return [STATES[int(one)] for one in found.argmax(axis=1)]


def dark_body(picture: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """All that is darker than the ground, and the piece of it nearest to the middle of a crop."""
    contrast = cv2.GaussianBlur(contrast_of(picture), (0, 0), 1.5)
    noise = 1.4826 * float(np.median(np.abs(contrast)))
    y, x = np.indices(picture.shape)
    middle = np.hypot(y - picture.shape[0] / 2, x - picture.shape[1] / 2)
    high = float(np.percentile(contrast[middle < PLAIN_MIDDLE_PX], 99))
    dark = contrast > max(PLAIN_CONTRAST * noise, 0.4 * high)
    labels, count = ndimage.label(dark)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    large = [k for k in range(1, count + 1) if sizes[k] >= PLAIN_LEAST_PX]
    if not large:
        return dark, np.zeros_like(dark)
    nearest = min(
        large, key=lambda k: middle[labels == k].min() + 0.2 * np.median(middle[labels == k])
    )
    return dark, (labels == nearest) & (middle < PLAIN_REACH_PX)


def plain_share(pictures: Pictures, pixel_size_um: float) -> float:
    """The greatest share of the dark body in the middle that moved; 0 without a dark body."""
    darks = [dark_body(one)[0] for one in pictures]
    moved = in_register(pictures, darks, pixel_size_um)
    body = dark_body(moved[1])[1]
    if not body.any():
        return 0.0
    smooth = [
        np.asarray(cv2.GaussianBlur(contrast_of(one), (0, 0), 1.5), np.float32) for one in moved
    ]
    tolerance = EvidenceSettings().tolerance_of(UPV_PIXEL_SIZE_UM)
    nobody = np.zeros_like(body)
    return max(change(smooth[1], smooth[t], body, nobody, tolerance).share for t in (0, 2))


def read_triplets(
    folder: Path, pixel_size_um: float
) -> Iterator[tuple[list[NDArray[np.uint8]], bool]]:
    """Overlays of the three images of every sequence at a pixel size, and whether it is alive."""
    labels = pd.read_csv(folder / "labels.csv")
    scale = UPV_PIXEL_SIZE_UM / pixel_size_um
    for _, rows in progress(list(labels.groupby("sequence_id", sort=True)), "triplets"):
        rows = rows.sort_values("frame_0before_1current_2after")
        pictures = []
        for name in rows["file"]:
            crop = read_frame(folder / name)
            size = (round(crop.shape[1] * scale), round(crop.shape[0] * scale))
            large = cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC)
            pictures.append(overlay({"bright_field": np.asarray(large)}))
        yield pictures, rows["label"].iloc[0] == "alive"


def triplet_scores(folder: Path, models: Models) -> Iterator[tuple[str, float]]:
    """Sequences, those called right by each way, and those in which no worm was found."""
    ways = ("right", "right_masks", "right_middle", "right_plain", "not_found", "sequences")
    totals = dict.fromkeys(ways, 0.0)
    for pictures, alive in read_triplets(folder, models.pixel_size_um):
        totals["sequences"] += 1
        moved = plain_share(pictures, models.pixel_size_um)
        totals["right_plain"] += (moved > PLAIN_SHARE) == alive
        sequence = sequence_of(pictures, models)
        if sequence.worm is None:
            totals["not_found"] += 1
            continue
        named = states_of(sequence, models, grey_values=True)
        totals["right"] += any(state != DEAD for state in named[1:]) == alive
        totals["right_middle"] += (named[0] != DEAD) == alive
        by_masks = states_of(sequence, models, grey_values=False)
        totals["right_masks"] += (by_masks[0] != DEAD) == alive
    yield from totals.items()
