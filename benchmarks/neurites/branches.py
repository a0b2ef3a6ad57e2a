"""Truth of a part of a volume, with those branches apart that meet only outside of it.

Labels that leave no room for membranes give two branches of one neuron that touch the same id
without a break, although a membrane lies between them and they meet elsewhere. Where that is
outside the part that is scored, nobody who sees only that part can know that they are one.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label
from skimage.segmentation import watershed

NECK_PX = 5
"""What hangs together by less than this (voxels) is taken apart; the thinnest neurites of the fly,
40 to 50 nm, are of that width at 10 nm a voxel."""

BRANCH_VOXELS = 1000
"""Smaller pieces stay with the object."""


def branches_apart(
    labels: NDArray[np.integer], neck_px: float = NECK_PX, least: int = BRANCH_VOXELS
) -> NDArray[np.uint64]:
    """Give every branch of an object an id of its own; objects of one branch keep theirs.

    A branch is a connected core of at least ``least`` voxels that lie farther than half of
    ``neck_px`` from what is not the object, with the voxels that are nearer to it than to others.
    The volume's faces are no boundaries.

    Args:
        labels: shape (Z, Y, X); 0 is nobody's.
    """
    found = labels.astype(np.uint64)
    following = int(labels.max()) + 1
    for number, box in enumerate(ndimage.find_objects(labels.astype(np.int32)), 1):
        if box is None:
            continue
        inside = labels[box] == number
        # Its neighbours are needed where the box does not end with the volume.
        wide = tuple(slice(max(0, side.start - 1), side.stop + 1) for side in box)
        own = tuple(
            slice(1 + side.start - far.start, 1 + side.stop - far.start)
            for side, far in zip(box, wide, strict=True)
        )
        padded = np.pad(labels[wide] == number, 1, mode="edge")
        distance = ndimage.distance_transform_edt(padded)[own]
        cores = label(distance > neck_px / 2, connectivity=1)
        sizes = np.bincount(cores.ravel())
        cores[sizes[cores] < least] = 0
        branches = np.unique(cores[cores > 0])
        if len(branches) < 2:
            continue
        parts = watershed(np.zeros(inside.shape, np.uint8), markers=cores, mask=inside)
        for branch in branches:
            found[box][parts == branch] = following
            following += 1
    return found
