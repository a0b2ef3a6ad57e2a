"""Settings of report."""

from typing import ClassVar, Literal

from pydantic import Field

from snakescope.settings.strict import Settings


class ContactSheetSettings(Settings):
    """How the individuals of a plate are shown (paper, figure 17)."""

    version: ClassVar[int] = 2

    channel: Literal["bright_field", "dark_field"] = Field(
        "bright_field", description="channel shown, where the plate has it; else the other one"
    )
    crop_um: float = Field(1400.0, gt=0, description="side of the square shown around a worm (um)")
    max_cell_px: int = Field(
        96,
        ge=16,
        le=512,
        description="side of the picture of a worm at a timepoint, at most (px)",
    )
    min_cell_px: int = Field(
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


class QualitySettings(Settings):
    """When a plate gets a warning, and what its page shows."""

    version: ClassVar[int] = 8

    channel: Literal["bright_field", "dark_field"] = Field(
        "bright_field", description="channel shown, where the plate has it; else the other one"
    )
    frames_shown: int = Field(
        3, ge=1, le=12, description="frames shown with their masks, evenly spread (frames)"
    )
    picture_px: int = Field(
        1400, ge=200, le=4000, description="width of a shown frame in the page (px)"
    )
    min_score: float = Field(
        0.35,
        ge=0,
        le=1,
        description="warn where the median correlation of the mark is lower (0 to 1)",
    )
    min_agreement: float = Field(
        0.12,
        ge=0,
        le=1,
        description="warn where, of frames registered by the plate itself, the median share of its"
        " texture found in place is lower (0 to 1)",
    )
    max_shift_px: float = Field(
        150.0, gt=0, description="warn where a frame is shifted by more than this (raw px)"
    )
    max_rotation_deg: float = Field(
        4.0, gt=0, description="warn where a frame is turned by more than this (degrees)"
    )
    max_count_drop_fraction: float = Field(
        0.3,
        gt=0,
        le=1,
        description="warn where the worms found drop by more than this from one usable frame to"
        " the next, as fogging does (fraction)",
    )
    min_worms_for_drop: int = Field(
        10, ge=1, description="worms that must be found for a drop to count (worms)"
    )
    max_unknown_fraction: float = Field(
        0.2, ge=0, le=1, description="warn where more of the states are unknown (fraction)"
    )
    min_confidence: float = Field(
        0.7,
        ge=0,
        le=1,
        description="warn where the mean probability of the state is lower (0 to 1)",
    )
    max_worms_off_fraction: float = Field(
        0.25,
        gt=0,
        description="warn where the worms counted differ by more than this from those put on"
        " (fraction)",
    )
    max_lost_fraction: float = Field(
        0.3, ge=0, le=1, description="warn where more of the worms were lost from view (fraction)"
    )
    max_dropped_fraction: float = Field(
        0.5, ge=0, le=1, description="warn where more of the objects found were dropped (fraction)"
    )


class PlatesTableSettings(Settings):
    """The table of all plates has no settings."""

    version: ClassVar[int] = 4


class ReportSettings(Settings):
    """What the pages of a plate show."""

    contact_sheet: ContactSheetSettings = Field(
        ContactSheetSettings(), description="every individual at every timepoint, as pictures"
    )
    quality: QualitySettings = Field(
        QualitySettings(), description="warnings of a plate, and the pictures that show why"
    )
