"""Boundary map and seeds of the watershed, computed from affinities."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from snakescope.neurites.fragments.compiled import compiled
from snakescope.neurites.fragments.settings import FragmentsSettings


def boundary_heights(affinities: NDArray[np.uint8], through_sections: bool) -> NDArray[np.uint8]:
    """Return a boundary map: 255 - the mean affinity of a voxel to its neighbours.

    Args:
        affinities: shape (3, Z, Y, X), to the voxel before along z, y and x, 0 to 255.
        through_sections: whether to include the neighbours in adjacent sections.

    Returns:
        Shape (Z, Y, X).
    """
    heights = np.empty(affinities.shape[1:], np.uint8)
    _boundary_heights(affinities, heights, 0 if through_sections else 1)
    return heights


@compiled
def _boundary_heights(affinities, heights, first_axis):  # type: ignore[no-untyped-def]
    depth, height, width = heights.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                total = 0
                count = 0
                if first_axis == 0:
                    if z > 0:
                        total += affinities[0, z, y, x]
                        count += 1
                    if z < depth - 1:
                        total += affinities[0, z + 1, y, x]
                        count += 1
                if y > 0:
                    total += affinities[1, z, y, x]
                    count += 1
                if y < height - 1:
                    total += affinities[1, z, y + 1, x]
                    count += 1
                if x > 0:
                    total += affinities[2, z, y, x]
                    count += 1
                if x < width - 1:
                    total += affinities[2, z, y, x + 1]
                    count += 1
                heights[z, y, x] = 255 - (total + count // 2) // count if count else 255


def find_seeds(
    heights: NDArray[np.uint8],
    settings: FragmentsSettings,
    through_sections: bool,
    anisotropy: float,
) -> NDArray[np.int32]:
    """Label the local maxima of the distance to boundaries, by the seed radius.

    Distances are clipped at three seed radii, so that seeds depend on their surroundings only and
    a wide neurite gets one seed.

    Args:
        heights: shape (Z, Y, X), see :func:`boundary_heights`.
        anisotropy: distance between sections in pixels.

    Returns:
        Shape (Z, Y, X), labels of the seeds from 1; 0 elsewhere.
    """
    outline = round(255 * (1 - settings.boundary_affinity))
    inside = (heights < outline).astype(np.uint8)
    farthest = 3.0 * settings.seed_radius_px
    distances = np.empty(heights.shape, np.float32)
    for z, section in enumerate(inside):
        if section.all():
            distances[z] = farthest
            continue
        distances[z] = cv2.distanceTransform(section, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    np.minimum(distances, farthest, out=distances)
    if through_sections:
        distances = _through_sections(distances, farthest, anisotropy)
    if settings.smoothing_px:
        for section in distances:
            cv2.GaussianBlur(
                section, (0, 0), settings.smoothing_px, dst=section, borderType=cv2.BORDER_REFLECT
            )
        if through_sections:
            sigma = settings.smoothing_px / anisotropy
            distances = ndimage.gaussian_filter1d(distances, sigma, axis=0, truncate=3)
    return _numbered(
        _peaks(distances, inside, settings, through_sections, anisotropy), through_sections
    )


def _through_sections(
    distances: NDArray[np.float32], farthest: float, anisotropy: float
) -> NDArray[np.float32]:
    """Return exact 3-D distances up to ``farthest`` from distances within sections."""
    squares = distances**2
    nearest = squares.copy()
    for step in range(1, min(len(squares), int(farthest / anisotropy) + 1)):
        away = np.float32((step * anisotropy) ** 2)
        np.minimum(nearest[step:], squares[:-step] + away, out=nearest[step:])
        np.minimum(nearest[:-step], squares[step:] + away, out=nearest[:-step])
    return np.sqrt(nearest)


def _peaks(
    distances: NDArray[np.float32],
    inside: NDArray[np.uint8],
    settings: FragmentsSettings,
    through_sections: bool,
    anisotropy: float,
) -> NDArray[np.uint8]:
    radius = settings.seed_radius_px
    square = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * radius + 1, 2 * radius + 1))
    highest = np.stack([cv2.dilate(section, square) for section in distances])
    if through_sections:
        reach = max(1, round(radius / anisotropy))
        highest = ndimage.maximum_filter1d(highest, 2 * reach + 1, axis=0, mode="nearest")
    # Blurring leaves differences in the last digits on plateaus.
    return ((distances >= highest - 1e-3) & (inside > 0)).astype(np.uint8)


def _numbered(peaks: NDArray[np.uint8], through_sections: bool) -> NDArray[np.int32]:
    if through_sections:
        labels, _ = ndimage.label(peaks, np.ones((3, 3, 3)), output=np.int32)
        return np.asarray(labels)
    seeds = np.empty(peaks.shape, np.int32)
    before = 0
    for z, section in enumerate(peaks):
        count, labels = cv2.connectedComponents(section, connectivity=8, ltype=cv2.CV_32S)
        seeds[z] = np.where(labels > 0, labels + before, 0)
        before += count - 1
    return seeds
