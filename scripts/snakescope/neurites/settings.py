"""The settings of the neurites tree, one section a step."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from snakescope.neurites.agglomeration.settings import AgglomerateSettings, SegmentationSettings
from snakescope.neurites.fragments.settings import FragmentsSettings
from snakescope.neurites.paper.settings import PaperSettings
from snakescope.neurites.prediction.settings import PredictSettings
from snakescope.neurites.report.settings import PicturesSettings
from snakescope.neurites.scores.settings import EvaluateSettings
from snakescope.neurites.simulation.settings import SimulateSettings
from snakescope.neurites.training.settings import TrainSettings
from snakescope.neurites.volumes.settings import FetchSettings, IngestSettings
from snakescope.settings.strict import Settings

Voxels = Annotated[int, Field(ge=1, le=1 << 16)]


class NeuritesSettings(Settings):
    """From volumes of electron micrographs to neurites."""

    sheet: str = Field(
        "config/volumes.tsv",
        min_length=1,
        description="path of the sample sheet, one row a volume; without a row, nothing is done",
    )
    block: Literal["auto"] | tuple[Voxels, Voxels, Voxels] = Field(
        "auto",
        description="voxels along z, y and x that one job works on: memory and the number of jobs "
        "follow from it, the results hardly (figures in docs/neurites.md); auto: [32, 512, 512], "
        "and [256, 256, 256] where fragments reach through sections",
    )
    ingest: IngestSettings = Field(
        IngestSettings(), description="sections to one volume of 8 bit grey values"
    )
    predict: PredictSettings = Field(
        PredictSettings(), description="affinities of neighbouring voxels, by a trained network"
    )
    fragments: FragmentsSettings = Field(
        FragmentsSettings(), description="affinities cut into fragments"
    )
    agglomerate: AgglomerateSettings = Field(
        AgglomerateSettings(), description="fragments joined to neurites"
    )
    segmentation: SegmentationSettings = Field(
        SegmentationSettings(), description="the partition that is written"
    )
    evaluate: EvaluateSettings = Field(
        EvaluateSettings(), description="compared with the truth, where there is one"
    )
    pictures: PicturesSettings = Field(PicturesSettings(), description="pictures of a volume")
    simulate: SimulateSettings = Field(
        SimulateSettings(), description="simulated volumes with known truth"
    )
    fetch: FetchSettings = Field(
        FetchSettings(), description="SNEMI3D, downloaded where the sample sheet names it"
    )
    train: TrainSettings = Field(
        TrainSettings(), description="training of the network on labelled volumes"
    )
    paper: PaperSettings = Field(PaperSettings(), description="the paper's table, measured again")

    @model_validator(mode="after")
    def _written_is_computed(self) -> Self:
        if self.segmentation.scoring not in self.agglomerate.scoring:
            raise ValueError(
                f"segmentation.scoring ({self.segmentation.scoring}) among agglomerate.scoring "
                f"({', '.join(self.agglomerate.scoring)})"
            )
        return self
