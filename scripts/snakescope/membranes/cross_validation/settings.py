"""Settings of the cross-validation of a stack."""

from typing import ClassVar, Literal

from pydantic import Field

from snakescope.settings.strict import Settings


class FoldSettings(Settings):
    """Networks trained and scored on contiguous blocks of the labelled sections."""

    version: ClassVar[int] = 3

    folds: int = Field(5, ge=3, le=20, description="blocks of contiguous sections (count)")
    turns: Literal[1, 4, 8] = Field(
        8, description="predictions that are averaged: as it is, quarter turns, also their mirrors"
    )
    networks: tuple[Literal["dcn", "unet"], ...] = Field(
        ("dcn", "unet"), min_length=1, description="networks that are compared"
    )


class FoldsTableSettings(FoldSettings):
    """Settings of the table of all folds: those of the folds."""

    version: ClassVar[int] = 3
