"""Settings of the simulation of sperm, of their videos and of the persons who grade them."""

from typing import ClassVar, Literal

from pydantic import Field

from snakescope.settings.strict import Settings

Preset = Literal["icsi_pvp", "semen"]


class SimulateSettings(Settings):
    """Simulated videos with known truth."""

    version: ClassVar[int] = 2

    fps: float = Field(16.0, ge=14, le=200, description="frame rate of single sperm (1/s)")
    field_fps: float = Field(50.0, ge=14, le=200, description="frame rate of whole fields (1/s)")
    field_s: float = Field(2.0, gt=0, le=600, description="duration of a whole field (s)")
    sperm: int = Field(40, ge=1, le=400, description="sperm of a whole field (count)")
    debris: int = Field(120, ge=0, le=2000, description="particles of a whole field (count)")
    donor_sd: float = Field(
        0.6, ge=0, lt=1, description="SD of the mean quality of donors (SD of the quality of sperm)"
    )
    correlation: float = Field(
        0.4, ge=0, lt=1, description="correlation of morphology and motility (-1 to 1)"
    )
