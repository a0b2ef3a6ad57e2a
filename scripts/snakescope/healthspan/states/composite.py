"""Composites: the masks of a worm before, at and after a timepoint as one RGB image.

Matsuo et al., section 3.3.1 and figure 10: the same window of three binary frames becomes red,
green and blue, so that static parts are white and moving parts coloured. Three details that the
paper leaves open:

* green (at) holds the mask of the worm itself only;
* red (before) and blue (after) hold all masks of the neighbour frame, except those that match
  another worm of this frame, such as an adjacent corpse;
* if one neighbour frame is missing (first and last frame, gaps), the other is used in both
  channels; if both are missing, red and blue are black and the state is ``unknown``.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile
from numpy.typing import NDArray
from skimage.morphology import skeletonize

from snakescope.healthspan.plates.manifest import block_range
from snakescope.healthspan.registration.repeats import mark_repeats
from snakescope.healthspan.states.settings import CompositeSettings
from snakescope.healthspan.states.sightings import way_of
from snakescope.imaging.masks import Instance, intersection, read_masks
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write
from snakescope.step.tables import read_table, write_table

PIECE_INSIDE = 0.7
"""A worm with this fraction of its pixels inside a mask is regarded as a part of it."""

COLUMNS = (
    "composite",
    "timepoint",
    "time_h",
    "instance",
    "y_px",
    "x_px",
    "area_px",
    "length_px",
    "score",
    "before",
    "after",
    "second_look",
)


@dataclass(frozen=True)
class Composite:
    """One worm at one timepoint, with its composite uint8 (window, window, 3)."""

    instance: Instance
    time_h: float
    before: int | None
    after: int | None
    picture: NDArray[np.uint8]


def midline_length(mask: NDArray[np.bool_]) -> float:
    """Return the length (px) of a mask: skeleton, diagonal steps of sqrt 2, and both tips.

    Thinning removes about a quarter of the width at each tapered tip; the width is area / length.
    """
    thin = skeletonize(np.pad(mask, 1))
    across = thin[:, 1:] & thin[:, :-1]
    down = thin[1:] & thin[:-1]
    corners = thin[1:, 1:] & thin[:-1, :-1] & ~thin[1:, :-1] & ~thin[:-1, 1:]
    counter = thin[1:, :-1] & thin[:-1, 1:] & ~thin[1:, 1:] & ~thin[:-1, :-1]
    straight = np.count_nonzero(across) + np.count_nonzero(down)
    skeleton = 1 + straight + np.sqrt(2) * (np.count_nonzero(corners) + np.count_nonzero(counter))
    return float(skeleton + 0.5 * np.count_nonzero(mask) / skeleton)


def neighbours(
    times_h: dict[int, float], timepoint: int, max_gap_h: float
) -> tuple[int | None, int | None]:
    """Return the last usable timepoint before ``timepoint`` and the first after it.

    Args:
        times_h: time (h) of every usable timepoint.
        max_gap_h: maximum distance of a neighbour (h).
    """
    now = times_h[timepoint]
    earlier = [one for one in times_h if one < timepoint and now - times_h[one] <= max_gap_h]
    later = [one for one in times_h if one > timepoint and times_h[one] - now <= max_gap_h]
    return max(earlier, default=None), min(later, default=None)


def overlaps(
    worms: Sequence[Instance], others: Sequence[Instance]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compare every worm with every other mask, as two arrays of shape (worms, others).

    Returns:
        Intersection over union, and the fraction of the worm inside the other mask.
    """
    overlap = np.zeros((len(worms), len(others)))
    inside = np.zeros_like(overlap)
    if not worms or not others:
        return overlap, inside
    boxes = np.array([(one.top, one.bottom, one.left, one.right) for one in others])
    for row, one in enumerate(worms):
        near = (
            (boxes[:, 0] < one.bottom)
            & (boxes[:, 1] > one.top)
            & (boxes[:, 2] < one.right)
            & (boxes[:, 3] > one.left)
        )
        for column in np.flatnonzero(near).tolist():
            pixels = intersection(one, others[column])
            overlap[row, column] = pixels / (one.area + others[column].area - pixels)
            inside[row, column] = pixels / one.area
    return overlap, inside


def shown(
    overlap: NDArray[np.float64], inside: NDArray[np.float64], min_claim_iou: float
) -> NDArray[np.bool_]:
    """Return which neighbour masks are drawn for which worm, shape (worms, others).

    A mask is excluded if another worm of this frame matches it better than this one, and with at
    least ``min_claim_iou``. It is kept if this worm is almost completely inside of it, and so a
    part of a worm that is complete in the neighbour frame.

    Args:
        overlap, inside: see :func:`overlaps`.
    """
    if overlap.shape[0] < 2:
        return np.ones(overlap.shape, dtype=bool)
    order = np.sort(overlap, axis=0)
    best, second = order[-1], order[-2]
    rival = np.where(overlap == best, second, best)
    claimed = (rival >= min_claim_iou) & (rival > overlap)
    return ~claimed | (inside >= PIECE_INSIDE)


def draw(instances: Iterable[Instance], top: int, left: int, window: int) -> NDArray[np.uint8]:
    """Return the union of masks in the window at (top, left), uint8 (window, window), 0 or 255."""
    canvas = np.zeros((window, window), dtype=np.uint8)
    for one in instances:
        up, down = max(one.top, top), min(one.bottom, top + window)
        near, far = max(one.left, left), min(one.right, left + window)
        if up < down and near < far:
            part = one.mask[up - one.top : down - one.top, near - one.left : far - one.left]
            canvas[up - top : down - top, near - left : far - left][part] = 255
    return canvas


