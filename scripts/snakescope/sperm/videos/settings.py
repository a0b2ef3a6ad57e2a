"""Settings of what becomes of videos: the frames of a clip."""

from typing import ClassVar

from pydantic import Field

from snakescope.settings.strict import Settings


class CutSettings(Settings):
    """Clips cut out of videos, one sperm in each, all at one scale and frame rate."""

    version: ClassVar[int] = 2

    um_per_px: float = Field(
        0.15, gt=0, le=5, description="pixel size of clips, at which the networks see (um per px)"
    )
    size_px: int = Field(150, ge=32, le=512, description="side of a clip (px)")
    fps: float = Field(16.0, ge=8, le=60, description="frames per second of clips (1/s)")
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
