"""Statistics of speckle that a network of few scans cannot learn: energies of frequency bands."""

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]

FINE, COARSE = (3, 5), (5, 9, 17)
"""Box windows between which bands of spatial frequency lie: px of the image, and of its half."""

CHANNELS = len(FINE) + len(COARSE) + 2
FLOOR = 1e-3
ENERGY_WINDOW = 5


def _smooth(values: Grey, weight: Grey, window: int) -> Grey:
    """Mean over a square window of what has weight; 0 where nothing has."""
    size = (window, window)
    total = cv2.blur(values * weight, size, borderType=cv2.BORDER_CONSTANT)
    area = cv2.blur(weight, size, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(total / np.maximum(area, FLOOR) * (weight > 0), np.float32)


def _bands(values: Grey, weight: Grey, windows: tuple[int, ...]) -> list[Grey]:
    levels = [values, *(_smooth(values, weight, window) for window in windows)]
    return [(fine - coarse) ** 2 for fine, coarse in pairwise(levels)]


def speckle_statistics(image: Grey) -> Grey:
    """Local mean and log-energy of five bands at half the resolution, and the sector.

    A change of gain shifts the mean, a change of dynamic range all energies alike; coarse texture
    shows in the ratio of energies.

    Args:
        image: shape (Y, X), even sides, mean 0 and SD 1 inside the sector, 0 outside.

    Returns:
        Shape (CHANNELS, Y / 2, X / 2).
    """
    half = (image.shape[1] // 2, image.shape[0] // 2)
    inside = (image != 0).astype(np.float32)
    area = np.asarray(cv2.resize(inside, half, interpolation=cv2.INTER_AREA), np.float32)
    small = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.float32)
    small = np.where(area > 0, small / np.maximum(area, FLOOR), 0).astype(np.float32)
    energies = [
        cv2.resize(power, half, interpolation=cv2.INTER_AREA)
        for power in _bands(image, inside, FINE)
    ]
    energies += _bands(small, area, COARSE)
    size = (ENERGY_WINDOW, ENERGY_WINDOW)
    logs = [0.5 * np.log(cv2.blur(np.asarray(one), size) + FLOOR) for one in energies]
    return np.stack([small, *logs, area]).astype(np.float32)
