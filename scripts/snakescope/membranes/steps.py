"""The steps of the membranes tree, as rules and people call them: ``snakescope membranes STEP``."""

from collections.abc import Mapping

from snakescope.membranes.cross_validation.settings import (
    FoldSettings,
    FoldsTableSettings,
    LearningCurveSettings,
    LearningCurveTableSettings,
)
from snakescope.membranes.features.settings import FeaturesSettings
from snakescope.membranes.prediction.settings import AssembleSettings, PredictSettings
from snakescope.membranes.report.settings import PageSettings, PicturesSettings
from snakescope.membranes.scores.settings import EvaluateSettings
from snakescope.membranes.search.settings import (
    PaperSettings,
    SearchPageSettings,
    SearchSettings,
    TrialSettings,
)
from snakescope.membranes.simulation.settings import SimulateSettings
from snakescope.membranes.training.settings import TrainSettings
from snakescope.tree.steps import Step

STEPS: Mapping[str, Step] = {
    "simulate": Step("snakescope.membranes.simulation.simulate", SimulateSettings),
    "train": Step("snakescope.membranes.training.train", TrainSettings),
    "predict": Step("snakescope.membranes.prediction.predict", PredictSettings),
    "assemble": Step("snakescope.membranes.prediction.assemble", AssembleSettings),
    "evaluate": Step("snakescope.membranes.scores.evaluate", EvaluateSettings),
    "pictures": Step("snakescope.membranes.report.pictures", PicturesSettings),
    "page": Step("snakescope.membranes.report.page", PageSettings),
    "features": Step("snakescope.membranes.features.maps", FeaturesSettings),
    "fold": Step("snakescope.membranes.cross_validation.fold", FoldSettings),
    "folds": Step("snakescope.membranes.cross_validation.folds", FoldsTableSettings),
    "learning_point": Step(
        "snakescope.membranes.cross_validation.learning_point", LearningCurveSettings
    ),
    "learning_curve": Step(
        "snakescope.membranes.cross_validation.learning_curve", LearningCurveTableSettings
    ),
    "trial": Step("snakescope.membranes.search.trial", TrialSettings),
    "select": Step("snakescope.membranes.search.select", SearchSettings),
    "search": Step("snakescope.membranes.search.page", SearchPageSettings),
    "paper": Step("snakescope.membranes.search.paper", PaperSettings),
}
