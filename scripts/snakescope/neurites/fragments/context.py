"""How far fragments reach, and what blocks suit that; free of numpy: the Snakefile asks for it."""

from collections.abc import Sequence
from typing import Literal

from snakescope.neurites.fragments.settings import FragmentsSettings
from snakescope.neurites.volumes.blocks import Zyx

THICK_SECTIONS = 2.0


def through_sections(settings: FragmentsSettings, voxel_nm: Sequence[float]) -> bool:
    """Whether fragments reach through sections; ``voxel_nm`` along z, y and x."""
    if settings.method == "waterz":
        return True
    if settings.dimensions == "auto":
        return voxel_nm[0] <= THICK_SECTIONS * min(voxel_nm[1:])
    return settings.dimensions == "3"


def context_px(settings: FragmentsSettings) -> int:
    """Pixels of the neighbours that a block is seen with along y and x.

    A seed depends on what lies within 4 radii (distances are cut off at 3, and it is the farthest
    point within another) and 4 standard deviations of the smoothing. The rest is for the flooding,
    which has no bound: 14 radii are what docs/tables/neurites-blocks.tsv was found to need.
    """
    if settings.context_px != "auto":
        return settings.context_px
    return round(14 * settings.seed_radius_px + 2 * settings.smoothing_px)


def context_of(settings: FragmentsSettings, voxel_nm: Sequence[float]) -> Zyx:
    """Voxels of the neighbours that a block is seen with along z, y and x."""
    pixels = context_px(settings)
    sections = round(pixels * min(voxel_nm[1:]) / voxel_nm[0])
    return sections if through_sections(settings, voxel_nm) else 0, pixels, pixels


def block_of(
    block: Literal["auto"] | Zyx, settings: FragmentsSettings, voxel_nm: Sequence[float]
) -> Zyx:
    """Voxels of a block along z, y and x, as set, or as suits the fragments.

    Where fragments reach through sections, a flat block would see six times its own depth.
    """
    if block != "auto":
        return block
    return (256, 256, 256) if through_sections(settings, voxel_nm) else (32, 512, 512)
