"""A second look where a worm that lies still was missed.

A frame in which the detector misses a worm that lies there ends its track or ages it: the composite
of the frame before shows a worm that left. Where the frames before and after agree on a worm
(:mod:`snakescope.healthspan.states.expected`), the frame is looked at again:

* a candidate (:mod:`snakescope.healthspan.detection.candidates`) that matches both masks is the
  worm, as ByteTrack (Zhang et al. 2022) accepts detections of low scores where one is expected;
* else the grey values are compared with the mean of the two frames: if they show the same body, the
  mask of the nearer frame is the sighting, at the shift at which they agree best;
* else there is none. Agar is not like a body, so a worm that left is not kept.
"""

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pandas as pd

from snakescope.healthspan.detection.tile import plate_scale
from snakescope.healthspan.states.composite import block_range, corner, draw, usable_times
from snakescope.healthspan.states.evidence import Pictures, pictures_of
from snakescope.healthspan.states.expected import Place, expected_places, same
from snakescope.healthspan.states.likeness import RING_PX, SMOOTHING_PX, WINDOW_PX, likeness
from snakescope.healthspan.states.pixels import GROUND_STEP, disc, spread, window_of
from snakescope.healthspan.states.settings import EvidenceSettings, SecondLookSettings
from snakescope.healthspan.states.sightings import CANDIDATE, FIRST_COPY, NEIGHBOUR
from snakescope.imaging.masks import (
    INSTANCES_PER_TIMEPOINT,
    Instance,
    MaskSet,
    read_masks,
    write_masks,
)
from snakescope.step.tables import write_table

NOT_SEEN = "not seen"

LOOK_COLUMNS = (
    "timepoint",
    "outcome",
    "instance",
    "y_px",
    "x_px",
    "near",
    "far",
    "agreement",
    "correlation",
    "contrast",
)


@dataclass(frozen=True)
class Look:
    """What a second look at one place found.

    Attributes:
        timepoint: of the frame.
        place: where a worm was expected.
        outcome: ``candidate``, ``neighbour`` or ``not seen``.
        instance: the sighting; None if there is none.
        correlation: of the grey values with the mean of the two frames, -1 to 1.
        contrast: of the body to its ground, as a share of that in the two frames.
    """

    timepoint: int
    place: Place
    outcome: str
    instance: Instance | None
    correlation: float = np.nan
    contrast: float = np.nan


def look_at(
    place: Place,
    timepoint: int,
    frames: Mapping[int, Sequence[Instance]],
    pictures: Pictures,
    settings: SecondLookSettings,
    tolerance_px: float,
) -> Look:
    """Compare the grey values of a frame at a place with those of the two frames that show it."""
    one = place.near
    top, left = corner(one, WINDOW_PX)
    first, second = (
        window_of(pictures(mask.timepoint), top, left, WINDOW_PX, SMOOTHING_PX)
        for mask in (place.near, place.far)
    )
    at = window_of(pictures(timepoint), top, left, WINDOW_PX, SMOOTHING_PX)
    others = [
        *frames[timepoint],
        *(m for m in frames[place.near.timepoint] if m is not place.near),
        *(m for m in frames[place.far.timepoint] if m is not place.far),
    ]
    clear = draw(others, top, left, WINDOW_PX) == 0
    body = draw([one], top, left, WINDOW_PX) > 0
    mean = np.asarray((first + second) / 2, dtype=np.float32)
    found = likeness(at, mean, body, clear, int(tolerance_px))
    calm = (cv2.dilate(body.astype(np.uint8), disc(2 * RING_PX)) == 0) & clear
    sample = at[calm][::GROUND_STEP]
    # The body of a frame of fog is fainter, but never as faint as the noise of its ground.
    level = float(at[body & clear].mean()) if (body & clear).any() else 0.0
    seen = (
        found.correlation >= settings.min_correlation
        and found.contrast >= settings.min_contrast
        and level >= settings.noise_levels * spread(sample)
    )
    instance = None
    if seen:
        score = round(found.correlation, 4)
        instance = replace(
            one, timepoint=timepoint, top=one.top + found.y, left=one.left + found.x, score=score
        )
    return Look(
        timepoint,
        place,
        NEIGHBOUR if seen else NOT_SEEN,
        instance,
        found.correlation,
        found.contrast,
    )


def looks_at(
    timepoint: int,
    frames: Mapping[int, Sequence[Instance]],
    candidates: Sequence[Instance],
    pictures: Pictures,
    settings: SecondLookSettings,
    tolerance_px: float,
) -> list[Look]:
    """Look again at every place of a frame at which a worm is expected and none was found.

    Args:
        frames: masks of every usable timepoint, by the first look.
        candidates: of this frame.
        pictures: gives the overlay of a timepoint, uint8 (Y, X).
        tolerance_px: by how much the frames may be out of register.
    """
    places = expected_places(frames, sorted(frames), timepoint, settings)
    matches = sorted(
        (-place.overlap(one), k, c)
        for k, place in enumerate(places)
        for c, one in enumerate(candidates)
        if place.overlap(one) >= settings.min_candidate_iou
    )
    taken: dict[int, Instance] = {}
    for _, k, c in matches:
        others = [*frames[timepoint], *taken.values()]
        if k not in taken and not any(same(candidates[c], one) for one in others):
            taken[k] = candidates[c]
    looks: list[Look] = []
    sightings = [*frames[timepoint], *taken.values()]
    for k, place in enumerate(places):
        if k in taken:
            looks.append(Look(timepoint, place, CANDIDATE, taken[k]))
            continue
        found = look_at(place, timepoint, frames, pictures, settings, tolerance_px)
        sighting = found.instance
        if sighting is not None and any(same(sighting, one) for one in sightings):
            found = replace(found, outcome=NOT_SEEN, instance=None)
        elif sighting is not None:
            number = FIRST_COPY + sum(one.outcome == NEIGHBOUR for one in looks)
            identifier = timepoint * INSTANCES_PER_TIMEPOINT + number
            sighting = replace(sighting, identifier=identifier)
            found = replace(found, instance=sighting)
            sightings.append(sighting)
        looks.append(found)
    return looks


