"""The stack of ISBI 2012, whose labels are 0 on membranes; it may be used for research only."""

from collections.abc import Mapping
from pathlib import Path

from snakescope.imaging.volumes import describe
from snakescope.membranes.stacks.manifest import Manifest

FOLDER = "neurites/isbi2012"
VOXEL_NM = (50.0, 4.0, 4.0)


def isbi2012(data: Path, parts: Mapping[str, tuple[int, ...]]) -> Manifest:
    """The labelled sections, divided into ``parts``."""
    folder = data / FOLDER
    return Manifest(
        name="isbi2012",
        image=describe(str(folder / "train-volume.tif")),
        labels=describe(str(folder / "train-labels.tif")),
        positive="0",
        crop=None,
        voxel_nm=VOXEL_NM,
        parts=parts,
    )