def corner(one: Instance, window: int) -> tuple[int, int]:
    """Return top and left of the window centred on the bounding box of a worm."""
    return (one.top + one.bottom - window) // 2, (one.left + one.right - window) // 2


def compose(
    worms: Sequence[Instance],
    before: Sequence[Instance] | None,
    after: Sequence[Instance] | None,
    settings: CompositeSettings,
) -> NDArray[np.uint8]:
    """Return the composites of all worms of a frame, uint8 (N, window, window, 3).

    Args:
        worms: the instances of the frame.
        before, after: the instances of the neighbour frames; None without a frame.
    """
    window = settings.window_px
    pictures = np.zeros((len(worms), window, window, 3), dtype=np.uint8)
    sides = [before if before is not None else after, after if after is not None else before]
    for row, one in enumerate(worms):
        pictures[row, :, :, 1] = draw([one], *corner(one, window), window)
    for channel, side in zip((0, 2), sides, strict=True):
        if not side:
            continue
        seen = shown(*overlaps(worms, side), settings.min_claim_iou)
        for row, one in enumerate(worms):
            companions = [side[column] for column in np.flatnonzero(seen[row]).tolist()]
            pictures[row, :, :, channel] = draw(companions, *corner(one, window), window)
    return pictures


def composites_of(
    timepoints: Iterable[int],
    times_h: dict[int, float],
    instances: Iterable[Instance],
    settings: CompositeSettings,
) -> list[Composite]:
    """Return the composites of ``timepoints``, by timepoint, then by instance.

    Args:
        times_h: time (h) of every usable timepoint, of these and of the adjacent blocks.
        instances: the masks of those timepoints.
    """
    frames: dict[int, list[Instance]] = {timepoint: [] for timepoint in times_h}
    for one in sorted(instances, key=lambda one: one.identifier):
        if one.timepoint in frames:
            frames[one.timepoint].append(one)
    made = []
    for timepoint in sorted(set(timepoints) & set(times_h)):
        before, after = neighbours(times_h, timepoint, settings.max_gap_h)
        worms = frames[timepoint]
        pictures = compose(
            worms,
            None if before is None else frames[before],
            None if after is None else frames[after],
            settings,
        )
        made += [
            Composite(one, times_h[timepoint], before, after, picture)
            for one, picture in zip(worms, pictures, strict=True)
        ]
    return made


def index_table(composites: Sequence[Composite]) -> pd.DataFrame:
    """Return a row per composite, in the order of the stack; see :data:`COLUMNS`."""
    rows = [
        (
            page,
            one.instance.timepoint,
            one.time_h,
            one.instance.identifier,
            *one.instance.centroid,
            one.instance.area,
            midline_length(one.instance.mask),
            one.instance.score,
            one.before,
            one.after,
            way_of(one.instance.identifier),
        )
        for page, one in enumerate(composites)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype({"before": "Int64", "after": "Int64"})


def write_composites(path: str | Path, pictures: NDArray[np.uint8]) -> None:
    """Write a stack uint8 (N, window, window, 3) as RGB pages; one black page if N is 0.

    TIFF has no empty stack, so the number of composites is that of the index.
    """
    pages = pictures if len(pictures) else np.zeros((1, *pictures.shape[1:]), dtype=np.uint8)
    with atomic_write(path) as partial:
        tifffile.imwrite(partial, pages, photometric="rgb", compression="zlib")


def usable_times(tables: Iterable[str | Path]) -> dict[int, float]:
    """Return the time (h) of every registered timepoint of the tables, in order."""
    joined = [
        read_table(path, ("timepoint", "time_h", "status"), text=("pictures",)) for path in tables
    ]
    table = pd.concat([one for one in joined if len(one)] or joined, ignore_index=True)
    table = table.sort_values("timepoint", kind="stable")
    if {"reason", "page"} <= set(table.columns):
        table = mark_repeats(table)
    kept = table[table["status"] == "registered"]
    return dict(zip(kept["timepoint"].astype(int), kept["time_h"].astype(float), strict=True))


def read_block(
    masks: Sequence[str | Path],
    tables: Sequence[str | Path],
    sightings: str | Path | None = None,
) -> tuple[dict[int, float], list[Instance]]:
    """Return the usable times (h) and the instances of a block and its neighbours.

    Args:
        masks, tables: of the blocks.
        sightings: masks of the second look at the block and at the frames next to it.

    Raises:
        StepError: a registered timepoint has no detections file.
    """
    sets = [read_masks(path) for path in masks]
    times_h = usable_times(tables)
    searched = {timepoint for one in sets for timepoint in one.timepoints}
    for timepoint in times_h:
        if timepoint not in searched:
            raise StepError(
                f"{', '.join(map(str, masks))}: expected the masks of timepoint {timepoint}, which"
                " is registered, found none; remove the masks and run again"
            )
    seen_again = () if sightings is None else read_masks(sightings).instances
    return times_h, [*(instance for one in sets for instance in one.instances), *seen_again]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--block", required=True)
    parser.add_argument("--masks", nargs="+", required=True)
    parser.add_argument("--tables", nargs="+", required=True)
    parser.add_argument("--sightings", help="masks of the second look")
    parser.add_argument("--settings", required=True)
    parser.add_argument("--composites", required=True)
    parser.add_argument("--index", required=True)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = CompositeSettings.model_validate_json(arguments.settings)
    times_h, instances = read_block(arguments.masks, arguments.tables, arguments.sightings)
    made = composites_of(block_range(arguments.block), times_h, instances, settings)
    window = settings.window_px
    pictures = np.array([one.picture for one in made], dtype=np.uint8)
    write_composites(arguments.composites, pictures.reshape(-1, window, window, 3))
    write_table(arguments.index, index_table(made))
    print(f"{arguments.block}: {len(made)} composites of {window} px")
