"""Settings of the training."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from snakescope.membranes.networks.settings import NetworkSettings
from snakescope.settings.strict import Settings

Turn = Literal["none", "90", "180", "270", "left_right", "up_down"]
TURNS: tuple[Turn, ...] = ("none", "90", "180", "270", "left_right", "up_down")


class AuxiliarySettings(Settings):
    """The weight of the losses of single branches beside that of their sum."""

    start: float = Field(0.1, ge=0, description="weight at the start")
    factor: float = Field(0.1, gt=0, le=1, description="of the weight, every so many steps")
    every_steps: int = Field(200, ge=1, description="steps after which the weight is lowered")
    floor: float = Field(0.01, ge=0, description="smallest weight")


class TrainSettings(Settings):
    """Training of the network on labelled sections."""

    version: ClassVar[int] = 2
    unrecorded: ClassVar[frozenset[str]] = frozenset({"device", "threads"})

    network: NetworkSettings = Field(NetworkSettings(), description="what is trained")
    crop_px: int = Field(128, ge=32, le=1024, multiple_of=8, description="side of a crop (px)")
    batch: int = Field(8, ge=1, le=256, description="crops of a step (count)")
    steps: int = Field(600, ge=1, description="optimiser steps")
    learning_rate: float = Field(2e-3, gt=0, description="highest learning rate of AdamW")
    weight_decay: float = Field(5e-4, ge=0, description="decay of AdamW")
    schedule: Literal["cosine", "constant"] = Field(
        "cosine",
        description="learning rate after the warm-up: half a cosine to 0, or constant, so that a"
        " training can be made longer",
    )
    warmup_steps: int = Field(20, ge=0, description="steps in which the learning rate rises")
    auxiliary: AuxiliarySettings = Field(
        AuxiliarySettings(), description="losses of single branches"
    )
    augmentation: tuple[Turn, ...] = Field(
        TURNS, min_length=1, description="quarter turns and mirrors of crops, one at random"
    )
    scaling: float = Field(
        0.2,
        ge=0,
        lt=0.7,
        description="greatest change of size of a crop along any direction, on a logarithmic scale;"
        " crops are then turned by any angle",
    )
    elastic_px: float = Field(
        4.0, ge=0, description="standard deviation of elastic displacements of crops (px)"
    )
    grey_jitter: float = Field(
        0.2, ge=0, le=1, description="change of contrast and brightness (standard deviations)"
    )
    blur_px: float = Field(
        1.0, ge=0, description="greatest standard deviation of the blur of every second crop (px)"
    )
    noise: float = Field(
        0.3,
        ge=0,
        description="greatest standard deviation of noise that is added to crops (standard"
        " deviations of a section)",
    )
    ema_decay: float = Field(
        0.99, gt=0, lt=1, description="decay of the running average of weights, per step"
    )
    seed: int = Field(0, ge=0, description="seed of initial weights and crops")
    report_steps: int = Field(50, ge=1, description="steps between reports and checkpoints")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="arithmetic; auto: float32 on a CPU, mixed precision on a GPU"
    )
    threads: int = Field(1, ge=1, description="threads of a CPU; weights depend on their number")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where to train")

    @model_validator(mode="after")
    def _warm_up_ends(self) -> Self:
        if self.warmup_steps > self.steps:
            raise ValueError("warmup_steps of at most the steps")
        return self
