"""Videos that are pictures: TIFF stacks and folders, by the readers that all trees share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import tifffile
from numpy.typing import NDArray

from snakescope.imaging import tiff, volumes
from snakescope.imaging.frames import read_colours
from snakescope.imaging.volume_sections import in_order, number_of_each, repeated
from snakescope.imaging.volume_source import Source
from snakescope.imaging.volume_tiff import describe_tiff
from snakescope.step.errors import StepError, decoded

IMAGES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".bmp")
AT_ONCE = 64
"""Frames of a stack that are read together: opening it again takes longer than a frame."""
SECONDS = {
    "": 1.0, "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3,
    "msec": 1e-3, "millisecond": 1e-3, "milliseconds": 1e-3, "us": 1e-6, "\u00b5s": 1e-6,
    "usec": 1e-6, "min": 60.0, "minute": 60.0, "minutes": 60.0, "h": 3600.0, "hour": 3600.0,
    "hours": 3600.0,
}  # fmt: skip
"""Seconds of the units of a frame interval, in small letters; ImageJ without one means seconds."""


class StackFrames:
    """The frames of a TIFF stack; light is as the file means it.

    Attributes:
        count, height, width: frames, and their size (px).
        interval_s: time between frames (s) by the file, None where it does not say.

    Raises (on opening):
        StepError: no stack of one channel, absent data, or an end that was never copied.
        SystemFault: the system does not let it be read.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.notes = path, list[str]()
        self._source: Source | None = None

        def none(error: Exception) -> str:
            return (
                f"{path}: expected a TIFF stack, found something else"
                f" ({type(error).__name__}: {str(error)[:100]}); export the stack again"
            )

        with decoded(path, none), tifffile.TiffFile(path) as file:
            self.interval_s = _interval_s(file.imagej_metadata or {})
            series = max(file.series, key=lambda one: one.size)
            if series.axes.endswith("S") and series.ndim == 4:
                self.count, self.height, self.width = map(int, series.shape[:3])
                for page in file.pages:
                    tiff.check_whole(file, page.aspage(), path.stat().st_size)
            else:
                self._source = describe_tiff(str(path), "image")
                self.count, self.height, self.width = self._source.shape
        if self._source is not None:
            first, last = (volumes.read(self._source, k, k + 1)[0] for k in (0, self.count - 1))
            check_end(path, first, last)

    def frames(self, last: int) -> Iterator[NDArray[Any]]:
        """Yield frames up to ``last``, (Y, X) or (Y, X, 3)."""
        if self._source is None:
            with tifffile.TiffFile(self.path) as file:
                for page in file.pages[:last]:
                    yield tiff.by_photometric(page.asarray(maxworkers=1), page.aspage())
            return
        for begin in range(0, last, AT_ONCE):
            yield from volumes.read(self._source, begin, min(last, begin + AT_ONCE))


def _interval_s(metadata: dict[str, Any]) -> float | None:
    unit = SECONDS.get(str(metadata.get("tunit", "")).strip().lower())
    interval = metadata.get("finterval")
    if not interval or unit is None:
        return None
    return unit * float(interval)


def check_end(path: str | Path, first: NDArray[Any], last: NDArray[Any]) -> None:
    """Refuse a last frame that is zeros, as of a copy that was broken off after it was reserved.

    Raises:
        StepError: it is, or it ends in them from the middle of a row on.
    """
    if not first.any():  # a dark video is no copy that was broken off
        return
    if not last.any() or (last.ndim == 2 and tiff.zero_share(last, rows_too=False)):
        raise StepError(
            f"{path}: expected a whole video, found zeros to the end of its last frame, which no"
            " camera gives: the copy was broken off; copy it again"
        )


class FolderFrames:
    """The frames of a folder, one file each: one naming, numbers once and without gaps.

    Attributes:
        count, height, width: frames, and their size (px).
        notes: sentences on frames that are the one before once more.

    Raises (on opening):
        StepError: names of several kinds, a frame twice, frames that are missing by their numbers.
    """

    interval_s = None

    def __init__(self, path: Path) -> None:
        # macOS writes a file ._frame.tif of metadata for every file.
        found = [
            one for one in path.iterdir()
            if one.suffix.lower() in IMAGES and not one.name.startswith(".") and one.is_file()
        ]  # fmt: skip
        if not found:
            endings = Counter(one.suffix.lower() or "no ending" for one in path.iterdir())
            told = ", ".join(f"{ending} ({count})" for ending, count in endings.most_common(4))
            raise StepError(
                f"{path}: expected frames ({', '.join(IMAGES)}), found"
                f" {f'files of other endings, {told}' if told else 'none'}; name the video itself,"
                " or copy the frames there"
            )
        self._files, _ = in_order(str(path), found, "frame")
        _check_gaps(path, self._files)
        self.notes = repeated(str(path), self._files, "frame")
        first = _picture(self._files[0])
        self.count = len(self._files)
        self.height, self.width = first.shape[:2]
        self._type = first.dtype

    def frames(self, last: int) -> Iterator[NDArray[Any]]:
        """Yield frames up to ``last``, (Y, X) or (Y, X, 3).

        Raises:
            StepError: one that cannot be read, or of another size or depth than the first.
        """
        for path in self._files[:last]:
            frame = _picture(path)
            if frame.shape[:2] != (self.height, self.width):
                raise StepError(
                    f"{path}: expected a frame of {self.width} x {self.height} px as the first,"
                    f" found {frame.shape[1]} x {frame.shape[0]}; keep one video a folder"
                )
            if frame.dtype != self._type:
                raise StepError(
                    f"{path}: expected a frame of {self._type} as the first, found {frame.dtype};"
                    " export all frames alike"
                )
            yield frame


def _check_gaps(path: Path, files: list[Path]) -> None:
    """Refuse numbers with gaps, as frames behind one would be given the times of others."""
    numbers = number_of_each(files)
    steps = [b - a for a, b in pairwise(numbers)]
    usual = median(steps) if steps else 1
    gaps = [(a, b) for a, b in pairwise(numbers) if b - a >= 1.5 * usual]
    if gaps:
        raise StepError(
            f"{path}: expected frames whose numbers have no gap, found none between"
            f" {gaps[0][0]} and {gaps[0][1]}{f' and {len(gaps) - 1} gaps more' * (len(gaps) > 1)},"
            " which would shift the times of those behind; copy the missing ones, or number anew"
        )


def _picture(path: Path) -> NDArray[Any]:
    if path.suffix.lower() != ".bmp":
        return read_colours(path)
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if found is None:
        raise StepError(f"{path}: expected an image, found something else; remove the file")
    return found[..., 2::-1] if found.ndim == 3 else found
