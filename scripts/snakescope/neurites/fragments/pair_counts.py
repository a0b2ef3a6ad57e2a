"""Counting pairs of labels: contacts between fragments, overlaps between partitions.

One open-addressing table (linear probing, no deletion), since pairs come by the million and most
of them are the pair just seen.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snakescope.neurites.fragments.compiled import compiled

FIRST_SIZE = 1 << 12
ROW = 1 << 10
"""Voxels between two looks at the room in a table, where labels come without rows."""


class Table(NamedTuple):
    """Sums by key; key 0 marks a free slot. ``used`` has one element, the number of keys."""

    keys: NDArray[np.uint64]
    counts: NDArray[np.int64]
    sums: NDArray[np.float64]
    used: NDArray[np.int64]


def empty_table() -> Table:
    """Return a table without any key."""
    return Table(
        np.zeros(FIRST_SIZE, np.uint64),
        np.zeros(FIRST_SIZE, np.int64),
        np.zeros(FIRST_SIZE, np.float64),
        np.zeros(1, np.int64),
    )


def sorted_entries(
    table: Table,
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.float64]]:
    """Return keys, ascending, with their counts and sums."""
    there = np.flatnonzero(table.keys)
    order = there[np.argsort(table.keys[there], kind="stable")]
    return table.keys[order], table.counts[order], table.sums[order]


def split_keys(keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the two labels of every key."""
    high = (keys >> np.uint64(32)).astype(np.int64)
    return high, (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)


def add_contacts(
    table: Table,
    one: NDArray[np.int32],
    other: NDArray[np.int32],
    affinities: NDArray[np.uint8] | NDArray[np.float32],
) -> Table:
    """Count contacts between the labels of ``one`` and ``other`` and sum up their affinities.

    Args:
        table: by pair, smaller label << 32 | larger label.
        one, other: shape (Z, Y, X), labels on the two sides of every contact; 0 has none.
        affinities: shape (Z, Y, X), 0 to 255.
    """
    return Table(*_add_contacts(*table, one, other, affinities))


def add_affinity_counts(
    table: Table,
    edge_keys: NDArray[np.uint64],
    one: NDArray[np.int32],
    other: NDArray[np.int32],
    affinities: NDArray[np.uint8],
) -> Table:
    """Count affinities by contact: key is the number of the edge in ``edge_keys`` + 1 << 8 |
    value.
    """
    return Table(*_add_affinity_counts(*table, edge_keys, one, other, affinities))


def overlaps(
    one: NDArray[np.int32], other: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Count the voxels of every pair of labels.

    Args:
        one, other: equal shapes, labels from 0 to 2^31 - 2 and 2^32 - 1.

    Returns:
        Label of ``one``, label of ``other``, voxels of both; sorted by pair.
    """
    table = Table(*_add_overlaps(*empty_table(), one.reshape(-1), other.reshape(-1)))
    keys, counts, _ = sorted_entries(table)
    first, second = split_keys(keys)
    return first - 1, second, counts


@compiled
def _slot(keys, key):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(keys) - 1)
    # Fibonacci hashing: labels that follow each other fall far apart.
    slot = ((key * np.uint64(11400714819323198485)) >> np.uint64(20)) & mask
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + np.uint64(1)) & mask
    return slot


@compiled
def _grown(keys, counts, sums):  # type: ignore[no-untyped-def]
    more_keys = np.zeros(2 * len(keys), np.uint64)
    more_counts = np.zeros(2 * len(keys), np.int64)
    more_sums = np.zeros(2 * len(keys), np.float64)
    for at in range(len(keys)):
        if keys[at] != 0:
            slot = _slot(more_keys, keys[at])
            more_keys[slot] = keys[at]
            more_counts[slot] = counts[at]
            more_sums[slot] = sums[at]
    return more_keys, more_counts, more_sums


@compiled
def _with_room(keys, counts, sums, used, more):  # type: ignore[no-untyped-def]
    """The table, or a larger one, in which ``more`` keys leave half of the slots free."""
    while 2 * (used[0] + more) > len(keys):
        keys, counts, sums = _grown(keys, counts, sums)
    return keys, counts, sums


@compiled
def _entered(keys, used, key):  # type: ignore[no-untyped-def]
    """The slot of a key, which is entered where it is new; there must be room."""
    slot = _slot(keys, key)
    if keys[slot] == 0:
        keys[slot] = key
        used[0] += 1
    return slot


@compiled
def _pair(a, b):  # type: ignore[no-untyped-def]
    if a < b:
        return (np.uint64(a) << np.uint64(32)) | np.uint64(b)
    return (np.uint64(b) << np.uint64(32)) | np.uint64(a)


# Room is made row by row: where any key may move the table, these loops take four times as long.


@compiled
def _add_contacts(keys, counts, sums, used, one, other, affinities):  # type: ignore[no-untyped-def]
    depth, height, width = one.shape
    for z in range(depth):
        for y in range(height):
            keys, counts, sums = _with_room(keys, counts, sums, used, width)
            last_pair = np.uint64(0)
            slot = np.uint64(0)
            for x in range(width):
                a, b = one[z, y, x], other[z, y, x]
                if a == b or a == 0 or b == 0:
                    continue
                pair = _pair(a, b)
                if pair != last_pair:
                    slot = _entered(keys, used, pair)
                    last_pair = pair
                counts[slot] += 1
                sums[slot] += affinities[z, y, x]
    return keys, counts, sums, used


@compiled
def _add_affinity_counts(keys, counts, sums, used, edges, one, other, affinities):  # type: ignore[no-untyped-def]
    depth, height, width = one.shape
    last_pair = np.uint64(0)
    edge = np.uint64(0)
    for z in range(depth):
        for y in range(height):
            keys, counts, sums = _with_room(keys, counts, sums, used, width)
            for x in range(width):
                a, b = one[z, y, x], other[z, y, x]
                if a == b or a == 0 or b == 0:
                    continue
                pair = _pair(a, b)
                if pair != last_pair:
                    edge = np.uint64(np.searchsorted(edges, pair) + 1)
                    last_pair = pair
                key = (edge << np.uint64(8)) | np.uint64(affinities[z, y, x])
                counts[_entered(keys, used, key)] += 1
    return keys, counts, sums, used


@compiled
def _add_overlaps(keys, counts, sums, used, one, other):  # type: ignore[no-untyped-def]
    for begin in range(0, one.size, ROW):
        end = min(begin + ROW, one.size)
        keys, counts, sums = _with_room(keys, counts, sums, used, end - begin)
        last_key = np.uint64(0)
        slot = np.uint64(0)
        for at in range(begin, end):
            key = (np.uint64(one[at] + 1) << np.uint64(32)) | np.uint64(other[at])
            if key != last_key:
                slot = _entered(keys, used, key)
                last_key = key
            counts[slot] += 1
    return keys, counts, sums, used
