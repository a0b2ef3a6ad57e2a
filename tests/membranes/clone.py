"""A clone of the workflow with tiny stacks."""

from pathlib import Path

import numpy as np
import tifffile

from tests.harness import STUB, Clone

ROWS = (
    "stack\timage\tvoxel_nm\tlabels\ttrain\ttune\ttest\n"
    "a\traw/a\t50 4 4\tlabels.tif\t0-3\t4,5\t6-7\nb\tb.tif\t50 4 4\n"
)
CONFIG = "membranes: {prediction: {sections_per_block: 2}}\n"


class Stacks(Clone):
    """A clone with a stack of eight sections with labels, and one without."""

    tree, first, last = "membranes", "predict", "pictures"

    def make(self, stub: Path = STUB) -> None:
        super().make(stub)
        self.sheet_file("config.yaml", CONFIG)

    def subjects(self) -> None:
        self.sheet_file("stacks.tsv", ROWS)
        for z in range(8):
            self.section(z, z)
        labels = np.zeros((8, 32, 32), np.uint8)
        labels[:, ::8] = 1
        tifffile.imwrite(self.root / "labels.tif", labels)
        tifffile.imwrite(self.root / "b.tif", np.eye(32, dtype=np.uint8)[None].repeat(4, 0))

    def unusable(self) -> str:
        """A stack of which there is no file."""
        self.sheet_file("stacks.tsv", ROWS + "absent\tabsent.tif\t50 4 4\n")
        return "absent"

    def section(self, z: int, value: int) -> None:
        path = self.root / f"raw/a/s{z}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(path, value + np.eye(32, dtype=np.uint8))


EXAMPLE = Stacks
