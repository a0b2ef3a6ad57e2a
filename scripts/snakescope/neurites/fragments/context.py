"""Context of blocks and default size of blocks; without numpy, since the Snakefile imports it."""

from collections.abc import Sequence
from typing import Literal

from snakescope.neurites.fragments.settings import FragmentsSettings
from snakescope.neurites.volumes.blocks import Zyx

THICK_SECTIONS = 2.0


def through_sections(settings: FragmentsSettings, voxel_nm: Sequence[float]) -> bool:
    """Return whether fragments are 3-D; ``voxel_nm`` along z, y and x."""
    if settings.method == "waterz":
        return True
    if settings.dimensions == "auto":
        return voxel_nm[0] <= THICK_SECTIONS * min(voxel_nm[1:])
    return settings.dimensions == "3"


def context_px(settings: FragmentsSettings) -> int:
    """Return the context of a block along y and x (px).

    A seed depends on the affinities within 4 seed radii (distances are clipped at 3, and it is the
    maximum within another one) and 4 standard deviations of the smoothing. The watershed has no
    such bound: 14 radii are enough for the volumes of docs/tables/neurites-blocks.tsv.
    """
    if settings.context_px != "auto":
        return settings.context_px
    return round(14 * settings.seed_radius_px + 2 * settings.smoothing_px)


def context_of(settings: FragmentsSettings, voxel_nm: Sequence[float]) -> Zyx:
    """Return the context of a block along z, y and x (voxels)."""
    pixels = context_px(settings)
    sections = round(pixels * min(voxel_nm[1:]) / voxel_nm[0])
    return sections if through_sections(settings, voxel_nm) else 0, pixels, pixels


def block_of(
    block: Literal["auto"] | Zyx, settings: FragmentsSettings, voxel_nm: Sequence[float]
) -> Zyx:
    """Return the size of a block along z, y and x (voxels), as set or by the kind of fragments.

    With 3-D fragments, the context of a flat block would be six times its depth.
    """
    if block != "auto":
        return block
    return (256, 256, 256) if through_sections(settings, voxel_nm) else (32, 512, 512)
