"""How a sperm swims, from the drift of the background of a clip that follows its head.

At 16 frames a second the beat (BCF) and the lateral displacement (ALH) of a sperm cannot be
measured: it beats up to 20 times a second. They are refused, not estimated.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from snakescope.sperm.networks.catalogue import FRAMES

CENTRE = 0.3
"""Radius about the middle, where the sperm is, that is left out (share of the side)."""
LAGS = (2, 3, 4, 5)
"""Frames between those that are compared."""
TILES = 6
"""To a side of a clip, which vote for its drift."""
SERIES = FRAMES - 1
FEATURES = SERIES + 4
SCALE_UM_S = 20.0
"""Speeds are divided by it before a network sees them."""
REFUSED = {
    name: f"not measured: {what} needs at least 50 frames per second, and a clip has {FRAMES}"
    for name, what in (
        ("bcf_hz", "a beat of up to 20 Hz"),
        ("alh_um", "the amplitude of the head"),
    )
}

Spectra = NDArray[np.complexfloating[Any, Any]]


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

    Phase correlation in three ways, which are right for different clips: of neighbouring frames,
    which follows a path that winds; without what stays in the crop (the median over time), a
    steady drift whose peaks agree between frames two to five apart, refined along the clip, which
    sees a faint background; and hardly any, from the first frames to the last. The picture then
    decides: each tile of it votes for the shifts that bring its frames onto each other. The tail,
    which stays behind its head, and another sperm that swims by have few tiles.

    Args:
        clip: shape (T, Y, X).
    """
    count = len(clip) - 1
    frames = np.array([_detailed(frame) for frame in clip])
    moving = frames - np.median(frames, axis=0)
    spectra, shape = _spectra(moving), frames.shape[1:]
    paths = [
        np.tile(_creep(frames), (count, 1)),
        np.array([_free(one) for one in _pairs(_spectra(frames), shape, 1)]),
        _winding(spectra, shape, _mean_drift(spectra, shape)),
    ]
    return paths[int(_votes(frames, paths).argmax())]


