"""Settings of scores."""

from typing import ClassVar

from pydantic import Field

from snakescope.settings.strict import Settings


class EvaluateSettings(Settings):
    """How membranes are compared with labels."""

    version: ClassVar[int] = 3

    smoothing_px: float = Field(
        2.0, ge=0, description="of the micrograph that serves as the simplest baseline (px)"
    )
