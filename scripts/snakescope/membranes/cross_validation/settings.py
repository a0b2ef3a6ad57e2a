"""Settings of the cross-validation and the learning curve of a stack."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

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


class LearningCurveSettings(Settings):
    """A network trained with more and more labelled sections, which alone or with neighbours."""

    version: ClassVar[int] = 1

    network: Literal["dcn", "unet"] = Field("dcn", description="network that is trained")
    sections: tuple[int, ...] = Field(
        (1, 3, 9, 27),
        min_length=1,
        description="labelled sections to train with; more than the stack has are all of them"
        " (count)",
    )
    neighbours: tuple[int, ...] = Field(
        (0, 1), min_length=1, description="sections seen on either side, as channels (count)"
    )
    draws: int = Field(
        1, ge=1, le=20, description="times that other sections of the same number are taken (count)"
    )
    turns: Literal[1, 4, 8] = Field(
        8, description="predictions that are averaged: as it is, quarter turns, also their mirrors"
    )

    @model_validator(mode="after")
    def _counts(self) -> Self:
        if min(self.sections) < 1 or not 0 <= min(self.neighbours) <= max(self.neighbours) <= 3:
            raise ValueError("sections of at least 1, and neighbours from 0 to 3")
        return self


class LearningCurveTableSettings(LearningCurveSettings):
    """Settings of the learning curve: those of its points."""

    version: ClassVar[int] = 1
