"""Cells of a section: basins of its membranes, joined where their common border is weak.

A threshold leaves two cells joined wherever a single gap in a membrane lets them touch. The mean
probability along all of a border is little changed by a gap: basins are joined by it, the weakest
border first, as regions of a graph by average linkage (Arbelaez et al., IEEE TPAMI 33 (2011)
898-916, of contours; Beier et al., Nat. Methods 14 (2017) 101-102, solve the same graph exactly).

Where a membrane is cut obliquely it is broad, faint and without a line, and two large cells would
become one. That a border between two large basins is none is less likely than between small ones,
which often are parts of one cell: the height of a border grows with the smaller basin's size.
"""

import heapq
from math import log10
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label
from skimage.morphology import h_minima
from skimage.segmentation import watershed

SMOOTHING_PX = 1.0
"""Of the probabilities before basins are found."""

DEPTH = 5
"""Basins that are shallower are one (255 times the probability)."""

SIZE_WEIGHT = 0.1
"""Added to the height of a border for every power of ten of the smaller basin's size."""

SIZE_PX = 1000
"""Of a smaller basin whose border is as high as its mean probability."""

Labels = NDArray[np.int64]


class Merge(NamedTuple):
    """Two basins become one, that of ``kept``, at a height of their border."""

    height: float
    kept: int
    gone: int


class Basins(NamedTuple):
    """Basins of a section, labels from 1 (Y, X), and the order in which they are joined."""

    labels: Labels
    merges: list[Merge]

    def joined(self, below: float) -> Labels:
        """Cells: basins joined as long as the lowest border is below a height."""
        cell = np.arange(int(self.labels.max()) + 1)
        for merge in self.merges:
            if merge.height >= below:
                break
            cell[merge.gone] = merge.kept
        # A basin may have been joined to one that was joined later.
        while (cell[cell] != cell).any():
            cell = cell[cell]
        return np.asarray(cell[self.labels], np.int64)


def basins_of(probability: NDArray[np.uint8]) -> Basins:
    """Basins of the probability of membrane, uint8 (Y, X), and how they are joined."""
    smooth = ndimage.gaussian_filter(probability.astype(np.float32), SMOOTHING_PX)
    markers = label(h_minima(np.rint(smooth).astype(np.uint8), DEPTH), connectivity=2)
    labels = np.asarray(watershed(smooth, markers, connectivity=1), np.int64)
    return Basins(labels, merges_of(labels, probability / 255))


def borders_of(
    labels: Labels, probability: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Pairs of basins that touch (N, 2), the sum of probabilities along their border, its length.

    Of two neighbouring pixels of different basins the more probable one counts.
    """
    count = int(labels.max()) + 1
    keys, values = [], []
    for one, other in (
        ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
        ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
    ):
        apart = labels[one] != labels[other]
        a, b = labels[one][apart], labels[other][apart]
        keys.append(np.minimum(a, b) * count + np.maximum(a, b))
        values.append(np.maximum(probability[one][apart], probability[other][apart]))
    pairs, place = np.unique(np.concatenate(keys), return_inverse=True)
    total = np.bincount(place, np.concatenate(values), len(pairs)).astype(np.float64)
    length = np.bincount(place, minlength=len(pairs)).astype(np.int64)
    return np.stack(np.divmod(pairs, count), 1), total, length


def merges_of(labels: Labels, probability: NDArray[np.float64]) -> list[Merge]:
    """Join all basins of a section, the lowest border first; borders and sizes add up."""
    pairs, totals, lengths = borders_of(labels, probability)
    sizes = np.bincount(labels.ravel()).tolist()
    around: list[dict[int, tuple[float, int]]] = [{} for _ in sizes]

    def height_of(a: int, b: int) -> float:
        """Mean probability along a border, and what the smaller basin's size adds."""
        total, length = around[a][b]
        return total / length + SIZE_WEIGHT * log10(min(sizes[a], sizes[b]) / SIZE_PX)

    rows = zip(pairs.tolist(), totals.tolist(), lengths.tolist(), strict=True)
    for (a, b), total, length in rows:
        around[a][b] = around[b][a] = (total, length)
    heap = [(height_of(a, b), a, b, around[a][b][1]) for a, b in pairs.tolist()]
    heapq.heapify(heap)
    merges = []
    while heap:
        height, a, b, length = heapq.heappop(heap)
        # Of a pair that has changed since, a later entry counts; borders only grow.
        if around[a].get(b, (0.0, 0))[1] != length:
            continue
        # Basins have grown since, and their border has become higher.
        if (now := height_of(a, b)) > height:
            heapq.heappush(heap, (now, a, b, length))
            continue
        if len(around[a]) < len(around[b]):
            a, b = b, a
        merges.append(Merge(height, a, b))
        sizes[a] += sizes[b]
        for other, (total, length) in around[b].items():
            del around[other][b]
            if other == a:
                continue
            known = around[a].get(other, (0.0, 0))
            grown = (known[0] + total, known[1] + length)
            around[a][other] = around[other][a] = grown
            first, second = min(a, other), max(a, other)
            heapq.heappush(heap, (height_of(first, second), first, second, grown[1]))
        around[b] = {}
    return merges


def lines_between(cells: Labels) -> NDArray[np.bool_]:
    """Lines of one pixel between cells (Y, X): the upper or left one of two pixels that differ."""
    lines = np.zeros(cells.shape, bool)
    lines[:-1] |= cells[:-1] != cells[1:]
    lines[:, :-1] |= cells[:, :-1] != cells[:, 1:]
    return lines
