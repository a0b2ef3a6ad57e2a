"""Settings of the pictures."""

from typing import ClassVar

from pydantic import Field

from snakescope.settings.strict import Settings


class PicturesSettings(Settings):
    """What the pictures of a volume show."""

    version: ClassVar[int] = 2

    sections: int = Field(
        4, ge=1, le=50, description="sections on the overlay, evenly spaced through the volume"
    )
    side_px: int = Field(
        512, ge=64, le=4096, description="side of the window of a section that is shown (px)"
    )
    neurites: int = Field(8, ge=1, le=50, description="largest neurites shown in 3-D")
