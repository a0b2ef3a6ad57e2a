"""Settings of the paper's table, measured again."""

from typing import ClassVar

from pydantic import Field

from snakescope.settings.strict import Settings


class PaperSettings(Settings):
    """Table 1 of Kang et al."""

    version: ClassVar[int] = 1

    seed: int = Field(1, ge=0, description="seed of the intervals")
    resamples: int = Field(2000, ge=100, description="bootstrap resamples of patients (count)")
