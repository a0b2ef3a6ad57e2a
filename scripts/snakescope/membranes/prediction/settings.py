"""Settings of the prediction."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from snakescope.settings.strict import Settings

SHIPPED = "resources/models/membranes/membranes_demo.safetensors"
OWN = "results/membranes/models/membranes.safetensors"
"""Weights that the run trains itself, from the sections of the column train."""


class PredictSettings(Settings):
    """Membrane probabilities of every section."""

    version: ClassVar[int] = 2
    unrecorded: ClassVar[frozenset[str]] = frozenset({"device", "threads", "sections_per_block"})

    weights: str = Field(
        SHIPPED,
        description=f"weights of the network; {OWN}: trained in this run, from the sections of the"
        " column train",
    )
    sections_per_block: int = Field(
        16, ge=1, le=1024, description="sections that one job predicts (count)"
    )
    tile_px: int = Field(
        512, ge=64, le=8192, multiple_of=8, description="side of what is predicted at a time (px)"
    )
    turns: Literal[1, 4, 8] = Field(
        1, description="predictions that are averaged: as it is, quarter turns, also their mirrors"
    )
    watershed_weight: float = Field(
        0.0,
        ge=0,
        le=1,
        description="weight of the lines of a watershed of the probabilities, which close gaps"
        " (Chen et al. 2016); choose it by the scores of tuning sections",
    )
    join_below: float = Field(
        0.0,
        ge=0,
        le=1,
        description="lines between basins that are joined as long as the mean probability along a"
        " border (and 0.1 for every power of ten by which the smaller basin exceeds 1000 px) is"
        " below this, in place of all lines of the watershed; 0: all lines; above 0 it needs a"
        " watershed_weight",
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "float32", description="arithmetic; auto: float32 on a CPU, mixed precision on a GPU"
    )
    threads: int = Field(1, ge=1, description="threads of a CPU")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where to predict")

    @model_validator(mode="after")
    def _joined_lines_have_a_weight(self) -> Self:
        if self.join_below > 0 and self.watershed_weight == 0:
            raise ValueError(
                "watershed_weight above 0 where join_below is: without, the lines between joined"
                " basins change nothing"
            )
        return self


class AssembleSettings(Settings):
    """One volume of all blocks."""

    version: ClassVar[int] = 1
