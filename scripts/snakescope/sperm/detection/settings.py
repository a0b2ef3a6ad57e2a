"""Settings of the detection of sperm heads in videos of a whole field."""

from typing import ClassVar

from pydantic import Field

from snakescope.settings.strict import Settings


class DetectSettings(Settings):
    """Heads of sperm in every frame of a video."""

    version: ClassVar[int] = 6
    unrecorded: ClassVar[frozenset[str]] = frozenset({"threads"})

    weights: str = Field(
        "resources/models/sperm/heads.safetensors",
        description="weights of the network that finds heads; empty: Laplacian of Gaussian",
    )
    threshold: float = Field(
        0.15, gt=0, lt=1, description="least height of a head in the map of heads (0 to 1)"
    )
    least_brightness: float = Field(
        0.55,
        ge=0,
        lt=1,
        description="least brightness of a head against the background, as a share of that of the"
        " surest heads of its frame (ratio); 0 keeps dark ones, too",
    )
    least_size_um2: float = Field(
        4.2, ge=0, description="least bright area of a head (um2); grains are smaller"
    )
    most_size_um2: float = Field(
        30.0,
        gt=0,
        description="greatest bright area within 6.4 um of a head (um2), that of two heads side by"
        " side; lumps are larger",
    )
    most_darkness: float = Field(
        0.35,
        gt=0,
        description="darkest spot within 2.3 um of a head, below the background, as a share of the"
        " brightness of the surest heads of its frame (ratio); debris out of focus is darker",
    )
    min_distance_um: float = Field(3.2, gt=0, description="least distance of two heads (um)")
    log_threshold: float = Field(
        55.0, gt=0, description="least height of a blob, where there is no network (grey values)"
    )
    threads: int = Field(2, ge=1, description="threads, each with a frame of its own (count)")


class TrainHeadsSettings(Settings):
    """A training of the network that finds heads, on simulated fields."""

    version: ClassVar[int] = 2

    fields: int = Field(80, ge=1, description="simulated pictures of fields (count)")
    side_px: int = Field(128, ge=64, multiple_of=16, description="side of a crop (px)")
    batch: int = Field(8, ge=1, description="crops of a step (count)")
    steps: int = Field(450, ge=1, description="optimiser steps (count)")
    rate: float = Field(3e-3, gt=0, description="highest learning rate of AdamW")
    seed: int = Field(1, ge=0, description="seed of fields, crops and weights")
