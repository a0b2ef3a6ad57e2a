"""The settings of the sperm tree: general ones, and a section a stage."""

from pydantic import Field

from snakescope.learning.settings import AuditSettings, TrainedSettings
from snakescope.sperm.detection.settings import DetectSettings, TrainHeadsSettings
from snakescope.sperm.networks.catalogue import Network
from snakescope.sperm.results.settings import ResultsSettings
from snakescope.sperm.scores.settings import GradeScoreSettings
from snakescope.sperm.simulation.settings import SimulateSettings
from snakescope.sperm.tracking.settings import TrackSettings
from snakescope.sperm.training.settings import FitSettings, TrainGraderSettings
from snakescope.sperm.videos.settings import CutSettings

SEVERAL_GRADES = "clips of one donor have several grades: the folds keep the donor whole"
ONE_DISH = "sperm of one dish are taken with one camera, and look alike from clip to clip"


class SpermSettings(TrainedSettings):
    """Videos of sperm to a distribution over grades, compared, explained, ranked."""

    sheet: str = Field(
        "config/videos.tsv",
        min_length=1,
        description="path of the sample sheet, one row a video; without a row, nothing is done",
    )
    clips_sheet: str = Field(
        "config/clips.tsv",
        min_length=1,
        description="path of the sheet of clips and votes, which need not exist",
    )
    models: tuple[Network, ...] = Field(  # type: ignore[assignment]
        ("ours", "timesformer", "slowfast", "vgg16"),
        description="networks to compare, the first against the rest",
    )
    audit: AuditSettings = Field(
        AuditSettings(
            accept={"group_in_classes": SEVERAL_GRADES, "similar_across_classes": ONE_DISH}
        ),
        description="faults of the training clips that a score would hide",
    )
    scores: GradeScoreSettings = Field(
        GradeScoreSettings(), description="scores of the cross-validation"
    )
    detection: DetectSettings = Field(
        DetectSettings(), description="heads of sperm in videos of a whole field"
    )
    head_training: TrainHeadsSettings = Field(
        TrainHeadsSettings(), description="training of the network that finds heads"
    )
    tracking: TrackSettings = Field(
        TrackSettings(), description="heads linked to tracks, and the seconds that become clips"
    )
    clips: CutSettings = Field(CutSettings(), description="clips cut out of videos")
    training: FitSettings = Field(FitSettings(), description="training of the networks")
    grader_training: TrainGraderSettings = Field(
        TrainGraderSettings(), description="training of a network that grades, on simulated dishes"
    )
    results: ResultsSettings = Field(
        ResultsSettings(), description="grades, dishes in order, and pictures of them"
    )
    simulation: SimulateSettings = Field(
        SimulateSettings(), description="simulated videos with known truth"
    )
