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
PARTS = 8
"""To a side of the field."""
SAVED = 0.7
"""A part sees a shift that leaves less of the difference of two frames than this."""
ALIKE = 0.3
"""A part of less difference (1 less its correlation) stands; noise alone has more."""
LEAST_SEEN = 0.15
"""Share of the parts that must see the field move or stand. On simulated fields that stand and have
few specks, up to 0.11 of the parts, where heads swim alike, see it move.
"""
COLUMNS = ["frame", "x_px", "y_px", "seen"]


def field_drift(
    one: NDArray[np.uint8], other: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], bool]:
    """Shift of the whole field between two frames, x and y (px), and whether it is seen.

    By phase correlation; the parts of the field then decide between this shift and none, since the
    highest peak of a field of few specks is that of a head that swims. Where few parts see either,
    the field is taken to stand.
    """
    pair: list[Any] = []
    for frame in (one, other):
        grey = cv2.GaussianBlur(frame.astype(np.float32), (0, 0), 1.5)
        pair.append(grey - cv2.GaussianBlur(grey, (0, 0), 12))
    window = cv2.createHanningWindow(pair[0].shape[::-1], cv2.CV_32F)
    shift = np.array(cv2.phaseCorrelate(pair[0], pair[1], window)[0], np.float64)
    moved, stood = (_apart(pair[0], pair[1], by) for by in (shift, np.zeros(2)))
    if (moved < SAVED * stood).mean() >= max(LEAST_SEEN, float((stood < SAVED * moved).mean())):
        return shift, True
    return np.zeros(2), float((stood < ALIKE).mean()) >= LEAST_SEEN


def _apart(
    one: NDArray[Any], other: NDArray[Any], shift: NDArray[np.float64]
) -> NDArray[np.float64]:
    """1 less the correlation of each part of a field, after a shift has been undone."""
    height, width = one.shape
    x, y = shift
    back = cv2.warpAffine(
        other, np.array([[1, 0, x], [0, 1, y]], np.float64), (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    rows, columns = height // PARTS, width // PARTS

    def in_parts(image: NDArray[Any]) -> NDArray[np.float64]:
        part = image[: PARTS * rows, : PARTS * columns].reshape(PARTS, rows, PARTS, columns)
        return np.asarray(part.sum(axis=(1, 3)), np.float64)

    size = np.sqrt(np.maximum(in_parts(one**2) * in_parts(back**2), 1e-12))
    return np.asarray(1 - in_parts(one * back) / size)


class Drift:
    """Follows the background through frames that are read for something else."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, float, float, str]] = [(0, 0.0, 0.0, "yes")]

    def at(self, frames: Iterator[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        """The same frames."""
        before: NDArray[np.uint8] | None = None
        for number, frame in enumerate(frames):
            if number % EVERY == 0:
                seen, known = float(frame.std()), 0.0 if before is None else float(before.std())
                # A dark frame is left out: the one after it is compared with the one before it.
                if before is not None and min(seen, known) > DARK * max(seen, known):
                    step, seen_there = field_drift(before, frame)
                    x, y = np.where(np.hypot(*step) < LEAST_PX, 0.0, step).tolist()
                    _, x_before, y_before, _ = self._rows[-1]
                    said = "yes" if seen_there else "no"
                    self._rows.append((number, x_before + x, y_before + y, said))
                if seen > DARK * known or before is None:
                    before = frame
            yield frame

    def table(self) -> pd.DataFrame:
        """Where the background was in the frames that were compared (px); 0 at first.

        ``seen`` is no where too few parts of the field say whether it moved since the row before.
        """
        return pd.DataFrame(self._rows, columns=COLUMNS)


def read_drift(path: str | Path, frames: int) -> NDArray[np.float64]:
    """Where the background is in each frame (px), shape (T, 2), straight between those measured."""
    table = read_table(path, COLUMNS)
    known = table["frame"].to_numpy(np.float64)
    numbers = np.arange(frames)
    return np.column_stack([np.interp(numbers, known, table[name]) for name in COLUMNS[1:3]])


def read_seen(path: str | Path, frames: int) -> NDArray[np.bool_]:
    """Whether it is known of each frame how the background moved to it, shape (T,)."""
    table = read_table(path, COLUMNS)
    next_row = np.searchsorted(table["frame"].to_numpy(), np.arange(frames))
    seen = (table["seen"] == "yes").to_numpy()
    return np.asarray(seen[np.minimum(next_row, len(seen) - 1)])
