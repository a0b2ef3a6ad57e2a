"""Choice of the reference frame of a plate: the first frame that most others agree with.

A frame that is blurred, of another plate or of another size fails against all others, and as the
reference it would take them with it. So a candidate is registered against frames spread over the
whole plate, and the next one is tried where most do not fit.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from snakescope.healthspan.plates.manifest import stated_until
from snakescope.healthspan.plates.timepoints import Timepoint, read_timepoints
from snakescope.healthspan.registration.marks import drawn_cross
from snakescope.healthspan.registration.reference import (
    Description,
    describe,
    from_block_on,
    write_description,
    write_reference,
)
from snakescope.healthspan.registration.register import prepare, register_frame
from snakescope.healthspan.registration.settings import RegisterSettings
from snakescope.imaging.frames import Frame, UnreadableFrame
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write

WITNESSES = 6
"""Number of other frames that a candidate is compared with."""
CANDIDATES = 8
"""Number of readable frames that are tried."""


@dataclass(frozen=True)
class Choice:
    """A reference frame, and why it is this one.

    Attributes:
        timepoint: the one chosen.
        frames: its channels, each (Y, X).
        description: its mark and dish.
        agreeing: how many of ``compared`` other frames register onto it.
        passed_over: a phrase on each earlier timepoint that was not taken.
    """

    timepoint: Timepoint
    frames: dict[str, Frame]
    description: Description
    agreeing: int
    compared: int
    passed_over: tuple[str, ...] = ()


def choose(timepoints: Sequence[Timepoint], settings: RegisterSettings) -> Choice:
    """Choose the reference frame among the timepoints of a plate.

    It is the first that can be read and agrees with more than half of the frames, itself among
    them; where none does, the one that most agree with, the first of equals.

    Raises:
        StepError: no frame can be read.
    """
    usable = [one for one in timepoints if one.paths and not one.missing]
    passed: list[str] = []
    tried: list[Choice] = []
    reason = next((one.missing for one in timepoints if one.missing), "an empty manifest")
    for one in usable:
        try:
            frames = one.read()
        except UnreadableFrame as error:
            reason = str(error)
            passed.append(f"t{one.timepoint:03d} cannot be read")
            print(f"warning: t{one.timepoint:03d}: {error}", file=sys.stderr, flush=True)
            continue
        description = describe(one.timepoint, frames, settings)
        others = [other for other in usable if other is not one]
        agreeing, compared = _agreement(frames, description, others, settings)
        choice = Choice(one, frames, description, agreeing, compared, tuple(passed))
        if _most(agreeing, compared):
            return choice
        passed.append(f"t{one.timepoint:03d} agrees with {agreeing} of {compared} others")
        print(f"warning: {passed[-1]}, and is no reference", file=sys.stderr, flush=True)
        tried.append(choice)
        if len(tried) == CANDIDATES:
            break
    if not tried:
        plate = timepoints[0].plate if timepoints else "the plate"
        raise StepError(
            f"{plate}: expected one readable frame at least, found none among"
            f" {len(timepoints)} timepoints (the last: {reason}); check its raw folder"
        )
    best = max(tried, key=lambda choice: choice.agreeing)
    print(
        f"warning: no frame agrees with most others; t{best.timepoint.timepoint:03d} is the"
        " reference all the same",
        file=sys.stderr,
        flush=True,
    )
    return best


def _most(agreeing: int, compared: int) -> bool:
    return 2 * (agreeing + 1) > compared + 1


def _agreement(
    frames: dict[str, Frame],
    description: Description,
    others: Sequence[Timepoint],
    settings: RegisterSettings,
) -> tuple[int, int]:
    """Count the frames that register onto a candidate, and those that were compared."""
    places = np.linspace(0, len(others) - 1, min(WITNESSES, len(others)))
    witnesses = [others[place] for place in np.unique(np.round(places).astype(int))]
    reference = prepare(dict(frames), description, settings)
    agreeing = compared = 0
    for left, one in zip(range(len(witnesses) - 1, -1, -1), witnesses, strict=True):
        try:
            frame = one.read()[description.channel]
        except (UnreadableFrame, KeyError):
            continue
        compared += 1
        if frame.shape == reference.picture.shape:
            agreeing += not register_frame(reference, frame, settings)[3]
        if not _most(agreeing + left, compared + left):
            break
    return agreeing, compared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--manifest", help="frame manifest of the plate's first block")
    parser.add_argument("--settings", default="{}", help="RegisterSettings as JSON")
    parser.add_argument("--image", help="reference frame (OME-TIFF) to write")
    parser.add_argument("--description", help="description (JSON) to write")
    parser.add_argument("--draw-template", help="write the drawn cross to this file, nothing else")


def main(arguments: argparse.Namespace) -> None:
    """Command line: choose and describe the reference frame of a plate."""
    cv2.setNumThreads(1)
    if arguments.draw_template:
        with atomic_write(arguments.draw_template) as partial:
            cv2.imwrite(str(partial), drawn_cross())
        return
    settings = RegisterSettings.model_validate_json(arguments.settings)
    choice = choose(read_timepoints(from_block_on(arguments.manifest)), settings)
    timepoint = choice.timepoint.timepoint
    write_reference(arguments.image, choice.frames)
    agreement = {
        "agreeing": choice.agreeing,
        "compared": choice.compared,
        "passed_over": list(choice.passed_over),
    }
    files = stated_until(arguments.manifest, timepoint)
    write_description(arguments.description, choice.description, files, agreement)
