"""Settings of survival."""

from typing import ClassVar

from pydantic import Field

from snakescope.settings.strict import Settings


class CurvesSettings(Settings):
    """How the curves of a plate are estimated and drawn."""

    version: ClassVar[int] = 6

    confidence: float = Field(
        0.95, gt=0.5, lt=1, description="coverage of the confidence bands and intervals (-)"
    )
    width_cm: float = Field(14.0, gt=5, le=60, description="width of the figure (cm)")
    height_cm: float = Field(11.5, gt=4, le=60, description="height of the figure (cm)")


class ExperimentSettings(Settings):
    """How the conditions of an experiment are compared and drawn."""

    version: ClassVar[int] = 5

    confidence: float = Field(
        0.95, gt=0.5, lt=1, description="coverage of the confidence bands and intervals (-)"
    )
    width_cm: float = Field(24.0, gt=5, le=60, description="width of the figure (cm)")
    height_cm: float = Field(12.0, gt=4, le=60, description="height of the figure (cm)")
    risk_columns: int = Field(
        8, ge=2, le=30, description="times at which the worms at risk are given (-)"
    )


class SurvivalSettings(Settings):
    """How lifespans and healthspans are summed up and compared."""

    curves: CurvesSettings = Field(
        CurvesSettings(), description="survival and healthspan of a plate"
    )
    experiment: ExperimentSettings = Field(
        ExperimentSettings(), description="conditions compared, and tables for other programs"
    )
