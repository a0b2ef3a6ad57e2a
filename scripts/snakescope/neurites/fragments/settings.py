"""Settings of the fragments."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from snakescope.settings.strict import Settings


class FragmentsSettings(Settings):
    """How affinities are cut into fragments, the smallest pieces of neurites."""

    version: ClassVar[int] = 2

    method: Literal["distance_transform", "waterz"] = Field(
        "distance_transform",
        description="seeds at the points farthest from outlines and a flooding from them, or the "
        "watershed on affinities of waterz",
    )
    dimensions: Literal["auto", "2", "3"] = Field(
        "auto",
        description="fragments within sections (2) or through them (3); auto: within, where "
        "sections are thicker than twice the pixel size. For distance_transform",
    )
    boundary_affinity: float = Field(
        0.8,
        gt=0,
        lt=1,
        description="a voxel whose mean affinity is lower belongs to the outline when distances "
        "are measured (0 to 1); lower, two neurites share a seed where a membrane is faint, "
        "higher, there are more fragments to join",
    )
    smoothing_px: float = Field(
        2.0, ge=0, le=20, description="standard deviation by which distances are smoothed (px)"
    )
    seed_radius_px: int = Field(
        5,
        ge=1,
        le=50,
        description="a seed is the farthest point of a square that reaches so far "
        "from it along both axes (px)",
    )
    context_px: Literal["auto"] | Annotated[int, Field(ge=0, le=512)] = Field(
        "auto",
        description="how far a block sees into its neighbours (px), so that fragments at faces "
        "come out alike from both sides; auto: 14 seed radii and twice the smoothing, 74 as long "
        "as these are what they are",
    )
    low_affinity: float = Field(
        0.0001,
        ge=0,
        le=1,
        description="no fragment holds a voxel whose affinities are all lower (0 to 1). For waterz",
    )
    high_affinity: float = Field(
        0.9999,
        ge=0,
        le=1,
        description="voxels joined by a higher affinity are in one fragment (0 to 1). For waterz",
    )


class RegionGraphSettings(Settings):
    """A region graph has no settings of its own."""

    version: ClassVar[int] = 2
