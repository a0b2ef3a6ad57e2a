"""Settings of the composites: the three masks of a worm as one colour picture."""

from pydantic import Field

from configuration.strict import Settings


class CompositeSettings(Settings):
    """How the masks before, at and after a timepoint are brought together."""

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
