"""The settings of the membranes tree: a section a stage."""

from pydantic import Field

from snakescope.membranes.cross_validation.settings import FoldSettings, LearningCurveSettings
from snakescope.membranes.features.settings import FeaturesSettings
from snakescope.membranes.prediction.settings import PredictSettings
from snakescope.membranes.report.settings import PicturesSettings
from snakescope.membranes.scores.settings import EvaluateSettings
from snakescope.membranes.search.settings import PaperSettings, SearchSettings
from snakescope.membranes.simulation.settings import SimulateSettings
from snakescope.membranes.training.settings import TrainSettings
from snakescope.settings.strict import Settings


class MembranesSettings(Settings):
    """From sections of electron micrographs to membranes."""

    sheet: str = Field("config/stacks.tsv", description="path of the sample sheet, one row a stack")
    prediction: PredictSettings = Field(
        PredictSettings(), description="membrane probabilities of every section"
    )
    training: TrainSettings = Field(
        TrainSettings(), description="training of a network on the sections of the column train"
    )
    scores: EvaluateSettings = Field(
        EvaluateSettings(), description="comparison with the labels of test sections"
    )
    cross_validation: FoldSettings = Field(
        FoldSettings(), description="networks compared on blocks of the labelled sections"
    )
    learning_curve: LearningCurveSettings = Field(
        LearningCurveSettings(), description="how scores grow with the labelled sections"
    )
    search: SearchSettings = Field(
        SearchSettings(), description="search for the kernels of a stack"
    )
    paper: PaperSettings = Field(
        PaperSettings(), description="comparison of searches on a full table of trainings"
    )
    features: FeaturesSettings = Field(
        FeaturesSettings(), description="feature maps of the branches, asked for by name"
    )
    report: PicturesSettings = Field(PicturesSettings(), description="pictures of every stack")
    simulation: SimulateSettings = Field(
        SimulateSettings(), description="stacks that the workflow simulates, for demonstrations"
    )
