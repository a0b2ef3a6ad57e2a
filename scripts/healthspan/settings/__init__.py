"""The settings of the healthspan tree, one section a step."""

from pydantic import Field

from configuration.strict import Settings
from healthspan.settings.ingest import IngestSettings


class HealthspanSettings(Settings):
    """From raw plates to survival and healthspan curves."""

    plates: str = Field(
        "config/plates.tsv", min_length=1, description="path of the sample sheet, one row a plate"
    )
    timepoints_per_block: int = Field(
        10, ge=1, le=1000, description="consecutive timepoints of a plate that one job works on"
    )
    keep_tiles: bool = Field(
        False, description="keep the tiles after the worms in them have been found"
    )
    ingest: IngestSettings = Field(
        IngestSettings(), description="raw folders to frames, and what may be missing"
    )
