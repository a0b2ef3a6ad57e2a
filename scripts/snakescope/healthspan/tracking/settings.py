"""Settings of the tracking of stopped worms."""

from typing import ClassVar, Literal

from pydantic import Field

from snakescope.settings.strict import Settings


class TrackSettings(Settings):
    """How detections of stopped worms become individuals.

    Costs are negative log probabilities (nats); distances are in plate coordinates.
    """

    version: ClassVar[int] = 7

    max_p_healthy: float = Field(
        0.9,
        gt=0,
        le=1,
        description="a detection above this probability of being healthy is a mover, not a "
        "candidate for a track (probability)",
    )
    probability_floor: float = Field(
        0.02,
        gt=0,
        lt=0.3,
        description="no state counts as less probable than this: bounds what one confident "
        "mistake of the classifier can do (probability)",
    )
    gate_px: float = Field(
        77.0,
        gt=0,
        description="farthest shift of a stopped worm between two sightings; 0.75 mm, the 99th "
        "percentile from end of movement to death, at 9.74 um/px (px)",
    )
    shift_scale_px: float = Field(
        15.0,
        gt=0,
        description="shift that costs one nat; 0.14 mm, the median, at 9.74 um/px (px)",
    )
    place_evidence: float = Field(
        3.0,
        ge=0,
        description="what it tells for having stopped that a worm lies where it lies next; "
        "movers are thin on a plate, a chance meeting is rare (nat)",
    )
    max_gap: int = Field(
        3,
        ge=1,
        description="farthest link within the gate; 3 bridges two missed sightings (frames)",
    )
    still_px: float = Field(
        12.0, gt=0, description="shift below which a longer gap may be bridged (px)"
    )
    max_still_gap: int = Field(
        12, ge=1, description="farthest link of a worm that has not shifted (frames)"
    )
    missed_cost: float = Field(
        2.5, ge=0, description="cost of a frame in which a tracked worm was not found (nat)"
    )
    appearance_cost: float = Field(3.0, ge=0, description="cost of starting a track (nat)")
    disappearance_cost: float = Field(
        8.0,
        ge=0,
        description="cost of ending a track before the last frame, since corpses stay (nat)",
    )
    reversal_cost: float = Field(
        2.0, ge=0, description="cost of a link from dead back to immobile (nat)"
    )
    solver: Literal["highs", "cbc"] = Field(
        "highs", description="solver of the integer programme, both installed with PuLP"
    )
    time_limit_s: float = Field(
        60.0, gt=0, description="longest time for one independent part of a plate (s)"
    )
    immobile_shape: float = Field(
        1.81, gt=0, description="shape of the gamma distribution of the immobile period (-)"
    )
    immobile_scale_d: float = Field(
        0.81, gt=0, description="scale of the gamma distribution of the immobile period (d)"
    )
    settle_h: float = Field(
        24.0,
        ge=0,
        description="a track already dead this soon after the first frame is debris, unless a "
        "worm of those put on is missing (h)",
    )
    min_start_correlation: float = Field(
        0.5,
        ge=0,
        le=1,
        description="a track that begins later than that, at whose place the grey values of the"
        " first frames correlate so well with it, was there from the start; 1: none (-1 to 1)",
    )
    min_start_contrast: float = Field(
        0.15,
        ge=0,
        description="and whose contrast there was at least this share of its own (1)",
    )
    count_dead_at_start: bool = Field(
        False, description="count them all the same: the plate was started with dead worms"
    )
    min_dead_frames: int = Field(
        3,
        ge=1,
        description="dead sightings without which a track that ends early was a resting worm "
        "(frames)",
    )
    worms_quantile: float = Field(
        0.8,
        gt=0,
        le=1,
        description="quantile of the total count taken as the number of worms where the plate "
        "sheet gives none (-)",
    )
    smoothing_frames: int = Field(
        5, ge=1, description="width of the running median over the count of movers (frames)"
    )
