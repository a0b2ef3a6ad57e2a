"""The sheet of annotated images: one row an image, or a folder of images with one COCO file.

Read while a run is planned, so it imports nothing heavy.
"""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from snakescope.settings.sheet import Name, PathCell, Reason, Row

Part = Literal["train", "held_out"]


class AnnotatedImage(Row):
    """An annotated image: where it is, where its masks are, and what plate or well it shows."""

    taken: ClassVar[frozenset[str]] = frozenset(("part", "worms", "ignored", "width", "height"))

    name: Name = Field(
        alias="image",
        description="name of the image, once in the sheet: letters, digits, `_`, `.` and `-`",
    )
    bright_field: PathCell = Field(
        "",
        description="file of the image in transmitted light, worms darker than the ground (TIFF,"
        " PNG, JPEG); with a COCO file in `masks`, the folder of its images",
    )
    dark_field: PathCell = Field(
        "",
        description="file of the image in dark field or fluorescence, worms brighter than the"
        " ground; with `bright_field`, the same view",
    )
    masks: PathCell = Field(
        description="masks of its worms: a label image (TIFF or PNG, one number a worm; a TIFF of"
        " several layers where worms overlap, as of napari), a folder"
        " of images with one mask each, a pattern of such files (`masks/A04_*.png`), or a COCO"
        " file (`.json`, polygons or run lengths), or objects of QuPath (`.geojson`)",
    )
    group: str = Field(
        min_length=1,
        description="plate or well that the image shows; images of one group are either trained on"
        " or held out, never both",
    )
    pixel_size_um: float | None = Field(
        None,
        gt=0,
        description="pixel size of the image (um); empty takes `plates: pixel_size_um:` of the"
        " configuration",
    )
    set: Literal["", "train", "held_out"] = Field(
        "",
        description="`train` or `held_out`, the same for all images of a group; empty lets the"
        " seed decide",
    )
    licence: str = Field("", description="licence of the image, for the card of the weights")
    data: str = Field(
        "", description="what the image is from, for the card of the weights; as `plates of 2025`"
    )
    exclusion: Reason = Field("", description="why the image is left out; empty keeps it")

    @model_validator(mode="after")
    def _shows_something(self) -> "AnnotatedImage":
        if not (self.bright_field or self.dark_field):
            raise ValueError("a file in bright_field or in dark_field (found none)")
        return self

    @property
    def channels(self) -> dict[str, str]:
        """The files of the image by channel."""
        named = {"bright_field": self.bright_field, "dark_field": self.dark_field}
        return {channel: path for channel, path in named.items() if path}

    def mask_files(self) -> list[str]:
        """The files of its masks that are there, sorted."""
        path = Path(self.masks)
        if "*" in path.name:
            return sorted(str(one) for one in path.parent.glob(path.name) if one.is_file())
        if path.is_dir():
            return sorted(
                str(one) for one in path.iterdir() if one.is_file() and one.name[0] != "."
            )
        return [str(path)] if path.exists() else []

    def files(self) -> list[str]:
        """All files of the row that are there; of a folder of images with a COCO file, the latter.

        What is not there is told by the step that reads the row, and stops no other row.
        """
        images = [path for path in self.channels.values() if Path(path).is_file()]
        return [*images, *self.mask_files()]
