"""A clone of the workflow with tiny scans."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.harness import STUB, Clone

STAGES = ("F0", "F1", "F2", "F3", "F4", "F4")
HEADER = "scan\tpatient\timage\tmask\tstage\n"
ROWS = HEADER + "".join(
    f"s{at}\tp{at}\traw/s{at}.png\t\t{stage}\n" for at, stage in enumerate(STAGES)
)
CONFIG = "fibrosis: {models: [features, majority], splits: {folds: 2}}\n"


class Scans(Clone):
    """A clone with a scan of each of six patients."""

    tree, first, last = "fibrosis", "ingest", "results"

    def make(self, stub: Path = STUB) -> None:
        super().make(stub)
        self.sheet_file("config.yaml", CONFIG)

    def subjects(self) -> None:
        self.sheet_file("scans.tsv", ROWS)
        (self.root / "raw").mkdir(exist_ok=True)
        for at in range(len(STAGES)):
            grey = np.full((16, 16), 10 * at, np.uint8)
            Image.fromarray(grey).save(self.root / f"raw/s{at}.png")

    def unusable(self) -> str:
        """A scan of which there is no file."""
        self.sheet_file("scans.tsv", ROWS + "absent\tp9\traw/absent.png\t\tF0\n")
        return "absent"


EXAMPLE = Scans
