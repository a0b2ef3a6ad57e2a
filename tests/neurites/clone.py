"""A clone of the workflow with tiny volumes."""

from pathlib import Path

import numpy as np
import tifffile

from tests.harness import STUB, Clone

ROWS = "volume\timage\tvoxel_nm\tlabels\na\traw/a\t30 6 6\tlabels.tif\nb\tb.tif\t30 6 6\n"
CONFIG = """
neurites:
  block: [4, 16, 16]
  volumes: {ingest: {sections_per_slab: 2}}
  prediction: {patch_zyx: [2, 16, 16], overlap: 0}
"""


class Volumes(Clone):
    """A clone with a volume of eight sections with labels, and one without."""

    tree, first, last = "neurites", "ingest", "pictures"

    def make(self, stub: Path = STUB) -> None:
        super().make(stub)
        self.config(CONFIG)

    def subjects(self) -> None:
        self.sheet_file("volumes.tsv", ROWS)
        for z in range(8):
            self.section(z, z)
        two = np.repeat(np.uint16([1, 2]), 8)
        tifffile.imwrite(self.root / "labels.tif", np.broadcast_to(two, (8, 16, 16)).copy())
        tifffile.imwrite(self.root / "b.tif", np.eye(16, dtype=np.uint8)[None].repeat(4, 0))

    def unusable(self) -> str:
        """A volume of which there is no file."""
        self.sheet_file("volumes.tsv", ROWS + "absent\tabsent.tif\t30 6 6\n")
        return "absent"

    def section(self, z: int, value: int) -> None:
        path = self.root / f"raw/a/s{z}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(path, value + np.eye(16, dtype=np.uint8))

    def config(self, text: str) -> None:
        self.sheet_file("config.yaml", text)


EXAMPLE = Volumes
