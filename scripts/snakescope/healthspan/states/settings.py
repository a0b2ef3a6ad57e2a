"""Settings of states."""

from typing import ClassVar, Literal

from pydantic import Field

from snakescope.healthspan.geometry import PIXEL_SIZE_UM
from snakescope.settings.strict import Settings

LEAST_TOLERANCE_PX = 1.5


class CompositeSettings(Settings):
    """How the masks before, at and after a timepoint are brought together."""

    version: ClassVar[int] = 3

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


class SecondLookSettings(Settings):
    """How a frame is looked at again where a worm that lies still was missed."""

    version: ClassVar[int] = 1

    enabled: bool = Field(True, description="look again")
    reach: int = Field(
        3,
        ge=1,
        le=10,
        description="a worm is expected where one lies in a frame before and in one after, up to so"
        " many usable frames away (frames)",
    )
    min_agreement: float = Field(
        0.5,
        gt=0,
        le=1,
        description="least match of its masks in these two frames (intersection over union, 0-1)",
    )
    min_candidate_iou: float = Field(
        0.4,
        gt=0,
        le=1,
        description="a candidate of the frame is the worm if it matches each of these masks at"
        " least this well (intersection over union, 0-1)",
    )
    min_correlation: float = Field(
        0.6,
        ge=0,
        le=1,
        description="without a candidate, least correlation of the grey values with the mean of the"
        " two frames for which the worm lies there still; 1 looks for candidates only (0-1)",
    )
    min_contrast: float = Field(
        0.4,
        ge=0,
        description="and least contrast, as a share of that in the two frames (1)",
    )
    noise_levels: float = Field(
        3.0,
        ge=0,
        description="and least contrast, in standard deviations of the ground around it",
    )


class EvidenceSettings(Settings):
    """What the grey values of the registered frames say of a worm's movement."""

    version: ClassVar[int] = 3

    grey_values: bool = Field(
        True,
        description="weigh the grey values beside the masks; without them states are told by the"
        " masks alone, as by Matsuo et al.",
    )
    tolerance_px: float | None = Field(
        None,
        gt=0,
        le=20,
        description="by how much an edge that has not moved may be out of register; default: a"
        " pixel of the raw frames, and 1.5 at least. A dish that was not moved between two images"
        " bears 0.5, which shows smaller movements (px of the model's pixel size)",
    )
    min_contrast: float = Field(
        3.0,
        ge=0,
        description="a worm whose contrast to the ground is less has an unknown state (standard"
        " deviations of the ground around it)",
    )
    model_pixel_size_um: float = Field(
        PIXEL_SIZE_UM,
        gt=0,
        le=200,
        description="pixel size of the masks, that of the detector (um)",
    )

    def tolerance_of(self, pixel_size_um: float) -> float:
        """Return the tolerance (px of the model's pixel size) for raw frames of this pixel size."""
        if self.tolerance_px is not None:
            return self.tolerance_px
        return max(LEAST_TOLERANCE_PX, pixel_size_um / self.model_pixel_size_um)


class ClassifySettings(Settings):
    """How the composites of a block are classified."""

    version: ClassVar[int] = 3

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

    second_look: SecondLookSettings = Field(
        SecondLookSettings(), description="worms that lie still and were missed in a frame"
    )
    composite: CompositeSettings = Field(
        CompositeSettings(),
        description="the masks before, at and after a timepoint as one picture a worm",
    )
    evidence: EvidenceSettings = Field(
        EvidenceSettings(), description="the share of every body that moved, by the grey values"
    )
    classify: ClassifySettings = Field(
        ClassifySettings(), description="healthy, immobile or dead, with probabilities"
    )
