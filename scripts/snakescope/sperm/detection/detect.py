"""Heads of sperm in every frame of a video, and how its field drifts."""

import argparse
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from snakescope.imaging.videos.video import Video
from snakescope.sperm.detection.drift import Drift
from snakescope.sperm.detection.heads import Detector, Points, detector
from snakescope.sperm.detection.settings import DetectSettings
from snakescope.sperm.detection.table import COLUMNS, scale_and_rate
from snakescope.step.errors import StepError
from snakescope.step.progress import progress
from snakescope.step.tables import write_table


def found_in(
    video: Video, settings: DetectSettings, um_per_px: float | None, drift: Drift | None = None
) -> pd.DataFrame:
    """Heads of all frames, with the columns of :data:`COLUMNS`.

    Args:
        drift: follows the background through the same frames.

    Raises:
        StepError: no frame has contrast, or every frame is the first one again.
    """
    detect, looked = detector(settings, um_per_px), _Looked()
    tables = []
    seen = looked.at(video.frames() if drift is None else drift.at(video.frames()))
    # Threads each take a frame: one frame is too small to be shared well.
    with ThreadPoolExecutor(settings.threads, initializer=_alone) as pool:
        frames = _in_order(pool, detect, seen)
        found = zip(range(len(video)), frames, strict=False)
        every = list(progress(_Counted(found, len(video)), "frames"))
    for number, heads in every:
        table = pd.DataFrame(heads, columns=COLUMNS[2:])
        table.insert(0, "frame", number)
        table.insert(1, "time_s", video.times_s[number])
        tables.append(table)
    _check_frames(video, len(tables), looked.blank, looked.repeated)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def _alone() -> None:
    torch.set_num_threads(1)


def _in_order(
    pool: Executor, detect: Detector, frames: Iterator[NDArray[np.uint8]], ahead: int = 16
) -> Iterator[Points]:
    """Heads of each frame in order, with at most so many frames in memory."""
    waiting: deque[Future[Points]] = deque()
    for frame in frames:
        waiting.append(pool.submit(detect, frame))
        if len(waiting) == ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


class _Looked:
    """Counts frames of one value, and those that are the one before again."""

    def __init__(self) -> None:
        self.blank = self.repeated = 0

    def at(self, frames: Iterator[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        before: NDArray[np.uint8] | None = None
        for frame in frames:
            self.blank += bool((frame == frame.flat[0]).all())
            self.repeated += before is not None and np.array_equal(frame, before)
            before = frame
            yield frame


def _check_frames(video: Video, count: int, blank: int, repeated: int) -> None:
    """Refuse a video that shows nothing or stands still, and note frames that do.

    A camera never records the same values twice: such frames are copies, by which sperm rest and
    then jump.
    """
    if count and blank == count:
        raise StepError(
            f"{video.path}: expected frames with contrast, found one grey value in all pixels of"
            f" each of {count}; export the video again"
        )
    if count > 1 and repeated == count - 1:
        raise StepError(
            f"{video.path}: expected frames that differ, found the first one {count} times; export"
            " the video again"
        )
    if blank:
        video.notes.append(
            f"{video.path}: {blank} of {count} frames hold one grey value each and show no sperm"
        )
    if repeated:
        video.notes.append(
            f"{video.path}: {repeated} of {count} frames are the one before again, by which speeds"
            " are wrong; record it anew, or give the true rate in the column fps"
        )


class _Counted:
    """Frames with their number, of known count."""

    def __init__(self, items: Iterator[tuple[int, Points]], count: int) -> None:
        self.items, self.count = items, count

    def __iter__(self) -> Iterator[tuple[int, Points]]:
        return self.items

    def __len__(self) -> int:
        return self.count


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--video", required=True, help="the video")
    parser.add_argument("--scale", required=True, help="um per px and fps, as 0.46:50")
    parser.add_argument("--weights", default="", help="of the network; without: blobs")
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--heads", required=True, type=Path, help="table to write")
    parser.add_argument("--drift", required=True, type=Path, help="table of the field to write")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = DetectSettings.model_validate_json(arguments.settings)
    settings = settings.model_copy(update={"weights": arguments.weights})
    um_per_px, fps = scale_and_rate(arguments.scale)
    video = Video(arguments.video, fps)
    drift = Drift()
    write_table(arguments.heads, found_in(video, settings, um_per_px, drift))
    write_table(arguments.drift, drift.table())
    for note in video.notes:
        print(note)
