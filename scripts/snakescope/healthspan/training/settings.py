"""Settings of training."""

from typing import ClassVar, Literal

from pydantic import Field

from snakescope.settings.strict import Settings

Architecture = Literal[
    "resnet18_half",
    "resnet18_half_slender",
    "mobilenet_v3",
    "resnet18",
    "resnet50",
    "resnet101",
]


class TrainDetectorSettings(Settings):
    """How the worm detector is trained on simulated scenes, and on real images where given."""

    version: ClassVar[int] = 6

    architecture: Architecture = Field(
        "resnet18_half_slender",
        description="trunk and anchors of the Mask R-CNN; resnet101 is the paper's trunk,"
        " resnet18_half_slender has anchors for straight worms",
    )
    seed: int = Field(1, ge=0, description="seed of scenes, crops and weights")
    scenes: int = Field(3000, ge=4, description="simulated scenes to draw crops from (count)")
    hard_scenes: int = Field(
        0,
        ge=0,
        description="further simulated scenes, of what real images show: walls, knots, bright"
        " cores, JPEG (count)",
    )
    start_weights: str = Field(
        "",
        description="weights of a detector to go on from, from the working directory, else from the"
        " repository; empty: from random ones (file)",
    )
    real_images: str = Field(
        "",
        description="folder with the real images that may be trained on (docs/models.md); empty:"
        " none (folder)",
    )
    real_share: float = Field(
        0.3, ge=0, le=1, description="share of the crops that show real images, if given (0-1)"
    )
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
    ema_decay: float = Field(
        0.998, ge=0, lt=1, description="decay of the running average of the weights that is saved"
    )
    foreground_weight: float = Field(
        0.5, ge=0, description="weight of the auxiliary loss: worm or ground on the stride 4 map"
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto",
        description="arithmetic of the trunk and the mask head in training; auto is bfloat16 or, on"
        " GPUs without it, float16, and float32 on a CPU; on a CPU that has it bfloat16 is 1.4"
        " times faster, on others many times slower",
    )
    checkpoint_every: int = Field(250, ge=1, description="steps between checkpoints (count)")
    held_out_scenes: int = Field(
        60, ge=1, description="scenes for the card's scores: other seed, other looks (count)"
    )
    threads: int = Field(2, ge=1, description="CPU threads (count)")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where to train")


class TrainClassifierSettings(Settings):
    """What is trained, on how many simulated composites, and for how long."""

    version: ClassVar[int] = 2

    architecture: Literal["mlp_mixer", "resnet_rs", "vit"] = Field(
        "mlp_mixer", description="the model; the MLP-Mixer was the best of the paper"
    )
    seed: int = Field(1, ge=0, description="seed of the composites, the weights and the order")
    per_state: int = Field(
        5000, ge=8, description="training composites of each of the three states"
    )
    validation_per_state: int = Field(
        400, ge=8, description="composites of each state on which the probabilities are calibrated"
    )
    held_out_per_state: int = Field(
        500, ge=8, description="composites of each state, of unlike plates, for the model card"
    )
    epochs: int = Field(12, ge=1, description="passes over the training composites")
    batch: int = Field(32, ge=1, description="composites per step (16 in the paper)")
    learning_rate: float = Field(
        0.001, gt=0, description="of RAdam at the start; falls to 0 along half a cosine"
    )
    weight_decay: float = Field(0.02, ge=0, description="decoupled weight decay of RAdam")
    label_smoothing: float = Field(
        0.03, ge=0, lt=0.5, description="share of the target given to the other states"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="where to train; only the CPU repeats a training bit for bit"
    )
    threads: int = Field(1, ge=1, le=256, description="CPU threads")


class TrainingSettings(Settings):
    """How the models are trained on simulated plates."""

    detector: TrainDetectorSettings = Field(
        TrainDetectorSettings(), description="training of the detector"
    )
    classifier: TrainClassifierSettings = Field(
        TrainClassifierSettings(), description="training of the state classifier"
    )
