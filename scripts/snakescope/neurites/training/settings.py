"""Settings of the training of the affinity networks."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from snakescope.neurites.volumes.settings import Shape
from snakescope.settings.strict import Settings

KEPT_IN_MEMORY = 2**30
"""A training reads volumes of at most so many voxels once, larger ones window by window."""


class AugmentSettings(Settings):
    """How the patches of the training are varied."""

    flips: bool = Field(True, description="mirror along z, y and x, and exchange y and x")
    misalignment_share: float = Field(
        0.5, ge=0, le=1, description="share of patches in which a section, or the stack, is shifted"
    )
    misalignment_px: int = Field(17, ge=0, description="greatest shift along y and x (px)")
    missing_share: float = Field(
        0.4, ge=0, le=1, description="share of patches with missing sections, whole or in part"
    )
    blurred_share: float = Field(
        0.4, ge=0, le=1, description="share of patches with sections out of focus"
    )
    max_sections: int = Field(
        3, ge=1, description="most sections of a patch that are missing, or blurred (count)"
    )
    blur_px: float = Field(3.0, gt=0, description="greatest standard deviation of blur (px)")
    warp_share: float = Field(0.7, ge=0, le=1, description="share of patches that are warped")
    rotation_deg: float = Field(
        15.0, ge=0, le=45, description="greatest turn in the plane (degrees)"
    )
    scaling: float = Field(
        0.1, ge=0, lt=0.5, description="greatest change of size in the plane, as a share"
    )
    elastic_px: float = Field(
        4.0, ge=0, description="standard deviation of elastic displacements (px)"
    )
    grey_share: float = Field(
        0.8, ge=0, le=1, description="share of patches whose grey values are changed"
    )
    grey_by_section_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of those in which every section is changed in its own way",
    )
    contrast: float = Field(
        0.3, ge=0, lt=1, description="greatest change of contrast and brightness, as a share"
    )


class TrainSettings(Settings):
    """How an affinity network is trained on labelled volumes."""

    version: ClassVar[int] = 2

    network: Literal["base", "revnet"] = Field(
        "revnet", description="residual U-Net, or the same with reversible modules"
    )
    n: int = Field(1, ge=1, le=4, description="reversible blocks a module, for revnet (count)")
    memory: Literal["stored", "reversible", "frugal"] = Field(
        "frugal",
        description="what revnet keeps for the backward pass: all, nothing of the reversible"
        " blocks, or one tensor a module; the results are the same",
    )
    features: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (24, 32, 48, 72, 104),
        min_length=2,
        description="channels of the levels, finest first; even numbers for revnet",
    )
    isotropic: bool = Field(
        False,
        description="for voxels about as long as wide: pooling, embeddings and long-range pairs"
        " along z as along y and x, and patches turned to any axis",
    )
    boundary_px: int = Field(
        0,
        ge=0,
        le=5,
        description="voxels fewer steps than this from another object are trained as outline (px);"
        " 1 where labelled objects touch, 0 where outlines are labelled 0",
    )
    patch_zyx: Shape = Field(
        (18, 160, 160),
        description="patch (voxels); y and x multiples of 2 for every level but the first;"
        " isotropic, z as well",
    )
    batch: int = Field(1, ge=1, description="patches a step (count)")
    steps: int = Field(100_000, ge=1, description="optimiser steps in all (count)")
    epoch_steps: int = Field(
        500, ge=1, description="steps between validations and checkpoints (count)"
    )
    learning_rate: float = Field(1e-3, gt=0, description="highest learning rate of Adam")
    warmup_steps: int = Field(
        100, ge=0, description="steps of linear warm-up, before a cosine decay (count)"
    )
    clip_norm: float = Field(5.0, gt=0, description="greatest norm of the gradient")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "float32",
        description="arithmetic of the convolutions; auto is bfloat16 or, on GPUs without it,"
        " float16, and float32 on a CPU",
    )
    validation_share: float = Field(
        0.2,
        gt=0,
        lt=0.9,
        description="share of the sections, the last of each volume, that are kept for validation"
        " where no validation volume is given",
    )
    validation_patches: int = Field(
        4, ge=1, description="patches scored after every epoch, always the same (count)"
    )
    seed: int = Field(1, ge=0, description="seed of weights, patches and augmentation")
    threads: int = Field(2, ge=1, description="CPU threads (count)")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where to train")
    augment: AugmentSettings = Field(
        AugmentSettings(), description="how the patches of the training are varied"
    )

    @model_validator(mode="after")
    def _halves_of_channels(self) -> Self:
        if self.network == "revnet" and any(one % 2 for one in self.features):
            raise ValueError(
                f"features: even numbers are needed for revnet, whose blocks halve the channels,"
                f" found {self.features}"
            )
        return self
