"""Settings of the results of scans and patients."""

from typing import ClassVar, Literal

from pydantic import Field

from snakescope.settings.strict import Settings


class ResultsSettings(Settings):
    """Tables, figures and the page of results."""

    version: ClassVar[int] = 1

    pooling: Literal["mean", "max"] = Field(
        "mean",
        description="score of a patient with several scans: mean of logits, or their largest",
    )
    resamples: int = Field(2000, ge=100, description="bootstrap resamples of patients (count)")
    overlays: int = Field(
        12, ge=0, description="scans that are drawn with mask and heat map (count)"
    )
    seed: int = Field(1, ge=0, description="seed of the resampling")
