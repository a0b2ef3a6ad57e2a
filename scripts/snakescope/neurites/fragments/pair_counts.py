"""Counts of pairs of labels: edges of region graphs, contingency tables of partitions."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Planes = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8]]
LABEL = np.uint64(32)
"""Bits of a label in the key of a pair."""


class EdgeCounts(NamedTuple):
    """Edges between the labels of an array, in ascending order of their pairs of labels.

    Attributes:
        first, second: shape (E,), the smaller and the larger label.
        counts, sums: shape (E,), affinities between them: how many, and their sum.
        histogram: shape (N, 3), index of the edge, affinity, how many; (0, 3) if not counted.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    counts: NDArray[np.int64]
    sums: NDArray[np.float64]
    histogram: NDArray[np.int64]


def count_edges(planes: Sequence[Planes], histogram: bool = False) -> EdgeCounts:
    """Count the affinities between every two labels that touch.

    Args:
        planes: arrays of equal shapes (Z, Y, X): labels on the one side, labels on the other side,
            0 for no label, and affinities between them, 0 to 255.
        histogram: whether to count every value of the affinity as well.
    """
    parts = [_summed(key, np.ones(len(key)), value) for key, value in _touching(planes)]
    pairs, counts, sums = _summed(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    bins = np.zeros((0, 3), np.int64)
    if histogram:
        parts = [
            _summed(np.searchsorted(pairs, key) << 8 | value, np.ones(len(key)))
            for key, value in _touching(planes)
        ]
        codes, times = _summed(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        bins = np.stack([codes >> 8, codes & 255, times.astype(np.int64)], axis=1)
    return EdgeCounts(*_labels(pairs), counts.astype(np.int64), sums, bins)


def contingency_table(
    one: NDArray[np.int32], other: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Count the voxels of every pair of labels.

    The function of this name in scikit-image makes a matrix as large as the largest label.

    Args:
        one, other: equal shapes (Z, ...), labels from 0 to 2^32 - 1.

    Returns:
        Label of ``one``, label of ``other``, voxels of both; in ascending order of the pairs.
    """
    parts = []
    for a, b in zip(one, other, strict=True):
        key = _key(a.reshape(-1), b.reshape(-1))
        # Runs of equal pairs are much fewer than voxels.
        begins = np.flatnonzero(np.diff(key, prepend=~key[:1]))
        parts.append(_summed(key[begins], np.diff(begins, append=len(key))))
    pairs, voxels = _summed(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    return *_labels(pairs), voxels.astype(np.int64)


def _touching(planes: Sequence[Planes]) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.uint8]]]:
    """Yield keys and affinities of all pairs of voxels with two labels, section by section."""
    for whole in planes:
        for one, other, affinities in zip(*whole, strict=True):
            touching = (one != other) & (one != 0) & (other != 0)
            a, b = one[touching], other[touching]
            yield _key(np.minimum(a, b), np.maximum(a, b)), affinities[touching]


def _summed(keys: NDArray[Any], *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return the different keys in ascending order, and the sums of columns for each."""
    found, place = np.unique(keys, return_inverse=True)
    return found, *(np.bincount(place, column, len(found)) for column in columns)


def _key(one: NDArray[np.integer], other: NDArray[np.integer]) -> NDArray[np.uint64]:
    return (one.astype(np.uint64) << LABEL) | other.astype(np.uint64)


def _labels(keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return (keys >> LABEL).astype(np.int64), (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)
