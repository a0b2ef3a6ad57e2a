"""Settings of the registration: reference frame, mark, motion."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from snakescope.settings.strict import Settings


class RegisterSettings(Settings):
    """How the frames of a plate are brought into the geometry of its reference frame."""

    version: ClassVar[int] = 3

    method: Literal["auto", "mark", "plate", "none"] = Field(
        "auto",
        description="what the frames are aligned by: the cross mark, the plate's own texture, the"
        " mark where it is found and else the plate (auto), or nothing (none)",
    )
    channel: Literal["auto", "bright_field", "dark_field"] = Field(
        "auto", description="channel the motion is measured in; auto prefers the bright field"
    )
    max_shift_px: float = Field(
        120.0, gt=0, le=2000, description="greatest shift looked for (px of the raw frame)"
    )
    max_rotation_deg: float = Field(
        5.0, ge=0, le=45, description="greatest rotation looked for (degrees); 0: shifts only"
    )
    max_scale_change: float = Field(
        0.0,
        ge=0,
        le=0.2,
        description="greatest change of magnification looked for (fraction); 0 for a microscope,"
        " some percent for dishes put under a camera by hand",
    )
    max_tilt: float = Field(
        0.0,
        ge=0,
        le=0.2,
        description="greatest loss of magnification from the frame's middle to its edge by which"
        " the dish may lean (fraction); 0 for a microscope, some percent for dishes put under a"
        " camera by hand",
    )
    tolerance_px: float = Field(
        1.0,
        gt=0,
        le=20,
        description="distance within which a piece of the plate agrees with the motion (px of the"
        " raw frame)",
    )
    max_error_px: float = Field(
        0.7,
        gt=0,
        le=20,
        description="a frame whose motion is less certain anywhere on the plate is left out"
        " (standard error, px of the raw frame)",
    )
    min_agreement: float = Field(
        0.06,
        ge=0,
        le=1,
        description="a frame in which a smaller share of the plate's texture is found in place is"
        " left out (fraction)",
    )
    min_mark_score: float = Field(
        0.6,
        ge=0,
        le=1,
        description="correlation (ZNCC) with the reference frame's mark from which on a frame's is"
        " taken for it (0 to 1)",
    )
    min_template_score: float = Field(
        0.7,
        ge=0,
        le=1,
        description="correlation (ZNCC) with the template from which on something in the reference"
        " frame is taken for the mark (0 to 1)",
    )
    mark_template: str = Field(
        "",
        description="picture of the mark, its cross 1/1.3 of the picture's width; empty: the cross"
        " in resources/registration_mark.png",
    )
    mark_y_px: float | None = Field(
        None, ge=0, description="row of the mark's centre in the reference frame (px), if known"
    )
    mark_x_px: float | None = Field(
        None, ge=0, description="column of the mark's centre in the reference frame (px), if known"
    )
    mark_span_px: float = Field(
        160.0, gt=10, le=1000, description="width of a mark whose place is given (px)"
    )

    @model_validator(mode="after")
    def _a_leaning_dish_is_nearer_or_farther(self) -> Self:
        if self.max_tilt > 0 and self.max_scale_change == 0:
            raise ValueError("max_scale_change above 0 where max_tilt is: what leans also rises")
        return self


class ReferenceSettings(RegisterSettings):
    """Settings of the reference frame: those of the registration."""

    version: ClassVar[int] = 2


class FramesTableSettings(Settings):
    """The table of all frames of a plate has no settings."""

    version: ClassVar[int] = 2
