"""Settings of the networks."""

from typing import Literal

from pydantic import Field

from snakescope.settings.strict import Settings


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
    """The network with ordered stages and speckle statistics; training is of the liver's mask."""

    width: int = Field(16, ge=4, le=128, description="channels of the finest level (count)")
    size_px: int = Field(256, ge=64, le=1024, multiple_of=32, description="side of the input (px)")
    speckle_px: int = Field(
        512,
        ge=64,
        le=1024,
        multiple_of=4,
        description="side at which speckle is measured too, and the surface (px)",
    )
    batch: int = Field(8, ge=2, description="scans of a step (count)")
    epochs: int = Field(40, ge=1, description="passes over the training scans (count)")
    overlap: float = Field(
        0.0,
        ge=0,
        description="weight of the masks' overlap (Dice) in the loss: larger outlines where the"
        " network is in doubt (factor)",
    )
    views: int = Field(
        0,
        ge=0,
        description="simulated views, of which the liver alone is learnt beside that of few drawn"
        " scans; these are repeated until they are a third of what is seen (count)",
    )
    rate: float = Field(3e-3, gt=0, description="highest learning rate (AdamW)")
    weight_decay: float = Field(0.03, ge=0, description="weight decay (AdamW)")
    ridge: float = Field(
        2.0, gt=0, description="penalty of the axis of stages; less for many scans (factor)"
    )


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
