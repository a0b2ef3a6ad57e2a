"""What the grey values say of every worm of a frame: how much moved, and if it was always there.

One row per composite, in the same order (:mod:`snakescope.healthspan.states.composite`), from the
registered frames in which the composite's masks were found
(:mod:`snakescope.healthspan.states.pixels`), and from the first frames of the plate
(:mod:`snakescope.healthspan.states.likeness`).
"""

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.healthspan.detection.tile import plate_picture, plate_scale
from snakescope.healthspan.plates.manifest import block_range
from snakescope.healthspan.registration.reference import read_description
from snakescope.healthspan.registration.registered_pages import usable_pages
from snakescope.healthspan.states.composite import (
    COLUMNS,
    corner,
    draw,
    neighbours,
    overlaps,
    read_block,
    usable_times,
)
from snakescope.healthspan.states.likeness import likeness_before
from snakescope.healthspan.states.pixels import Change, change, window_of
from snakescope.healthspan.states.settings import CompositeSettings, EvidenceSettings
from snakescope.imaging.masks import Instance
from snakescope.imaging.stacks import Stack
from snakescope.step.errors import StepError
from snakescope.step.progress import progress
from snakescope.step.tables import read_table, write_table

EVIDENCE_COLUMNS = (
    "composite",
    "instance",
    "moved_before",
    "moved_after",
    "body_contrast",
    "start_correlation",
    "start_contrast",
)

START_FRAMES = 2
"""With so many of the first usable frames each worm is compared: one may be out of register, or
show another worm that rests there."""

KEPT_PICTURES = 7 + START_FRAMES
"""Overlays that are remembered: a frame, three on either side of it, and the first ones."""

SMOOTHING_PER_TOLERANCE = 0.5
LEAST_SMOOTHING_PX = 1.0
"""Noise is smoothed on the scale of what registration leaves, and of a pixel at least."""


@dataclass(frozen=True)
class Frame:
    """The worms of a frame and its overlay, uint8 (Y, X)."""

    worms: Sequence[Instance]
    picture: NDArray[np.uint8]


@dataclass(frozen=True)
class Evidence:
    """What the grey values say of a worm.

    Attributes:
        before, after: the change of the body against the frame before and the frame after; None
            without such a frame.
    """

    before: Change | None
    after: Change | None

    @property
    def moved_before(self) -> float:
        """Share of the body that moved since the frame before; NaN without one."""
        return np.nan if self.before is None else self.before.share

    @property
    def moved_after(self) -> float:
        """Share of the body that moves until the frame after; NaN without one."""
        return np.nan if self.after is None else self.after.share

    @property
    def contrast(self) -> float:
        """Contrast of the body, in standard deviations of its ground; the lesser of both sides."""
        sides = [one.contrast for one in (self.before, self.after) if one is not None]
        return min(sides, default=np.nan)


def evidence_of(
    frame: Frame, before: Frame | None, after: Frame | None, window: int, tolerance_px: float
) -> list[Evidence]:
    """Return the evidence of every worm of a frame, in order.

    Args:
        before, after: its neighbour frames, in register; None without a frame.
        window: side of the square around a worm (px).
        tolerance_px: by how much an edge may be out of register.
    """
    smoothing = max(LEAST_SMOOTHING_PX, SMOOTHING_PER_TOLERANCE * tolerance_px)
    sides = (before, after)
    own = [None if s is None else overlaps(frame.worms, s.worms)[0] > 0 for s in sides]
    found = []
    for row, one in enumerate(frame.worms):
        top, left = corner(one, window)
        body = draw([one], top, left, window) > 0
        at = window_of(frame.picture, top, left, window, smoothing)
        others = draw([w for w in frame.worms if w is not one], top, left, window) > 0
        changes: list[Change | None] = []
        for side, mine in zip(sides, own, strict=True):
            if side is None or mine is None:
                changes.append(None)
                continue
            foreign = [w for w, near in zip(side.worms, mine[row], strict=True) if not near]
            strangers = others | (draw(foreign, top, left, window) > 0)
            neighbour = window_of(side.picture, top, left, window, smoothing)
            changes.append(change(at, neighbour, body, strangers & ~body, tolerance_px))
        found.append(Evidence(*changes))
    return found


Pictures = Callable[[int], NDArray[np.uint8]]


