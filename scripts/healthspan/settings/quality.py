"""Settings of the quality control."""

from typing import Literal

from pydantic import Field

from configuration.strict import Settings


class QualitySettings(Settings):
    """When a plate gets a warning, and what its page shows."""

    channel: Literal["bright_field", "dark_field"] = Field(
        "bright_field", description="channel shown, where the plate has it; else the other one"
    )
    frames_shown: int = Field(
        3, ge=1, le=12, description="frames shown with their masks, evenly spread (frames)"
    )
    picture_px: int = Field(
        1400, ge=200, le=4000, description="width of a shown frame in the page (px)"
    )
    low_score: float = Field(
        0.35,
        ge=0,
        le=1,
        description="warn where the median correlation of the mark is lower (0 to 1)",
    )
    low_agreement: float = Field(
        0.12,
        ge=0,
        le=1,
        description="warn where, of frames registered by the plate itself, the median share of its"
        " texture found in place is lower (0 to 1)",
    )
    large_shift_px: float = Field(
        150.0, gt=0, description="warn where a frame is shifted by more than this (raw px)"
    )
    large_rotation_deg: float = Field(
        4.0, gt=0, description="warn where a frame is turned by more than this (degrees)"
    )
    count_drop_fraction: float = Field(
        0.3,
        gt=0,
        le=1,
        description="warn where the worms found drop by more than this from one usable frame to"
        " the next, as fogging does (fraction)",
    )
    count_drop_from: int = Field(
        10, ge=1, description="worms that must be found for a drop to count (worms)"
    )
    unknown_fraction: float = Field(
        0.2, ge=0, le=1, description="warn where more of the states are unknown (fraction)"
    )
    low_confidence: float = Field(
        0.7,
        ge=0,
        le=1,
        description="warn where the mean probability of the state is lower (0 to 1)",
    )
    worms_off_fraction: float = Field(
        0.25,
        gt=0,
        description="warn where the worms counted differ by more than this from those put on"
        " (fraction)",
    )
    lost_fraction: float = Field(
        0.3, ge=0, le=1, description="warn where more of the worms were lost from view (fraction)"
    )
    dropped_fraction: float = Field(
        0.5, ge=0, le=1, description="warn where more of the objects found were dropped (fraction)"
    )
