"""The steps of the healthspan tree, called as ``snakescope healthspan STEP``."""

from collections.abc import Mapping

from snakescope.healthspan.detection.settings import DetectSettings, TileSettings
from snakescope.healthspan.fine_tuning.settings import (
    AnnotationPackageSettings,
    AnnotationsSettings,
    FineTuneScoresSettings,
    FineTuneSettings,
    FineTuneStatesSettings,
)
from snakescope.healthspan.paper.settings import (
    PaperClassifierSettings,
    PaperCurvesSettings,
    PaperDetectionSettings,
    PaperPageSettings,
    PaperSemanticSettings,
    PaperStatesSettings,
)
from snakescope.healthspan.registration.settings import (
    FramesTableSettings,
    ReferenceSettings,
    RegisterSettings,
)
from snakescope.healthspan.report.settings import (
    ContactSheetSettings,
    PlatesTableSettings,
    QualitySettings,
)
from snakescope.healthspan.review.settings import (
    ConclusionSettings,
    CorrectedSettings,
    ReviewIndexSettings,
    ReviewPageSettings,
)
from snakescope.healthspan.simulation.settings import SimulateSettings
from snakescope.healthspan.states.settings import (
    ClassifySettings,
    CompositeSettings,
    EvidenceSettings,
    SecondLookSettings,
    StatesTableSettings,
)
from snakescope.healthspan.survival.settings import CurvesSettings, ExperimentSettings
from snakescope.healthspan.tracking.settings import TrackSettings
from snakescope.healthspan.training.settings import TrainClassifierSettings, TrainDetectorSettings
from snakescope.tree.provenance import ProvenanceSettings
from snakescope.tree.steps import Step

STEPS: Mapping[str, Step] = {
    "reference": Step("snakescope.healthspan.registration.agreement", ReferenceSettings),
    "register": Step("snakescope.healthspan.registration.register", RegisterSettings),
    "frames_table": Step("snakescope.healthspan.registration.frames_table", FramesTableSettings),
    "tile": Step("snakescope.healthspan.detection.tile", TileSettings),
    "detect": Step("snakescope.healthspan.detection.detect", DetectSettings),
    "second_look": Step("snakescope.healthspan.states.second_look", SecondLookSettings),
    "composite": Step("snakescope.healthspan.states.composite", CompositeSettings),
    "evidence": Step("snakescope.healthspan.states.evidence", EvidenceSettings),
    "classify": Step("snakescope.healthspan.states.classify", ClassifySettings),
    "states_table": Step("snakescope.healthspan.states.states_table", StatesTableSettings),
    "track": Step("snakescope.healthspan.tracking.track", TrackSettings),
    "provenance": Step("snakescope.healthspan.provenance", ProvenanceSettings),
    "corrected": Step("snakescope.healthspan.review.corrected", CorrectedSettings),
    "review_page": Step("snakescope.healthspan.review.review_page", ReviewPageSettings),
    "review_index": Step("snakescope.healthspan.review.review_index", ReviewIndexSettings),
    "conclusion": Step("snakescope.healthspan.review.conclusion", ConclusionSettings),
    "curves": Step("snakescope.healthspan.survival.curves", CurvesSettings),
    "experiment": Step("snakescope.healthspan.survival.experiment", ExperimentSettings),
    "contact_sheet": Step("snakescope.healthspan.report.contact_sheet", ContactSheetSettings),
    "quality": Step("snakescope.healthspan.report.quality", QualitySettings),
    "plates_table": Step("snakescope.healthspan.report.plates_table", PlatesTableSettings),
    "simulate": Step("snakescope.healthspan.simulation.simulate", SimulateSettings),
    "train_detector": Step("snakescope.healthspan.training.train_detector", TrainDetectorSettings),
    "train_classifier": Step(
        "snakescope.healthspan.training.train_classifier", TrainClassifierSettings
    ),
    "audit": Step("snakescope.healthspan.fine_tuning.annotations", AnnotationsSettings),
    "annotations": Step("snakescope.healthspan.fine_tuning.package", AnnotationPackageSettings),
    "fine_tune": Step("snakescope.healthspan.fine_tuning.fit", FineTuneSettings),
    "fine_tune_states": Step(
        "snakescope.healthspan.fine_tuning.fit_states", FineTuneStatesSettings
    ),
    "fine_tune_scores": Step("snakescope.healthspan.fine_tuning.compare", FineTuneScoresSettings),
    "paper_classifier": Step("snakescope.healthspan.paper.train_states", PaperClassifierSettings),
    "paper_semantic": Step("snakescope.healthspan.paper.train_semantic", PaperSemanticSettings),
    "paper_states": Step("snakescope.healthspan.paper.states", PaperStatesSettings),
    "paper_detection": Step("snakescope.healthspan.paper.detection", PaperDetectionSettings),
    "paper_curves": Step("snakescope.healthspan.paper.curves", PaperCurvesSettings),
    "paper": Step("snakescope.healthspan.paper.page", PaperPageSettings),
}
