"""Settings of the segmentation."""

from typing import ClassVar, Literal

from pydantic import Field

from configuration.strict import Settings


class SegmentationSettings(Settings):
    """Which partition is written, and in which forms."""

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
        description="resolutions of segmentation.ome.zarr, each half of the one before",
    )
    exports: tuple[Literal["tiff", "hdf5"], ...] = Field(
        (), description="further files of the segmentation: tiff, hdf5"
    )
