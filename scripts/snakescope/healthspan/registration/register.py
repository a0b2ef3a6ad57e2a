"""Registration of the frames of a block to the reference frame of their plate.

Matsuo et al., section 3.1.2: the position of the stage varies by tens of px, so a cross mark on the
dish is located by zero-mean normalised cross-correlation and frames are shifted accordingly. Here
the texture of the plate also yields the rotation, and is sufficient without a mark. A frame that
cannot be registered is excluded with a reason; the block continues.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.healthspan.plates.timepoints import Timepoint, check_there, read_timepoints, size
from snakescope.healthspan.registration.marks import locate_mark, turn_about_mark
from snakescope.healthspan.registration.motion import (
    Freedom,
    Motion,
    to_reference,
    transform_points,
)
from snakescope.healthspan.registration.reference import (
    Description,
    read_description,
    read_reference,
)
from snakescope.healthspan.registration.repeats import fingerprint, repeats_of
from snakescope.healthspan.registration.settings import RegisterSettings
from snakescope.healthspan.registration.texture import (
    Anchors,
    Registration,
    coarse_search,
    reference_features,
    refine,
)
from snakescope.imaging.frames import Frame, UnreadableFrame
from snakescope.imaging.stacks import write_stack
from snakescope.step.progress import progress
from snakescope.step.tables import write_table

# Frames that move less everywhere on the plate are not resampled.
STILL_PX = 0.02


@dataclass(frozen=True)
class Reference:
    """The reference frame of a plate and its features for matching."""

    frames: dict[str, NDArray[Any]]
    description: Description
    anchors: Anchors

    @property
    def picture(self) -> NDArray[Any]:
        return self.frames[self.description.channel]


@dataclass(frozen=True)
class Outcome:
    """Result of one timepoint.

    Attributes:
        status: registered, missing, unreadable or unregistered.
        reason: one sentence; empty if registered.
        motion: of the dish relative to the reference; None if not found.
        score: ZNCC of the mark (method mark) or share of anchors that are inliers (method plate), 0
            to 1; None if not measured.
        dtype: common dtype of the raw channels; None if not read.
        pictures: fingerprint of every channel, by name.
    """

    timepoint: Timepoint
    status: str
    reason: str = ""
    motion: Motion | None = None
    score: float | None = None
    method: str = ""
    dtype: np.dtype[Any] | None = None
    pictures: dict[str, str] = field(default_factory=dict)


def prepare(
    frames: dict[str, NDArray[Any]], description: Description, settings: RegisterSettings
) -> Reference:
    """Choose the anchors of a reference frame, channel -> (Y, X)."""
    dish = description.dish if description.dish_seen else None
    return Reference(frames, description, reference_features(frames[description.channel], dish))


def freedom_of(settings: RegisterSettings) -> Freedom:
    """Which motions of the dish are fitted: those for which the settings give a range."""
    if settings.max_tilt > 0:
        return "tilted"
    if settings.max_scale_change > 0:
        return "similar"
    return "rigid" if settings.max_rotation_deg > 0 else "shift"


def register_frame(
    reference: Reference, frame: NDArray[Any], settings: RegisterSettings
) -> tuple[Motion | None, float, str, str]:
    """Estimate the motion of a frame (Y, X) of the registration channel.

    Returns:
        Motion (None if not found), score, method, and the reason why the frame cannot be used
        (empty if it can).
    """
    if settings.method == "none":
        return Motion(), 1.0, "none", ""
    reasons = []
    if settings.method in ("auto", "mark") and reference.description.mark is not None:
        motion, score, reason = _by_mark(reference, frame, settings)
        if not reason or settings.method == "mark":
            return motion, score, "mark", reason
        reasons.append(reason)
    elif settings.method == "mark":
        return None, 0.0, "mark", "no mark was found in the plate's reference frame"
    motion, score, reason = _by_plate(reference, frame, settings)
    if reason:
        reasons.append(reason)
        return motion, score, "plate", "; ".join(reasons)
    return motion, score, "plate", ""


def _by_mark(
    reference: Reference, frame: NDArray[Any], settings: RegisterSettings
) -> tuple[Motion | None, float, str]:
    mark = reference.description.mark
    assert mark is not None
    reach, turn = settings.max_shift_px, settings.max_rotation_deg
    found = locate_mark(reference.picture, mark, frame, reach, turn)
    if found is None or found[1] < settings.min_mark_score:
        score = found[1] if found else 0.0
        return (
            None,
            score,
            f"the mark was not found (correlation {score:.2f}, {settings.min_mark_score:g} needed)",
        )
    motion, score = found
    if freedom_of(settings) == "shift":
        return motion, score, _too_far(motion, settings)
    motion = turn_about_mark(reference.anchors, mark, motion, frame, turn)
    result = refine_with(reference.anchors, frame, motion, settings)
    refined, _, reason = _judged(result, settings)
    return refined, score, reason


def _by_plate(
    reference: Reference, frame: NDArray[Any], settings: RegisterSettings
) -> tuple[Motion | None, float, str]:
    candidates = coarse_search(
        reference.anchors,
        frame,
        settings.max_shift_px,
        settings.max_rotation_deg,
        settings.max_scale_change,
    )
    best: tuple[Motion | None, float, str] | None = None
    for motion in candidates:
        judged = _judged(refine_with(reference.anchors, frame, motion, settings), settings)
        if not judged[2]:
            return judged
        if best is None or judged[1] > best[1]:
            best = judged
    return best or _judged(None, settings)


def refine_with(
    anchors: Anchors, frame: NDArray[Any], motion: Motion, settings: RegisterSettings
) -> Registration | None:
    """Refine a coarse motion with the search range and tolerance of the settings."""
    wide = max(3.0, 1.5 * settings.tolerance_px)
    return refine(
        anchors,
        frame,
        motion,
        reaches_px=(14, 3 + int(np.ceil(settings.tolerance_px))),
        tolerances_px=(wide, settings.tolerance_px),
        freedom=freedom_of(settings),
    )


def _judged(
    result: Registration | None, settings: RegisterSettings
) -> tuple[Motion | None, float, str]:
    if result is None:
        return None, 0.0, "nothing of the plate was found again (fogged, or another plate?)"
    share = result.agreeing / max(1, result.anchors)
    if share < settings.min_agreement:
        return (
            result.motion,
            share,
            (
                f"only {share:.0%} of the plate was found in place"
                f" ({settings.min_agreement:.0%} needed)"
            ),
        )
    if result.expected_error_px > settings.max_error_px:
        return (
            result.motion,
            share,
            (
                f"the motion is uncertain by {result.expected_error_px:.2f} px"
                f" ({settings.max_error_px:g} px allowed)"
            ),
        )
    return result.motion, share, _too_far(result.motion, settings)


def _too_far(motion: Motion, settings: RegisterSettings) -> str:
    shift = float(np.hypot(motion.shift_y_px, motion.shift_x_px))
    if shift > 1.5 * settings.max_shift_px:
        return f"shifted by {shift:.0f} px ({settings.max_shift_px:g} px allowed)"
    if abs(motion.rotation_deg) > settings.max_rotation_deg + 0.25:
        turned = abs(motion.rotation_deg)
        return f"turned by {turned:.1f} degrees ({settings.max_rotation_deg:g} allowed)"
    tilt = float(np.hypot(motion.tilt_y, motion.tilt_x))
    if tilt > 1.5 * settings.max_tilt:
        return f"tilted by {tilt:.3f} ({settings.max_tilt:g} allowed)"
    return ""


def assess(one: Timepoint, reference: Reference, settings: RegisterSettings) -> Outcome:
    """Read and register one timepoint; problems become part of the outcome."""
    if one.missing or not one.paths:
        return Outcome(one, "missing", one.missing or "no file")
    absent = [channel for channel in reference.frames if channel not in one.paths]
    if absent:
        return Outcome(one, "missing", f"no {', no '.join(absent)}")
    try:
        frames = one.read()
        channel = reference.description.channel
        expected: Frame = reference.picture
        if frames[channel].shape != expected.shape:
            raise UnreadableFrame(
                f"{one.paths[channel]}: expected {size(expected)} as in the reference frame,"
                f" found {size(frames[channel])}; export this frame again"
            )
    except UnreadableFrame as error:
        return Outcome(one, "unreadable", str(error))
    dtype = np.result_type(*(frames[channel].dtype for channel in reference.frames))
    pictures = {channel: fingerprint(frames[channel]) for channel in reference.frames}
    motion, score, method, reason = register_frame(reference, frames[channel], settings)
    if reason or motion is None:
        return Outcome(one, "unregistered", reason, motion, score, method, None, pictures)
    if _still(motion, reference.anchors):
        motion = Motion()
    return Outcome(one, "registered", "", motion, score, method, dtype, pictures)


def without_repeats(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Leave out timepoints with a picture of an earlier one, as of a camera that stood still."""
    shown = [" ".join(f"{c}:{p}" for c, p in one.pictures.items()) for one in outcomes]
    timepoints = [one.timepoint.timepoint for one in outcomes]
    repeats = repeats_of(zip(timepoints, shown, strict=True))
    return [
        replace(one, status="unreadable", reason=repeats[one.timepoint.timepoint])
        if one.status == "registered" and one.timepoint.timepoint in repeats
        else one
        for one in outcomes
    ]


