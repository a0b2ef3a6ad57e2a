"""Masks as polygons that drawing programs edit; polygons and run lengths of COCO as masks.

Coordinates are those of COCO, CVAT and QuPath: x and y from the corner of the image, so that the
first pixel reaches from 0 to 1. Values stay fractions to the end: a worm of six pixels loses a
third of its area to corners that are cut to whole numbers.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from skimage.measure import approximate_polygon, find_contours

from snakescope.imaging.masks import Instance

Origin = Literal["corner", "centre"]
BEYOND_PX = 2.0
"""A polygon may reach so far out of its image, as drawing programs let it."""

FARTHEST_PX = 100_000
"""Whoever draws a polygon needs memory for the whole length of its sides."""

FEWEST = 6
"""Numbers of a polygon of three corners."""

FINER = 4
"""Polygons are drawn so many times as large, and pooled."""

SIMPLER_PX = 0.35
"""Corners may leave the outline by so much; fewer corners are easier to move."""

CORNERS = 3
Ring = NDArray[np.float64]


def rings_of(mask: NDArray[np.bool_], simpler_px: float = SIMPLER_PX) -> list[tuple[Ring, bool]]:
    """Return the outlines of a mask (Y, X), each (N, 2) of x, y, and whether it is that of a hole.

    The first corner is not repeated as the last.
    """
    made = []
    for contour in find_contours(np.pad(mask.astype(np.float64), 1), 0.5, fully_connected="high"):
        simple = approximate_polygon(contour, simpler_px)
        if len(simple) <= CORNERS:
            simple = contour
        # Outlines run with the clock, as x and y are drawn on a screen; those of holes against it.
        y, x = contour[:, 0], contour[:, 1]
        area = float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))
        # From centres of the padded pixels to corners of the image.
        made.append((simple[:-1, ::-1] - 0.5, area < 0))
    return made


def opened(outer: Ring, holes: Sequence[Ring]) -> Ring:
    """Return one ring for an outline with holes, which a cut of no width joins.

    COCO knows no holes, and programs fill what a second polygon encloses.
    """
    ring = outer
    for hole in holes:
        apart = np.linalg.norm(ring[:, None] - hole[None], axis=2)
        at, of = np.unravel_index(int(np.argmin(apart)), apart.shape)
        inner = np.roll(hole, -int(of), axis=0)
        ring = np.concatenate([ring[: at + 1], inner, inner[:1], ring[at:]])
    return ring


def polygons_of(one: Instance) -> list[list[float]]:
    """Return the polygons of a mask as COCO has them: x, y, x, y ..., one for each part (px)."""
    rings = rings_of(one.mask)
    holes = [ring for ring, is_hole in rings if is_hole]
    made = []
    for outer in (ring for ring, is_hole in rings if not is_hole):
        inside = [hole for hole in holes if encloses(outer, hole)]
        ring = opened(outer, inside) + np.array([one.left, one.top])
        made.append([round(float(value), 2) for value in ring.ravel()])
    return made


def encloses(outer: Ring, inner: Ring) -> bool:
    """Whether a ring lies wholly within another."""
    if (inner.min(axis=0) < outer.min(axis=0)).any() or (
        inner.max(axis=0) > outer.max(axis=0)
    ).any():
        return False
    return bool(_inside(outer, inner).all())


def _inside(ring: Ring, points: Ring) -> NDArray[np.bool_]:
    """Whether points lie in a ring, by the crossings of a ray."""
    x, y = points[:, 0][:, None], points[:, 1][:, None]
    x0, y0 = ring[:, 0][None], ring[:, 1][None]
    x1, y1 = np.roll(ring[:, 0], -1)[None], np.roll(ring[:, 1], -1)[None]
    spans = (y0 > y) != (y1 > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
    return np.asarray((spans & (x < crossing)).sum(axis=1) % 2 == 1)


def filled(polygons: Sequence[Sequence[float]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the mask (Y, X) of the polygons of one object.

    A pixel belongs to it where more than half of it does. A polygon that lies wholly within another
    is a hole, as drawing programs export those, and one within a hole is none. What lies out of the
    image is cut off.

    Args:
        polygons: x, y, x, y ... each, of at least three corners (px).
        shape: of the image.
    """
    mask = np.zeros(shape, bool)
    rings = [np.asarray(one, np.float64).reshape(-1, 2) for one in polygons]
    depth = [
        sum(encloses(other, ring) for at, other in enumerate(rings) if at != place)
        for place, ring in enumerate(rings)
    ]
    for place in np.argsort(depth, kind="stable"):
        ring = rings[place]
        first = np.maximum(np.floor(ring.min(axis=0)), 0).astype(int)
        last = np.minimum(np.ceil(ring.max(axis=0)), (shape[1], shape[0])).astype(int)
        if (last <= first).any():
            continue
        width, height = (last - first).tolist()
        corners = [((ring - first) * FINER).ravel().tolist()]
        drawn = coco_mask.decode(coco_mask.frPyObjects(corners, height * FINER, width * FINER))
        pooled = drawn[..., 0].reshape(height, FINER, width, FINER).mean(axis=(1, 3)) >= 0.5
        own = mask[first[1] : last[1], first[0] : last[0]]
        own[pooled] = depth[place] % 2 == 0
    return mask


