"""The settings of the fibrosis tree: general ones, and a section a stage."""

from pydantic import Field

from snakescope.fibrosis.paper.settings import PaperSettings
from snakescope.fibrosis.prediction.settings import EnsembleSettings, ExportSettings
from snakescope.fibrosis.results.settings import ResultsSettings
from snakescope.fibrosis.scans.settings import ScansSettings
from snakescope.fibrosis.simulation.settings import SimulateSettings
from snakescope.fibrosis.training.settings import FitSettings, ModelName
from snakescope.learning.settings import AuditSettings, SplitSettings, TrainedSettings

ORIGINS = "resources/known_origins/ultrasound.tsv"
"""Images of published sets that have no stage, by the SHA-256 of their grey pixels."""


class FibrosisSettings(TrainedSettings):
    """From B-mode scans to liver masks and stages of fibrosis."""

    sheet: str = Field(
        "config/scans.tsv",
        min_length=1,
        description="path of the sample sheet, one row a scan; without a row, nothing is done",
    )
    models: tuple[ModelName, ...] = Field(
        ("ordinal", "features", "majority"),
        description="models to compare, the first against the rest",
    )
    audit: AuditSettings = Field(
        AuditSettings(known_origins=ORIGINS),
        description="faults of the training images that a score would hide",
    )
    splits: SplitSettings = Field(
        SplitSettings(folds=10), description="folds, each patient in one of them"
    )
    scans: ScansSettings = Field(ScansSettings(), description="scans brought into one form")
    training: FitSettings = Field(FitSettings(), description="models and their training")
    ensemble: EnsembleSettings = Field(
        EnsembleSettings(), description="new scans by the models of all folds"
    )
    export: ExportSettings = Field(ExportSettings(), description="data set for nnU-Net")
    paper: PaperSettings = Field(PaperSettings(), description="the paper's table, measured again")
    results: ResultsSettings = Field(ResultsSettings(), description="results of scans and patients")
    simulation: SimulateSettings = Field(
        SimulateSettings(), description="simulated scans with known stage"
    )