def evidence_table(
    timepoints: Iterable[int],
    times_h: dict[int, float],
    instances: Iterable[Instance],
    pictures: Pictures,
    composing: CompositeSettings,
    tolerance_px: float,
    grey_values: bool = True,
    start: Sequence[int] = (),
) -> pd.DataFrame:
    """Return a row per worm of ``timepoints``, in the order of their composites.

    Args:
        times_h: time (h) of every usable timepoint, of these and of the adjacent blocks.
        instances: the masks of those timepoints.
        pictures: gives the overlay of a timepoint, uint8 (Y, X).
        tolerance_px: see :func:`evidence_of`.
        grey_values: whether movement is told.
        start: the first usable timepoints of the plate, with which later ones are compared.
    """
    frames: dict[int, list[Instance]] = {timepoint: [] for timepoint in times_h}
    for one in sorted(instances, key=lambda one: one.identifier):
        if one.timepoint in frames:
            frames[one.timepoint].append(one)
    rows = []
    for timepoint in progress(sorted(set(timepoints) & set(times_h)), "frames compared"):
        worms = frames[timepoint]
        if not worms:
            continue
        at = Frame(worms, pictures(timepoint))
        found = [Evidence(None, None)] * len(worms)
        if grey_values:
            first, last = (
                None if near is None else Frame(frames[near], pictures(near))
                for near in neighbours(times_h, timepoint, composing.max_gap_h)
            )
            found = evidence_of(at, first, last, composing.window_px, tolerance_px)
        earlier = [] if timepoint in start else [pictures(one) for one in start]
        alike = likeness_before(worms, at.picture, earlier, tolerance_px)
        rows += [
            (one.identifier, told.moved_before, told.moved_after, told.contrast,
             np.nan if then is None else then.correlation,
             np.nan if then is None else then.contrast)
            for one, told, then in zip(worms, found, alike, strict=True)
        ]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(EVIDENCE_COLUMNS[1:]))
    table.insert(0, "composite", np.arange(len(table)))
    shares = {"moved_before": 4, "moved_after": 4, "body_contrast": 2}
    return table.round({**shares, "start_correlation": 3, "start_contrast": 3})


def pictures_of(
    stacks: Sequence[str | Path], tables: Sequence[str | Path], scale: float, description: str
) -> Pictures:
    """Return a function that reads the overlay of a timepoint; it remembers the last of them.

    Args:
        stacks, tables: registered frames of blocks, and their tables, in the same order.
        scale: plate coordinates (px) per raw pixel.
        description: file that describes the plate's reference frame.
    """
    place = {
        timepoint: (stack, page)
        for stack, table in zip(stacks, tables, strict=True)
        for timepoint, page in usable_pages(read_table(table, ("timepoint", "page", "status")))
    }
    dish = read_description(description)

    @lru_cache(maxsize=KEPT_PICTURES)
    def picture(timepoint: int) -> NDArray[np.uint8]:
        path, page = place[timepoint]
        with Stack(path) as stack:
            return plate_picture(stack.named(page), scale, dish)

    return picture


def first_timepoints(tables: Sequence[str | Path]) -> list[int]:
    """The first usable timepoints of the plate, :data:`START_FRAMES` at most."""
    return sorted(usable_times(tables) if tables else ())[:START_FRAMES]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--block", required=True)
    parser.add_argument("--masks", nargs="+", required=True)
    parser.add_argument("--tables", nargs="+", required=True)
    parser.add_argument("--sightings", help="masks of the second look")
    parser.add_argument("--frames", nargs="*", default=[], help="registered frames of the blocks")
    parser.add_argument("--start-tables", nargs="*", default=[], help="table of the first block")
    parser.add_argument("--start-frames", nargs="*", default=[], help="its registered frames")
    parser.add_argument("--reference-description", required=True)
    parser.add_argument("--pixel-size-um", required=True, type=float, help="of the raw frames")
    parser.add_argument("--index", required=True, help="index of the composites")
    parser.add_argument("--composing", required=True, help="settings of the composites")
    parser.add_argument("--settings", required=True)
    parser.add_argument("--evidence", required=True, help="table to write")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    cv2.setNumThreads(1)
    settings = EvidenceSettings.model_validate_json(arguments.settings)
    composing = CompositeSettings.model_validate_json(arguments.composing)
    index = read_table(arguments.index, COLUMNS)
    times_h, instances = read_block(arguments.masks, arguments.tables, arguments.sightings)
    scale = plate_scale(arguments.pixel_size_um, settings.model_pixel_size_um)
    tables, frames = (
        [*own, *(one for one in first if one not in own)]
        for own, first in (
            (arguments.tables, arguments.start_tables),
            (arguments.frames, arguments.start_frames),
        )
    )
    table = evidence_table(
        block_range(arguments.block),
        times_h,
        instances,
        pictures_of(frames, tables, scale, arguments.reference_description),
        composing,
        settings.tolerance_of(arguments.pixel_size_um),
        settings.grey_values,
        first_timepoints(arguments.start_tables),
    )
    if table["instance"].tolist() != index["instance"].tolist():
        raise StepError(
            f"{arguments.index}: expected the worms of {arguments.masks[0]} and its neighbours,"
            " found others; remove the composites and run again"
        )
    write_table(arguments.evidence, table)
    still = (table[["moved_before", "moved_after"]].max(axis=1) < 0.05).sum()
    print(f"{arguments.block}: {len(table)} worms compared, {still} of them lie still")
