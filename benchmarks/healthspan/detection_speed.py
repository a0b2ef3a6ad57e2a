"""Processor time of finding worms on frames of full size, by how much is looked at at once.

    python -m benchmarks.healthspan.detection_speed

First frames of simulated plates of unseen looks are searched with the shipped weights in every way,
one after the other in one process and on one thread, so that ratios are of the same frames. The
overlay of the channels is not counted. Rows of bfloat16 are left out on processors without its
instructions. Rows go to docs/tables/detection-speed.tsv.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from benchmarks import ROOT
from snakescope.healthspan.detection.detect import load_detector, trained_detector
from snakescope.healthspan.detection.search import find_objects
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.detection.sorting import Surroundings, sort_out
from snakescope.healthspan.detection.tile import plate_picture
from snakescope.healthspan.evaluation.predictions import corners_of
from snakescope.healthspan.geometry import TILE_PX
from snakescope.healthspan.simulation.settings import SimulateSettings
from snakescope.healthspan.simulation.simulate import (
    FILE_CHANNELS,
    file_name,
    is_simulated,
    simulate_plate,
)
from snakescope.healthspan.training.detector_scores import match
from snakescope.imaging.frames import read_frame
from snakescope.imaging.masks import Instance, read_masks
from snakescope.learning.precision import CPUINFO, has_bfloat16
from snakescope.step.command import run_step
from snakescope.step.tables import write_table

COLUMNS = ["way", "cpu_seconds_a_frame", "ratio", "detection_f", "frames", "frame_px", "worms"]
AS_TRAINED = "tiles of 440 px, network as trained"
WAYS: dict[str, dict[str, int | str]] = {
    AS_TRAINED: {},
    "tiles of 440 px": {},
    "views of up to 1100 px": {"max_view_px": 1100},
    "tiles of 440 px, bfloat16": {"precision": "bfloat16"},
    "views of up to 1100 px, bfloat16": {"max_view_px": 1100, "precision": "bfloat16"},
    "whole frames, bfloat16": {"max_view_px": 3080, "precision": "bfloat16"},
}
"""Settings that differ from the defaults; the first is what ratios are of."""
FIRST_SEED = 9_100_001


def frames(
    folder: Path, plates: int, size: int, worms: int
) -> Iterator[tuple[NDArray[np.uint8], list[Instance]]]:
    """The first frame of each plate, as an overlay, and its worms."""
    for number in range(plates):
        settings = SimulateSettings(
            frame_px=size,
            timepoints=3,
            worms=worms,
            looks="unseen",
            missing_share=0,
            fogged_share=0,
        )
        plate, seed = f"S{number + 1}", FIRST_SEED + number
        if not is_simulated(folder / plate, settings, seed):
            simulate_plate(settings, plate, seed, folder)
        raw = folder / plate / "raw"
        channels = {name: read_frame(raw / file_name(plate, name, 0.0)) for name in FILE_CHANNELS}
        truth = read_masks(folder / plate / "truth/masks.json")
        yield plate_picture(channels, 1.0), truth.at(0)


def main() -> None:
    """Time every way; write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--plates", type=int, default=3)
    parser.add_argument("--frame-px", type=int, default=3080)
    parser.add_argument("--worms", type=int, default=100, help="on a plate")
    parser.add_argument("--detector", type=Path, default=ROOT / DetectSettings().weights)
    parser.add_argument("--folder", type=Path, default=Path("evaluation/speed"), help="kept")
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/detection-speed.tsv")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    settings = {
        way: DetectSettings.model_validate(changes)
        for way, changes in WAYS.items()
        if "precision" not in changes or has_bfloat16(CPUINFO)
    }
    trained, pixel_size_um = trained_detector(str(given.detector), None, DetectSettings())
    networks = {
        way: trained if way == AS_TRAINED else load_detector(str(given.detector), None, chosen)[0]
        for way, chosen in settings.items()
    }
    seconds = dict.fromkeys(settings, 0.0)
    right, either = dict.fromkeys(settings, 0), dict.fromkeys(settings, 0)
    worms = 0
    for picture, truth in frames(given.folder, given.plates, given.frame_px, given.worms):
        worms += len(truth)
        corners = corners_of(picture)
        for way, chosen in settings.items():
            begun = time.process_time()
            objects = find_objects(networks[way], picture, corners, TILE_PX, 0, chosen)
            found, _ = sort_out(objects, picture, pixel_size_um, chosen, Surroundings())
            seconds[way] += time.process_time() - begun
            pairs = match(truth, found).pairs
            right[way] += 2 * len(pairs)
            either[way] += len(truth) + len(found)
    first = seconds[next(iter(WAYS))]
    rows = [
        (
            *(way, seconds[way] / given.plates, seconds[way] / first),
            *(right[way] / max(either[way], 1), given.plates, given.frame_px, worms),
        )
        for way in settings
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    write_table(given.table, table)
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    run_step(main)
