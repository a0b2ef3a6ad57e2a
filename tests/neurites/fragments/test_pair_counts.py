"""Counts of pairs of labels agree with a count of all pairs at once."""

import numpy as np

from snakescope.neurites.fragments.pair_counts import contingency_table, count_edges


def test_edges_are_of_all_pairs_that_touch() -> None:
    rng = np.random.default_rng(2)
    one, other = (rng.integers(0, 150, (2, 3, 12000), dtype=np.int32) for _ in range(2))
    affinities = rng.integers(0, 256, one.shape, dtype=np.uint8)
    low, high = np.minimum(one, other).astype(np.int64), np.maximum(one, other).astype(np.int64)
    there = (low > 0) & (low != high)
    pairs, place, counts = np.unique(
        (low << 32 | high)[there], return_inverse=True, return_counts=True
    )
    # In two parts, which share their pairs.
    planes = [(one[:1], other[:1], affinities[:1]), (one[1:], other[1:], affinities[1:])]
    edges = count_edges(planes, histogram=True)
    assert np.array_equal(edges.first << 32 | edges.second, pairs)
    assert np.array_equal(edges.counts, counts)
    assert np.array_equal(edges.sums, np.bincount(place, affinities[there]))
    codes, times = np.unique(place << 8 | affinities[there], return_counts=True)
    assert np.array_equal(edges.histogram, np.stack([codes >> 8, codes & 255, times], axis=1))
    assert len(count_edges(planes).histogram) == 0


def test_arrays_without_pairs_have_no_edges() -> None:
    one = np.ones((2, 3, 4), np.int32)
    edges = count_edges([(one, one, one.astype(np.uint8)), (one[:0],) * 3], histogram=True)
    assert all(len(column) == 0 for column in edges)


def test_the_contingency_table_counts_every_voxel() -> None:
    rng = np.random.default_rng(3)
    one = rng.integers(0, 200, (7, 30, 1001), dtype=np.int32)
    other = rng.integers(0, 200, one.shape)
    wanted, counts = np.unique(one.astype(np.int64) << 32 | other, return_counts=True)
    first, second, voxels = contingency_table(one, other)
    assert np.array_equal(first << 32 | second, wanted)
    assert np.array_equal(voxels, counts)
