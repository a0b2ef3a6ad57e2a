"""Settings of simulated volumes."""

from typing import ClassVar

from pydantic import Field

from snakescope.neurites.volumes.settings import Shape
from snakescope.settings.strict import Settings


class SimulateSettings(Settings):
    """Simulated volumes of neurites in anisotropic serial-section electron microscopy."""

    version: ClassVar[int] = 1

    shape: Shape = Field((32, 256, 256), description="z, y, x (voxels)")
    voxel_nm: tuple[float, float, float] = Field(
        (30.0, 6.0, 6.0), description="size of a voxel along z, y, x (nm)"
    )
    radius_nm: float = Field(110.0, gt=0, description="mean radius of neurites (nm)")
    membrane_nm: float = Field(10.0, gt=0, description="standard deviation of membranes (nm)")
    noise: float = Field(14.0, ge=0, description="standard deviation of noise (grey values)")
    mitochondria: float = Field(
        0.08, ge=0, le=0.5, description="share of the neurites' length with a mitochondrion"
    )
    shift_px: float = Field(
        0.7, ge=0, description="standard deviation of the sections' misalignment (px)"
    )
    look: float = Field(
        1.0, ge=0, le=3, description="how much contrast and brightness vary between sections"
    )
    variety: float = Field(
        0.0,
        ge=0,
        lt=0.5,
        description="greatest change from volume to volume, as a share, of the neurites' radius, "
        "the membranes, the noise and the look; 0: all volumes are alike",
    )
