"""Settings of the detector's training."""

from typing import Literal

from pydantic import Field

from configuration.strict import Settings

Architecture = Literal["resnet18_half", "mobilenet_v3", "resnet18", "resnet50", "resnet101"]


class TrainDetectorSettings(Settings):
    """How the worm detector is trained on simulated scenes."""

    architecture: Architecture = Field(
        "resnet18_half",
        description="trunk of the Mask R-CNN; resnet101 is the paper's, resnet18_half the shipped",
    )
    seed: int = Field(1, ge=0, description="seed of scenes, crops and weights")
    scenes: int = Field(3000, ge=4, description="simulated scenes to draw crops from (count)")
    scene_px: int = Field(560, ge=128, description="side of a scene (px)")
    crop_px: int = Field(320, ge=96, description="side of a training crop (px)")
    steps: int = Field(14000, ge=1, description="optimiser steps (count)")
    batch: int = Field(4, ge=1, description="crops per step; the paper uses 1 (count)")
    optimiser: Literal["sgd", "adamw"] = Field(
        "adamw",
        description="optimiser; the paper uses stochastic gradient descent, which from scratch"
        " takes longer",
    )
    learning_rate: float = Field(
        0.001, gt=0, description="learning rate between warm-up and cool-down"
    )
    cooldown: float = Field(
        0.35,
        ge=0,
        le=1,
        description="share of the steps, the last ones, over which the learning rate falls to 0;"
        " until then a run can be made longer without starting again (0-1)",
    )
    warmup_steps: int = Field(200, ge=0, description="steps of linear warm-up (count)")
    weight_decay: float = Field(0.02, ge=0, description="weight decay")
    averaging: float = Field(
        0.998, ge=0, lt=1, description="decay of the running average of the weights that is saved"
    )
    foreground_weight: float = Field(
        0.5, ge=0, description="weight of the auxiliary loss: worm or ground on the stride 4 map"
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "bfloat16",
        description="arithmetic of the trunk and the mask head in training; bfloat16 is 1.4 times"
        " faster on a CPU that has it",
    )
    checkpoint_every: int = Field(250, ge=1, description="steps between checkpoints (count)")
    held_out_scenes: int = Field(
        60, ge=1, description="scenes for the card's scores: other seed, other looks (count)"
    )
    threads: int = Field(2, ge=1, description="CPU threads (count)")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where to train")
