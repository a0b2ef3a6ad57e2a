"""Settings of the prediction of new scans, and of the export."""

from typing import ClassVar

from pydantic import Field

from snakescope.settings.strict import Settings


class EnsembleSettings(Settings):
    """Answers of all folds' models to new scans, and when there is none."""

    version: ClassVar[int] = 2

    adapt: bool = Field(
        False,
        description="new scans are of another device, one for all: outlines of `ordinal` by means"
        " and SDs of its channels over the new scans; its stages change with them, on some devices"
        " for the worse",
    )
    one_piece: bool = Field(
        False, description="keep the largest piece of an outline alone, and fill its holes"
    )
    within: float = Field(
        0.99, gt=0.5, le=1, description="share of the training scans that count as usual (0-1)"
    )
    max_distance: float = Field(
        1.2, gt=0, description="distance from the training scans, 1 where the usual ones end"
    )
    min_liver: float = Field(
        0.05, ge=0, le=1, description="least share of the sector that is liver"
    )
    max_spread: float = Field(
        0.3, gt=0, le=1, description="greatest standard deviation of a probability between models"
    )
    min_confidence: float = Field(
        0.5, ge=0, le=1, description="least probability of the class that is named"
    )


class ExportSettings(Settings):
    """Of the export in nnU-Net's layout."""

    version: ClassVar[int] = 1

    dataset: int = Field(501, ge=1, le=999, description="number of the nnU-Net data set")
