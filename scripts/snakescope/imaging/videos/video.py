"""Videos as grey frames with exact timestamps: AVI, MP4, MOV, MKV, TIFF stacks, folders, npy.

Container formats are read by PyAV, whose timestamps are those of the file and not multiples of a
nominal rate. Frames are read one after another: a minute of video never lies in memory.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from snakescope.imaging.videos.stills import FolderFrames, StackFrames, check_end
from snakescope.step.errors import StepError, decoded
from snakescope.step.output import atomic_write

CONTAINERS = (".avi", ".mp4", ".mov", ".m4v", ".mkv", ".wmv", ".mpg", ".mpeg")
TIFFS = (".tif", ".tiff")
COLOURED = 25
"""Difference of the channels of a pixel from which on it has a colour (0 to 255)."""
COLOURED_SHARE = 0.05
MAX_JITTER = 0.2
"""Greatest 95th percentile of deviations of frame intervals from their median (share of it)."""

Grey = NDArray[np.uint8]


class Video:
    """A video, opened for reading from its first frame to its last.

    Attributes:
        path: of the file or folder.
        kind: ``container``, ``tiff``, ``folder`` or ``npy``.
        height, width: of a frame (px).
        times_s: float64, shape (T,), time of each frame from the first on (s).
        notes: sentences on what is unusual about it, such as colour or a cut end.
        cut_off: whether frames are missing at its end, as far as it has been read.

    Raises (on opening):
        StepError: no such file, not one of the formats, no frame, or no time of the frames.
    """

    def __init__(self, path: str | Path, fps: float | None = None) -> None:
        """Open a video.

        Args:
            fps: frames per second that hold in place of the file's timestamps.
        """
        self.path = Path(path)
        self.notes: list[str] = []
        self.cut_off = False
        self.kind = kind_of(self.path)
        self._stills: StackFrames | FolderFrames | None = None
        self._array: NDArray[Any] | None = None
        count, times = getattr(self, f"_open_{self.kind}")()
        if not count:
            raise StepError(f"{path}: expected a video, found no frame in it; record it again")
        if fps is not None:
            if times is not None and jitter_of(np.asarray(times, np.float64)) > MAX_JITTER:
                self._note(
                    f"{path}: its timestamps vary, and {fps:g} frames per second of the sheet hold"
                    " in their place; where frames were dropped, all speeds are wrong"
                )
            times = np.arange(count) / fps
        if times is None:
            raise StepError(
                f"{path}: expected timestamps or a frame rate, found none in a {self.kind}; give"
                " the frames per second in the column fps of the sheet"
            )
        self.times_s = np.asarray(times, np.float64) - times[0]
        self._range: tuple[float, float] | None = None

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def fps(self) -> float:
        """Frames per second, from the median interval; 0 of a single frame."""
        return float(1 / np.median(np.diff(self.times_s))) if len(self) > 1 else 0.0

    @property
    def duration_s(self) -> float:
        """Time from the first frame to the end of the last (s)."""
        return float(self.times_s[-1]) + (1 / self.fps if self.fps else 0.0)

    def frames(self, first: int = 0, last: int | None = None) -> Iterator[Grey]:
        """Frames ``first`` to ``last`` - 1, each uint8 of shape (height, width).

        A video that breaks off yields the frames up to the fault and notes it.
        """
        last = len(self) if last is None else min(last, len(self))
        for at, frame in enumerate(getattr(self, f"_{self.kind}_frames")(last)):
            if at >= first:
                yield frame

    # Containers.

    def _open_container(self) -> tuple[int, Any]:
        def none(error: Exception) -> str:
            return (
                f"{self.path}: expected a video that can be decoded, found something else"
                f" ({type(error).__name__}); copy the file again or convert it to AVI or MP4"
            )

        broken = (av.error.FFmpegError, OSError)
        with decoded(self.path, none, broken), av.open(str(self.path)) as file:
            if not file.streams.video:
                raise StepError(
                    f"{self.path}: expected a video, found no picture stream; give another file"
                )
            stream = file.streams.video[0]
            self.height, self.width = stream.height, stream.width
            demuxed = list(_until_broken(file.demux(stream)))
            packets = [one for one in demuxed if one.size]
            base, stated = stream.time_base, stream.frames
        # Of an AVI that was cut off the frames before can be read; writers miscount by one.
        if len(demuxed) + 1 < stated and packets:
            self.cut_off = True
            self._note(
                f"{self.path}: expected the {stated} frames that its header states, found"
                f" {len(packets)}; if the copy broke off, copy it again"
            )
        stamps = [one.pts for one in packets]
        known = bool(stamps) and None not in stamps and len(set(stamps)) == len(stamps)
        times = [float(stamp * base) for stamp in sorted(stamps)] if known else None
        return len(packets), times

    def _container_frames(self, last: int) -> Iterator[Grey]:
        done = 0
        with av.open(str(self.path)) as file:
            stream = file.streams.video[0]
            stream.thread_type = "NONE"
            for frame in _until_broken(file.decode(stream)):
                if done == last:
                    return
                if done == 0 and not frame.format.name.startswith("gray"):
                    self._note_colour(frame.to_ndarray(format="rgb24"))
                yield frame.to_ndarray(format="gray")
                done += 1
        if done < last:
            self.cut_off = True
            self._note(
                f"{self.path}: expected {len(self)} frames, found {done} that can be decoded; the"
                " frames up to the fault are used"
            )

    # Stacks and folders of pictures, and arrays.

    def _open_tiff(self) -> tuple[int, Any]:
        return self._opened(StackFrames(self.path))

    def _open_folder(self) -> tuple[int, Any]:
        return self._opened(FolderFrames(self.path))

    def _opened(self, stills: StackFrames | FolderFrames) -> tuple[int, Any]:
        self._stills = stills
        self.height, self.width = stills.height, stills.width
        self.notes += stills.notes
        interval = stills.interval_s
        return stills.count, None if interval is None else np.arange(stills.count) * interval

    def _tiff_frames(self, last: int) -> Iterator[Grey]:
        assert self._stills is not None
        for frame in self._stills.frames(last):
            yield self._grey(frame)

    _folder_frames = _tiff_frames

    def _open_npy(self) -> tuple[int, Any]:
        def none(error: Exception) -> str:
            return (
                f"{self.path}: expected an array of frames (npy), found something else"
                f" ({type(error).__name__}); save it again"
            )

        with decoded(self.path, none, (ValueError, EOFError, OSError)):
            self._array = np.load(self.path, mmap_mode="r", allow_pickle=False)
        count = self._stacked(self._array.shape)
        if count:
            check_end(self.path, *(np.asarray(self._array[k]) for k in (0, -1)))
        return count, None

    def _stacked(self, shape: tuple[int, ...]) -> int:
        array = self._array
        assert array is not None
        colour = array.ndim == 4 and shape[-1] in (3, 4)
        if array.ndim != 3 and not colour:
            raise StepError(
                f"{self.path}: expected frames (time, y, x) or (time, y, x, colour), found an array"
                f" of {' x '.join(map(str, shape))}; save the frames of one channel"
            )
        if array.dtype.kind not in "uif" or min(shape[1:3]) < 2:
            raise StepError(
                f"{self.path}: expected frames of grey values, found {array.dtype}"
                f" of {shape[2]} x {shape[1]} px; save them as uint8 or uint16"
            )
        self.height, self.width = shape[1:3]
        return shape[0]

    def _npy_frames(self, last: int) -> Iterator[Grey]:
        assert self._array is not None
        for at in range(last):
            yield self._grey(np.asarray(self._array[at]))

    def _grey(self, frame: NDArray[Any]) -> Grey:
        if frame.dtype.kind == "b":
            frame = frame.astype(np.uint8) * 255
        if frame.dtype.kind == "f" and not np.isfinite(frame).all():
            raise StepError(
                f"{self.path}: expected grey values, found NaN or infinity in a frame; save the"
                " video again with numbers in their place"
            )
        if frame.ndim == 3:
            self._note_colour(frame[..., :3])
            frame = frame[..., :3] @ np.array([0.299, 0.587, 0.114])
            return np.clip(np.round(frame), 0, 255).astype(np.uint8)
        if frame.dtype == np.uint8:
            return np.ascontiguousarray(frame)
        if self._range is None:  # one range for all frames, so that brightness stays comparable
            low, high = np.percentile(frame, (0.1, 99.9)).astype(float)
            self._range = (low, max(high, low + 1e-6))
            self._note(
                f"{self.path}: {frame.dtype} grey values {low:g} to {high:g} become 0 to 255"
            )
        low, high = self._range
        scaled = (frame.astype(np.float32) - low) * (255 / (high - low))
        return np.clip(np.round(scaled), 0, 255).astype(np.uint8)

    def _note_colour(self, rgb: NDArray[Any]) -> None:
        if float((np.ptp(rgb.astype(np.int16), axis=2) > COLOURED).mean()) > COLOURED_SHARE:
            self._note(f"{self.path}: a colour video, of which the grey values are used")

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _until_broken(items: Iterator[Any]) -> Iterator[Any]:
    """Items up to a fault of the file."""
    with suppress(av.error.FFmpegError):
        yield from items


def kind_of(path: str | Path) -> str:
    """How a video is stored.

    Raises:
        StepError: no such file, or none of the formats.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if path.is_dir():
        return "folder"
    if not path.exists():
        raise StepError(f"{path}: expected a video, found no such file; correct the sheet")
    if suffix in CONTAINERS:
        return "container"
    if suffix in TIFFS:
        return "tiff"
    if suffix == ".npy":
        return "npy"
    raise StepError(
        f"{path}: expected a video ({', '.join((*CONTAINERS, *TIFFS, '.npy'))}, or a folder of"
        f" images), found {suffix or 'no suffix'}; convert it"
    )


