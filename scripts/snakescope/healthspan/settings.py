"""The settings of the healthspan tree: general ones, and a section a stage."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, model_validator

from snakescope.healthspan.detection.settings import DetectionSettings
from snakescope.healthspan.evaluation.settings import EvaluateSettings
from snakescope.healthspan.fine_tuning.settings import FineTuningSettings
from snakescope.healthspan.paper.settings import PaperSettings
from snakescope.healthspan.plates.settings import IngestSettings
from snakescope.healthspan.registration.settings import RegisterSettings
from snakescope.healthspan.report.settings import ReportSettings
from snakescope.healthspan.review.settings import ReviewSettings
from snakescope.healthspan.simulation.settings import SimulateSettings
from snakescope.healthspan.states.settings import StatesSettings
from snakescope.healthspan.survival.settings import SurvivalSettings
from snakescope.healthspan.tracking.settings import TrackSettings
from snakescope.healthspan.training.settings import TrainingSettings
from snakescope.settings.strict import Settings


class HealthspanSettings(Settings):
    """From raw plates to survival and healthspan curves."""

    old_keys: ClassVar[Mapping[str, str]] = {
        "plates": "sheet",
        "leave_out_failed": "",
        "ingest": "plates",
        "register": "registration",
        "tile": "detection.tile",
        "detect": "detection.detect",
        "composite": "states.composite",
        "classify": "states.classify",
        "track": "tracking",
        "curves": "survival.curves",
        "experiment": "survival.experiment",
        "contact_sheet": "report.contact_sheet",
        "quality": "report.quality",
        "simulate": "simulation",
        "train_detector": "training.detector",
        "train_classifier": "training.classifier",
        "evaluate": "evaluation",
        "register.min_mark_likeness": "registration.min_template_score",
        "detect.greatest_overlap": "detection.detect.max_overlap",
        "detect.least_length_um": "detection.detect.min_length_um",
        "detect.least_slenderness": "detection.detect.min_slenderness",
        "detect.least_contrast": "detection.detect.min_contrast",
        "detect.least_relative_contrast": "detection.detect.min_relative_contrast",
        "detect.least_relative_area": "detection.detect.min_relative_area",
        "detect.greatest_relative_area": "detection.detect.max_relative_area",
        "detect.least_relative_width": "detection.detect.min_relative_width",
        "detect.greatest_relative_width": "detection.detect.max_relative_width",
        "detect.tiles_per_batch": "",
        "detection.detect.tiles_per_batch": "",
        "contact_sheet.largest_cell_px": "report.contact_sheet.max_cell_px",
        "contact_sheet.smallest_cell_px": "report.contact_sheet.min_cell_px",
        "quality.low_score": "report.quality.min_score",
        "quality.low_agreement": "report.quality.min_agreement",
        "quality.large_shift_px": "report.quality.max_shift_px",
        "quality.large_rotation_deg": "report.quality.max_rotation_deg",
        "quality.count_drop_fraction": "report.quality.max_count_drop_fraction",
        "quality.count_drop_from": "report.quality.min_worms_for_drop",
        "quality.unknown_fraction": "report.quality.max_unknown_fraction",
        "quality.low_confidence": "report.quality.min_confidence",
        "quality.worms_off_fraction": "report.quality.max_worms_off_fraction",
        "quality.lost_fraction": "report.quality.max_lost_fraction",
        "quality.dropped_fraction": "report.quality.max_dropped_fraction",
        "train_detector.averaging": "training.detector.ema_decay",
        "evaluate.fewest_worms": "evaluation.min_worms",
        "evaluate.most_worms": "evaluation.max_worms",
    }

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
    plates: IngestSettings = Field(
        IngestSettings(), description="raw folders to frames, and what may be missing"
    )
    registration: RegisterSettings = Field(
        RegisterSettings(), description="frames brought onto the plate's reference frame"
    )
    detection: DetectionSettings = Field(
        DetectionSettings(), description="worms found in the registered frames"
    )
    states: StatesSettings = Field(
        StatesSettings(), description="each worm at each timepoint: healthy, immobile or dead"
    )
    tracking: TrackSettings = Field(
        TrackSettings(),
        description="stopped worms followed through time, to the ends of healthspan and of life",
    )
    review: ReviewSettings = Field(
        ReviewSettings(), description="what people correct, and the page on which they do"
    )
    survival: SurvivalSettings = Field(
        SurvivalSettings(), description="curves of plates, and the comparison of conditions"
    )
    report: ReportSettings = Field(
        ReportSettings(), description="contact sheets, and the quality of plates"
    )
    simulation: SimulateSettings = Field(
        SimulateSettings(), description="simulated plates with known truth"
    )
    training: TrainingSettings = Field(
        TrainingSettings(), description="training of the models on simulated plates"
    )
    fine_tuning: FineTuningSettings = Field(
        FineTuningSettings(), description="the detector trained further on images of one's own"
    )
    evaluation: EvaluateSettings = Field(
        EvaluateSettings(), description="measured against simulated and real truth"
    )

    paper: PaperSettings = Field(
        PaperSettings(), description="the paper's tables and figures, measured again"
    )

    @model_validator(mode="after")
    def _one_pixel_size_of_models(self) -> "HealthspanSettings":
        tiles, states = self.detection.tile, self.states.evidence
        if states.grey_values and tiles.model_pixel_size_um != states.model_pixel_size_um:
            raise ValueError(
                f"states.evidence.model_pixel_size_um of {tiles.model_pixel_size_um:g} um, as"
                f" detection.tile has it (found {states.model_pixel_size_um:g}): masks and grey"
                " values lie on one grid"
            )
        return self
