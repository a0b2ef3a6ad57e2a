"""Where the background of a field is in each frame, measured while its heads are sought.

Decoding a video takes as long as following its field, so no step reads it for that alone.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.step.tables import read_table

EVERY = 10
"""Frames from one to the next that are compared."""
LEAST_PX = 0.15
"""A camera that does not move drifts by noise of the correlation only, which is less."""
DARK = 0.1
"""Of the contrast (SD) of the other frame of a pair: one of less shows no field, as where the light
was off for a moment, and the peak of its correlation is half a frame away, or anywhere.
"""
COLUMNS = ["frame", "x_px", "y_px"]


def field_drift(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Shift of the whole field between two frames, x and y (px), by phase correlation."""
    pair: list[Any] = []
    for frame in (one, other):
        grey = cv2.GaussianBlur(frame.astype(np.float32), (0, 0), 1.5)
        pair.append(grey - cv2.GaussianBlur(grey, (0, 0), 12))
    window = cv2.createHanningWindow(pair[0].shape[::-1], cv2.CV_32F)
    return np.array(cv2.phaseCorrelate(pair[0], pair[1], window)[0], np.float64)


class Drift:
    """Follows the background through frames that are read for something else."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, float, float]] = [(0, 0.0, 0.0)]

    def at(self, frames: Iterator[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        """The same frames."""
        before: NDArray[np.uint8] | None = None
        for number, frame in enumerate(frames):
            if number % EVERY == 0:
                seen, known = float(frame.std()), 0.0 if before is None else float(before.std())
                # A dark frame is left out: the one after it is compared with the one before it.
                if before is not None and min(seen, known) > DARK * max(seen, known):
                    step = field_drift(before, frame)
                    x, y = np.where(np.hypot(*step) < LEAST_PX, 0.0, step).tolist()
                    self._rows.append((number, self._rows[-1][1] + x, self._rows[-1][2] + y))
                if seen > DARK * known or before is None:
                    before = frame
            yield frame

    def table(self) -> pd.DataFrame:
        """Where the background was in the frames that were compared (px); 0 at first."""
        return pd.DataFrame(self._rows, columns=COLUMNS)


def read_drift(path: str | Path, frames: int) -> NDArray[np.float64]:
    """Where the background is in each frame (px), shape (T, 2), straight between those measured."""
    table = read_table(path, COLUMNS)
    known = table["frame"].to_numpy(np.float64)
    numbers = np.arange(frames)
    return np.column_stack([np.interp(numbers, known, table[name]) for name in COLUMNS[1:]])
