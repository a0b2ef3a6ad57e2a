"""Settings of the evaluation."""

from pydantic import Field

from snakescope.settings.strict import Settings


class EvaluateSettings(Settings):
    """How a segmentation is compared with the truth."""

    ignore_truth_zero: bool = Field(
        True, description="leave out voxels whose true label is 0, outlines and unlabelled ones"
    )
