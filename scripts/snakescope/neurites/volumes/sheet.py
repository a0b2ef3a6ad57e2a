"""The sample sheet of volumes: one row a volume.

Read by every process that parses the Snakefile, so it imports nothing heavy.
"""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from snakescope.settings.sheet import Name, PathCell, Row, VoxelCell

TRAINED_ON = "labels of the set train"
"""Note next to scores on training labels, which do not measure a network trained on them."""


class Volume(Row):
    """A volume: its image, the size of its voxels and, where there are any, its true labels."""

    # fmt: off
    taken: ClassVar[frozenset[str]] = frozenset((
        # Of scores.tsv.
        "scoring", "threshold", "written", "arand", "precision", "recall", "voi",
        "voi_split", "voi_merge", "v_rand", "v_rand_split", "v_rand_merge", "v_info",
        "voxels", "segments", "objects",
    ))
    # fmt: on

    reserved: ClassVar[tuple[str, ...]] = ("models", "paper", "failures.tsv", "configuration.yaml")

    name: Name = Field(
        alias="volume",
        description="name of the volume, once in the sheet; names its folder of results",
    )
    image: PathCell = Field(
        description="TIFF stack, folder of sections, HDF5 (`file.h5` or `file.h5:/dataset`) or"
        " OME-Zarr"
    )
    voxel_nm: VoxelCell = Field(
        description="size of a voxel along z, y and x (nm), such as `30 6 6`"
    )
    labels: PathCell = Field(
        "",
        description="true labels, in any of those forms and of the image's shape; 0 is unlabelled",
    )
    boundaries: PathCell = Field(
        "",
        description="probabilities of boundaries (membranes), of any program, in any of those forms"
        " and of the image's shape: bytes or floats from 0 to 1; in the place of the network",
    )
    set: Literal["train", "validation", "test"] = Field(
        "test", description="what the labels are for"
    )

    @model_validator(mode="after")
    def _labels_to_train_with(self) -> Self:
        if self.set != "test" and not self.labels:
            raise PydanticCustomError(
                "labels",
                "expected labels of a volume to {set} with, found an empty cell; name them or set"
                " it to test",
                {"set": self.set},
            )
        return self
