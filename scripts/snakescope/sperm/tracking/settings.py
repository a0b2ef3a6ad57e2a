"""Settings of the linking of heads to tracks, and of the windows that become clips."""

from typing import ClassVar

from pydantic import Field

from snakescope.settings.strict import Settings


class TrackSettings(Settings):
    """Heads of a video linked to tracks, with speeds, and the seconds that become clips."""

    version: ClassVar[int] = 3

    max_speed_um_s: float = Field(
        200.0, gt=0, description="fastest movement from frame to frame (um/s)"
    )
    slack_um: float = Field(1.5, ge=0, description="error of the place of a head (um)")
    max_gap_s: float = Field(
        0.3, ge=0, description="longest time that a head may not be found within a track (s)"
    )
    min_track_s: float = Field(0.5, gt=0, description="shortest track that is kept (s)")
    smooth_s: float = Field(
        0.1, gt=0, description="time over which places are averaged before speeds (s)"
    )
    immotile_um_s: float = Field(
        5.0,
        ge=0,
        description="straight-line velocity below which a sperm is not progressive (um/s)",
    )
    two_heads_um: float = Field(
        9.0, gt=0, description="another head nearer than this is in the clip, too (um)"
    )
    clips_per_track: int = Field(1, ge=1, le=100, description="clips of a track (count)")
