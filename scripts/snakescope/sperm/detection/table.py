"""The table of the heads of a video; reading it loads no network."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snakescope.step.tables import read_table

COLUMNS = ["frame", "time_s", "x_px", "y_px", "height"]


def scale_and_rate(text: str) -> tuple[float | None, float | None]:
    """Pixel size (um) and frames per second of the sheet, from ``0.46:50``; either may lack."""
    um, _, fps = text.partition(":")
    return (float(um) if um else None), (float(fps) if fps else None)


def read_heads(path: str | Path, frames: int) -> list[NDArray[np.float64]]:
    """Heads of each frame: x, y (px) and height."""
    table = read_table(path, COLUMNS)
    by_frame = dict(tuple(table.groupby("frame")))
    empty = np.zeros((0, 3))
    return [
        by_frame[number][COLUMNS[2:]].to_numpy(np.float64) if number in by_frame else empty
        for number in range(frames)
    ]