def polygons_in(segmentation: Sequence[Any]) -> list[Sequence[float]]:
    """Polygons, be they one list of numbers or a list of such."""
    flat = segmentation and all(isinstance(one, (int, float)) for one in segmentation)
    return [segmentation] if flat else list(segmentation)


def drawn(
    segmentation: Any, shape: tuple[int, int], origin: Origin = "corner"
) -> tuple[NDArray[np.bool_], bool]:
    """The mask (Y, X) of polygons, or of run lengths, plain or compressed, and whether it was cut.

    A plain list of numbers is a polygon, or run lengths where it fills the image.

    Raises:
        ValueError: an empty segmentation, or run lengths of a smaller size.
    """
    height, width = shape
    if isinstance(segmentation, list) and segmentation and not isinstance(segmentation[0], list):
        whole = all(isinstance(one, int) and one >= 0 for one in segmentation)
        if whole and sum(segmentation) == height * width:
            segmentation = {"size": [height, width], "counts": segmentation}
    if isinstance(segmentation, list):
        polygons = [
            [float(value) for value in one[: len(one) // 2 * 2]]
            for one in polygons_in(segmentation)
            if len(one) >= FEWEST
        ]
        if not polygons:
            raise ValueError("no polygon of three corners")
        if origin == "centre":
            polygons = [[value + 0.5 for value in one] for one in polygons]
        corners = np.concatenate(polygons)
        if not np.isfinite(corners).all():
            raise ValueError("corners that are no numbers")
        if np.abs(corners).max() > FARTHEST_PX:
            raise ValueError("corners far out of the image")
        return filled(polygons, shape), _reaches_out(polygons, shape)
    return _of_runs(segmentation, shape)


def _of_runs(segmentation: Any, shape: tuple[int, int]) -> tuple[NDArray[np.bool_], bool]:
    rows, columns = (int(side) for side in segmentation["size"])
    if rows < shape[0] or columns < shape[1]:
        raise ValueError(
            f"run lengths of {columns} x {rows} px, less than the image's {shape[1]} x {shape[0]}"
        )
    counts = segmentation["counts"]
    if isinstance(counts, (str, bytes)):
        counts = _uncompressed(counts)
    # What does not fill the image is decoded without a complaint, and the rest is left to chance.
    if sum(counts) != rows * columns or min(counts) < 0:
        raise ValueError("run lengths that do not fill the image")
    coded = {"size": [rows, columns], "counts": counts}
    mask = np.asarray(coco_mask.decode(coco_mask.frPyObjects(coded, rows, columns)), bool)
    return mask[: shape[0], : shape[1]], mask.shape != shape


def _uncompressed(counts: str | bytes) -> list[int]:
    """Return run lengths that COCO compressed: five bits a letter, differences from the third on.

    Raises:
        IndexError: the last one is cut off.
    """
    text = counts.encode() if isinstance(counts, str) else counts
    found: list[int] = []
    place = 0
    while place < len(text):
        value = bits = 0
        more = True
        while more:
            letter = text[place] - 48
            value |= (letter & 31) << bits
            more = bool(letter & 32)
            place, bits = place + 1, bits + 5
        if letter & 16:
            value -= 1 << bits
        found.append(value + (found[-2] if len(found) > 2 else 0))
    return found


def _reaches_out(polygons: Sequence[Sequence[float]], shape: tuple[int, int]) -> bool:
    corners = np.concatenate([np.asarray(one, float).reshape(-1, 2) for one in polygons])
    low, high = corners.min(axis=0), corners.max(axis=0)
    return bool(
        min(low) < -BEYOND_PX or high[0] > shape[1] + BEYOND_PX or high[1] > shape[0] + BEYOND_PX
    )
