"""Settings of the feature maps."""

from typing import ClassVar

from pydantic import Field

from snakescope.settings.strict import Settings


class FeaturesSettings(Settings):
    """Feature maps of the branches, and what they do."""

    version: ClassVar[int] = 1

    sections: int = Field(
        3, ge=1, le=20, description="labelled sections that statistics are taken over (count)"
    )
