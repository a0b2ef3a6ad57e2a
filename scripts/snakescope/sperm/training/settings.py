"""Settings of the training of networks that grade clips."""

from typing import ClassVar, Literal

from pydantic import Field

from snakescope.settings.strict import Settings
from snakescope.sperm.networks.catalogue import Size


class FitSettings(Settings):
    """A training on the clips of a fold, and its predictions."""

    version: ClassVar[int] = 3
    unrecorded: ClassVar[frozenset[str]] = frozenset({"device", "threads"})

    size: Size = Field("full", description="networks as published, or tiny ones for a CPU")
    size_px: int = Field(
        224, ge=64, le=512, multiple_of=32, description="side of the frames a network sees (px)"
    )
    epochs: int = Field(200, ge=1, le=10000, description="passes over the training clips (count)")
    batch: int = Field(32, ge=1, le=512, description="clips of a step (count)")
    accumulate: int = Field(1, ge=1, description="batches whose gradients make one step (count)")
    rate: float = Field(
        2e-4,
        gt=0,
        lt=1,
        description="highest learning rate of AdamW; `ours` takes three times it",
    )
    weight_decay: float = Field(0.02, ge=0, description="weight decay of AdamW")
    warmup: float = Field(0.05, ge=0, lt=1, description="share of the steps that warm up")
    ema_decay: float = Field(
        0.98, ge=0, lt=1, description="decay of the running average of the weights"
    )
    augment: bool = Field(True, description="turn, shift, scale and shade the clips")
    turns: bool = Field(
        True,
        description="turn clips by half, with the shades of relief contrast inverted, as the"
        " direction of its light does not turn with them",
    )
    weights: dict[str, str] = Field(
        default_factory=dict,
        description="file of published weights to begin with, by network; others begin at random",
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where to train")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="arithmetic of the network"
    )
    threads: int = Field(1, ge=1, description="threads of a CPU (count)")
    seed: int = Field(1, ge=0, description="seed of the weights, the order and the augmentation")


class TrainGraderSettings(Settings):
    """A training of a network that grades clips, on simulated dishes."""

    version: ClassVar[int] = 3

    dishes: int = Field(200, ge=2, description="simulated dishes to train on (count)")
    each: int = Field(10, ge=1, description="sperm of a dish (count)")
    held_out: int = Field(
        16, ge=1, description="dishes that are held out, for the width of intervals (count)"
    )
    size_px: int = Field(
        64, ge=64, le=512, multiple_of=32, description="side of the frames it sees (px)"
    )
    epochs: int = Field(6, ge=1, description="passes over the training clips (count)")
    batch: int = Field(16, ge=1, description="clips of a step (count)")
    rate: float = Field(
        1e-3, gt=0, lt=1, description="highest learning rate of AdamW; `ours` takes three times it"
    )
    seed: int = Field(1, ge=0, description="seed of dishes, weights, order and augmentation")