def jitter_of(times_s: NDArray[np.float64]) -> float:
    """By which share of the median one in twenty intervals is off, or more; 0 of one frame."""
    intervals = np.diff(times_s)
    if not len(intervals):
        return 0.0
    middle = float(np.median(intervals))
    return float(np.percentile(np.abs(intervals / middle - 1), 95)) if middle > 0 else np.inf


def check_rate(video: Video, least_fps: float) -> None:
    """Refuse a video that cannot be brought to ``least_fps`` frames per second.

    Raises:
        StepError: it is too slow, or its intervals vary too much.
    """
    if len(video) < 2 or video.fps < 0.875 * least_fps:
        raise StepError(
            f"{video.path}: expected at least {0.875 * least_fps:g} frames per second, found"
            f" {video.fps:.3g}; record it faster, or give the true rate in the column fps"
        )
    jitter = jitter_of(video.times_s)
    if jitter > MAX_JITTER:
        raise StepError(
            f"{video.path}: expected frames at equal intervals, found a variable frame rate"
            f" (5 % of the intervals are off by over {jitter:.0%}); record at a constant rate, or,"
            " if no frame was dropped and the times are wrong, give the rate in the column fps"
        )


def sampled(
    times_s: NDArray[np.float64], start_s: float, count: int, fps: float
) -> NDArray[np.intp]:
    """The frames nearest to ``start_s`` + k / ``fps``, k from 0 to ``count`` - 1.

    Args:
        times_s: shape (T,), ascending.

    Returns:
        Shape (count,); fewer where the video ends before.
    """
    wanted = start_s + np.arange(count) / fps
    half = 0.5 * float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.5 / fps
    wanted = wanted[(wanted >= times_s[0] - half - 1e-9) & (wanted <= times_s[-1] + half + 1e-9)]
    right = np.clip(np.searchsorted(times_s, wanted), 1, max(1, len(times_s) - 1))
    left = right - 1
    if len(times_s) == 1:
        return np.zeros(len(wanted), np.intp)
    nearer = wanted - times_s[left] <= times_s[right] - wanted
    return np.asarray(np.where(nearer, left, right), np.intp)


def write_video(
    path: str | Path,
    frames: Sequence[NDArray[Any]] | Iterator[NDArray[Any]],
    fps: float,
    codec: str = "ffv1",
) -> None:
    """Write frames as a video in the format of the suffix, whole or not at all.

    Args:
        frames: each uint8, grey (Y, X) or RGB (Y, X, 3); at least one.
        codec: ``ffv1`` is lossless; ``libx264`` plays in every browser, from even sides. It is
            written with few tries of each block, which takes two fifths of the time, and files of
            still frames with marks become no larger.
    """
    with atomic_write(path) as partial, av.open(str(partial), "w") as file:
        stream: Any = file.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
        stream.codec_context.thread_count = 1
        if codec == "libx264":
            stream.options = {"preset": "veryfast"}
        for at, frame in enumerate(frames):
            if at == 0:
                stream.height, stream.width = frame.shape[:2]
                grey = frame.ndim == 2
                stream.pix_fmt = "yuv420p" if codec != "ffv1" else "gray" if grey else "bgr0"
            made = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(frame), format="gray" if frame.ndim == 2 else "rgb24"
            )
            file.mux(stream.encode(made))
        file.mux(stream.encode())
