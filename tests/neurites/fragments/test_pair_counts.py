"""Pairs of labels, counted in a table that grows while it is filled."""

import numpy as np

from snakescope.neurites.fragments.pair_counts import (
    FIRST_SIZE,
    add_affinity_counts,
    add_contacts,
    empty_table,
    overlaps,
    sorted_entries,
    split_keys,
)


def test_every_pair_is_counted_while_the_table_grows_within_a_volume() -> None:
    rng = np.random.default_rng(2)
    # Rows that hold more pairs than the first table has slots, and labels that repeat.
    one, other = (rng.integers(0, 150, (2, 3, 3 * FIRST_SIZE), dtype=np.int32) for _ in range(2))
    affinities = rng.integers(0, 256, one.shape, dtype=np.uint8)
    low, high = np.minimum(one, other).astype(np.int64), np.maximum(one, other).astype(np.int64)
    there = (low > 0) & (low != high)
    pairs, place, expected = np.unique(
        (low << 32 | high)[there], return_inverse=True, return_counts=True
    )
    table = add_contacts(empty_table(), one, other, affinities)
    keys, counts, sums = sorted_entries(table)
    assert len(pairs) > FIRST_SIZE and np.array_equal(keys.astype(np.int64), pairs)
    assert np.array_equal(counts, expected)
    assert np.array_equal(sums, np.bincount(place, affinities[there]))
    assert [tuple(part[:3]) for part in split_keys(keys)] == [
        tuple((pairs >> 32)[:3]), tuple((pairs & 0xFFFFFFFF)[:3])
    ]  # fmt: skip

    by_value = sorted_entries(add_affinity_counts(empty_table(), keys, one, other, affinities))
    wanted = np.unique((place + 1) << 8 | affinities[there], return_counts=True)
    assert np.array_equal(by_value[0].astype(np.int64), wanted[0])
    assert np.array_equal(by_value[1], wanted[1])


def test_overlaps_are_those_of_every_voxel() -> None:
    rng = np.random.default_rng(3)
    one = rng.integers(0, 200, (7, 30, 1001), dtype=np.int32)
    other = rng.integers(0, 200, one.shape)
    wanted, counts = np.unique(one.astype(np.int64) << 32 | other, return_counts=True)
    first, second, voxels = overlaps(one, other)
    assert np.array_equal(first << 32 | second, wanted)
    assert np.array_equal(voxels, counts)
