"""Settings of the review: where corrections are, how they find their worm, and the page."""

from typing import ClassVar, Literal

from pydantic import Field

from snakescope.settings.strict import Settings


class CorrectedSettings(Settings):
    """How corrections find their worm again, after a run with other weights."""

    version: ClassVar[int] = 5

    anchor_px: float = Field(
        30.0,
        gt=0,
        description="farthest distance of a worm from where it lay when it was corrected; 0.3 mm"
        " at 9.74 um/px (px)",
    )
    anchor_frames: int = Field(
        6,
        ge=0,
        description="how long before it was found, or after it was lost, a worm is still that of a"
        " correction (frames)",
    )
    clear_ratio: float = Field(
        2.0,
        ge=1,
        description="how many times farther away the second nearest worm must be (-)",
    )


class ReviewPageSettings(Settings):
    """The page on which a plate is looked through."""

    version: ClassVar[int] = 4

    channel: Literal["bright_field", "dark_field"] = Field(
        "bright_field", description="channel shown, where the plate has it; else the other one"
    )
    crop_um: float = Field(1400.0, gt=0, description="side of the square shown around a worm (um)")
    near_um: float = Field(
        120.0,
        ge=0,
        description="two that lie no farther apart, at once or one after the other, are asked"
        " about: they may be one worm that was found twice; 1.5 widths of an adult (um)",
    )
    cell_px: int = Field(
        72, ge=24, le=256, description="side of the picture of a worm at a timepoint (px)"
    )
    plate_px: int = Field(
        700, ge=200, le=3000, description="side of the picture of the whole plate (px)"
    )
    jpeg_quality: int = Field(
        80, ge=30, le=95, description="quality of the pictures in the page (1 to 100)"
    )


class ReviewIndexSettings(Settings):
    """The page of all plates."""

    version: ClassVar[int] = 2

    camera_stopped_d: float = Field(
        1.0,
        gt=0,
        description="how much earlier than that of others of its experiment the last picture of a"
        " plate with live worms must be for its camera to have stopped (d)",
    )


class ConclusionSettings(Settings):
    """Whether an experiment's conclusion is another one with the corrections."""

    version: ClassVar[int] = 1

    significance: float = Field(
        0.05, gt=0, lt=1, description="p below which a difference counts as shown (-)"
    )


class ReviewSettings(Settings):
    """The review of a plate by people."""

    corrections: str = Field(
        "corrections",
        min_length=1,
        description="folder of the files PLATE.SCORER.tsv, what people corrected",
    )
    corrected: CorrectedSettings = Field(
        CorrectedSettings(), description="corrections and the worms of the latest run"
    )
    page: ReviewPageSettings = Field(ReviewPageSettings(), description="the page of a plate")
    index: ReviewIndexSettings = Field(ReviewIndexSettings(), description="the page of all plates")
    conclusion: ConclusionSettings = Field(
        ConclusionSettings(), description="the experiment with and without corrections"
    )
