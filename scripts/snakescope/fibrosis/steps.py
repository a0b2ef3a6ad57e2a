"""The steps of the fibrosis tree, as rules and people call them: ``snakescope fibrosis STEP``."""

from collections.abc import Mapping

from snakescope.fibrosis.paper.settings import PaperSettings
from snakescope.fibrosis.prediction.settings import EnsembleSettings, ExportSettings
from snakescope.fibrosis.results.settings import ResultsSettings
from snakescope.fibrosis.scans.settings import CompleteSettings, IngestSettings
from snakescope.fibrosis.simulation.settings import SimulateSettings
from snakescope.fibrosis.training.settings import FitSettings
from snakescope.tree.steps import Step
from snakescope.tree.trained import STEPS as SHARED

STEPS: Mapping[str, Step] = {
    **SHARED,
    "simulate": Step("snakescope.fibrosis.simulation.simulate", SimulateSettings),
    "ingest": Step("snakescope.fibrosis.scans.ingest", IngestSettings),
    "complete": Step("snakescope.fibrosis.scans.complete", CompleteSettings),
    "fit": Step("snakescope.fibrosis.training.fit", FitSettings),
    "predict": Step("snakescope.fibrosis.prediction.predict", FitSettings),
    "ensemble": Step("snakescope.fibrosis.prediction.ensemble", EnsembleSettings),
    "export": Step("snakescope.fibrosis.prediction.export", ExportSettings),
    "paper": Step("snakescope.fibrosis.paper.paper", PaperSettings),
    "results": Step("snakescope.fibrosis.results.results", ResultsSettings),
}
