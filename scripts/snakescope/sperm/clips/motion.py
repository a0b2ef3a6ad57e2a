"""How a sperm swims, from the drift of the background of a clip that follows its head.

At 16 frames a second the beat (BCF) and the lateral displacement (ALH) of a sperm cannot be
measured: it beats up to 20 times a second. They are refused, not estimated.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.sperm.networks.catalogue import FRAMES

CENTRE = 0.3
"""Radius about the middle, where the sperm is, that is left out (share of the side)."""
LAGS = (3, 4, 5)
"""Frames between those that are compared."""
SURE_SHARE = 0.3
"""Of the steps that must be sure for the background to be seen as moving."""
SURE = 6.5
"""Height of a peak of the correlation from which on it is believed (SD of the correlation)."""
SERIES = FRAMES - 1
FEATURES = SERIES + 4
SCALE_UM_S = 20.0
"""Speeds are divided by it before a network sees them."""
REFUSED = {
    "bcf_hz": "not measured: a beat of up to 20 Hz needs at least 50 frames per second",
    "alh_um": "not measured: the amplitude of the head needs at least 50 frames per second",
}


class Motion(NamedTuple):
    """Movement of the head against the background.

    Attributes:
        vsl: straight-line velocity, from first to last place (um/s).
        vcl: curvilinear velocity at the frame rate of the clip (um/s).
        lin: vsl / vcl; NaN where nothing moves.
        steps: distance from frame to frame, shape (T - 1,) (um).
    """

    vsl: float
    vcl: float
    lin: float
    steps: NDArray[np.float64]


def drift(clip: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Shift of the background between frames, shape (T - 1, 2): x, y (px).

    Phase correlation of frames three to five apart, summed over five neighbouring pairs. What stays
    where it is in the crop, as the tail does behind its head, is taken away before as the median
    over time. A tail that beats comes back to its place after some frames, but not after three,
    four and five: the median of the three counts. Where nothing moves along, the frames as they are
    say how little the background drifts.

    Args:
        clip: shape (T, Y, X).
    """
    count = len(clip) - 1
    frames = np.array([_detailed(frame) for frame in clip])
    moving = frames - np.median(frames, axis=0)
    lags = [lag for lag in LAGS if lag <= count] or [count]
    found = np.array([_speeds(moving, lag, count) for lag in lags])
    sure = found[..., 2].mean(axis=0) >= SURE
    if sure.mean() < SURE_SHARE:
        steady = np.array([_shifts(moving, lag, whole=True)[0] / [lag, lag, 1] for lag in lags])
        if steady[:, 2].mean() >= SURE:
            return np.tile(np.median(steady[:, :2], axis=0), (count, 1))
        return _speeds(frames, lags[-1], count)[:, :2]
    shifts = np.median(found[..., :2], axis=0)
    steps = np.arange(count)
    return np.column_stack([np.interp(steps, steps[sure], shifts[sure, axis]) for axis in (0, 1)])


def _speeds(frames: NDArray[np.float32], lag: int, count: int) -> NDArray[np.float64]:
    """Shift a frame at each step, x and y (px), and how sure it is, shape (count, 3)."""
    found = _shifts(frames, lag) / [lag, lag, 1]
    # The shift between frames t and t + lag is that of the time in the middle.
    middle = np.arange(len(found)) + (lag - 1) / 2
    steps = np.arange(count)
    return np.column_stack([np.interp(steps, middle, found[:, axis]) for axis in range(3)])


def _detailed(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Details of one to eight pixels, without the middle, falling off to the edge."""
    height, width = frame.shape
    grey = frame.astype(np.float32)
    grey = cv2.GaussianBlur(grey, (0, 0), 1.0) - cv2.GaussianBlur(grey, (0, 0), 8.0)
    y, x = np.mgrid[:height, :width]
    away = np.hypot(y - height / 2, x - width / 2) / min(height, width)
    taper = [np.clip(np.minimum(np.arange(n), n - 1 - np.arange(n)) / (0.08 * n), 0, 1)
             for n in (height, width)]  # fmt: skip
    return np.asarray(grey * np.clip((away - CENTRE) / 0.05, 0, 1) * np.outer(*taper), np.float32)


def _shifts(frames: NDArray[np.float32], lag: int, whole: bool = False) -> NDArray[np.float64]:
    """Shift from each frame to that ``lag`` later: x, y (px), and how sure it is (SD).

    Args:
        whole: one shift of all frames, for a background that is too faint for more.
    """
    spectra = np.fft.rfft2(frames)
    cross = np.conj(spectra[:-lag]) * spectra[lag:]
    cross /= np.abs(cross) + 0.1 * np.abs(cross).mean()
    if whole:
        cross = cross.sum(axis=0, keepdims=True)
    found = []
    for at in range(len(cross)):
        some = cross[max(0, at - 2) : at + 3].sum(axis=0)
        found.append(_peak(np.fft.fftshift(np.fft.irfft2(some, frames.shape[1:]))))
    return np.array(found)


def _peak(surface: NDArray[np.float64]) -> tuple[float, float, float]:
    height, width = surface.shape
    surface = cv2.GaussianBlur(surface, (0, 0), 1.0)
    inner = surface[height // 16 : -(height // 16), width // 16 : -(width // 16)]
    row, column = np.unravel_index(int(inner.argmax()), inner.shape)
    y, x = int(row) + height // 16, int(column) + width // 16
    dy = _vertex(*surface[y - 1 : y + 2, x])
    dx = _vertex(*surface[y, x - 1 : x + 2])
    return x + dx - width // 2, y + dy - height // 2, float(surface[y, x] / surface.std())


def _vertex(before: float, at: float, after: float) -> float:
    bend = before - 2 * at + after
    return 0.0 if bend == 0 else float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5))


def motion(shifts: NDArray[np.float64], um_per_px: float, fps: float) -> Motion:
    """Speeds of the head from shifts of the background (px a frame), which go the other way."""
    path = np.vstack([np.zeros(2), -shifts.cumsum(axis=0)]) * um_per_px
    steps = np.hypot(*np.diff(path, axis=0).T)
    seconds = len(steps) / fps
    vsl = float(np.hypot(*(path[-1] - path[0])) / seconds)
    vcl = float(steps.sum() / seconds)
    return Motion(vsl, vcl, vsl / vcl if vcl > 0 else np.nan, steps)


def features(clip: NDArray[np.uint8], um_per_px: float, fps: float) -> NDArray[np.float32]:
    """What a network is told of the movement, shape (19,): steps, VSL, VCL, LIN, SD of steps.

    The same however the clip is turned or flipped.
    """
    found = motion(drift(clip), um_per_px, fps)
    series = np.zeros(SERIES)
    series[: len(found.steps)] = found.steps[:SERIES]
    speeds = series * fps / SCALE_UM_S
    lin = found.lin if np.isfinite(found.lin) else 0.0
    rest = [found.vsl / SCALE_UM_S, found.vcl / SCALE_UM_S, lin, float(speeds.std())]
    return np.array([*speeds, *rest], np.float32)
