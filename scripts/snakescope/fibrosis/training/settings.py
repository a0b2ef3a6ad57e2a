"""Settings of the models and of their training."""

from typing import ClassVar, Literal

from pydantic import Field

from snakescope.settings.strict import Settings

MODELS = (
    "ordinal", "paper", "vgg16", "vgg16_patches", "vgg19", "vgg19_patches", "features", "majority",
)  # fmt: skip
ModelName = Literal[
    "ordinal", "paper", "vgg16", "vgg16_patches", "vgg19", "vgg19_patches", "features", "majority"
]


class PaperNetworkSettings(Settings):
    """The network of Kang et al., as its paper reads; smaller ones for a CPU."""

    width: int = Field(64, ge=2, le=128, description="channels of the finest level (count)")
    pieces: int = Field(2, ge=1, le=4, description="linear pieces of maxout (count)")
    head: Literal["flatten", "pooled", "masked"] = Field(
        "pooled", description="what the class branch sees of the deepest level"
    )
    size_px: int = Field(512, ge=32, le=1024, multiple_of=16, description="side of the input (px)")
    batch: int = Field(2, ge=1, description="scans of a step (count)")
    epochs: int = Field(250, ge=1, description="passes over the training scans (count)")


class OrdinalNetworkSettings(Settings):
    """The network with ordered stages and speckle statistics."""

    width: int = Field(16, ge=4, le=128, description="channels of the finest level (count)")
    size_px: int = Field(256, ge=64, le=1024, multiple_of=32, description="side of the input (px)")
    batch: int = Field(8, ge=2, description="scans of a step (count)")
    epochs: int = Field(40, ge=1, description="passes over the training scans (count)")
    rate: float = Field(3e-3, gt=0, description="highest learning rate (AdamW)")
    weight_decay: float = Field(0.03, ge=0, description="weight decay (AdamW)")
    dropout: float = Field(0.3, ge=0, lt=1, description="of what the class branch sees (share)")


class VggSettings(Settings):
    """Transfer learning with VGG16 and VGG19: convolutions stay as they are, a head is trained."""

    weights_vgg16: str = Field(
        "", description="safetensors of timm's vgg16 (path); empty: random start, no transfer"
    )
    weights_vgg19: str = Field("", description="the same of vgg19")
    size_px: int = Field(224, ge=32, le=512, multiple_of=32, description="side of the input (px)")
    patch_px: int = Field(64, ge=16, le=256, description="side of a patch of a scan (px of 512)")
    patches: int = Field(16, ge=1, description="patches of a scan, inside the liver (count)")
    epochs: int = Field(60, ge=1, description="passes of the head over the features (count)")


class FitSettings(Settings):
    """A fit to a fold of the cross-validation, and its predictions."""

    version: ClassVar[int] = 1
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
    seed: int = Field(1, ge=0, description="seed of the training")
    threads: int = Field(2, ge=1, le=64, description="threads of the training (count)")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where models run")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="arithmetic; auto: half the bits on a GPU, float32 on a CPU"
    )
