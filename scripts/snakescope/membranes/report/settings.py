"""Settings of pictures."""

from typing import ClassVar

from pydantic import Field

from snakescope.settings.strict import Settings


class PageSettings(Settings):
    """A page has no settings."""

    version: ClassVar[int] = 1


class PicturesSettings(Settings):
    """Pictures of sections with their membranes."""

    version: ClassVar[int] = 1

    sections: int = Field(3, ge=1, le=8, description="sections, evenly through the stack (count)")
    side_px: int = Field(512, ge=64, le=4096, description="side of what is shown (px)")
