"""The sample sheet of scans."""

import re
from typing import ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from snakescope.settings.sheet import Name, PathCell, Row

WINDOW = re.compile(r"\s*(-?\d+(?:\.\d+)?)[\s/]+(\d+(?:\.\d+)?)\s*")

REFUSED = ("scan", "reason", "set", "stage")
"""Columns of tables of scans that cannot be used."""


class Scan(Row):
    """A B-mode image, or one frame of a cine clip."""

    reserved: ClassVar[tuple[str, ...]] = (
        "cross_validation", "ingest", "report", "paper", "ensemble", "export", "by_image",
    )  # fmt: skip
    taken: ClassVar[frozenset[str]] = frozenset(
        {"item", "group", "class", "path", "fold", "model", "truth", "cluster"}
    )

    name: Name = Field(alias="scan", description="name of the scan; no patient's name")
    patient: str = Field(
        "",
        description="whom it shows: scans of one patient stay in one fold; replaced by a pseudonym"
        " in all results",
    )
    image: PathCell = Field(
        description="path of the image: DICOM, PNG, JPEG, TIFF, or a cine clip (DICOM, MP4, AVI)"
    )
    mask: PathCell = Field(
        "", description="path of the liver's outline: an image of the same size, 0 outside"
    )
    stage: Literal["F0", "F1", "F2", "F3", "F4", ""] = Field(
        "", description="stage of fibrosis by biopsy; empty: a scan to predict"
    )
    device: str = Field("", description="scanner and probe, as users call them; shares a sector")
    set: Literal["train", "external", "new"] = Field(
        "train",
        description="train: cross-validated; external: scored by the ensemble; new: predicted",
    )
    date: str = Field("", description="of the biopsy or scan; tells two stages of a patient apart")
    frame: int = Field(0, ge=0, description="frame of a cine clip, from 0")
    window: str = Field("", description="centre and width of grey values of more than 8 bits")

    @field_validator("window")
    @classmethod
    def _two_numbers(cls, text: str) -> str:
        if text and not ((match := WINDOW.fullmatch(text)) and float(match[2]) > 0):
            raise PydanticCustomError(
                "window",
                "centre and width, two numbers, the width above 0",
                {"remedy": "write for example 1024 2048"},
            )
        return text

    @property
    def is_other(self) -> bool:
        """Whether nothing is learnt from it: a new or external scan, or one without a stage."""
        return self.set != "train" or not self.stage

    @property
    def window_numbers(self) -> tuple[float, float] | None:
        """Centre and width, where they are given."""
        match = WINDOW.fullmatch(self.window) if self.window else None
        return (float(match[1]), float(match[2])) if match else None
