"""The sample sheets: videos, and clips of them that persons have graded."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from snakescope.settings.sheet import Name, NameOrEmpty, PathCell, Reason, Row
from snakescope.tree.trained import FOLDER

FILES = "clip_files"
"""Stands for the video of clips that are files of their own."""
GRADES = ("A", "B", "C", "D", "E")


class Video(Row):
    """A video of sperm: a field of many, or one after another."""

    reserved: ClassVar[tuple[str, ...]] = (FOLDER, FILES, "dishes", "models")
    taken: ClassVar[frozenset[str]] = frozenset({"clip", "grade", "rank", "flags"})

    name: Name = Field(alias="video", description="name of the video")
    path: PathCell = Field(
        min_length=1, description="AVI, MP4, MOV, TIFF stack, npy, or folder of frames"
    )
    donor: Name = Field(description="who gave the sample: all clips of a donor stay in one fold")
    dish: NameOrEmpty = Field("", description="dish in which sperm are ranked; empty: the video")
    um_per_px: float | None = Field(
        None, ge=0.005, le=50, description="pixel size (um); without it there are no speeds"
    )
    fps: float | None = Field(
        None, gt=0, le=2000,
        description="frames per second, where the file has none or wrong ones",
    )  # fmt: skip
    device: str = Field("", description="microscope and camera, held against the grades")
    exclusion: Reason = Field("", description="reason to leave the video out")


class Clip(Row):
    """A second of a video with one sperm, and the votes on it."""

    name: Name = Field(alias="clip", description="name of the clip")
    video: str = Field("", description="video of the other sheet that it is cut from")
    file: PathCell = Field("", description="or a file of its own, of one second")
    start_s: float = Field(0.0, ge=0, description="start in the video (s)")
    x_px: float | None = Field(None, ge=0, description="column of the head (px); empty: the middle")
    y_px: float | None = Field(None, ge=0, description="row of the head (px); empty: the middle")
    donor: str = Field("", description="donor, of a file of its own")
    dish: NameOrEmpty = Field("", description="dish, of a file of its own")
    um_per_px: float | None = Field(None, ge=0.005, le=50, description="pixel size of a file (um)")
    fps: float | None = Field(None, gt=0, le=2000, description="frames per second of a file")
    A: int = Field(0, ge=0, le=9999, description="votes for grade A, the best")
    B: int = Field(0, ge=0, le=9999, description="votes for grade B")
    C: int = Field(0, ge=0, le=9999, description="votes for grade C")
    D: int = Field(0, ge=0, le=9999, description="votes for grade D")
    E: int = Field(0, ge=0, le=9999, description="votes for grade E")

    @model_validator(mode="before")
    @classmethod
    def _has_votes(cls, cells: Mapping[str, object]) -> Mapping[str, object]:
        given = [str(cells[grade]) for grade in GRADES if cells.get(grade, "") != ""]
        if given and all(one.strip("0.") == "" for one in given):
            raise PydanticCustomError(
                "votes", "expected at least one vote, found votes that sum to 0; leave the cells of"
                " a clip empty that no one graded"
            )  # fmt: skip
        return cells

    @model_validator(mode="after")
    def _has_one_source(self) -> "Clip":
        if bool(self.video) == bool(self.file):
            raise PydanticCustomError(
                "source", "either a video of the sheet or a file, found {found}",
                {"found": "both" if self.video else "neither"},
            )  # fmt: skip
        if self.file and not self.donor:
            raise PydanticCustomError("donor", "a donor of a clip that is a file, found none")
        return self

    @property
    def votes(self) -> tuple[int, ...]:
        """From A to E; all 0 where no one graded it."""
        return tuple(getattr(self, grade) for grade in GRADES)
