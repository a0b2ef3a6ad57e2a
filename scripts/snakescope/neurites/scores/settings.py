"""Settings of the evaluation."""

from typing import ClassVar

from pydantic import Field

from snakescope.settings.strict import Settings


class EvaluateSettings(Settings):
    """How a segmentation is compared with the truth."""

    version: ClassVar[int] = 3

    ignore_truth_zero: bool = Field(
        True, description="leave out voxels whose true label is 0, outlines and unlabelled ones"
    )
