"""The sample sheets of the simulated examples: which videos there are, and the votes on each clip.

    python -m benchmarks.sperm.sheets [--folder config/examples]

writes videos.tsv and clips.tsv of sperm_demo (8 donors, 6 clips each) and of sperm_benchmark (615
clips of 31 donors). The votes are drawn with the sperm, so that the sheets say what the simulated
persons think of the videos that the workflow draws.
"""

import argparse
from pathlib import Path

import pandas as pd

from snakescope.sperm.simulation.drawing import UM_PER_PX
from snakescope.sperm.simulation.raters import GRADES
from snakescope.sperm.simulation.settings import SimulateSettings
from snakescope.sperm.simulation.simulate import followed
from snakescope.step.command import run_step
from snakescope.step.output import atomic_write
from snakescope.step.tables import write_table

SETS = {"sperm_demo": (8, 6, 48), "sperm_benchmark": (31, 20, 615)}
"""Donors, clips of a donor, clips in all."""


def sheets(prefix: str, donors: int, each: int, clips: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of videos and of clips: one dish a donor, one second a sperm."""
    videos: list[tuple[str, str, str, str, float, str]] = []
    rows: list[tuple[str | int, ...]] = []
    settings = SimulateSettings()
    for number in range(donors):
        video, donor = f"{prefix}{number + 1:02d}", f"donor{number + 1:02d}"
        path = f"simulated/sperm/icsi_pvp/{video}.avi"
        videos.append((video, path, donor, video, UM_PER_PX["icsi_pvp"], "simulated"))
        for second in range(min(each, clips - len(rows))):
            votes = followed(video, donor, second, settings).votes.tolist()
            rows.append((f"{video}_{second:02d}", video, second, *votes))
    return (
        pd.DataFrame(videos, columns=["video", "path", "donor", "dish", "um_per_px", "device"]),
        pd.DataFrame(rows, columns=["clip", "video", "start_s", *GRADES]),
    )


def main() -> None:
    """Write the sheets."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("config/examples"))
    parser.add_argument("--table", type=Path, help="how many of each there are, to write")
    options = parser.parse_args()
    if options.table:
        counts = pd.DataFrame.from_dict(SETS, "index", columns=["donors", "clips_each", "clips"])
        write_table(options.table, counts.reset_index(names="example"))
    for name, sizes in SETS.items():
        made = sheets("dish" if name == "sperm_demo" else "b", *sizes)
        for kind, table in zip(("videos", "clips"), made, strict=True):
            with atomic_write(options.folder / name / f"{kind}.tsv") as partial:
                head = f"# Simulated, by: .venv/bin/python -m benchmarks.sperm.sheets ({name})\n"
                partial.write_text(head + table.to_csv(sep="\t", index=False))


if __name__ == "__main__":
    run_step(main)
