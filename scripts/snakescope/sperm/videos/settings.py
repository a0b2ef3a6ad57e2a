"""Settings of what becomes of videos: the frames of a clip."""

from typing import ClassVar

from pydantic import Field

from snakescope.settings.strict import Settings


class CutSettings(Settings):
    """Clips cut out of videos, one sperm in each, all at one scale and frame rate."""

    version: ClassVar[int] = 3

    um_per_px: float = Field(
        0.15, gt=0, le=5, description="pixel size of clips, at which the networks see (um per px)"
    )
    size_px: int = Field(150, ge=32, le=512, description="side of a clip (px)")
    fps: float = Field(
        16.0,
        ge=16,
        le=16,
        description="frames per second of clips; tracks are cut and networks trained at 16 (1/s)",
    )
    least_frames: int = Field(
        14, ge=8, le=16, description="frames of 16 that a clip must have to be graded (count)"
    )
    min_sharpness: float = Field(
        0.4,
        ge=0,
        description="sharpness of the head against the noise below which a clip is out"
        " of focus (ratio)",
    )
    max_off_um: float = Field(
        4.0,
        gt=0,
        description="way of the head within a crop from which on the crop does not follow it, and"
        " the drift of the background is not its speed (um)",
    )
    min_agreement: float = Field(
        0.05,
        ge=-1,
        le=1,
        description="median correlation of the parts of the background, brought onto each other by"
        " its drift, below which the drift is not trusted (-1 to 1)",
    )
    max_speed_difference_um_s: float = Field(
        2.0,
        ge=0,
        description="difference of VSL by the track and by the background of a clip"
        " that is allowed (um/s)",
    )
    max_speed_difference: float = Field(
        0.25,
        ge=0,
        le=1,
        description="the same of fast ones, as a share of the faster speed (ratio)",
    )
