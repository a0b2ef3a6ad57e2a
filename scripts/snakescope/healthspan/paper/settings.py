"""Settings of the tables and figures of Matsuo et al., measured again."""

from typing import ClassVar, Literal

from pydantic import Field

from snakescope.healthspan.training.settings import Architecture
from snakescope.settings.strict import Settings

STATE_MODELS = ("resnet_rs", "vit", "mlp_mixer")
"""The three classifiers of table 5, in its order."""


class PaperClassifierSettings(Settings):
    """The three classifiers of table 5, trained alike on simulated composites."""

    version: ClassVar[int] = 1
    unrecorded: ClassVar[frozenset[str]] = frozenset({"threads", "device"})

    seed: int = Field(1, ge=0, description="seed of the composites, the weights and the order")
    per_state: int = Field(
        600, ge=8, description="training composites of each of the three states (count)"
    )
    validation_per_state: int = Field(
        100, ge=8, description="composites of each state on which the probabilities are calibrated"
    )
    epochs: int = Field(6, ge=1, description="passes over the training composites (count)")
    batch: int = Field(32, ge=1, description="composites per step; 16 in the paper (count)")
    threads: int = Field(1, ge=1, description="CPU threads (count)")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where to train")


class PaperSemanticSettings(Settings):
    """The semantic baseline of tables 2 and 3: a small U-Net of three classes."""

    version: ClassVar[int] = 1
    unrecorded: ClassVar[frozenset[str]] = frozenset({"threads", "device", "checkpoint_every"})

    seed: int = Field(1, ge=0, description="seed of scenes, crops and weights")
    scenes: int = Field(100, ge=1, description="simulated scenes to draw crops from (count)")
    scene_px: int = Field(560, ge=128, description="side of a scene (px)")
    crop_px: int = Field(
        256, ge=64, multiple_of=16, description="side of a training crop, a multiple of 16 (px)"
    )
    steps: int = Field(300, ge=1, description="optimiser steps (count)")
    batch: int = Field(4, ge=1, description="crops per step (count)")
    learning_rate: float = Field(0.003, gt=0, description="learning rate after the warm-up")
    checkpoint_every: int = Field(20, ge=1, description="steps between checkpoints (count)")
    threads: int = Field(1, ge=1, description="CPU threads (count)")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where to train")


class PaperStatesSettings(Settings):
    """Table 5 and figure 15: the states of the same worms by every method."""

    version: ClassVar[int] = 1

    seed: int = Field(2026, ge=0, description="seed of the worms and of the intervals")
    per_state: int = Field(
        100,
        ge=2,
        description="simulated worms of each state and set, as many as the paper's (count)",
    )
    tuning_per_state: int = Field(
        100, ge=2, description="worms of each state, of other scenes, for the thresholds (count)"
    )
    resamples: int = Field(500, ge=100, description="bootstrap resamples of scenes (count)")


class PaperDetectionSettings(Settings):
    """Tables 2 and 3: worms found by the semantic baseline and by the detector."""

    version: ClassVar[int] = 2

    seed: int = Field(5_000_011, ge=0, description="seed of the scenes; no training uses it")
    scenes: int = Field(30, ge=2, description="simulated scenes of unseen looks (count)")
    tuning_scenes: int = Field(
        10, ge=1, description="other scenes, on which the baseline's least area is chosen (count)"
    )
    scene_px: int = Field(560, ge=128, description="side of a scene (px)")
    backbones: tuple[Architecture, ...] = Field(
        ("resnet18_half", "resnet101"),
        description="backbones of the detector of which time and parameters are measured",
    )


class PaperCurvesSettings(Settings):
    """Figure 16: curves of simulated plates by each choice of the method that tells states."""

    version: ClassVar[int] = 1

    seed: int = Field(7_000_003, ge=0, description="seed of the first plate; no training uses it")
    plates: int = Field(2, ge=1, description="simulated plates (count)")
    worms: int = Field(30, ge=1, description="worms of a plate (count)")
    timepoints: int = Field(32, ge=5, description="frames of a plate, 12 h apart (count)")


class PaperPageSettings(Settings):
    """The page of the tables has no settings."""

    version: ClassVar[int] = 1


class PaperSettings(Settings):
    """The tables and figures of Matsuo et al., measured again on simulated and real images."""

    classifier: PaperClassifierSettings = Field(
        PaperClassifierSettings(), description="training of the classifiers of table 5"
    )
    semantic: PaperSemanticSettings = Field(
        PaperSemanticSettings(), description="training of the semantic baseline of tables 2 and 3"
    )
    states: PaperStatesSettings = Field(
        PaperStatesSettings(), description="table 5 and figure 15: states by every method"
    )
    detection: PaperDetectionSettings = Field(
        PaperDetectionSettings(), description="tables 2 and 3: worms found"
    )
    curves: PaperCurvesSettings = Field(
        PaperCurvesSettings(), description="figure 16: curves by every choice of states"
    )
