"""Settings of detection."""

from typing import ClassVar, Literal

from pydantic import Field

from snakescope.healthspan.geometry import PIXEL_SIZE_UM, TILE_PX
from snakescope.settings.strict import Settings


class TileSettings(Settings):
    """How registered frames are brought to the model's pixel size and cut."""

    version: ClassVar[int] = 3

    size_px: int = Field(
        TILE_PX, ge=64, le=4096, description="side of a tile (px of the model's pixel size)"
    )
    model_pixel_size_um: float = Field(
        PIXEL_SIZE_UM,
        gt=0,
        le=200,
        description="pixel size at which the detector sees worms, that of its card (um)",
    )


class DetectSettings(Settings):
    """How worms are found on the tiles of a frame."""

    version: ClassVar[int] = 10

    unrecorded: ClassVar[frozenset[str]] = frozenset({"views_per_batch", "device"})

    weights: str = Field(
        "resources/models/healthspan/detector.safetensors",
        description="detector weights, with their model card (.json) beside them; from the working"
        " directory, else from the repository (file)",
    )
    halo_px: int = Field(
        66,
        ge=0,
        description="margin with which a part of a frame is looked at, half a worm's length"
        " so that a worm on a seam is seen whole (px)",
    )
    score_threshold: float = Field(
        0.3, ge=0, le=1, description="least confidence of a detection (0-1)"
    )
    faint_score: float = Field(
        0.1,
        gt=0,
        le=1,
        description="least confidence of a candidate: what is less sure than a detection, and may"
        " be a worm if the frames before and after show one there (0-1)",
    )
    mask_threshold: float = Field(
        0.4,
        gt=0,
        lt=1,
        description="least probability of a pixel of a mask; lower makes masks wider (0-1)",
    )
    least_width: float = Field(
        0.075,
        ge=0,
        lt=1,
        description="least width of the usual worm of a plate, as a share of its length: where"
        " masks come out thinner on its reference frame, those of all its frames are made wider, by"
        " at most 1 px on each side; 0 leaves them as the network draws them (0-1)",
    )
    max_overlap: float = Field(
        0.6,
        gt=0,
        le=1,
        description="share of the smaller of two masks beyond which they are one worm (0-1)",
    )
    min_length_um: float = Field(
        400.0, ge=0, description="shorter objects are too small (um); an L4 larva measures 650"
    )
    min_slenderness: float = Field(
        4.0, ge=1, description="objects with a smaller ratio of length to width are dust (1)"
    )
    min_contrast: float = Field(
        0.0,
        ge=0,
        le=191,
        description="objects whose mean grey in the overlay exceeds the ground's by less are faint"
        " (grey values); of use where the agar's own texture resembles worms",
    )
    min_relative_contrast: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="objects whose mean grey exceeds the ground's by less than this share of what"
        " is usual for the worms of the frame are faint: fibres, folds of the agar (0-1)",
    )
    min_relative_area: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="objects smaller than this share of the usual worm of the frame are too small:"
        " larvae, pieces (0-1); sure ones may have four fifths of that, as males do",
    )
    max_relative_area: float = Field(
        1.8,
        gt=1,
        description="objects larger than so many of the usual worm of the frame are too large: two"
        " worms in one, arms of the mark (worms)",
    )
    min_relative_width: float = Field(
        0.65,
        ge=0,
        lt=1,
        description="objects thinner than this share of the usual worm of the frame are too thin:"
        " fibres, scratches (0-1); lower it for plates on which males are to be counted",
    )
    max_relative_width: float = Field(
        1.6,
        gt=1,
        description="objects so many times wider than the usual worm of the frame are too wide"
        " (widths of a worm)",
    )
    rim_um: float = Field(
        150.0,
        ge=0,
        description="objects whose centre is nearer to the dish's edge are left out (um)",
    )
    max_view_px: int = Field(
        440,
        ge=128,
        description="side of the largest part of a frame that the model looks at, without the"
        " margin; 1100 takes seven tenths of the time and more memory, and on some photographs"
        " misses a few worms more (px of the model's pixel size)",
    )
    views_per_batch: int = Field(
        4, ge=1, description="parts of a frame that the model takes at once (count)"
    )
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32",
        description="arithmetic of the trunk and the masks; bfloat16 takes two thirds of the time"
        " on CPUs that have its instructions (lscpu shows avx512_bf16), on others it is many times"
        " slower; float16 is for GPUs",
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where the model runs")


class DetectionSettings(Settings):
    """How worms are found in registered frames."""

    tile: TileSettings = Field(TileSettings(), description="registered frames cut into tiles")
    detect: DetectSettings = Field(
        DetectSettings(),
        description="worms found in the tiles, as instance masks in plate coordinates",
    )
