"""The settings of the healthspan tree, one section a step."""

import warnings

from pydantic import Field

from snakescope.healthspan.detection.settings import DetectSettings, TileSettings
from snakescope.healthspan.evaluation.settings import EvaluateSettings
from snakescope.healthspan.plates.settings import IngestSettings
from snakescope.healthspan.registration.settings import RegisterSettings
from snakescope.healthspan.report.settings import ContactSheetSettings, QualitySettings
from snakescope.healthspan.simulation.settings import SimulateSettings
from snakescope.healthspan.states.settings import ClassifySettings, CompositeSettings
from snakescope.healthspan.survival.settings import CurvesSettings, ExperimentSettings
from snakescope.healthspan.tracking.settings import TrackSettings
from snakescope.healthspan.training.settings import TrainClassifierSettings, TrainDetectorSettings
from snakescope.settings.strict import Settings

# The section is called as its step is; pydantic warns of ABCMeta.register, which nobody calls.
warnings.filterwarnings("ignore", 'Field name "register" in "HealthspanSettings"')


class HealthspanSettings(Settings):
    """From raw plates to survival and healthspan curves."""

    sheet: str = Field(
        "config/plates.tsv", min_length=1, description="path of the sample sheet, one row a plate"
    )
    timepoints_per_block: int = Field(
        10, ge=1, le=1000, description="consecutive timepoints of a plate that one job works on"
    )
    keep_tiles: bool = Field(
        False, description="keep the tiles after the worms in them have been found"
    )
    keep_registered: bool = Field(
        True,
        description="keep the registered frames, the bulk of a plate's results, after its pictures"
        " are made; without them all frames are registered, and searched for worms, again after a"
        " new timepoint",
    )
    ingest: IngestSettings = Field(
        IngestSettings(), description="raw folders to frames, and what may be missing"
    )
    register: RegisterSettings = Field(
        RegisterSettings(), description="frames brought onto the plate's reference frame"
    )
    tile: TileSettings = Field(TileSettings(), description="registered frames cut into tiles")
    detect: DetectSettings = Field(
        DetectSettings(),
        description="worms found in the tiles, as instance masks in plate coordinates",
    )
    composite: CompositeSettings = Field(
        CompositeSettings(),
        description="the masks before, at and after a timepoint as one picture a worm",
    )
    classify: ClassifySettings = Field(
        ClassifySettings(), description="healthy, immobile or dead, with probabilities"
    )
    track: TrackSettings = Field(
        TrackSettings(),
        description="stopped worms followed through time, to the ends of healthspan and of life",
    )
    curves: CurvesSettings = Field(
        CurvesSettings(), description="survival and healthspan of a plate"
    )
    contact_sheet: ContactSheetSettings = Field(
        ContactSheetSettings(), description="every individual at every timepoint, as pictures"
    )
    experiment: ExperimentSettings = Field(
        ExperimentSettings(), description="conditions compared, and tables for other programs"
    )
    quality: QualitySettings = Field(
        QualitySettings(), description="warnings of a plate, and the pictures that show why"
    )
    simulate: SimulateSettings = Field(
        SimulateSettings(), description="simulated plates with known truth"
    )
    train_detector: TrainDetectorSettings = Field(
        TrainDetectorSettings(), description="training of the detector on simulated plates"
    )
    train_classifier: TrainClassifierSettings = Field(
        TrainClassifierSettings(),
        description="training of the state classifier on simulated plates",
    )
    evaluate: EvaluateSettings = Field(
        EvaluateSettings(), description="measured against simulated and real truth"
    )
