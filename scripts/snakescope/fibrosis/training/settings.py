"""Settings of the models and of their training."""

from typing import ClassVar, Literal

from pydantic import Field

from snakescope.fibrosis.networks.settings import (
    OrdinalNetworkSettings,
    PaperNetworkSettings,
    VggSettings,
)
from snakescope.settings.strict import Settings

MODELS = (
    "ordinal", "paper", "vgg16", "vgg16_patches", "vgg19", "vgg19_patches", "features", "majority",
)  # fmt: skip
ModelName = Literal[
    "ordinal", "paper", "vgg16", "vgg16_patches", "vgg19", "vgg19_patches", "features", "majority"
]


class FitSettings(Settings):
    """A fit to a fold of the cross-validation, and its predictions."""

    version: ClassVar[int] = 3
    unrecorded: ClassVar[frozenset[str]] = frozenset({"device", "threads", "precision"})

    classes: Literal[3, 4, 5] = Field(
        3, description="classes: F0-F1, F2-F3, F4, as the paper has; 4: F2 and F3 apart; 5: stages"
    )
    paper: PaperNetworkSettings = Field(PaperNetworkSettings(), description="model `paper`")
    ordinal: OrdinalNetworkSettings = Field(OrdinalNetworkSettings(), description="model `ordinal`")
    vgg: VggSettings = Field(VggSettings(), description="models `vgg16`, `vgg19`, and on patches")
    flip: bool = Field(
        False, description="also mirror training scans; views of the liver have a side"
    )
    moves: float = Field(
        1.0,
        ge=0,
        le=3,
        description="how far training scans are shifted, rotated and scaled, in parts of what the"
        " paper has: 10 %, 10 degrees and 10 % (factor)",
    )
    start: str = Field(
        "",
        description="weights of a network `ordinal` of equal width, whose liver is trained further,"
        " from the working directory, else from the repository (path); empty: random start",
    )
    seed: int = Field(1, ge=0, description="seed of the training")
    threads: int = Field(2, ge=1, le=64, description="threads of the training (count)")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where models run")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="arithmetic; auto: half the bits on a GPU, float32 on a CPU"
    )
