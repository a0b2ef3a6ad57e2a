"""Timepoints of a block from its manifest: files by channel, and what is missing."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from snakescope.healthspan.plates.manifest import read_manifest
from snakescope.imaging.frames import Frame, UnreadableFrame, read_frame
from snakescope.step.errors import StepError

CHANNELS = ("bright_field", "dark_field")


@dataclass(frozen=True)
class Timepoint:
    """One timepoint of a plate.

    Attributes:
        paths: channel -> file, of the channels that are present.
        missing: why the set of channels is incomplete; empty if complete.
    """

    plate: str
    timepoint: int
    time_h: float
    paths: dict[str, Path]
    missing: str

    def read(self) -> dict[str, Frame]:
        """Read all channels, each (Y, X) in its native bit depth, all of one shape.

        Raises:
            UnreadableFrame: a channel cannot be read, or the channels differ in size.
        """
        frames = {channel: read_frame(path) for channel, path in self.paths.items()}
        first = next(iter(frames))
        for channel, frame in frames.items():
            if frame.shape != frames[first].shape:
                raise UnreadableFrame(
                    f"{self.paths[channel]}: expected {size(frames[first])} as in {first},"
                    f" found {size(frame)}; export this timepoint again"
                )
        return frames


def check_there(timepoints: Sequence[Timepoint]) -> None:
    """Check that the files of ``timepoints`` exist on this machine.

    Raises:
        StepError: a file of the manifest does not exist.
    """
    for path in (path for one in timepoints for path in one.paths.values()):
        if not path.exists():
            raise StepError(
                f"{path}: expected the raw frame that was there when the run began, found no such"
                f" file on {platform.node()}; see that the raw folder is readable there, run again"
            )


def size(frame: Frame) -> str:
    """Return height and width as text."""
    return f"{frame.shape[0]} x {frame.shape[1]} px"


def read_timepoints(manifests: Sequence[str | Path]) -> list[Timepoint]:
    """Return the timepoints of one or more blocks of a plate, in order.

    Raises:
        StepError: a manifest is absent or invalid.
    """
    table = pd.concat([read_manifest(path) for path in manifests])
    table = table.sort_values(["timepoint", "channel"], kind="stable")
    return [_timepoint(int(str(timepoint)), rows) for timepoint, rows in table.groupby("timepoint")]


def _timepoint(timepoint: int, rows: pd.DataFrame) -> Timepoint:
    present = rows[rows["status"] == "present"]
    absent = rows[rows["status"] != "present"]
    reasons = [
        f"{row.channel}: {row.reason!s}" if row.reason else f"no {row.channel!s}"
        for row in absent.itertuples()
    ]
    paths = {str(row.channel): Path(str(row.path)) for row in present.itertuples()}
    times = rows["time_h"].dropna()
    return Timepoint(
        str(rows["plate"].iloc[0]),
        timepoint,
        float(times.iloc[0]) if len(times) else float("nan"),
        {channel: paths[channel] for channel in CHANNELS if channel in paths},
        "; ".join(dict.fromkeys(reasons)),
    )
