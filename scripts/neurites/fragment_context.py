"""How far fragments reach; free of numpy, since the Snakefile asks for it."""

from collections.abc import Sequence

from neurites.blocks import Zyx
from neurites.settings.fragments import FragmentsSettings

THICK_SECTIONS = 2.0


def through_sections(settings: FragmentsSettings, voxel_nm: Sequence[float]) -> bool:
    """Whether fragments reach through sections; ``voxel_nm`` along z, y and x."""
    if settings.method == "waterz":
        return True
    if settings.dimensions == "auto":
        return voxel_nm[0] <= THICK_SECTIONS * min(voxel_nm[1:])
    return settings.dimensions == "3"


def context_of(settings: FragmentsSettings, voxel_nm: Sequence[float]) -> Zyx:
    """Voxels of the neighbours that a block is seen with along z, y and x."""
    sections = round(settings.context_px * min(voxel_nm[1:]) / voxel_nm[0])
    z = sections if through_sections(settings, voxel_nm) else 0
    return z, settings.context_px, settings.context_px
