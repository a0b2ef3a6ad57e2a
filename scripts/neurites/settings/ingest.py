"""Settings of the ingest step."""

from typing import Self

from pydantic import Field, model_validator

from configuration.strict import Settings


class IngestSettings(Settings):
    """How sections become one volume on disk."""

    sections_per_slab: int = Field(
        16,
        ge=1,
        le=1024,
        description="sections that one job reads; a changed section reads its slab again",
    )
    grey_range: tuple[float, float] | None = Field(
        None,
        description="grey values that become 0 and 255, for images of more than 8 bit; null "
        "refuses those; images of 8 bit are taken as they are",
    )

    @model_validator(mode="after")
    def _range_ascends(self) -> Self:
        if self.grey_range is not None and not self.grey_range[0] < self.grey_range[1]:
            raise ValueError("grey_range with its first value below its second")
        return self