def looked_at(timepoints: Iterable[int], usable: Sequence[int]) -> list[int]:
    """Return the usable timepoints of a block, the one before and the one after.

    Composites show the neighbours of a frame, which therefore need their second look as well.
    """
    own = [t for t in usable if t in set(timepoints)]
    if not own:
        return []
    first, last = usable.index(own[0]), usable.index(own[-1])
    return list(usable[max(first - 1, 0) : last + 2])


def look_table(looks: Iterable[Look]) -> pd.DataFrame:
    """Return a row per place that was looked at again; see :data:`LOOK_COLUMNS`."""

    def rows() -> Iterator[tuple[object, ...]]:
        for one in looks:
            y, x = (one.instance or one.place.near).centroid
            yield (
                one.timepoint,
                one.outcome,
                pd.NA if one.instance is None else one.instance.identifier,
                y,
                x,
                one.place.near.timepoint,
                one.place.far.timepoint,
                one.place.agreement,
                one.correlation,
                one.contrast,
            )

    table = pd.DataFrame(list(rows()), columns=list(LOOK_COLUMNS)).astype({"instance": "Int64"})
    rounded = {"y_px": 1, "x_px": 1, "agreement": 3, "correlation": 3, "contrast": 3}
    return table.astype(dict.fromkeys(rounded, float)).round(rounded)


def second_look(
    block: Iterable[int],
    times_h: Mapping[int, float],
    sets: Sequence[MaskSet],
    pictures: Pictures,
    settings: SecondLookSettings,
    tolerance_px: float,
) -> dict[int, list[Look]]:
    """Look again at the frames of a block, and at the frames next to it.

    Args:
        times_h: time (h) of every usable timepoint, of these and of the adjacent blocks.
        sets: the masks of those timepoints.
    """
    if not settings.enabled:
        return {}
    frames: dict[int, list[Instance]] = {timepoint: [] for timepoint in sorted(times_h)}
    candidates: dict[int, list[Instance]] = {timepoint: [] for timepoint in frames}
    for masks in sets:
        for place, instances in ((frames, masks.instances), (candidates, masks.candidates)):
            for one in sorted(instances, key=lambda one: one.identifier):
                if one.timepoint in place:
                    place[one.timepoint].append(one)
    return {
        timepoint: looks_at(
            timepoint, frames, candidates[timepoint], pictures, settings, tolerance_px
        )
        for timepoint in looked_at(block, list(frames))
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--block", required=True)
    parser.add_argument("--masks", nargs="+", required=True)
    parser.add_argument("--tables", nargs="+", required=True)
    parser.add_argument(
        "--frames", nargs="+", required=True, help="registered frames of the blocks"
    )
    parser.add_argument("--reference-description", required=True)
    parser.add_argument("--pixel-size-um", required=True, type=float, help="of the raw frames")
    parser.add_argument("--weighing", required=True, help="settings of the evidence")
    parser.add_argument("--settings", required=True)
    parser.add_argument("--sightings", required=True, help="masks to write")
    parser.add_argument("--looks", required=True, help="table to write")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    cv2.setNumThreads(1)
    settings = SecondLookSettings.model_validate_json(arguments.settings)
    weighing = EvidenceSettings.model_validate_json(arguments.weighing)
    sets = [read_masks(path) for path in arguments.masks]
    times_h = usable_times(arguments.tables)
    scale = plate_scale(arguments.pixel_size_um, weighing.model_pixel_size_um)
    pictures = pictures_of(
        arguments.frames, arguments.tables, scale, arguments.reference_description
    )
    block = block_range(arguments.block)
    tolerance_px = weighing.tolerance_of(arguments.pixel_size_um)
    looks = second_look(block, times_h, sets, pictures, settings, tolerance_px)
    found = [look for at in looks.values() for look in at]
    one = sets[0]
    write_masks(
        arguments.sightings,
        MaskSet(
            *(one.plate, one.pixel_size_um, one.height, one.width, tuple(looks)),
            tuple(look.instance for look in found if look.instance is not None),
        ),
    )
    own = [look for timepoint, at in looks.items() if timepoint in block for look in at]
    write_table(arguments.looks, look_table(own))
    seen = sum(look.instance is not None for look in own)
    print(f"{arguments.block}: {len(own)} places looked at again, {seen} worms seen there")
