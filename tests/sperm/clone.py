"""A clone of the workflow with tiny videos."""

from pathlib import Path

import numpy as np

from tests.harness import STUB, Clone

ROWS = "video\tpath\tdonor\tfps\na\ta.npy\td1\t16\nb\tb.npy\td2\t16\nc\tc.npy\td3\t16\n"
CLIPS = "clip\tvideo\tstart_s\tA\tB\tC\tD\tE\n" + "".join(
    f"{video}{second}\t{video}\t{second}\t1\t2\t3\t1\t0\n" for video in "abc" for second in (0, 1)
)
CONFIG = "sperm: {models: [ours, vgg16], splits: {folds: 3}, training: {size: tiny, size_px: 64}}\n"


class Videos(Clone):
    """A clone with three videos of three donors, and two graded clips of each."""

    tree, first, last = "sperm", "cut", "page"

    def make(self, stub: Path = STUB) -> None:
        super().make(stub)
        self.sheet_file("config.yaml", CONFIG)

    def subjects(self) -> None:
        self.sheet_file("videos.tsv", ROWS)
        self.sheet_file("clips.tsv", CLIPS)
        for name in "abc":
            np.save(self.root / f"{name}.npy", np.zeros((32, 16, 16), np.uint8))

    def unusable(self) -> str:
        """A video of which there is no file."""
        self.sheet_file("videos.tsv", ROWS + "absent\tabsent.avi\td4\t\n")
        return "absent"


EXAMPLE = Videos
