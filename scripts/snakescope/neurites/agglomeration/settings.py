"""Settings of agglomeration."""

import re
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from snakescope.settings.strict import Settings

QUANTILE = re.compile(r"quantile(\d\d?)")


class AgglomerateSettings(Settings):
    """How fragments are joined to neurites."""

    version: ClassVar[int] = 3

    scoring: tuple[str, ...] = Field(
        ("mean",),
        min_length=1,
        description="what joins two regions: mean, the mean affinity of their contact, or "
        "quantile50 (0 to 99), a quantile of it; several at once",
    )
    thresholds: tuple[float, ...] = Field(
        (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
        min_length=1,
        description="regions are joined while 1 - affinity is below (0 to 1); several at once",
    )
    histogram_bins: int = Field(
        64, ge=2, le=256, description="bins of the histograms that quantiles are taken from"
    )

    @field_validator("scoring")
    @classmethod
    def _known_scoring(cls, scoring: tuple[str, ...]) -> tuple[str, ...]:
        for one in scoring:
            if one != "mean" and not QUANTILE.fullmatch(one):
                raise ValueError("mean or quantile00 to quantile99")
        if len(set(scoring)) < len(scoring):
            raise ValueError("every scoring once")
        return scoring

    @field_validator("thresholds")
    @classmethod
    def _thresholds_ascend(cls, thresholds: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < one <= 1 for one in thresholds) or len(set(thresholds)) < len(thresholds):
            raise ValueError("thresholds above 0 and up to 1, each once")
        return tuple(sorted(thresholds))


def quantile_of(scoring: str) -> int:
    """Return the quantile (percent) that a scoring takes, or -1 for the mean."""
    match = QUANTILE.fullmatch(scoring)
    return int(match[1]) if match else -1


class SegmentationSettings(Settings):
    """Which partition is written, and in which forms."""

    version: ClassVar[int] = 1

    # Every further file is an output of its own.
    unrecorded: ClassVar[frozenset[str]] = frozenset({"exports"})

    scoring: str = Field(
        "mean", min_length=1, description="scoring of the agglomeration; one of agglomerate.scoring"
    )
    threshold: float = Field(
        0.5,
        gt=0,
        le=1,
        description="threshold at which the segmentation is written (1 - affinity); need not be "
        "one of agglomerate.thresholds",
    )
    min_voxels: int = Field(
        0, ge=0, description="objects of fewer voxels are set to 0; 0 keeps every one"
    )
    levels: int = Field(
        3,
        ge=1,
        le=8,
        description="resolutions of segmentation.ome.zarr and image.ome.zarr, each half of the one "
        "before",
    )
    exports: tuple[Literal["tiff", "hdf5"], ...] = Field(
        (), description="further files of the segmentation: tiff, hdf5"
    )


class ExportSettings(Settings):
    """Exports have no settings of their own."""

    version: ClassVar[int] = 2


class ImageLevelsSettings(Settings):
    """The image has the levels of the segmentation, and no settings of its own."""

    version: ClassVar[int] = 1


class AgglomerationSettings(Settings):
    """How fragments become neurites, and which partition is written."""

    agglomerate: AgglomerateSettings = Field(
        AgglomerateSettings(), description="fragments joined to neurites"
    )
    segmentation: SegmentationSettings = Field(
        SegmentationSettings(), description="the partition that is written"
    )

    @model_validator(mode="after")
    def _written_is_computed(self) -> Self:
        if self.segmentation.scoring not in self.agglomerate.scoring:
            raise ValueError(
                f"segmentation.scoring ({self.segmentation.scoring}) among agglomerate.scoring "
                f"({', '.join(self.agglomerate.scoring)})"
            )
        return self
