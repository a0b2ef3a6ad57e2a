"""Settings of the toy tree."""

from pydantic import Field

from snakescope.learning.settings import TrainedSettings
from snakescope.settings.strict import Settings


class FitSettings(Settings):
    """A fit to a fold, and its predictions."""

    shrinkage: float = Field(0.1, ge=0, le=1, description="of class means to their mean (share)")


class ToySettings(TrainedSettings):
    """Drawn images to their class."""

    sheet: str = Field("config/toys.tsv", description="path of the sample sheet, one row a toy")
    models: tuple[str, ...] = Field(("means", "brightness"), description="models to compare")
    fit: FitSettings = Field(FitSettings(), description="class means of the training images")
