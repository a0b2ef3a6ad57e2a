"""The reference frame of a plate, to which all its frames are registered.

It is the first that most others agree with, see
:mod:`snakescope.healthspan.registration.agreement`. Its description states the position of the
cross mark, if there is one, and of the dish, and why it is this frame.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snakescope import REPOSITORY
from snakescope.healthspan.plates.manifest import block_range
from snakescope.healthspan.registration.dish import find_dish
from snakescope.healthspan.registration.marks import Mark, find_mark
from snakescope.healthspan.registration.settings import RegisterSettings
from snakescope.healthspan.registration.texture import Circle
from snakescope.imaging.frames import Frame, read_frame
from snakescope.imaging.stacks import Stack, write_stack
from snakescope.step.errors import StepError
from snakescope.step.output import write_json

TEMPLATE = REPOSITORY / "resources" / "registration_mark.png"


@dataclass(frozen=True)
class Description:
    """Description of a reference frame; lengths in px of the raw frame.

    Attributes:
        timepoint: index of the frame.
        channel: channel in which mark and dish are detected.
        mark: the cross, or None.
        template: template of the mark.
        dish: the dish; encloses the whole frame if no edge is detected.
        dish_seen: whether an edge is detected.
    """

    timepoint: int
    channel: str
    mark: Mark | None
    template: str
    dish: Circle
    dish_seen: bool


def from_block_on(manifest: str | Path) -> list[Path]:
    """Return the manifest of a block and those of later blocks in its folder, in order of time.

    Frames of later blocks are what candidates are compared with.
    """
    first = Path(manifest)
    start = block_range(first.stem).start
    beside = {block_range(path.stem).start: path for path in first.parent.glob("t*-t*.tsv")}
    return [first, *(beside[at] for at in sorted(beside) if at > start)]


def registration_channel(channels: Sequence[str], wanted: str) -> str:
    """Return the channel for registration.

    Raises:
        StepError: the wanted channel is not among the plate's.
    """
    if wanted == "auto":
        return "bright_field" if "bright_field" in channels else channels[0]
    if wanted not in channels:
        raise StepError(
            f"register.channel: expected one of the plate's channels ({', '.join(channels)}),"
            f" found {wanted}; set it to auto or to one of them"
        )
    return wanted


def describe(
    timepoint: int, frames: Mapping[str, Frame], settings: RegisterSettings
) -> Description:
    """Detect the mark and the edge of the dish in a reference frame."""
    channel = registration_channel(list(frames), settings.channel)
    frame = frames[channel]
    mark, template = None, ""
    if settings.method in ("auto", "mark"):
        mark, template = _mark(frame, settings)
    dish = find_dish(frame)
    height, width = frame.shape
    whole = Circle((height - 1) / 2, (width - 1) / 2, float(np.hypot(height, width)) / 2)
    return Description(timepoint, channel, mark, template, dish or whole, dish is not None)


def _mark(frame: Frame, settings: RegisterSettings) -> tuple[Mark | None, str]:
    height, width = frame.shape
    if settings.mark_y_px is not None and settings.mark_x_px is not None:
        if settings.mark_y_px >= height or settings.mark_x_px >= width:
            raise StepError(
                f"registration.mark_y_px, mark_x_px: expected a place within the frame of {height}"
                f" x {width} px, found {settings.mark_y_px:g}, {settings.mark_x_px:g};"
                " give it in px of the raw frame"
            )
        return (
            Mark(settings.mark_y_px, settings.mark_x_px, settings.mark_span_px, 1.0),
            "given place",
        )
    if settings.mark_template:
        given = read_frame(settings.mark_template).astype(np.float32)
        low, high = float(given.min()), float(given.max())
        template = ((given - low) * (255 / (high - low))).astype(np.uint8)
        return (
            find_mark(frame, template, settings.min_template_score),
            Path(settings.mark_template).name,
        )
    template = read_frame(TEMPLATE).astype(np.uint8)
    return find_mark(frame, template, settings.min_template_score), TEMPLATE.name


def write_description(
    path: str | Path,
    description: Description,
    files: Sequence[Sequence[str]] = (),
    agreement: Mapping[str, Any] | None = None,
) -> None:
    """Write reference.json.

    Args:
        files: raw files that were read, with size and time, as
            :func:`snakescope.healthspan.plates.manifest.stated_until` returns them; if they change,
            the reference frame is out of date.
        agreement: how many frames agree with it, of how many, and which were passed over.
    """
    mark = description.mark
    document = {
        "timepoint": description.timepoint,
        "channel": description.channel,
        "mark": {"found": mark is not None, "template": description.template}
        | (asdict(mark) if mark else dict.fromkeys(("y_px", "x_px", "span_px", "score"))),
        "dish_centre_px": [description.dish.y_px, description.dish.x_px],
        "dish_radius_px": description.dish.radius_px,
        "method": "ring" if description.dish_seen else "whole frame",
        **({"agreement": dict(agreement)} if agreement else {}),
        "files": [list(one) for one in files],
    }
    write_json(path, _rounded(document))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return round(value, 3) if isinstance(value, float) else value


def read_description(path: str | Path) -> Description:
    """Read reference.json.

    Raises:
        StepError: the file is absent or is no such description.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        found = document["mark"]
        mark = None
        if found["found"]:
            mark = Mark(*(float(found[key]) for key in ("y_px", "x_px", "span_px", "score")))
        y, x = document["dish_centre_px"]
        return Description(
            int(document["timepoint"]),
            str(document["channel"]),
            mark,
            str(found["template"]),
            Circle(float(y), float(x), float(document["dish_radius_px"])),
            document["method"] == "ring",
        )
    except FileNotFoundError:
        raise StepError(f"{path}: expected a reference description, found no such file") from None
    except (ValueError, KeyError, TypeError) as error:
        raise StepError(
            f"{path}: expected the description of a reference frame, found something else"
            f" ({type(error).__name__}: {error}); remove the file and run again"
        ) from None


def read_reference(path: str | Path) -> dict[str, NDArray[Any]]:
    """Read the reference frame, channel -> (Y, X) in its native bit depth."""
    with Stack(path) as stack:
        return stack.named(0)


def write_reference(path: str | Path, frames: Mapping[str, Frame]) -> None:
    """Write the reference frame as a stack of one page (C, Y, X)."""
    dtype = np.result_type(*(frame.dtype for frame in frames.values()))
    page = np.stack([frame.astype(dtype) for frame in frames.values()])
    write_stack(path, [page], 1, list(frames), page.shape[1], page.shape[2], dtype)
