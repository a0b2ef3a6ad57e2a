"""Settings of the ingest of scans."""

from typing import ClassVar

from pydantic import Field

from snakescope.settings.strict import Settings

SIDE_PX = 512
"""Of an ingested scan, as Kang et al. have it."""


class IngestSettings(Settings):
    """Scans brought into one form: the sector alone, grey, without a trace of the patient."""

    version: ClassVar[int] = 2

    max_coloured: float = Field(
        0.01,
        gt=0,
        le=1,
        description="share of coloured pixels of a frame, beside flat colours of the scanner's"
        " screen, from which on it is a Doppler image",
    )
    min_liver: float = Field(
        0.05, ge=0, le=1, description="least share of the sector that is liver, without a flag"
    )
    inpaint: bool = Field(
        True, description="paint over callipers and letters inside the sector, which are white"
    )
    salt: str = Field(
        "config/fibrosis.salt",
        description="file of the secret of patients' pseudonyms; made if absent, never shared",
    )


class ScansSettings(Settings):
    """Scans of the sample sheet."""

    ingest: IngestSettings = Field(IngestSettings(), description="scans brought into one form")


class CompleteSettings(Settings):
    """Of the step that names scans which could not be used."""

    version: ClassVar[int] = 1
