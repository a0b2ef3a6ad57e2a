"""Settings of the contact sheet."""

from typing import Literal

from pydantic import Field

from configuration.strict import Settings


class ContactSheetSettings(Settings):
    """How the individuals of a plate are shown (paper, figure 17)."""

    channel: Literal["bright_field", "dark_field"] = Field(
        "bright_field", description="channel shown, where the plate has it; else the other one"
    )
    crop_um: float = Field(1400.0, gt=0, description="side of the square shown around a worm (um)")
    largest_cell_px: int = Field(
        96,
        ge=16,
        le=512,
        description="side of the picture of a worm at a timepoint, at most (px)",
    )
    smallest_cell_px: int = Field(
        24, ge=8, le=512, description="the same, at least, however many worms there are (px)"
    )
    sheet_px: int = Field(
        12_000_000,
        ge=100_000,
        description="pixels of the whole sheet, to which the pictures shrink (px)",
    )
    jpeg_quality: int = Field(
        80, ge=30, le=95, description="quality of the pictures in the page (1 to 100)"
    )
