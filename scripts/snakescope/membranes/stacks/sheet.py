"""The sample sheet of stacks: one row a stack. Imports nothing heavy."""

import re
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from snakescope.membranes.stacks.manifest import PARTS, Crop
from snakescope.settings.sheet import Name, PathCell, Row, VoxelCell

RANGE = re.compile(r"(\d+)(?:-(\d+))?")
CROP = re.compile(r"(\d+):(\d+)[, ]+(\d+):(\d+)")
Sections = tuple[int, ...]
MOST_SECTIONS = 1_000_000


def _sections(cell: Any) -> Any:
    """``0-20, 25`` as section numbers, from 0; the last of a range is included."""
    if not isinstance(cell, str):
        return cell
    found: list[int] = []
    for part in filter(None, re.split(r"[,;\s]+", cell)):
        match = RANGE.fullmatch(part)
        if match is None or (match[2] and int(match[2]) < int(match[1])):
            raise PydanticCustomError(
                "sections",
                "numbers of sections, from 0, such as 0-20, 25 (the last one included)",
                {"remedy": "write first-last, several parted by commas"},
            )
        if int(match[2] or match[1]) > MOST_SECTIONS:
            raise PydanticCustomError(
                "sections",
                f"numbers of sections up to {MOST_SECTIONS}",
                {"remedy": "write the last section of the stack"},
            )
        found += range(int(match[1]), int(match[2] or match[1]) + 1)
    return tuple(sorted(set(found)))


def _crop(cell: Any) -> Any:
    """``738:1250, 920:1432``: first row and the one after the last, the same of columns."""
    if not isinstance(cell, str):
        return cell
    match = CROP.fullmatch(cell)
    sides = tuple(map(int, match.groups())) if match else (0, 0, 0, 0)
    if not (sides[0] < sides[1] and sides[2] < sides[3]):
        raise PydanticCustomError(
            "crop",
            "rows and columns (px), such as 738:1250, 920:1432 (the last ones excluded)",
            {"remedy": "write top:bottom, left:right, or leave it empty"},
        )
    return sides


def _positive(cell: Any) -> Any:
    if isinstance(cell, str) and cell not in ("", "nonzero"):
        values = cell.replace(",", " ").split()
        if not all(re.fullmatch(r"-?\d+", value) for value in values):
            raise PydanticCustomError(
                "positive",
                "the labels of membranes: whole numbers such as 0 or 1 2, or nonzero",
                {"remedy": "correct the cell, or leave it empty"},
            )
        return " ".join(values)
    return cell


Numbers = Annotated[Sections, BeforeValidator(_sections)]


class Stack(Row):
    """A stack of sections, and what is known of its membranes."""

    # fmt: off
    taken: ClassVar[frozenset[str]] = frozenset((
        # Of scores.tsv.
        "network", "metric", "value", "low", "high", "n", "threshold", "section",
    ))
    # fmt: on
    reserved: ClassVar[tuple[str, ...]] = (
        "models",
        "trainings",
        "search",
        "paper",
        "failures.tsv",
        "configuration.yaml",
    )  # fmt: skip

    name: Name = Field(
        alias="stack",
        description="name of the stack, once in the sheet; names its folder of results",
    )
    image: PathCell = Field(
        description="TIFF stack, folder of sections, HDF5 (`file.h5` or `file.h5:/dataset`) or"
        " OME-Zarr"
    )
    voxel_nm: VoxelCell = Field(
        description="size of a voxel along z, y and x (nm), such as `50 4 4`"
    )
    labels: PathCell = Field(
        "", description="labels of membranes, in any of those forms and of the image's shape"
    )
    positive: Annotated[str, BeforeValidator(_positive)] = Field(
        "",
        description="which labels are membrane: values such as `0` or `1 2`, or `nonzero`; empty:"
        " nonzero, if there are two values and nonzero is the rarer one",
    )
    crop: Annotated[Crop | None, BeforeValidator(_crop)] = Field(
        None, description="part of every section, rows and columns, such as `738:1250, 920:1432`"
    )
    set: Literal["", "train", "tune", "test"] = Field(
        "",
        description="what all labelled sections are for, in place of the three columns below;"
        " without any of the four, test",
    )
    train: Numbers = Field((), description="sections to train with, from 0, such as `0-20, 25`")
    tune: Numbers = Field((), description="sections to choose thresholds and kernels with")
    test: Numbers = Field((), description="sections to score")

    @model_validator(mode="after")
    def _sections_for_one_purpose(self) -> Self:
        named = [part for part in PARTS if getattr(self, part)]
        if named and self.set:
            raise PydanticCustomError(
                "set",
                "the column set or sections in {named}, found both; empty one of them",
                {"named": ", ".join(named)},
            )
        if (named or self.set) and not self.labels:
            raise PydanticCustomError(
                "labels",
                "labels for the sections in {named}, found an empty cell; name them",
                {"named": ", ".join(named) or "set"},
            )
        for place, one in enumerate(named):
            for other in named[place + 1 :]:
                if common := sorted({*getattr(self, one)} & {*getattr(self, other)}):
                    raise PydanticCustomError(
                        "overlap",
                        "each section in one of train, tune and test, found {section} in {one}"
                        " and in {other}; keep it in one",
                        {"section": common[0], "one": one, "other": other},
                    )
        return self

    def parts(self, depth: int) -> dict[str, Sections]:
        """Sections of each purpose in a stack of so many."""
        found = {part: tuple(getattr(self, part)) for part in PARTS}
        if self.labels and not any(found.values()):
            found[self.set or "test"] = tuple(range(depth))
        return found
