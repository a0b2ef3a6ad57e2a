"""The steps of the sperm tree, as rules and people call them: ``snakescope sperm STEP``."""

from collections.abc import Mapping

from snakescope.sperm.detection.settings import DetectSettings, TrainHeadsSettings
from snakescope.sperm.results.settings import (
    DishSettings,
    ExplainSettings,
    GradeSettings,
    OverlaySettings,
    TableSettings,
)
from snakescope.sperm.scores.settings import GradeScoreSettings
from snakescope.sperm.simulation.settings import SimulateSettings
from snakescope.sperm.tracking.settings import TrackSettings
from snakescope.sperm.training.settings import FitSettings, TrainGraderSettings
from snakescope.sperm.videos.settings import CutSettings
from snakescope.tree.steps import Step
from snakescope.tree.trained import STEPS as OF_TRAINED

STEPS: Mapping[str, Step] = {
    **OF_TRAINED,
    "simulate": Step("snakescope.sperm.simulation.simulate", SimulateSettings),
    "detect": Step("snakescope.sperm.detection.detect", DetectSettings),
    "track": Step("snakescope.sperm.tracking.track", TrackSettings),
    "train_heads": Step("snakescope.sperm.detection.train_heads", TrainHeadsSettings),
    "cut": Step("snakescope.sperm.clips.cut", CutSettings),
    "fit": Step("snakescope.sperm.training.fit", FitSettings),
    "predict": Step("snakescope.sperm.training.predict", FitSettings),
    "train_grader": Step("snakescope.sperm.results.train_grader", TrainGraderSettings),
    "grade": Step("snakescope.sperm.results.grade", GradeSettings),
    "dish": Step("snakescope.sperm.results.dish", DishSettings),
    "table": Step("snakescope.sperm.results.table", TableSettings),
    "overlay": Step("snakescope.sperm.results.overlay", OverlaySettings),
    "explain": Step("snakescope.sperm.explanation.explain", ExplainSettings),
    "scores": Step("snakescope.sperm.scores.scores", GradeScoreSettings),
}
