"""The settings of the neurites tree: general ones, and a section a stage."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from snakescope.neurites.agglomeration.settings import AgglomerationSettings
from snakescope.neurites.fragments.settings import FragmentsSettings
from snakescope.neurites.paper.settings import PaperSettings
from snakescope.neurites.prediction.settings import PredictSettings
from snakescope.neurites.report.settings import PicturesSettings
from snakescope.neurites.scores.settings import EvaluateSettings
from snakescope.neurites.simulation.settings import SimulateSettings
from snakescope.neurites.training.settings import TrainSettings
from snakescope.neurites.volumes.settings import VolumesSettings
from snakescope.settings.strict import Settings

Voxels = Annotated[int, Field(ge=1, le=1 << 16)]


class NeuritesSettings(Settings):
    """From volumes of electron micrographs to neurites."""

    old_keys: ClassVar[Mapping[str, str]] = {
        "volumes": "sheet",
        "ingest": "volumes.ingest",
        "fetch": "volumes.fetch",
        "predict": "prediction",
        "agglomerate": "agglomeration.agglomerate",
        "segmentation": "agglomeration.segmentation",
        "evaluate": "scores",
        "pictures": "report",
        "simulate": "simulation",
        "train": "training",
        "fragments.outline_affinity": "fragments.boundary_affinity",
        "train.cubes": "training.isotropic",
        "train.outline_px": "training.boundary_px",
        "train.augment.most_sections": "training.augment.max_sections",
    }

    sheet: str = Field(
        "config/volumes.tsv",
        min_length=1,
        description="path of the sample sheet, one row a volume; without a row, nothing is done",
    )
    block: Literal["auto"] | tuple[Voxels, Voxels, Voxels] = Field(
        "auto",
        description="voxels along z, y and x that one job works on: memory and the number of jobs "
        "follow from it, the results hardly (figures in docs/trees/neurites.md); auto: "
        "[32, 512, 512], and [256, 256, 256] where fragments reach through sections",
    )
    volumes: VolumesSettings = Field(
        VolumesSettings(), description="volumes brought into one form, or downloaded"
    )
    prediction: PredictSettings = Field(
        PredictSettings(), description="affinities of neighbouring voxels, by a trained network"
    )
    fragments: FragmentsSettings = Field(
        FragmentsSettings(), description="affinities cut into fragments"
    )
    agglomeration: AgglomerationSettings = Field(
        AgglomerationSettings(), description="fragments joined to neurites"
    )
    scores: EvaluateSettings = Field(
        EvaluateSettings(), description="compared with the truth, where there is one"
    )
    report: PicturesSettings = Field(PicturesSettings(), description="pictures of a volume")
    simulation: SimulateSettings = Field(
        SimulateSettings(), description="simulated volumes with known truth"
    )
    training: TrainSettings = Field(
        TrainSettings(), description="training of the network on labelled volumes"
    )
    paper: PaperSettings = Field(PaperSettings(), description="the paper's table, measured again")
