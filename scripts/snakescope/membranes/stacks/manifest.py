"""What the main process found of a stack, for jobs: files, crop, and which sections are for what.

Free of numpy.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from snakescope.imaging.volumes import Source
from snakescope.step.output import write_if_changed

PARTS = ("train", "tune", "test")
FILE = "stack.json"
Crop = tuple[int, int, int, int]
"""First row, row after the last, first column, column after the last (px)."""


@dataclass(frozen=True)
class Manifest:
    """A stack of the sample sheet.

    Attributes:
        name: of the stack.
        image, labels: on disk; labels are None where there are none.
        positive: which labels are membrane, as the sheet says.
        crop: of both, or None.
        voxel_nm: size of a voxel along z, y, x.
        parts: section numbers to train with, to tune thresholds with, and to test with.
    """

    name: str
    image: Source
    labels: Source | None
    positive: str
    crop: Crop | None
    voxel_nm: tuple[float, float, float]
    parts: Mapping[str, tuple[int, ...]]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Sections, rows and columns within the crop."""
        depth, height, width = self.image.shape
        if self.crop is None:
            return depth, height, width
        top, bottom, left, right = self.crop
        return depth, bottom - top, right - left


STORED = TypeAdapter(Manifest)


def write_manifest(folder: str | Path, manifest: Manifest) -> None:
    """Write what was found of a stack."""
    write_if_changed(Path(folder, FILE), json.dumps(asdict(manifest), indent=1) + "\n")


def read_manifest(path: str | Path) -> Manifest:
    """Read what the main process found of a stack."""
    return STORED.validate_json(Path(path).read_bytes())
