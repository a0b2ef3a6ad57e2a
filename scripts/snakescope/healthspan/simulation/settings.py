"""Settings of the plate simulator."""

from typing import ClassVar, Literal

from pydantic import Field

from snakescope.settings.strict import Settings


class SimulateSettings(Settings):
    """A simulated plate: what lives on it and how the instrument takes it."""

    version: ClassVar[int] = 2

    frame_px: int = Field(3080, ge=256, description="side of a frame (px of 9.74 um)")
    timepoints: int = Field(50, ge=3, description="number of timepoints (count)")
    interval_h: float = Field(12.0, gt=0, description="time between timepoints (h)")
    worms: int = Field(100, ge=0, description="worms put on the plate (count)")
    age_at_first_frame_d: float = Field(
        1.0, ge=0, description="age at the first frame (days of adulthood)"
    )
    lifespan_scale_d: float = Field(
        13.0, gt=0, description="scale of the Weibull distribution of lifespans (d); N2: 13.0"
    )
    lifespan_shape: float = Field(
        5.8, gt=0, description="shape of the Weibull distribution of lifespans; N2: 5.8"
    )
    nudge_rate_per_d: float = Field(
        0.03, ge=0, description="how often a corpse is pushed by a living worm (1/d)"
    )
    channels: tuple[Literal["bright_field", "dark_field"], ...] = Field(
        ("bright_field", "dark_field"), min_length=1, description="channels taken"
    )
    bits: Literal[8, 12, 16] = Field(8, description="depth of the camera (bit)")
    looks: Literal["training", "unseen"] = Field(
        "training", description="ranges from which the plate's look is drawn"
    )
    mark: bool = Field(True, description="draw the cross mark on the dish")
    stage_error_px: float = Field(40.0, ge=0, description="greatest stage error per axis (px)")
    turn_deg: float = Field(1.5, ge=0, description="greatest turn of the dish (deg)")
    missing_share: float = Field(0.02, ge=0, lt=0.5, description="share of frames not taken (0-1)")
    fogged_share: float = Field(
        0.02, ge=0, lt=0.5, description="share of frames with condensation (0-1)"
    )
