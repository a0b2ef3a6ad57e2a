"""The body of a worm as its masks mean it: to half of its contrast, and how long and wide that is.

One measure, of what ``snakescope inspect`` finds without a model and of what ``snakescope trial``
finds with one.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.states.composite import midline_length

TOP_PERCENT = 90
"""Percentile of the contrast of an object that is the contrast of its body."""


def slender_size(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Return length and mean width (px) of a body: its midline, and area / length."""
    length = midline_length(mask)
    return length, np.count_nonzero(mask) / length


def body_mask(contrasts: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the mask of one object to half of its contrast, where masks of worms end.

    What stands out from the noise reaches farther, by the blur of the lens on either side: worms
    3 px wide would be a half wider by it.

    Args:
        contrasts: of the object, shape (Y, X), 0 beside it.
    """
    top = float(np.percentile(contrasts[contrasts > 0], TOP_PERCENT))
    bold = (contrasts > top / 2).astype(np.uint8)
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(bold, connectivity=8)
    return np.asarray(labels == 1 + int(boxes[1:, cv2.CC_STAT_AREA].argmax()))
