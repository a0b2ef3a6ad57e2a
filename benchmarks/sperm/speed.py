"""How fast networks grade clips, and how long a video of a minute takes.

    python -m benchmarks.sperm.speed [--sizes tiny full] [--threads 1 2] [--networks]

writes docs/tables/sperm-speed.tsv: clips a second of each network in its tiny form at 96 px (or as
published at 224 px), with the reading of the clip's stack and the measuring of its drift, by
threads (and by GPU where there is one); and the minutes that the workflow takes from a video of a
whole field to its pages, on two cores, with the minutes that cores worked for it. The video is a
simulated field of two seconds, forwards and backwards until it is long enough. `--networks` without
a name measures the video alone, and leaves the other rows as they are.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml

from benchmarks import ROOT
from benchmarks.run import workflow
from benchmarks.sperm import COLUMNS
from snakescope.imaging.videos.video import write_video
from snakescope.sperm.clips.cut import write_clip
from snakescope.sperm.networks.build import build
from snakescope.sperm.networks.catalogue import ABOUT, FRAMES, Size
from snakescope.sperm.simulation.drawing import UM_PER_PX
from snakescope.sperm.simulation.settings import SimulateSettings
from snakescope.sperm.simulation.simulate import simulate
from snakescope.sperm.training.data import load, tensors
from snakescope.step.command import run_step
from snakescope.step.progress import progress
from snakescope.step.tables import read_table, write_table

SIDES: dict[Size, int] = {"tiny": 96, "full": 224}
CLIPS: dict[Size, int] = {"tiny": 8, "full": 2}
"""That are graded at once."""
Row = tuple[str, str, str, float, float, float, int]


@torch.no_grad()
def clips_a_second(name: str, size: Size, path: Path, device: torch.device, tries: int) -> float:
    """Best of some tries, from the file to the shares; the first grades once more before."""
    side, count = SIDES[size], CLIPS[size]
    network = build(name, size, side).to(device).eval()  # type: ignore[arg-type]
    items = pd.DataFrame({"path": [str(path)] * count})
    taken = []
    for attempt in range(tries + 1):
        started = time.perf_counter()
        frames, motion, _ = tensors(load(items, side), np.arange(count), device)
        network(frames, motion).exp().cpu()
        if attempt:
            taken.append(time.perf_counter() - started)
    return count / min(taken)


def speed_rows(
    networks: list[str], sizes: list[Size], threads: list[int], tries: int
) -> Iterator[Row]:
    """Clips a second of each network."""
    kinds = [("cpu", count) for count in threads]
    kinds += [("cuda", 1)] if torch.cuda.is_available() else []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clip.tif")
        grey = np.random.default_rng(1).integers(90, 160, (FRAMES, 96, 96))
        write_clip(path, grey.astype(np.uint8), 0.234375)
        for size in sizes:
            for kind, count in kinds:
                torch.set_num_threads(count)
                where = "one GPU" if kind == "cuda" else f"{count} threads"
                for name in progress(networks, f"{size}, {where}"):
                    found = clips_a_second(name, size, path, torch.device(kind), tries)
                    named = f"{name}, {size}, {where}"
                    yield "throughput", named, "clips_a_second", found, np.nan, np.nan, tries


def long_video(path: Path, seconds: float) -> int:
    """Write a video of a field that goes forwards and backwards; its number of frames."""
    settings = SimulateSettings()
    made, _ = simulate("minute", "minute", "semen", 1, settings)
    grey = [one.grey for one in made]
    there_and_back = grey + grey[-2:0:-1]
    count = round(seconds * settings.field_fps)
    frames = (there_and_back[at % len(there_and_back)] for at in range(count))
    write_video(path, frames, settings.field_fps)
    return count


def video_rows(seconds: float, cores: int) -> Iterator[Row]:
    """Minutes of the workflow of one video."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "config").mkdir()
        frames = long_video(folder / "minute.avi", seconds)
        row = {"video": ["minute"], "path": ["minute.avi"], "donor": ["d"], "dish": ["d"],
               "um_per_px": [UM_PER_PX["semen"]]}  # fmt: skip
        write_table(folder / "config/videos.tsv", pd.DataFrame(row))
        shipped = ROOT / "resources/models/sperm"
        section: dict[str, Any] = {
            "detection": {"weights": str(shipped / "heads.safetensors")},
            "results": {"grading": {"weights": str(shipped / "ours.safetensors")}},
        }
        (folder / "config/config.yaml").write_text(yaml.safe_dump({"sperm": section}))
        started, before = time.perf_counter(), os.times()
        workflow(folder, ["sperm"], ("--cores", str(cores)))
        minutes, after = (time.perf_counter() - started) / 60, os.times()
    named = f"video of {seconds:g} s, 640 x 480, {cores} cores"
    yield "throughput", named, "minutes", minutes, np.nan, np.nan, frames
    busy = after.children_user + after.children_system
    busy -= before.children_user + before.children_system
    yield "throughput", named, "core_minutes", busy / 60, np.nan, np.nan, frames


def joined(path: Path, rows: list[Row]) -> pd.DataFrame:
    """The table with these rows in place of those of the same names; others stay."""
    made = pd.DataFrame(rows, columns=COLUMNS)
    if not path.exists():
        return made
    names = COLUMNS[:3]
    before = read_table(path, COLUMNS, text=names)[COLUMNS]
    old = before[names].apply(tuple, axis=1)
    fresh = made[names].apply(tuple, axis=1)
    kept = before[~old.isin(set(fresh))]
    return made if kept.empty else pd.concat([made, kept], ignore_index=True)


def main() -> None:
    """Measure, and write the table; what is not measured stays in it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--networks", nargs="*", default=list(ABOUT), help="all by default")
    parser.add_argument("--sizes", nargs="+", default=["tiny"], choices=list(SIDES))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], help="count")
    parser.add_argument("--tries", type=int, default=3, help="of which the best counts (count)")
    parser.add_argument("--seconds", type=float, default=60, help="of the video (s); 0: no video")
    parser.add_argument("--cores", type=int, default=2, help="of the video's run (count)")
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/sperm-speed.tsv")
    options = parser.parse_args()
    rows = list(video_rows(options.seconds, options.cores)) if options.seconds else []
    rows += speed_rows(options.networks, options.sizes, options.threads, options.tries)
    write_table(options.table, joined(options.table, rows))


if __name__ == "__main__":
    run_step(main)
