"""The simplest baseline: the smoothed micrograph itself, in which membranes are dark."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

SIGMA_PX = 2.0


def smoothed_darkness(
    section: NDArray[np.generic], sigma_px: float = SIGMA_PX
) -> NDArray[np.uint8]:
    """Darkness of a smoothed section as bytes, from its brightest (0) to its darkest pixel (255).

    Percentiles, not extremes, are the ends, so that single pixels do not set the scale.
    """
    smooth = ndimage.gaussian_filter(section.astype(np.float32), sigma_px)
    low, high = np.percentile(smooth, [0.5, 99.5])
    scaled = (high - smooth) / max(float(high - low), 1e-6)
    darkness: NDArray[np.uint8] = np.rint(scaled.clip(0, 1) * 255).astype(np.uint8)
    return darkness
