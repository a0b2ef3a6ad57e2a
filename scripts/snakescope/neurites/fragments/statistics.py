"""Numbering labels without gaps, and what is known of each."""

import numpy as np

from snakescope.neurites.fragments.compiled import compiled


@compiled
def new_numbers(labels, count):  # type: ignore[no-untyped-def]
    """New numbers, from 1, for the labels that occur; 0 for all others."""
    numbers = np.zeros(count, np.int32)
    depth, height, width = labels.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                numbers[labels[z, y, x]] = 1
    numbers[0] = 0
    total = 0
    for label in range(count):
        if numbers[label]:
            total += 1
            numbers[label] = total
    return numbers


@compiled
def fragment_statistics(labels, count, begin):  # type: ignore[no-untyped-def]
    """Voxels, first voxel and the one after the last of every label; ``begin`` is the block's."""
    table = np.zeros((count + 1, 7), np.int64)
    table[:, 1:4] = np.iinfo(np.int64).max
    depth, height, width = labels.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                row = table[labels[z, y, x]]
                row[0] += 1
                row[1] = min(row[1], begin[0] + z)
                row[2] = min(row[2], begin[1] + y)
                row[3] = min(row[3], begin[2] + x)
                row[4] = max(row[4], begin[0] + z + 1)
                row[5] = max(row[5], begin[1] + y + 1)
                row[6] = max(row[6], begin[2] + x + 1)
    return table[1:]
