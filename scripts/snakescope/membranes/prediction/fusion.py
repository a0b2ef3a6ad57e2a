"""Fusion of membrane probabilities with the lines of a watershed, which close gaps.

Chen et al. 2016, section "Post-processing": p_f = w p_w + (1 - w) p, where p_w is 1 on the lines of
a watershed of p and 0 elsewhere. Lines that are weak on average may be left out.
"""

import numpy as np
from numpy.typing import NDArray
from skimage.measure import label
from skimage.segmentation import watershed

from snakescope.membranes.prediction.joining import basins_of, lines_between
from snakescope.membranes.prediction.tiles import as_bytes

MARKERS = 0.1
"""Probability below which a pixel surely is inside of a cell."""
MIN_MARKER_PX = 10
"""Smaller markers are noise."""


def watershed_lines(probability: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Lines between the basins of a map of probabilities, shape (Y, X)."""
    markers = label(probability < MARKERS, connectivity=1)
    sizes = np.bincount(markers.ravel())
    markers[(sizes < MIN_MARKER_PX)[markers]] = 0
    flooded = watershed(probability, markers, connectivity=1, watershed_line=True)
    return np.asarray(flooded == 0)


def with_watershed(
    probability: NDArray[np.float32], weight: float, join_below: float = 0.0
) -> NDArray[np.float32]:
    """Probabilities fused with the lines of their watershed; of weight 0 as they are.

    Args:
        probability: shape (Y, X).
        weight: of the lines.
        join_below: where above 0, lines are those between basins that are joined below this mean
            probability of their border, see :mod:`joining`.
    """
    if weight == 0:
        return probability
    lines = (
        lines_between(basins_of(as_bytes(probability)).joined(join_below))
        if join_below
        else watershed_lines(probability)
    )
    return np.asarray(weight * lines + (1 - weight) * probability, np.float32)