def _creep(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """Drift (px a frame) of a background that stands, nearly, from the first frames to the last."""
    some = max(1, len(frames) // 4)
    ends = np.array([frames[:some].mean(axis=0), frames[-some:].mean(axis=0)])
    surface = _surface(_cross(_spectra(ends), 1)[0], frames.shape[1:])
    shift = _peak_near(surface, np.zeros(2), 1.5)
    return shift / max(len(frames) - some, 1)


def _mean_drift(spectra: Spectra, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """The drift (px a frame) whose peaks agree between all frames two to five apart."""
    lags = [lag for lag in LAGS if lag < len(spectra)] or [len(spectra) - 1]
    return _steady({lag: _surface(_cross(spectra, lag).sum(axis=0), shape) for lag in lags})


def _winding(
    spectra: Spectra, shape: tuple[int, ...], mean: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Shifts near a mean drift, from five neighbouring pairs of frames three apart."""
    count = len(spectra) - 1
    lag = min(3, count)
    radius = max(2.0, 0.3 * lag * float(np.hypot(*mean)))
    found = [_peak_near(one, mean * lag, radius) for one in _pairs(spectra, shape, lag, 2)]
    # The shift between frames t and t + lag is that of the time in the middle.
    steps, middle = np.arange(count), np.arange(len(found)) + (lag - 1) / 2
    path = np.array(found) / lag
    return np.column_stack([np.interp(steps, middle, path[:, axis]) for axis in (0, 1)])


def _pairs(
    spectra: Spectra, shape: tuple[int, ...], lag: int, around: int = 0
) -> list[NDArray[np.float64]]:
    """Correlations of each pair of frames ``lag`` apart, with so many pairs before and after."""
    cross = _cross(spectra, lag)
    return [
        _surface(cross[max(0, at - around) : at + around + 1].sum(axis=0), shape)
        for at in range(len(cross))
    ]


def _free(surface: NDArray[np.float64]) -> NDArray[np.float64]:
    """The highest maximum."""
    return _highest(surface, 0.3 * min(surface.shape), 1)[0]


def _votes(
    frames: NDArray[np.float32], paths: list[NDArray[np.float64]], tiles: int = TILES, lag: int = 3
) -> NDArray[np.float64]:
    """Votes of the tiles of a clip for shifts, by how well these bring frames onto each other.

    How far frames are from each other is 1 less their correlation, as a shift by half a pixel also
    smooths the noise, and differences would then be less without being right. A tile votes with the
    share that the best shifts save against no shift, or no shift saves against the best; tiles
    without a picture have nothing to save.
    """
    flat = _apart(frames, paths, tiles, lag)
    rest = flat[1:].min(axis=0)
    gain = np.where(
        rest < flat[0], 1 - rest / np.maximum(flat[0], 1e-12), 1 - flat[0] / np.maximum(rest, 1e-12)
    )
    winner = flat.argmin(axis=0)
    return np.array([gain[winner == at].sum() for at in range(len(paths))])


def _apart(
    frames: NDArray[np.float32], paths: list[NDArray[np.float64]], tiles: int, lag: int
) -> NDArray[np.float64]:
    """How far frames are from each other (1 less their correlation), by path and tile.

    Tiles without a picture are left out.
    """
    height, width = frames.shape[1:]
    lag = min(lag, len(frames) - 1)
    rows, columns = height // tiles, width // tiles

    def in_tiles(image: NDArray[Any]) -> NDArray[np.float64]:
        part = image[: tiles * rows, : tiles * columns].reshape(tiles, rows, tiles, columns)
        return np.asarray(part.sum(axis=(1, 3)), np.float64)

    apart = np.zeros((len(paths), tiles, tiles))
    there = np.sum([in_tiles(frame**2) for frame in frames[:-lag]], axis=0)
    for at, path in enumerate(paths):
        both, moved = np.zeros((tiles, tiles)), np.zeros((tiles, tiles))
        for first in range(0, len(frames) - lag):
            x, y = path[first : first + lag].sum(axis=0)
            back = cv2.warpAffine(
                frames[first + lag], np.array([[1, 0, x], [0, 1, y]], np.float64), (width, height),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
            )  # fmt: skip
            both += in_tiles(back * frames[first])
            moved += in_tiles(back**2)
        apart[at] = 1 - both / np.sqrt(np.maximum(moved * there, 1e-12))
    return np.asarray(apart.reshape(len(paths), -1)[:, there.ravel() > 1e-6])


def agreement(clip: NDArray[np.uint8], shifts: NDArray[np.float64]) -> float:
    """How well shifts bring the backgrounds of frames onto each other, 1 at most.

    The median over the tiles of a clip of the correlation of frames three apart: 0, nearly, where
    the background shows nothing but noise, or where one moving thing has set the shifts.

    Args:
        clip: shape (T, Y, X).
        shifts: of :func:`drift`, shape (T - 1, 2).
    """
    frames = np.array([_detailed(frame) for frame in clip])
    flat = _apart(frames, [shifts], TILES, 3)
    return float(1 - np.median(flat)) if flat.size else 0.0


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


def _spectra(frames: NDArray[np.float32]) -> Spectra:
    """Of frames (T, Y, X): once for all lags, as they take most of the time of a drift."""
    return np.asarray(fft.rfft2(frames))


def _cross(spectra: Spectra, lag: int) -> Spectra:
    """Cross spectra, mostly of phases, of each frame and that ``lag`` later."""
    cross = np.conj(spectra[:-lag]) * spectra[lag:]
    size = np.abs(cross)
    return np.asarray(cross / (size + 0.1 * size.mean()))


def _surface(cross: Spectra, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """The correlation by shift, with no shift in the middle, in SDs.

    Args:
        shape: of a frame.
    """
    found = np.fft.fftshift(fft.irfft2(cross, shape))
    found = np.asarray(cv2.GaussianBlur(found, (0, 0), 1.0), np.float64)
    return np.asarray(found / max(float(found.std()), 1e-12))


def _steady(surfaces: dict[int, NDArray[np.float64]]) -> NDArray[np.float64]:
    """The drift (px a frame) at which all surfaces are high."""
    best, height = np.zeros(2), -np.inf
    for lag, surface in surfaces.items():
        for shift in _highest(surface, 0.45 * min(surface.shape)):
            drift = shift / lag
            found = float(np.mean([_at(one, drift * other) for other, one in surfaces.items()]))
            if found > height:
                best, height = drift, found
    return best


def _highest(surface: NDArray[np.float64], far: float, count: int = 4) -> list[NDArray[np.float64]]:
    """The highest maxima within ``far`` (px) of no shift."""
    middle = np.array(surface.shape)[::-1] // 2
    y, x = np.ogrid[: surface.shape[0], : surface.shape[1]]
    left = np.where(np.hypot(y - middle[1], x - middle[0]) <= max(far, 1.5), surface, -np.inf)
    found = []
    for _ in range(count):
        row, column = np.unravel_index(int(left.argmax()), left.shape)
        found.append(_refined(surface, int(row), int(column)) - middle)
        left[max(0, row - 3) : row + 4, max(0, column - 3) : column + 4] = -np.inf
    return found


def _refined(surface: NDArray[np.float64], row: int, column: int) -> NDArray[np.float64]:
    """The top of a parabola through a maximum: x, y."""
    row = min(max(row, 1), surface.shape[0] - 2)
    column = min(max(column, 1), surface.shape[1] - 2)
    dy = _vertex(*surface[row - 1 : row + 2, column])
    dx = _vertex(*surface[row, column - 1 : column + 2])
    return np.array([column + dx, row + dy])


def _at(surface: NDArray[np.float64], shift: NDArray[np.float64]) -> float:
    """The highest value within a pixel of a shift; low beyond the surface."""
    column, row = np.round(shift + np.array(surface.shape)[::-1] // 2).astype(int)
    part = surface[max(0, row - 1) : max(0, row + 2), max(0, column - 1) : max(0, column + 2)]
    return float(part.max()) if part.size else -1.0


def _peak_near(
    surface: NDArray[np.float64], shift: NDArray[np.float64], radius: float
) -> NDArray[np.float64]:
    """The highest maximum within ``radius`` (px) of a shift."""
    middle = np.array(surface.shape)[::-1] // 2
    y, x = np.ogrid[: surface.shape[0], : surface.shape[1]]
    away = np.hypot(y - middle[1] - shift[1], x - middle[0] - shift[0])
    row, column = np.unravel_index(
        int(np.where(away <= radius, surface, -np.inf).argmax()), surface.shape
    )
    return _refined(surface, int(row), int(column)) - middle


def _vertex(before: float, at: float, after: float) -> float:
    bend = before - 2 * at + after
    return 0.0 if bend == 0 else float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5))


def motion(shifts: NDArray[np.float64], um_per_px: float, fps: float) -> Motion:
    """Speeds of the head from shifts of the background (px a frame), which go the other way."""
    path = np.vstack([np.zeros(2), -shifts.cumsum(axis=0)]) * um_per_px
    return moved(np.hypot(*np.diff(path, axis=0).T), float(np.hypot(*(path[-1] - path[0]))), fps)


def moved(steps: NDArray[np.float64], straight: float, fps: float) -> Motion:
    """Speeds from the distances of steps and from first to last place (um)."""
    seconds = len(steps) / fps
    vsl, vcl = float(straight / seconds), float(steps.sum() / seconds)
    return Motion(vsl, vcl, vsl / vcl if vcl > 0 else np.nan, steps)


def features(clip: NDArray[np.uint8], um_per_px: float, fps: float) -> NDArray[np.float32]:
    """What a network is told of the movement, shape (19,): steps, VSL, VCL, LIN, SD of steps.

    The same however the clip is turned or flipped.
    """
    return features_of(motion(drift(clip), um_per_px, fps), fps)


def features_of(found: Motion, fps: float) -> NDArray[np.float32]:
    """The same of a movement that is known."""
    series = np.zeros(SERIES)
    series[: len(found.steps)] = found.steps[:SERIES]
    speeds = series * fps / SCALE_UM_S
    lin = found.lin if np.isfinite(found.lin) else 0.0
    rest = [found.vsl / SCALE_UM_S, found.vcl / SCALE_UM_S, lin, float(speeds.std())]
    return np.array([*speeds, *rest], np.float32)
