"""V_Rand and V_Info of sections, as the code of the ISBI 2012 challenge computes them.

Arganda-Carreras et al., "Crowdsourcing the creation of image segmentation algorithms for
connectomics", Front. Neuroanat. 9 (2015) 142, and Fiji's ``Trainable_Segmentation``: pixels that
are no membrane make basins (4-connected); membranes are flooded from them until lines of one pixel
are left ("border thinning"); every pixel of a line counts as a segment of its own, and pixels of
true membranes are not counted.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from skimage.measure import label
from skimage.segmentation import watershed

from snakescope.learning.partition_scores import scores_of_table
from snakescope.membranes.scores.pixels import level_of

OFFICIAL_THRESHOLDS = tuple(n / 10 for n in range(11))
"""Of the challenge, on the probability of membrane."""


class SectionScores(NamedTuple):
    """V_Rand and V_Info of a section, 1 is best."""

    v_rand: float
    v_info: float


def basins(interior: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Cells of a section and lines of one pixel, label 0, between them.

    Args:
        interior: bool, shape (Y, X), what is no membrane.
    """
    cells = label(interior, connectivity=1)
    return np.asarray(
        watershed(~interior, markers=cells, connectivity=1, watershed_line=True), np.int64
    )


def true_cells(membrane: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Cells of true membranes, bool (Y, X); membranes are 0."""
    return np.asarray(label(~membrane, connectivity=1), np.int64)


def partition_scores(segments: NDArray[np.int64], cells: NDArray[np.int64]) -> SectionScores:
    """Compare segments, whose pixels of 0 are lines, with true cells, shape (Y, X) both.

    Raises:
        ValueError: there is no pixel of a cell.
    """
    known = cells > 0
    count = int(cells.max()) + 1
    pairs, pixels = np.unique(segments[known] * count + cells[known], return_counts=True)
    found = scores_of_table(*np.divmod(pairs, count), pixels.astype(np.int64), singletons=0)
    return SectionScores(found.v_rand, found.v_info)


def section_scores(
    probability: NDArray[np.uint8], cells: NDArray[np.int64], threshold: float
) -> SectionScores:
    """V_Rand and V_Info of a section at a threshold.

    Args:
        probability: of membrane, uint8 (Y, X).
        cells: of :func:`true_cells`.
        threshold: a pixel is membrane where its byte is at least 255 times this.

    Returns:
        0 for both where everything would be membrane.
    """
    interior = probability < level_of(threshold)
    if not interior.any():
        return SectionScores(0.0, 0.0)
    return partition_scores(basins(interior), cells)
