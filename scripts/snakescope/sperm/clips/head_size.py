"""Length and width of the head of a followed sperm.

In relief contrast a head is bright on one side and dark on the other: its picture is the slope of
its thickness in the direction of the light, and the sum along that direction gives the thickness
back. In phase contrast a head is bright all over. The region that is thick, or bright, is freed of
neck and tail by an opening, and measured by its moments in each frame.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

REACH_UM = 6.0
"""Half the side of the square that is searched."""
LEVEL, NECK_UM = 0.45, 0.7
"""Share of the thickness at which a head ends; radius of the opening (um)."""
DIPOLE = 0.3
"""From this share of brightness that lies on one side on, the contrast is relief."""
Image = NDArray[np.float32]


class HeadSize(NamedTuple):
    """Median over frames (um); NaN where too few frames show a head."""

    length: float
    width: float


def head_size(frames: NDArray[np.uint8], um_per_px: float) -> HeadSize:
    """Size of the head in the middle of a clip (T, Y, X)."""
    nowhere = HeadSize(np.nan, np.nan)
    if not len(frames):
        return nowhere
    parts = [_detailed(frame, um_per_px) for frame in frames]
    direction, share = light(parts, um_per_px)
    if share >= DIPOLE:
        parts = [thickness(one, direction) for one in parts]
    found = [size for one in parts if (size := _ellipse(one, um_per_px)) is not None]
    if len(found) < max(1, len(frames) // 4):
        return nowhere
    # An ellipsoid is as thick as the level up to this share of its axes.
    length, width = np.median(np.array(found), axis=0) * um_per_px / np.sqrt(1 - LEVEL**2)
    return HeadSize(float(length), float(width))


def _detailed(frame: NDArray[np.uint8], um_per_px: float) -> Image:
    """The square about the middle, against the background."""
    reach = max(8, round(REACH_UM / um_per_px))
    grey = frame.astype(np.float32)
    around = np.concatenate([grey[:4].ravel(), grey[-4:].ravel(), grey[:, :4].ravel()])
    part = cv2.getRectSubPix(grey, (2 * reach + 1, 2 * reach + 1),
                             ((frame.shape[1] - 1) / 2, (frame.shape[0] - 1) / 2))  # fmt: skip
    return np.asarray(part - np.median(around), np.float32)


def light(parts: list[Image], um_per_px: float) -> tuple[float, float]:
    """Direction from the dark to the bright side of heads (rad), and how much lies on one side."""
    side = parts[0].shape[0]
    y, x = (np.mgrid[:side, :side] - (side - 1) / 2).astype(np.float32)
    near = np.hypot(x, y) * um_per_px < 2.6
    moments = np.array([[(one * x)[near].sum(), (one * y)[near].sum()] for one in parts])
    weight = float(np.mean([(np.abs(one) * np.hypot(x, y))[near].sum() for one in parts]))
    mx, my = moments.mean(axis=0)
    return float(np.arctan2(my, mx)), float(np.hypot(mx, my) / max(weight, 1e-9))


def thickness(part: Image, direction: float) -> Image:
    """The sum of a relief against the direction of the light, without a slope from edge to edge."""
    side = part.shape[0]
    middle = ((side - 1) / 2, (side - 1) / 2)
    turn = cv2.getRotationMatrix2D(middle, np.degrees(direction), 1.0)
    flags = cv2.INTER_LINEAR
    turned = cv2.warpAffine(part, turn, (side, side), flags=flags, borderMode=cv2.BORDER_REFLECT)
    hill = -np.cumsum(turned - np.median(turned, axis=1, keepdims=True), axis=1)
    edge = max(2, side // 8)
    first, last = (one.mean(axis=1, keepdims=True) for one in (hill[:, :edge], hill[:, -edge:]))
    hill = hill - first - (last - first) * np.linspace(0, 1, side, dtype=np.float32)
    return np.asarray(
        cv2.warpAffine(hill.astype(np.float32), turn, (side, side),
                       flags=flags | cv2.WARP_INVERSE_MAP), np.float32
    )  # fmt: skip


def _ellipse(part: Image, um_per_px: float) -> tuple[float, float] | None:
    """Full axes (px) of the ellipse with the moments of what is thick about the middle."""
    grey = cv2.GaussianBlur(part, (0, 0), max(0.6, 0.15 / um_per_px))
    middle = part.shape[0] // 2
    near = slice(middle - 3, middle + 4)
    height = float(np.percentile(grey[near, near], 75))
    if height <= 0:
        return None
    mask = (grey > LEVEL * height).astype(np.uint8)
    radius = max(1, round(NECK_UM / um_per_px))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc), np.uint8)
    _, labels = cv2.connectedComponents(mask)
    counts = np.bincount(labels[near, near].ravel())
    counts[0] = 0
    if not counts.any():
        return None
    ys, xs = np.nonzero(labels == int(counts.argmax()))
    if min(ys.min(), xs.min()) == 0 or max(ys.max(), xs.max()) == part.shape[0] - 1:
        return None
    values = np.linalg.eigvalsh(np.cov(np.stack([xs, ys]).astype(np.float64)))
    short, long = 4 * np.sqrt(np.maximum(values, 0) + 1 / 12)
    return float(long), float(short)
