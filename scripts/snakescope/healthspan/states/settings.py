"""Settings of states."""

from typing import ClassVar, Literal

from pydantic import Field

from snakescope.settings.strict import Settings


class CompositeSettings(Settings):
    """How the masks before, at and after a timepoint are brought together."""

    version: ClassVar[int] = 2

    window_px: int = Field(
        128,
        ge=32,
        le=512,
        multiple_of=2,
        description="side of the square around a worm (px of the model's pixel size)",
    )
    max_gap_h: float = Field(
        36.0,
        gt=0,
        description="a frame before or after counts as a neighbour up to this distance in time (h)",
    )
    min_claim_iou: float = Field(
        0.3,
        ge=0,
        le=1,
        description="a neighbour frame's mask that matches another worm of this frame at least"
        " this well (intersection over union), and better than this worm, is left out (0 to 1)",
    )


class ClassifySettings(Settings):
    """How the composites of a block are classified."""

    version: ClassVar[int] = 1

    unrecorded: ClassVar[frozenset[str]] = frozenset({"device", "batch", "threads"})

    weights: str = Field(
        "resources/models/healthspan/states_mlp_mixer.safetensors",
        description="classifier weights (MLP-Mixer, ResNet-RS or ViT), with their model card"
        " (.json) beside them; from the working directory, else from the repository (file)",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "cpu",
        description="where the model runs; the shipped one needs half a second of a core a"
        " timepoint. auto takes a GPU that torch can use, else the CPU: for larger models, on Slurm"
        " together with `healthspan_classify: *gpu` in the profile",
    )
    batch: int = Field(256, ge=1, le=8192, description="composites classified at once")
    threads: int = Field(1, ge=1, le=256, description="CPU threads of the model")


class StatesTableSettings(Settings):
    """The table of all states of a plate has no settings."""

    version: ClassVar[int] = 1


class StatesSettings(Settings):
    """How the state of each worm is found."""

    composite: CompositeSettings = Field(
        CompositeSettings(),
        description="the masks before, at and after a timepoint as one picture a worm",
    )
    classify: ClassifySettings = Field(
        ClassifySettings(), description="healthy, immobile or dead, with probabilities"
    )
