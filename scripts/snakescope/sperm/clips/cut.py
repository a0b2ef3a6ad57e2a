"""Cut clips out of a video: 16 frames at 16 per second, one sperm in the middle, one scale.

A row a clip comes in (where and when), a TIFF stack a clip and a table come out. Clips that cannot
be used are in the table, too, with the reason as their flags.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.imaging.stacks import read_stack, write_stack
from snakescope.imaging.videos.video import Video, check_rate, sampled
from snakescope.sperm.clips.head_size import head_size
from snakescope.sperm.clips.movement import UNSEEN, movement
from snakescope.sperm.networks.catalogue import FRAMES
from snakescope.sperm.videos.settings import CutSettings
from snakescope.step.errors import StepError
from snakescope.step.progress import progress
from snakescope.step.tables import read_table, write_table

OUT_OF_FOCUS = "out of focus"
NOT_FOLLOWED = "the crop does not follow the head: no speed"
STANDS = "stands"
LEAVES = "the head leaves the picture"
CUT_OFF = "the file of the video is cut off"
"""Flags of clips."""
ERROR_PX = 2.0
"""Of a straight path: a pixel at either end. A sperm that goes less far within its clip stands."""
COLUMNS = ["clip", "path", "start_s", "x_px", "y_px", "um_per_px", "fps", "flags", "moved_px"]
"""Of the plan: the middle of the crop is at x, y, one number each, or 16 for one that moves.

