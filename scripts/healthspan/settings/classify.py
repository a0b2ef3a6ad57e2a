"""Settings of the state classifier."""

from typing import ClassVar, Literal

from pydantic import Field

from configuration.strict import Settings


class ClassifySettings(Settings):
    """How the composites of a block are classified."""

    unrecorded: ClassVar[frozenset[str]] = frozenset({"device", "batch", "threads"})

    weights: str = Field(
        "resources/models/states_mlp_mixer.safetensors",
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
