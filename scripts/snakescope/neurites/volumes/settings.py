"""Settings of volumes."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from snakescope.settings.strict import Settings

Side = Annotated[int, Field(ge=1)]
Shape = tuple[Side, Side, Side]
"""Voxels along z, y and x, at least one along each."""


class IngestSettings(Settings):
    """How sections become one volume on disk."""

    version: ClassVar[int] = 3

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


class FetchSettings(Settings):
    """Where SNEMI3D comes from, and how its labelled sections are divided."""

    version: ClassVar[int] = 1

    url: str = Field(
        "https://zenodo.org/records/7142003/files/snemi.zip?download=1",
        pattern=r"^(https?|file)://",
        description="address of the archive; file:///path/snemi.zip takes one that you have",
    )
    md5: str = Field(
        "3d25a7025f66698f33c7850ace885939",
        pattern=r"^[0-9a-f]{32}$",
        description="MD5 sum that the archive must have",
    )
    train_sections: int = Field(
        80,
        ge=1,
        le=99,
        description="labelled sections to train with, from the first; the others of the 100 are"
        " kept for the scores",
    )


class UnpackSettings(FetchSettings):
    """Settings of the unpacking: those of the download."""

    version: ClassVar[int] = 1


class VolumesSettings(Settings):
    """Where volumes come from, and in which form they are kept."""

    ingest: IngestSettings = Field(
        IngestSettings(), description="sections to one volume of 8 bit grey values"
    )
    fetch: FetchSettings = Field(
        FetchSettings(), description="SNEMI3D, downloaded where the sample sheet names it"
    )
