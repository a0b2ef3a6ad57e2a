"""Pages of the registered stacks of a plate, by timepoint."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.healthspan.plates.manifest import block_range
from snakescope.imaging.stacks import Stack
from snakescope.step.errors import StepError

FRAME_COLUMNS = ("timepoint", "time_h", "page", "status")


def usable(frames: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of registered frames, in order of time."""
    rows = frames[(frames["status"] == "registered") & frames["page"].notna()]
    return rows.sort_values("timepoint", kind="stable")


def usable_pages(frames: pd.DataFrame) -> list[tuple[int, int]]:
    """Return (timepoint, page) of the registered frames of a table, in order of time."""
    rows = usable(frames)
    return [(int(t), int(p)) for t, p in zip(rows["timepoint"], rows["page"], strict=True)]


def timepoints_of(path: str | Path) -> range:
    """Return the timepoints of the block in a file name such as t000-t009.ome.tif.

    Raises:
        StepError: the name is not that of a block.
    """
    try:
        return block_range(Path(path).name.split(".")[0])
    except StepError:
        raise StepError(f"{path}: expected a file named after its block, as t000-t009") from None


def pages_of(frames: pd.DataFrame, stack: str | Path) -> list[tuple[int, int]]:
    """Return (timepoint, page) of the usable frames of one stack, which is named after its block.

    Raises:
        StepError: the name is not that of a block.
    """
    timepoints = timepoints_of(stack)
    return [one for one in usable_pages(frames) if one[0] in timepoints]


def registered_pages(
    frames: pd.DataFrame,
    stacks: Sequence[str | Path],
    channel: str,
    timepoints: Sequence[int] | None = None,
) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield (timepoint, frame (Y, X)) of every usable frame, at the raw pixel size.

    One page is in memory at a time.

    Args:
        frames: the plate's table of frames.
        stacks: its registered stacks, one per block.
        channel: channel to read; the first of the stack if it has no such channel.
        timepoints: timepoints to read; all by default.

    Raises:
        StepError: a stack is absent or damaged, or lacks a page.
    """
    wanted = None if timepoints is None else set(timepoints)
    for path in stacks:
        pages = [one for one in pages_of(frames, path) if wanted is None or one[0] in wanted]
        if not pages:
            continue
        with Stack(path) as stack:
            shown = channel if channel in stack.channels else stack.channels[0]
            for timepoint, page in pages:
                yield timepoint, np.asarray(stack.plane(page, shown))