def _still(motion: Motion, anchors: Anchors) -> bool:
    matrix = motion.matrix(anchors.height, anchors.width)
    way = np.linalg.norm(transform_points(matrix, anchors.outline) - anchors.outline, axis=1)
    return bool(way.max() < STILL_PX)


def warped_pages(outcomes: Sequence[Outcome], reference: Reference) -> Iterator[NDArray[Any]]:
    """Yield the warped pages (C, Y, X) of the registered timepoints, read again from disk."""
    for outcome in outcomes:
        if outcome.status != "registered" or outcome.motion is None:
            continue
        frames = outcome.timepoint.read()
        planes = [frames[channel] for channel in reference.frames]
        if outcome.motion != Motion():
            planes = [to_reference(plane, outcome.motion) for plane in planes]
        yield np.stack(planes)


def table_of(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return a row per timepoint; ``page`` numbers the registered ones from 0."""
    rows, page = [], 0
    for outcome in outcomes:
        registered = outcome.status == "registered"
        motion = outcome.motion
        rows.append(
            {
                "timepoint": outcome.timepoint.timepoint,
                "time_h": outcome.timepoint.time_h,
                "page": page if registered else pd.NA,
                "status": outcome.status,
                "reason": outcome.reason,
                "shift_y_px": round(motion.shift_y_px, 3) if motion else None,
                "shift_x_px": round(motion.shift_x_px, 3) if motion else None,
                "rotation_deg": round(motion.rotation_deg, 4) if motion else None,
                "scale": round(motion.scale, 5) if motion else None,
                "tilt_y": round(motion.tilt_y, 5) if motion else None,
                "tilt_x": round(motion.tilt_x, 5) if motion else None,
                "score": round(outcome.score, 4) if outcome.score is not None else None,
                "method": outcome.method,
                "pictures": " ".join(f"{c}:{p}" for c, p in outcome.pictures.items()),
            }
        )
        page += registered
    table = pd.DataFrame(rows)
    return table.astype({"page": "Int64"}) if rows else table


def write_registered(path: str | Path, outcomes: Sequence[Outcome], reference: Reference) -> None:
    """Write the registered frames of a block, (T, C, Y, X); an empty stack if there are none."""
    usable = [outcome for outcome in outcomes if outcome.status == "registered"]
    dtypes = [outcome.dtype for outcome in usable if outcome.dtype is not None]
    dtype = np.result_type(*dtypes) if dtypes else np.dtype(np.uint8)
    height, width = reference.picture.shape
    pages = progress(warped_pages(usable, reference), "write")
    write_stack(path, pages, len(usable), list(reference.frames), height, width, dtype)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--manifest", required=True, help="frame manifest of the block")
    parser.add_argument("--reference", required=True, help="reference frame of the plate")
    parser.add_argument("--description", required=True, help="its description (JSON)")
    parser.add_argument("--settings", default="{}", help="RegisterSettings as JSON")
    parser.add_argument("--frames", required=True, help="registered frames (OME-TIFF) to write")
    parser.add_argument("--table", required=True, help="table (TSV) to write")


def main(arguments: argparse.Namespace) -> None:
    """Command line: register a block of timepoints."""
    cv2.setNumThreads(1)
    settings = RegisterSettings.model_validate_json(arguments.settings)
    description = read_description(arguments.description)
    reference = prepare(read_reference(arguments.reference), description, settings)
    outcomes = []
    timepoints = read_timepoints([arguments.manifest])
    check_there(timepoints)
    for one in progress(timepoints, "register"):
        outcomes.append(assess(one, reference, settings))
    outcomes = without_repeats(outcomes)
    for outcome in outcomes:
        if outcome.status != "registered":
            print(
                f"warning: t{outcome.timepoint.timepoint:03d} {outcome.status}: {outcome.reason}",
                file=sys.stderr,
                flush=True,
            )
    write_registered(arguments.frames, outcomes, reference)
    write_table(arguments.table, table_of(outcomes))
