"""Settings of the prediction of affinities."""

from typing import ClassVar, Literal

from pydantic import Field

from snakescope.neurites.volumes.settings import Shape
from snakescope.settings.strict import Settings


class BoundariesSettings(Settings):
    """Affinities from boundary probabilities have no settings."""

    version: ClassVar[int] = 1


class PredictSettings(Settings):
    """Affinities of a volume from a trained network."""

    version: ClassVar[int] = 1

    unrecorded: ClassVar[frozenset[str]] = frozenset({"batch", "threads", "device"})

    weights: str = Field(
        "resources/models/neurites/neurites_demo.safetensors",
        min_length=1,
        description="path of the network's weights; the shipped ones are for the simulated volume",
    )
    patch_zyx: Shape = Field(
        (18, 160, 160),
        description="patch (voxels); y and x multiples of 2 for every level but the first",
    )
    overlap: float = Field(
        0.5,
        ge=0,
        lt=0.9,
        description="share of a patch that the next one covers again; blended by bump weights",
    )
    test_time_augmentation: Literal[1, 4, 8, 16] = Field(
        1,
        description="views of a patch that are combined: mirrored along y and x (4), y and x"
        " exchanged as well (8), mirrored along z as well (16)",
    )
    combine: Literal["mean", "min"] = Field(
        "mean", description="how the views are combined; min separates more"
    )
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32",
        description="arithmetic; the half precisions by autocast, float16 on GPUs only; on a CPU"
        " without its instructions bfloat16 is many times slower",
    )
    batch: int = Field(1, ge=1, description="patches computed at a time (count)")
    threads: int = Field(2, ge=1, description="CPU threads (count)")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where to compute")
