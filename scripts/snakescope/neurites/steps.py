"""The steps of the neurites tree, as rules and people call them: ``snakescope neurites STEP``."""

from collections.abc import Mapping

from snakescope.neurites.agglomeration.settings import (
    AgglomerateSettings,
    ExportSettings,
    ImageLevelsSettings,
    SegmentationSettings,
)
from snakescope.neurites.fragments.settings import FragmentsSettings, RegionGraphSettings
from snakescope.neurites.paper.settings import PaperPageSettings, PaperSettings
from snakescope.neurites.prediction.settings import BoundariesSettings, PredictSettings
from snakescope.neurites.report.settings import PicturesSettings
from snakescope.neurites.scores.settings import EvaluateSettings
from snakescope.neurites.simulation.settings import SimulateSettings
from snakescope.neurites.training.settings import TrainSettings
from snakescope.neurites.volumes.settings import FetchSettings, IngestSettings, UnpackSettings
from snakescope.tree.provenance import ProvenanceSettings
from snakescope.tree.steps import Step

STEPS: Mapping[str, Step] = {
    "ingest": Step("snakescope.neurites.volumes.ingest", IngestSettings),
    "fetch": Step("snakescope.neurites.volumes.fetch", FetchSettings),
    "unpack": Step("snakescope.neurites.volumes.unpack", UnpackSettings),
    "predict": Step("snakescope.neurites.prediction.predict", PredictSettings),
    "boundaries": Step("snakescope.neurites.prediction.boundaries", BoundariesSettings),
    "fragments": Step("snakescope.neurites.fragments.fragments", FragmentsSettings),
    "region_graph": Step("snakescope.neurites.fragments.region_graph", RegionGraphSettings),
    "agglomerate": Step("snakescope.neurites.agglomeration.agglomerate", AgglomerateSettings),
    "segmentation": Step("snakescope.neurites.agglomeration.segmentation", SegmentationSettings),
    "export": Step("snakescope.neurites.agglomeration.export", ExportSettings),
    "image_levels": Step("snakescope.neurites.agglomeration.image_levels", ImageLevelsSettings),
    "provenance": Step("snakescope.neurites.provenance", ProvenanceSettings),
    "evaluate": Step("snakescope.neurites.scores.evaluate", EvaluateSettings),
    "pictures": Step("snakescope.neurites.report.pictures", PicturesSettings),
    "simulate": Step("snakescope.neurites.simulation.simulate", SimulateSettings),
    "train": Step("snakescope.neurites.training.train", TrainSettings),
    "paper": Step("snakescope.neurites.paper.paper", PaperSettings),
    "paper_page": Step("snakescope.neurites.paper.page", PaperPageSettings),
}
