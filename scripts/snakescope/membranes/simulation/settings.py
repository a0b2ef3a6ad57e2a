"""Settings of simulated stacks."""

from typing import Annotated, ClassVar

from pydantic import Field

from snakescope.settings.strict import Settings

Side = Annotated[int, Field(ge=1, le=4096)]


class SimulateSettings(Settings):
    """Simulated sections of nervous tissue with known membranes."""

    version: ClassVar[int] = 1

    shape: tuple[Side, Side, Side] = Field((12, 256, 256), description="sections, rows, columns")
    cell_px: float = Field(34.0, gt=4, description="mean distance of cells (px)")
    membrane_px: float = Field(4.0, gt=1, description="width of membranes (px)")
    noise: float = Field(18.0, ge=0, description="standard deviation of noise (grey values)")
    organelles: float = Field(
        0.35, ge=0, le=1, description="share of cells with a mitochondrion, whose outline is dark"
    )
    vesicles: float = Field(1.5, ge=0, description="dark spots of about 5 px in 10,000 px (count)")
    drift_px: float = Field(3.0, ge=0, description="how far cells move between sections (px)")
    look: float = Field(
        1.0, ge=0, le=3, description="how much contrast and brightness vary between sections"
    )
