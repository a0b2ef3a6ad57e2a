"""Find the heads of sperm in frames: by the network, or as blobs (the simplest baseline)."""

from collections.abc import Iterator
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import linear_sum_assignment

from snakescope.learning.weights import load_weights
from snakescope.sperm.detection.network import STRIDE, UM_PER_PX, HeadNet, quick
from snakescope.sperm.detection.settings import DetectSettings

Points = NDArray[np.float64]
"""x, y (px) and height of heads, shape (N, 3)."""
SURE, BRIGHT_PX = 0.4, 9
"""Height of heads that are surely some; side of the square in which their brightness is sought."""
DARK_PX, NEAR_PX = 5.0, 14.0
"""Radii within which dark spots, and bright pixels of a head, are sought."""
LOCAL_PX = 25.0
"""SD of the Gaussian that a frame is flattened with."""
BLOB_UM = 1.47
"""SD of the Laplacian of Gaussian: half the width of a head."""


class Detector(Protocol):
    """Finds heads in a frame (Y, X)."""

    def __call__(self, frame: NDArray[np.uint8]) -> Points: ...


def normalised(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Grey values about their local mean, in units of the SD of the frame without its extremes."""
    grey = frame.astype(np.float32)
    local = grey - _smooth(grey, LOCAL_PX)
    low, high = np.percentile(local[::4, ::4], (16, 84))
    return np.asarray(np.clip(local / max(float(high - low) / 2, 1.0), -12, 25) / 5, np.float32)


def _smooth(grey: NDArray[np.float32], sd: float, by: int = 4) -> NDArray[np.float32]:
    """A Gaussian blur, wide against ``by`` px, at that share of the resolution."""
    height, width = grey.shape
    few = (max(1, -(-width // by)), max(1, -(-height // by)))
    small = cv2.GaussianBlur(cv2.resize(grey, few, interpolation=cv2.INTER_AREA), (0, 0), sd / by)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32)


def _highest_near(image: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """The highest value in the square of an odd side about each pixel."""
    return np.asarray(cv2.dilate(image, np.ones((side, side), np.uint8)), np.float32)


def _median(frame: NDArray[np.uint8]) -> float:
    """The median, from counts of grey values."""
    counts = cv2.calcHist([frame], [0], None, [256], [0, 256])[:, 0].astype(np.int64).cumsum()
    middle = [(frame.size - 1) // 2, frame.size // 2]
    return float(np.searchsorted(counts, middle, side="right").mean())


def peaks(height: NDArray[np.float32], threshold: float, distance: float) -> Points:
    """Maxima of a map that are ``distance`` (px) apart, with subpixel places."""
    size = 2 * max(1, round(distance / 2)) + 1
    top = _highest_near(height, size)
    ys, xs = np.nonzero((height == top) & (height >= threshold))
    found = []
    for y, x in zip(ys.tolist(), xs.tolist(), strict=True):
        y0, y1, x0, x1 = max(0, y - 1), y + 2, max(0, x - 1), x + 2
        part = height[y0:y1, x0:x1]
        weight = part / part.sum()
        cy = float((weight.sum(axis=1) * np.arange(y0, y0 + part.shape[0])).sum())
        cx = float((weight.sum(axis=0) * np.arange(x0, x0 + part.shape[1])).sum())
        found.append((cx, cy, float(height[y, x])))
    return np.array(found, np.float64).reshape(-1, 3)


class ByNetwork:
    """Heads by the network, at its own scale.

    Args:
        um_per_px: of the frames.
    """

    def __init__(self, network: HeadNet, settings: DetectSettings, um_per_px: float) -> None:
        self.network, self.settings = quick(network), settings
        self.scale = um_per_px / UM_PER_PX

    def _scaled(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A frame at the scale of the network."""
        if abs(self.scale - 1) <= 0.02:
            return frame
        kind = cv2.INTER_AREA if self.scale < 1 else cv2.INTER_LINEAR
        resized = cv2.resize(frame, None, fx=self.scale, fy=self.scale, interpolation=kind)
        return np.asarray(resized, np.uint8)

    @torch.no_grad()
    def map(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The map of heads at half the resolution of a frame at the network's scale."""
        grey = normalised(frame)
        height, width = grey.shape
        grey = np.pad(grey, ((0, -height % 16), (0, -width % 16)), mode="reflect")
        seen = torch.from_numpy(grey)[None, None].contiguous(memory_format=torch.channels_last)
        found = torch.sigmoid(self.network(seen))[0, 0].numpy()
        return np.asarray(found[: -(-height // STRIDE), : -(-width // STRIDE)])

    def __call__(self, frame: NDArray[np.uint8]) -> Points:
        seen = self._scaled(frame)
        distance = self.settings.min_distance_um / UM_PER_PX / STRIDE
        found = peaks(self.map(seen), self.settings.threshold, distance)
        found[:, :2] = (found[:, :2] + 0.5) * STRIDE - 0.5
        found = plausible(found, seen, self.settings)
        found[:, :2] /= self.scale
        return found


def plausible(heads: Points, frame: NDArray[np.uint8], settings: DetectSettings) -> Points:
    """Heads that are as bright, as large and as free of dark spots as heads are.

    Debris is told apart so: its rims are fainter than heads, grains are smaller, lumps are larger,
    and what lies out of the plane of focus has a dark spot. Brightness is measured against the
    background as a share of the upper quartile of the heads that the network is sure of, so that
    the gain of a camera does not count; without a sure head all are kept.

    Args:
        frame: at the network's scale, as the places of heads are.
    """
    sure = heads[:, 2] >= SURE
    if not sure.any():
        return heads
    smooth = cv2.GaussianBlur(frame.astype(np.float32), (0, 0), 1.0) - _median(frame)
    top = _highest_near(smooth, BRIGHT_PX)
    columns, rows = (
        np.clip(np.round(heads[:, axis]).astype(int), 0, frame.shape[1 - axis] - 1)
        for axis in (0, 1)
    )
    found = top[rows, columns]
    whole = max(float(np.quantile(found[sure], 0.75)), 1e-6)
    around = np.array([
        _around(smooth, x, y, half)
        for (x, y, _), half in zip(heads.tolist(), (found / 2).tolist(), strict=True)
    ])  # fmt: skip
    size, dark = around.T
    kept = (found >= settings.least_brightness * whole) & (size >= settings.least_size_um2)
    kept &= (size <= settings.most_size_um2) & (dark >= -settings.most_darkness * whole)
    return heads[kept]


def _around(smooth: NDArray[np.floating], x: float, y: float, half: float) -> tuple[float, float]:
    """Area about a place (um2) that is brighter than ``half``, and the darkest pixel nearer by."""
    reach = int(NEAR_PX)
    x0, y0 = max(0, round(x) - reach), max(0, round(y) - reach)
    part = smooth[y0 : max(0, round(y)) + reach + 1, x0 : max(0, round(x)) + reach + 1]
    away = np.hypot(
        np.arange(y0, y0 + part.shape[0])[:, None] - y, np.arange(x0, x0 + part.shape[1]) - x
    )
    area = float(((part > half) & (away < NEAR_PX)).sum()) * UM_PER_PX**2
    return area, float(part[away < DARK_PX].min())


class ByBlobs:
    """Heads as bright blobs: maxima of the Laplacian of Gaussian."""

    def __init__(self, settings: DetectSettings, um_per_px: float) -> None:
        self.settings, self.sd = settings, BLOB_UM / um_per_px

    def __call__(self, frame: NDArray[np.uint8]) -> Points:
        blobs = -ndimage.gaussian_laplace(frame.astype(np.float32), self.sd) * self.sd**2
        distance = 2 * 1.9 * self.sd
        return peaks(np.maximum(blobs, 1e-6), self.settings.log_threshold, distance)


def detector(settings: DetectSettings, um_per_px: float | None) -> Detector:
    """The detector of the settings; without a pixel size that of the network is assumed.

    Raises:
        StepError: the weights are absent or damaged.
    """
    um = UM_PER_PX if um_per_px is None else um_per_px
    if not settings.weights:
        return ByBlobs(settings, um)
    torch.set_num_threads(settings.threads)
    tensors, card = load_weights(settings.weights)
    network = HeadNet(tuple(card["widths"]))
    network.load_state_dict(tensors)
    return ByNetwork(network, settings, um)


def matched(found: Points, truth: NDArray[np.float64], gate_px: float) -> tuple[int, int, int]:
    """Pairs, false and missed heads, by the assignment with the least distances.

    Args:
        truth: x, y (px), shape (M, 2).
    """
    if not len(found) or not len(truth):
        return 0, len(found), len(truth)
    distance = np.hypot(*(found[:, None, :2] - truth[None]).transpose(2, 0, 1))
    rows, columns = linear_sum_assignment(np.minimum(distance, 5 * gate_px))
    pairs = int((distance[rows, columns] <= gate_px).sum())
    return pairs, len(found) - pairs, len(truth) - pairs


def f_score(counts: Iterator[tuple[int, int, int]] | list[tuple[int, int, int]]) -> float:
    """2 pairs / (2 pairs + false + missed), of all frames."""
    pairs, false, missed = np.sum(list(counts), axis=0)
    return float(2 * pairs / max(2 * pairs + false + missed, 1))
