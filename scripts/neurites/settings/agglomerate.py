"""Settings of the agglomeration."""

import re

from pydantic import Field, field_validator

from configuration.strict import Settings

QUANTILE = re.compile(r"quantile(\d\d?)")


class AgglomerateSettings(Settings):
    """How fragments are joined to neurites."""

    scoring: tuple[str, ...] = Field(
        ("mean",),
        min_length=1,
        description="what joins two regions: mean, the mean affinity of their contact, or "
        "quantile50 (0 to 99), a quantile of it; several at once",
    )
    thresholds: tuple[float, ...] = Field(
        (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
        min_length=1,
        description="regions are joined while 1 - affinity is below (0 to 1); several at once",
    )
    histogram_bins: int = Field(
        64, ge=2, le=256, description="bins of the histograms that quantiles are taken from"
    )

    @field_validator("scoring")
    @classmethod
    def _known_scoring(cls, scoring: tuple[str, ...]) -> tuple[str, ...]:
        for one in scoring:
            if one != "mean" and not QUANTILE.fullmatch(one):
                raise ValueError("mean or quantile00 to quantile99")
        if len(set(scoring)) < len(scoring):
            raise ValueError("every scoring once")
        return scoring

    @field_validator("thresholds")
    @classmethod
    def _thresholds_ascend(cls, thresholds: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < one <= 1 for one in thresholds) or len(set(thresholds)) < len(thresholds):
            raise ValueError("thresholds above 0 and up to 1, each once")
        return tuple(sorted(thresholds))


def quantile_of(scoring: str) -> int:
    """Return the quantile (percent) that a scoring takes, or -1 for the mean."""
    match = QUANTILE.fullmatch(scoring)
    return int(match[1]) if match else -1
