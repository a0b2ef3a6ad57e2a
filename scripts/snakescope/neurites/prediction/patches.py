"""Grid of patches for inference, and the blending of their outputs.

The grid belongs to the volume, not to a block, and a block uses all patches that overlap it. So the
affinities of a voxel do not depend on the blocks.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from snakescope.neurites.volumes.blocks import stride_of
from snakescope.step.errors import StepError

Span = tuple[int, int]
"""First voxel, and the one after the last."""

Triple = tuple[int, int, int]
"""Along z, y, x (voxels)."""

Block = tuple[Span, Span, Span]


def starts(length: int, patch: int, overlap: float) -> list[int]:
    """Return the first voxels of the patches along an axis; the last patch ends with the volume.

    Args:
        length, patch: voxels of the volume and of a patch.
        overlap: fraction of a patch that the next one overlaps, 0 to below 1.
    """
    stride = stride_of(patch, overlap)
    regular = list(range(0, length - patch, stride))
    return [*regular, length - patch]


def patches_of(
    block: Block, shape: Triple, patch: Triple, overlap: float, name: str = "volume"
) -> list[Triple]:
    """Return the first voxels (z, y, x) of all patches of the volume that overlap ``block``.

    ``name`` names the volume in errors.

    Raises:
        StepError: the volume is smaller than a patch, or the block is not within it.
    """
    if any(size < side for size, side in zip(shape, patch, strict=True)):
        raise StepError(
            f"{name}: expected at least a patch of {_by(patch)} voxels (z x y x x), found"
            f" {_by(shape)}; set neurites: prediction: patch_zyx to a smaller one"
        )
    if any(not 0 <= low < high <= size for (low, high), size in zip(block, shape, strict=True)):
        raise StepError(f"block {text_of(block)}: expected one within {_by(shape)} voxels")
    along = [
        [s for s in starts(size, side, overlap) if s < high and s + side > low]
        for (low, high), size, side in zip(block, shape, patch, strict=True)
    ]
    return [(z, y, x) for z, y, x in product(*along)]


def window_of(block: Block, shape: Triple, patch: Triple, overlap: float) -> Block:
    """The part of the image that the affinities of ``block`` depend on."""
    corners = np.array(patches_of(block, shape, patch, overlap))
    low, high = corners.min(axis=0), corners.max(axis=0) + np.array(patch)
    (z, y, x) = [(int(a), int(b)) for a, b in zip(low, high, strict=True)]
    return z, y, x


def bump(patch: Triple) -> NDArray[np.float32]:
    """Weights of the voxels of a patch, shape ``patch``: 1 in the middle, near 0 at the faces.

    The bump function exp(-1 / (1 - u^2)), u from -1 to 1, along each axis (Lee et al. 2017,
    section 3, after Zung). Never quite 0, so that every voxel of the volume has a value.
    """

    def along(size: int) -> NDArray[np.float64]:
        u = (2 * np.arange(size) + 1) / size - 1
        return np.exp(1 - 1 / (1 - u**2))

    z, y, x = (along(size) for size in patch)
    weights = z[:, None, None] * y[None, :, None] * x[None, None, :]
    return np.maximum(weights, 1e-6).astype(np.float32)


def parse_block(text: str) -> Block:
    """``Z0:Z1,Y0:Y1,X0:X1`` as spans.

    Raises:
        StepError: it is not of that form.
    """
    try:
        z, y, x = ([int(end) for end in span.split(":")] for span in text.split(","))
        (z0, z1), (y0, y1), (x0, x1) = z, y, x
    except ValueError:
        raise StepError(f"block {text}: expected Z0:Z1,Y0:Y1,X0:X1 in voxels") from None
    return (z0, z1), (y0, y1), (x0, x1)


def text_of(block: Block) -> str:
    """The inverse of :func:`parse_block`."""
    return ",".join(f"{low}:{high}" for low, high in block)


def _by(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes))