``moved_px``: the places of the middle against the background of a field, 16 times x and y, or none.
"""
TABLE = [
    "clip", "path", "frames", "start_s", "x_px", "y_px", "um_per_px", "vsl_um_s", "vcl16_um_s",
    "lin", "head_length_um", "head_width_um", "sharpness", "flags", "steps_um",
]  # fmt: skip
"""``steps_um``: distances from frame to frame along the track of a field; empty: those of the
background of the clip count.
"""


DETAIL_UM = 0.234
HEAD_UM = 3.0
"""Half the side of the picture of a head that is followed."""

TEXT = ("clip", "path", "flags", "steps_um")
"""Columns of the table that are read as text."""


@dataclass(frozen=True)
class Window:
    """Where and when a clip is: a second about a place that may move.

    Attributes:
        x, y: column and row of the middle (px), shape (16,); NaN: the middle of the frame.
        um_per_px: of the video; NaN where it is not known, then pixels are kept.
        flags: what is wrong with it already.
        moved: the middle against the background of a field (px), shape (16, 2); none: not known.
    """

    clip: str
    start_s: float
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    um_per_px: float
    flags: str = ""
    moved: NDArray[np.float64] | None = None

    def leaves(self, height: int, width: int) -> bool:
        """Whether its head comes so near to the edge of frames that a part of it is not seen."""
        near = HEAD_UM / self.um_per_px
        x, y = self.x[~np.isnan(self.x)], self.y[~np.isnan(self.y)]
        off = [(x < near) | (x > width - 1 - near), (y < near) | (y > height - 1 - near)]
        return bool(off[0].any() or off[1].any())


class Cut(NamedTuple):
    """Frames (T, side, side) of a clip; fewer than 16 where the video ends."""

    frames: NDArray[np.uint8]


def crop(
    frame: NDArray[np.uint8], x: float, y: float, scale: float, side: int
) -> NDArray[np.uint8]:
    """The square about a place, ``scale`` px of the frame for each px of the clip.

    Beyond the edge of the frame its border is repeated.
    """
    if scale > 1.2:  # smaller: without aliases
        frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), 0.4 * scale), np.uint8)
    half = (side - 1) / 2 * scale
    matrix = np.array([[scale, 0, x - half], [0, scale, y - half]], np.float64)
    flags = (cv2.INTER_LINEAR if scale >= 1 else cv2.INTER_CUBIC) | cv2.WARP_INVERSE_MAP
    cropped = cv2.warpAffine(
        frame, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cropped, np.uint8)


def cut(video: Video, windows: Sequence[Window], settings: CutSettings) -> Iterator[Cut]:
    """Read a video once and cut all its clips; in the order of ``windows``."""
    chosen = [sampled(video.times_s, one.start_s, FRAMES, settings.fps) for one in windows]
    wanted: dict[int, list[tuple[int, int]]] = {}
    for at, frames in enumerate(chosen):
        for place, number in enumerate(frames.tolist()):
            wanted.setdefault(number, []).append((at, place))
    side = settings.size_px
    made = [np.zeros((len(frames), side, side), np.uint8) for frames in chosen]
    done = [0] * len(windows)
    last = max(wanted, default=-1) + 1
    for number, frame in enumerate(progress(_Sized(video.frames(0, last), last), "frames")):
        for at, place in wanted.get(number, ()):
            one = windows[at]
            x = (frame.shape[1] - 1) / 2 if np.isnan(one.x[place]) else one.x[place]
            y = (frame.shape[0] - 1) / 2 if np.isnan(one.y[place]) else one.y[place]
            scale = 1.0 if np.isnan(one.um_per_px) else settings.um_per_px / one.um_per_px
            made[at][place] = crop(frame, x, y, scale, side)
            done[at] = place + 1
    for pixels, count in zip(made, done, strict=True):
        yield Cut(pixels[:count])


class _Sized:
    """An iterator whose length is known, for the progress."""

    def __init__(self, items: Iterator[Any], count: int) -> None:
        self.items, self.count = items, count

    def __iter__(self) -> Iterator[Any]:
        return self.items

    def __len__(self) -> int:
        return self.count


def sharpness(frame: NDArray[np.uint8], um_per_px: float = np.nan) -> float:
    """Contrast of details in the middle against those of the border (ratio, of blurred noise).

    Args:
        um_per_px: details are of a pixel, and of 0.23 um where pixels are finer; NaN: of a pixel.
    """
    sd = max(1.0, DETAIL_UM / um_per_px) if um_per_px > 0 else 1.0
    grey = cv2.GaussianBlur(frame.astype(np.float32), (0, 0), sd)
    edges = cv2.Laplacian(grey, cv2.CV_32F)
    side = frame.shape[0]
    inner = edges[side // 3 : 2 * side // 3, side // 3 : 2 * side // 3]
    outer = np.concatenate([edges[: side // 8].ravel(), edges[-side // 8 :].ravel()])
    return float(inner.std() / max(float(outer.std()), 1e-3) - 1)


def described(one: Window, frames: NDArray[np.uint8], settings: CutSettings) -> dict[str, Any]:
    """The row of the table of a clip."""
    row: dict[str, Any] = {
        "clip": one.clip, "frames": len(frames), "start_s": one.start_s, "x_px": one.x[0],
        "y_px": one.y[0], "um_per_px": one.um_per_px, "vsl_um_s": np.nan, "vcl16_um_s": np.nan,
        "lin": np.nan, "head_length_um": np.nan, "head_width_um": np.nan, "sharpness": np.nan,
        "steps_um": "",
    }  # fmt: skip
    told = one.flags.split("; ") if one.flags else []
    # Of use for a speed alone, and said again where there is one.
    flags = [flag for flag in told if flag != UNSEEN]
    if len(frames) < settings.least_frames:
        flags.append(f"{len(frames)} frames of {FRAMES}")
    if len(frames) >= 3:
        scale = np.nan if np.isnan(one.um_per_px) else settings.um_per_px
        row["sharpness"] = float(np.median([sharpness(frame, scale) for frame in frames[::4]]))
        if row["sharpness"] < settings.min_sharpness:
            flags.append(OUT_OF_FOCUS)
        if not np.isnan(one.um_per_px):
            row["head_length_um"], row["head_width_um"] = head_size(frames, settings.um_per_px)
        off_um = head_offset(frames, settings.um_per_px) * settings.um_per_px
        if not np.isnan(one.um_per_px) and off_um > settings.max_off_um:
            flags.append(NOT_FOLLOWED)
        elif not np.isnan(one.um_per_px):
            path = None if one.moved is None else one.moved[: len(frames)] * one.um_per_px
            found, steps, why = movement(frames, path, UNSEEN in told, settings)
            flags += why
            row["steps_um"] = steps
            if found is not None:
                row |= {"vsl_um_s": found.vsl, "vcl16_um_s": found.vcl, "lin": found.lin}
                if found.vsl < speed_error(settings.um_per_px, len(frames), settings.fps):
                    flags.append(STANDS)
        else:
            flags.append("no um_per_px: no speed")
    return row | {"flags": "; ".join(flags)}


def speed_error(um_per_px: float, frames: int, fps: float) -> float:
    """Speed (um/s) below which what is measured is the error of the measurement.

    Args:
        frames: count, at least 2.
    """
    return ERROR_PX * um_per_px * fps / (frames - 1)


def head_offset(frames: NDArray[np.uint8], um_per_px: float) -> float:
    """How far what is in the middle at first moves within the crop (px).

    Followed from frame to frame by normalised correlation; its picture is renewed slowly, as heads
    turn.
    """
    radius = max(6, round(HEAD_UM / um_per_px))
    y = x = frames.shape[1] // 2
    around, grey = radius + 8, frames.astype(np.float32)
    inside = frames.shape[1] - around - 1
    head = grey[0, y - radius : y + radius + 1, x - radius : x + radius + 1]
    farthest = 0.0
    for frame in grey[1:]:
        top, left = (int(np.clip(one, around, inside)) - around for one in (y, x))
        part = frame[top : top + 2 * around + 1, left : left + 2 * around + 1]
        row, column = np.unravel_index(
            int(cv2.matchTemplate(part, head, cv2.TM_CCOEFF_NORMED).argmax()),
            (part.shape[0] - head.shape[0] + 1, part.shape[1] - head.shape[1] + 1),
        )
        y, x = top + int(row) + radius, left + int(column) + radius
        seen = frame[y - radius : y + radius + 1, x - radius : x + radius + 1]
        head = 0.7 * head + 0.3 * seen
        farthest = max(
            farthest, float(np.hypot(y - frames.shape[1] // 2, x - frames.shape[2] // 2))
        )
    return farthest


def padded(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """16 frames: the last one is repeated where the video ended."""
    if len(frames) >= FRAMES or not len(frames):
        return frames[:FRAMES]
    return np.concatenate([frames, np.repeat(frames[-1:], FRAMES - len(frames), axis=0)])


def write_clip(path: str | Path, frames: NDArray[np.uint8], um_per_px: float) -> None:
    """Write a clip (T, Y, X) as a TIFF stack."""
    height, width = frames.shape[1:]
    write_stack(
        path, frames, len(frames), ["grey"], height, width, np.uint8, pixel_size_um=um_per_px
    )


def read_clip(path: str | Path) -> NDArray[np.uint8]:
    """Read a clip, uint8 (16, Y, X).

    Raises:
        StepError: no such clip, or another number of frames.
    """
    if not Path(path).exists():
        raise StepError(
            f"{path}: expected a clip, found no such file; remove clips.tsv of its video, so that"
            " the clips are cut again"
        )
    frames = read_stack(path)[:, 0]
    if len(frames) != FRAMES:
        raise StepError(
            f"{path}: expected {FRAMES} frames, found {len(frames)}; remove clips.tsv of its video"
        )
    return np.asarray(frames, np.uint8)


def read_plan(path: str | Path) -> dict[str, list[Window]]:
    """The clips to cut, by the video that they are cut from, with its frame rate in front.

    Returns:
        By ``path`` and, behind a tab, the frames per second that the sheet states.
    """
    table = read_table(
        path, COLUMNS, text=["clip", "path", "x_px", "y_px", "fps", "flags", "moved_px"]
    )
    found: dict[str, list[Window]] = {}
    for row in table.to_dict("records"):
        x, y = (_middle(row[name]) for name in ("x_px", "y_px"))
        key = f"{row['path']}\t{row['fps']}"
        found.setdefault(key, []).append(
            Window(
                row["clip"], float(row["start_s"]), x, y, float(row["um_per_px"]), row["flags"],
                np.array(row["moved_px"].split(), np.float64).reshape(-1, 2)
                if row["moved_px"] else None,
            )
        )  # fmt: skip
    return found


def _middle(text: str) -> NDArray[np.float64]:
    """Where the middle of the crop is in each frame, from no, one or 16 numbers."""
    numbers = [float(one) for one in text.split()] or [np.nan]
    return np.array(numbers * FRAMES if len(numbers) == 1 else numbers)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--plan", required=True, type=Path, help="clips to cut (TSV)")
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--folder", required=True, type=Path, help="folder for the clips")
    parser.add_argument("--table", required=True, type=Path, help="table to write, a row a clip")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = CutSettings.model_validate_json(arguments.settings)
    rows = []
    for source, windows in read_plan(arguments.plan).items():
        path, _, rate = source.partition("\t")
        video = Video(path, float(rate) if rate else None)
        check_rate(video, settings.fps)
        for one, made in zip(windows, list(cut(video, windows, settings)), strict=True):
            more = [LEAVES] * one.leaves(video.height, video.width) + [CUT_OFF] * video.cut_off
            flags = "; ".join(filter(None, [one.flags, *more]))
            row = described(replace(one, flags=flags), made.frames, settings)
            if len(made.frames):
                target = arguments.folder / f"{one.clip}.tif"
                write_clip(target, padded(made.frames), settings.um_per_px)
                row["path"] = str(target)
            rows.append(row)
        for note in video.notes:
            print(note)
    write_table(arguments.table, pd.DataFrame(rows, columns=TABLE))
