"""Settings of table 1 of Koyama et al., measured again."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from snakescope.neurites.volumes.settings import Shape
from snakescope.settings.strict import Settings


class PaperSettings(Settings):
    """The table of the paper, measured: base and reversible networks trained alike."""

    version: ClassVar[int] = 4

    # A further network or seed leaves the rows of the others as they are.
    unrecorded: ClassVar[frozenset[str]] = frozenset({"n", "seeds"})

    n: tuple[Annotated[int, Field(ge=1, le=4)], ...] = Field(
        (1, 2, 3, 4), min_length=1, description="reversible blocks of the networks beside base"
    )
    seeds: tuple[int, ...] = Field((1,), min_length=1, description="a training of each, one a seed")
    steps: int = Field(20_000, ge=1, description="optimiser steps of every training (count)")
    memory: Literal["stored", "reversible", "frugal"] = Field(
        "reversible", description="what the reversible networks keep; reversible is the paper's"
    )
    patch_zyx: Shape = Field((18, 160, 160), description="patch (voxels)")
    batch: int = Field(1, ge=1, description="patches a step (count)")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "float32",
        description="arithmetic of the convolutions; auto is bfloat16 or, on GPUs without it,"
        " float16, and float32 on a CPU",
    )
    threads: int = Field(2, ge=1, description="CPU threads (count)")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where to train")


class PaperPageSettings(Settings):
    """The page of the table has no settings."""

    version: ClassVar[int] = 2
