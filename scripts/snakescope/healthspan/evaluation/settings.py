"""Settings of the evaluation."""

from pydantic import Field

from snakescope.settings.strict import Settings


class EvaluateSettings(Settings):
    """On what the workflow is judged: simulated plates never trained on, and real images."""

    plates: int = Field(3, ge=1, description="simulated plates (count)")
    first_seed: int = Field(
        9_000_001, ge=0, description="seed of the first plate; no training uses one of these"
    )
    frame_px: int = Field(2640, ge=880, description="side of their frames (px)")
    timepoints: int = Field(32, ge=3, description="timepoints of a plate (count)")
    min_worms: int = Field(60, ge=1, description="worms on the emptiest plate (count)")
    max_worms: int = Field(100, ge=1, description="worms on the fullest plate (count)")
    data: str = Field(
        "../shared/data",
        description="folder of the real images; the environment variable SNAKESCOPE_DATA comes"
        " first; what is absent is left out of the table (folder)",
    )
