"""The steps of the sperm tree, as rules and people call them: ``snakescope sperm STEP``."""

from collections.abc import Mapping

from snakescope.sperm.scores.settings import GradeScoreSettings
from snakescope.sperm.simulation.settings import SimulateSettings
from snakescope.sperm.training.settings import FitSettings
from snakescope.sperm.videos.settings import CutSettings
from snakescope.tree.steps import Step
from snakescope.tree.trained import STEPS as OF_TRAINED

STEPS: Mapping[str, Step] = {
    **OF_TRAINED,
    "simulate": Step("snakescope.sperm.simulation.simulate", SimulateSettings),
    "cut": Step("snakescope.sperm.clips.cut", CutSettings),
    "fit": Step("snakescope.sperm.training.fit", FitSettings),
    "predict": Step("snakescope.sperm.training.predict", FitSettings),
    "scores": Step("snakescope.sperm.scores.scores", GradeScoreSettings),
}
