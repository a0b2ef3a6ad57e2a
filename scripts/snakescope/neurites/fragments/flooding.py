"""Seeded watershed: basins grow from seeds over a landscape of 256 heights.

Voxels are taken lowest first and, at one height, in the order in which they were reached
(Meyer 1994, "Topographic distance and watershed lines", section 5). So plains are shared out by
distance. Seeds are the lowest of all, however high they lie: one that lay on a bump would otherwise
begin when its surroundings had long been taken by a seed far away, and be left a speck. With that,
which basin a voxel falls to depends on its surroundings.
"""

import numpy as np
from numpy.typing import NDArray

from snakescope.neurites.fragments.compiled import compiled


def flood(
    heights: NDArray[np.uint8], seeds: NDArray[np.int32], through_sections: bool
) -> NDArray[np.int32]:
    """Label every voxel that a seed reaches.

    Args:
        heights: shape (Z, Y, X), 0 where neurites are surest, 255 on outlines; not read at seeds.
        seeds: shape (Z, Y, X), 0 where there is none. Changed in place.
        through_sections: whether basins grow along z too; otherwise every section is for itself.

    Returns:
        ``seeds``, grown; 0 where none reaches.
    """
    depth, height, width = heights.shape
    if through_sections:
        _flood(heights.reshape(-1), seeds.reshape(-1), depth, height, width)
    else:
        for z in range(depth):
            _flood(heights[z].reshape(-1), seeds[z].reshape(-1), 1, height, width)
    return seeds


@compiled
def _flood(heights, labels, depth, height, width):  # type: ignore[no-untyped-def]
    size = heights.size
    following = np.full(size, -1, np.int32)
    first = np.full(256, -1, np.int32)
    last = np.full(256, -1, np.int32)
    section = height * width
    for at in range(size):
        if labels[at] != 0:
            if first[0] < 0:
                first[0] = at
            else:
                following[last[0]] = at
            last[0] = at
    for level in range(256):
        at = first[level]
        while at >= 0:
            label = labels[at]
            x = at % width
            y = (at // width) % height
            z = at // section
            for direction in range(6):
                if direction == 0:
                    if x == 0:
                        continue
                    to = at - 1
                elif direction == 1:
                    if x == width - 1:
                        continue
                    to = at + 1
                elif direction == 2:
                    if y == 0:
                        continue
                    to = at - width
                elif direction == 3:
                    if y == height - 1:
                        continue
                    to = at + width
                elif direction == 4:
                    if z == 0:
                        continue
                    to = at - section
                else:
                    if z == depth - 1:
                        continue
                    to = at + section
                if labels[to] != 0:
                    continue
                labels[to] = label
                # Water does not fall: a pit behind a dam is full as soon as it is reached.
                reached = max(level, int(heights[to]))
                if first[reached] < 0:
                    first[reached] = to
                else:
                    following[last[reached]] = to
                last[reached] = to
            at = following[at]
