"""Settings of the results: grades of all clips, dishes in order, overlays."""

from typing import ClassVar, Literal

from pydantic import Field

from snakescope.settings.strict import Settings


class GradeSettings(Settings):
    """Grades of all clips of a video, by networks that are trained already."""

    version: ClassVar[int] = 2
    unrecorded: ClassVar[frozenset[str]] = frozenset({"device", "threads"})

    weights: str = Field(
        "",
        description="weights of the network that grades clips; empty: the first network of the"
        " cross-validation where there are graded clips, else none, and clips have no grades",
    )
    device: Literal["auto", "cpu", "cuda"] = Field("cpu", description="where to grade")
    threads: int = Field(1, ge=1, description="threads of a CPU (count)")


class DishSettings(Settings):
    """The sperm of a dish in order, with what is not graded and why."""

    version: ClassVar[int] = 2

    least_frames: int = Field(
        14, ge=8, le=16, description="frames of 16 below which a clip is not graded (count)"
    )
    doubt: float = Field(
        1.0,
        gt=0,
        le=1,
        description="clips whose distribution is more even than this are not graded: entropy as"
        " a share of the greatest one (ratio); 1 grades all",
    )
    draws: int = Field(4000, ge=100, description="draws of the probability to be best (count)")
    seed: int = Field(1, ge=0, description="seed of the draws")
    gallery: int = Field(60, ge=1, description="most sperm in the picture of a dish (count)")
    frames: int = Field(8, ge=1, le=16, description="frames of a clip in the gallery (count)")


class OverlaySettings(Settings):
    """A video with the tracks of its sperm, their numbers and grades."""

    version: ClassVar[int] = 2

    seconds: float = Field(20.0, gt=0, description="longest overlay (s)")
    width_px: int = Field(
        1280, ge=320, le=3840, description="least width, by enlarging the video (px)"
    )
    trail_s: float = Field(0.5, ge=0, description="path that is drawn behind a head (s)")


class TableSettings(Settings):
    """Of the table of all clips."""

    version: ClassVar[int] = 1


class ExplainSettings(Settings):
    """Of the pictures of where a network looks."""

    version: ClassVar[int] = 3


class ResultsSettings(Settings):
    """What becomes of clips: grades, the order in a dish, pictures."""

    grading: GradeSettings = Field(GradeSettings(), description="grades of all clips")
    dishes: DishSettings = Field(DishSettings(), description="the sperm of a dish in order")
    overlay: OverlaySettings = Field(OverlaySettings(), description="videos with marked sperm")
