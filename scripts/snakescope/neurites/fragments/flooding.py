"""Seeded watershed of images with 256 grey values.

Voxels are flooded in ascending order of their values and, at equal values, in the order in which
they were reached (Meyer 1994, "Topographic distance and watershed lines", section 5), so plateaus
are divided by distance. Seeds are flooded first, whatever their values: a seed on a local maximum
would otherwise start when distant seeds have taken its surroundings. So the basin of a voxel
depends on its surroundings only.

scikit-image's watershed gives the same labels but for 2 of a million voxels within sections, 250
in 3-D, and takes 5 to 6 times as long: 4.7 s for 0.8 s within the sections of a block of 32 x 512
x 512 voxels, 20.5 s for 4.4 s in 3-D.
"""

import numpy as np
from numpy.typing import NDArray

from snakescope.neurites.fragments.compiled import compiled


def flood(
    heights: NDArray[np.uint8], seeds: NDArray[np.int32], through_sections: bool
) -> NDArray[np.int32]:
    """Label every voxel that is connected to a seed.

    Args:
        heights: shape (Z, Y, X), 0 inside of neurites, 255 on membranes; not read at seeds.
        seeds: shape (Z, Y, X), labels of the seeds, 0 elsewhere. Changed in place.
        through_sections: flood in 3-D; otherwise every section separately.

    Returns:
        ``seeds``, flooded; 0 for voxels that no seed reaches.
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
