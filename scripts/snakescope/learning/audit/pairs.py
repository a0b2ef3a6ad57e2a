"""Copies and near duplicates among images, and what folds by image would make of them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

ROWS = 512
"""Images that are compared with all others at once: bounds the memory."""


class Pair(NamedTuple):
    """Two images by row number, first < second, and their distance (bits; 0 of equal pixels)."""

    first: int
    second: int
    bits: int


def equal_sets(digests: ArrayLike) -> list[NDArray[np.intp]]:
    """Sets of two and more rows with the same digest, in order of their first row."""
    names, codes, counts = np.unique(np.asarray(digests), return_inverse=True, return_counts=True)
    order = np.argsort(codes, kind="stable")
    sets = np.split(order, np.cumsum(counts)[:-1]) if len(names) else []
    return sorted((one for one in sets if len(one) > 1), key=lambda one: int(one[0]))


def _tables(rows: int) -> Iterator[slice]:
    for start in range(0, rows, ROWS):
        yield slice(start, start + ROWS)


def similar_pairs(hashes: NDArray[np.bool_], max_bits: int) -> list[Pair]:
    """Pairs of rows whose hashes differ in at most ``max_bits`` bits (Hamming distance).

    Args:
        hashes: shape (N, bits).
    """
    # Of vectors of +1 and -1, the product is bits - 2 * distance; exact in float32 to 2 ** 24.
    signs = np.where(hashes, np.float32(1), np.float32(-1))
    bits, found = signs.shape[1], []
    for part in _tables(len(signs)):
        distance = (bits - signs[part] @ signs[part.start :].T) / 2
        row, column = np.nonzero(np.triu(distance <= max_bits, 1))
        found += [
            Pair(part.start + int(i), part.start + int(j), int(distance[i, j]))
            for i, j in zip(row, column, strict=True)
        ]
    return found


def registered_correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Correlation of two detail images after a shift, by phase correlation; 0 beyond 8 %.

    Of shifted copies it is above 0.95; of frames of two people on one probe it was at most 0.72.

    Args:
        one, other: shape (side, side), see ``ImageFacts.detail``.
    """
    side = len(one)
    window = cv2.createHanningWindow((side, side), cv2.CV_32F)
    # OpenCV multiplies its arguments with the window in place.
    (dx, dy), _ = cv2.phaseCorrelate(one.copy(), other.copy(), window)
    most = 0.08 * side
    if not max(abs(dx), abs(dy)) <= most:
        return 0.0
    back = np.array([[1, 0, -dx], [0, 1, -dy]], np.float32)
    moved = cv2.warpAffine(other, back, (side, side))
    edge = int(most) + 2
    a, b = (values[edge:-edge, edge:-edge] for values in (one, moved))
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-9))


def near_duplicates(
    hashes: NDArray[np.bool_],
    details: Sequence[NDArray[np.float32]],
    max_bits: int,
    max_candidate_bits: int,
    min_correlation: float,
) -> list[Pair]:
    """Pairs of close hashes, and of less close ones whose detail is the same after a shift.

    Args:
        hashes: shape (N, bits).
        details: N detail images.
        max_bits: distance up to which hashes alone decide.
        max_candidate_bits: distance up to which pairs are registered.
        min_correlation: of registered detail.
    """
    candidates = similar_pairs(hashes, max(max_bits, max_candidate_bits))
    return [
        pair
        for pair in candidates
        if pair.bits <= max_bits
        or registered_correlation(details[pair.first], details[pair.second]) >= min_correlation
    ]


def clusters(rows: int, linked: list[Pair]) -> NDArray[np.int64]:
    """Number (from 0) of the cluster of each row, linked rows in one (single linkage)."""
    ends = np.array([(one.first, one.second) for one in linked], dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(rows, rows))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def nearest_neighbour_accuracy(
    thumbnails: NDArray[np.float32], classes: ArrayLike, groups: ArrayLike
) -> tuple[float, float]:
    """Accuracy of the class of the nearest thumbnail: among all others, and among other groups.

    The gap between the two is what a cross-validation by image would overstate.

    Args:
        thumbnails: shape (N, Y, X), each of mean 0 and norm 1.
        classes, groups: shape (N,).

    Returns:
        Both NaN with a single group.
    """
    flat = thumbnails.reshape(len(thumbnails), -1)
    labels, owners = np.asarray(classes), np.asarray(groups)
    if len(np.unique(owners)) < 2:
        return np.nan, np.nan
    by_image, by_group = 0, 0
    for part in _tables(len(flat)):
        likeness = flat[part] @ flat.T
        own = np.arange(len(flat))[part]
        likeness[np.arange(len(own)), own] = -np.inf
        by_image += int((labels[likeness.argmax(axis=1)] == labels[part]).sum())
        likeness[owners[part][:, None] == owners[None]] = -np.inf
        by_group += int((labels[likeness.argmax(axis=1)] == labels[part]).sum())
    return by_image / len(flat), by_group / len(flat)
