"""Basins are joined where their border is weak on average, and not where it has a gap."""

import numpy as np
import pytest

from snakescope.membranes.prediction.joining import (
    SIZE_PX,
    SIZE_WEIGHT,
    Basins,
    Merge,
    basins_of,
    lines_between,
    merges_of,
)
from snakescope.membranes.scores.partitions import basins, partition_scores


def walls() -> tuple[np.ndarray, np.ndarray]:
    """Four cells, one of them crossed by a faint line, one membrane with a gap; and the cells."""
    probability = np.full((64, 64), 5, np.uint8)
    probability[31:33] = probability[:, 31:33] = 220
    probability[31:33, 10:14] = 5  # a gap between the upper and the lower cell on the left
    probability[:31, 48:50] = 60  # no membrane
    cells = np.zeros((64, 64), np.int64)
    for n, (y, x) in enumerate(((0, 0), (0, 33), (33, 0), (33, 33))):
        cells[y : y + 31, x : x + 31] = n + 1
    return probability, cells


def test_a_gap_joins_cells_at_a_threshold_and_not_here():
    probability, cells = walls()
    at_threshold = basins(probability < 128)
    assert at_threshold.max() == 3
    found = basins_of(probability)
    joined = found.joined(0.5)
    assert len(np.unique(joined)) == 4
    with_lines = np.where(lines_between(joined), 0, joined + 1)
    assert partition_scores(with_lines, cells).v_rand > 0.97
    assert partition_scores(at_threshold, cells).v_rand < 0.85


def test_basins_are_those_of_the_map_and_end_as_one():
    probability, _ = walls()
    found = basins_of(probability)
    assert len(np.unique(found.joined(0.0))) == found.labels.max() == 5
    assert len(np.unique(found.joined(2.0))) == 1
    # The faint line goes first, then the membrane with the gap.
    heights = [merge.height for merge in found.merges]
    assert len(heights) == 4 and heights == sorted(heights)
    smaller = int(np.bincount(found.labels.ravel())[1:].min())
    faint = 60 / 255 + SIZE_WEIGHT * np.log10(smaller / SIZE_PX)
    assert abs(heights[0] - faint) < 0.02 and 0.6 < heights[1] < heights[2]


def test_of_equal_borders_that_of_the_smaller_basin_goes_first():
    """Three cells in a row, and one that grows while they are joined."""
    probability = np.full((40, 240), 5, np.uint8)
    probability[:, 19:21] = probability[:, 99:101] = 120
    labels = np.ones((40, 240), np.int64)
    labels[:, 20:], labels[:, 100:] = 2, 3
    small, large = merges_of(labels, probability / 255)
    assert {small.kept, small.gone} == {1, 2} and large.gone != large.kept
    # The small one's gain was part of the next border's height: 4,000 in place of 3,200 px.
    assert large.height - small.height == pytest.approx(SIZE_WEIGHT * np.log10(4000 / 800))


def test_a_basin_joined_to_one_that_is_joined_later_follows_it():
    labels = np.array([[1, 2, 3, 4]])
    basins = Basins(labels, [Merge(0.1, 2, 1), Merge(0.2, 3, 2), Merge(0.9, 3, 4)])
    assert basins.joined(0.5).tolist() == [[3, 3, 3, 4]]
    assert basins.joined(0.15).tolist() == [[2, 2, 3, 4]]


def test_lines_are_one_pixel_wide():
    cells = np.repeat([[1, 1, 2, 2]], 3, axis=0)
    assert lines_between(cells).sum(1).tolist() == [1, 1, 1]
    cells[2] = 3
    assert lines_between(cells)[1].all()
