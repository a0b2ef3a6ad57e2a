"""How well worms are found on real images, by one scorer for all sets.

    python -m benchmarks.healthspan.detection --sets bbbc010 quantworm_single
    python -m benchmarks.healthspan.detection --detector mine.safetensors
    python -m benchmarks.healthspan.detection --detect mask_threshold=0.3

Reads the public images that are at hand (--data, else the environment variable SNAKESCOPE_DATA,
else ../shared/data), searches each for worms with the weights, and scores what is found. Sets that
are not there are left out. Predictions are kept under --folder before masks are cut, so that
another threshold costs seconds. --simulated names the working directory of an evaluation of
simulated plates whose tiles were kept; one frame in --every is scored.

The rows go to --table. Those of other sets in it are kept.
"""

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import torch
import yaml

from benchmarks import ROOT
from snakescope.healthspan.detection.detect import load_detector
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.evaluation.detection_scores import (
    ImageScores,
    average_precision,
    detection_rows,
    score_image,
)
from snakescope.healthspan.evaluation.predictions import (
    LEAST_SCORE,
    peer_instances,
    soft_predictions,
    worms_of,
)
from snakescope.healthspan.training.labelled_images import (
    SETS,
    LabelledImage,
    bbbc010_test15,
    simulated_frames,
)
from snakescope.report.pages import SCORE_COLUMNS, Row, scores_table
from snakescope.step.checksum import sha256_of
from snakescope.step.command import run_step
from snakescope.step.tables import read_table, write_table

PEER = "patchperpix_test15"
FOLDERS = {
    "bbbc010_test15": "bbbc010",
    PEER: "bbbc010",
    "quantworm_single": "quantworm_gender",
    "quantworm_single_looked_at": "quantworm_gender",
    "quantworm_single_whole": "quantworm_gender",
}
"""Of the sets that are not named as the folder of their images."""


def settings_of(changes: Iterable[str]) -> DetectSettings:
    """Settings of detection with ``key=value`` changes."""
    pairs = dict(change.split("=", 1) for change in changes)
    return DetectSettings.model_validate({key: yaml.safe_load(v) for key, v in pairs.items()})


def of_network(
    name: str,
    images: Iterable[LabelledImage],
    weights: Path,
    settings: DetectSettings,
    folder: Path,
) -> list[Row]:
    """Rows of a set with the weights."""
    model, pixel_size_um = load_detector(str(weights), None, settings)
    model.roi_heads.score_thresh = LEAST_SCORE
    sha256 = sha256_of(weights)
    scores: list[ImageScores] = []
    labelled, everything = [], []
    for image in images:
        soft = soft_predictions(image, model, sha256, settings, folder)
        found = worms_of(image, soft, settings, pixel_size_um)
        one = score_image(image, found)
        scores.append(one)
        if image.exhaustive:
            labelled.append(image)
            everything.append(worms_of(image, soft, settings, pixel_size_um, LEAST_SCORE))
        boxes = ", ".join(f"{kind} {sum(v)} of {len(v)}" for kind, v in one.boxes.items())
        print(
            f"{name} {image.name}: {int(one.found.sum())} of {one.found.size} worms {boxes},"
            f" {one.count} detections",
            file=sys.stderr,
            flush=True,
        )
    ap = average_precision(labelled, everything) if labelled else None
    return list(detection_rows(name, scores, exhaustive=len(labelled) == len(scores), ap=ap))


def of_peer(folder: Path) -> list[Row]:
    """Rows of PatchPerPix's published predictions of the 15 wells."""
    images = list(bbbc010_test15(folder))
    found = [peer_instances(folder / "peer_patchperpix" / f"{one.name}.hdf") for one in images]
    scores = [score_image(*pair) for pair in zip(images, found, strict=True)]
    return list(detection_rows(PEER, scores, exhaustive=True))


def merged(path: Path, rows: list[Row]) -> pd.DataFrame:
    """The table at ``path`` with rows added, or replaced where set and metric are the same."""
    new = scores_table(rows)
    if not path.exists():
        return new
    old = read_table(path, SCORE_COLUMNS)
    kept = old[~old["set"].isin(set(new["set"]))]
    return pd.concat([kept, new], ignore_index=True)


def main() -> None:
    """Score the detections; write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sets", nargs="*", default=[*SETS, PEER], choices=[*SETS, PEER])
    parser.add_argument("--detector", type=Path, default=ROOT / DetectSettings().weights)
    parser.add_argument("--detect", nargs="*", default=[], help="settings, key=value")
    parser.add_argument("--data", type=Path, help="folder of the real images")
    parser.add_argument("--folder", type=Path, default=Path("evaluation/detection"))
    parser.add_argument("--simulated", type=Path, help="working directory with kept tiles")
    parser.add_argument("--every", type=int, default=1, help="frames to a scored one")
    parser.add_argument("--name", default="", help="added to the names of the sets")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--table", type=Path, help="default: detection.tsv in the folder")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    settings = settings_of(given.detect)
    data = given.data or Path(os.environ.get("SNAKESCOPE_DATA") or "../shared/data")
    worms = data / "worms"
    table = given.table or given.folder / "detection.tsv"
    rows: list[Row] = []
    for name in given.sets:
        source = worms / FOLDERS.get(name, name)
        if not (source.is_dir() or name == "simulated_unseen_2"):
            print(f"{source}: not here, left out", file=sys.stderr)
        elif name == PEER:
            rows += of_peer(source)
        else:
            rows += of_network(
                name + given.name, SETS[name](worms), given.detector, settings, given.folder
            )
    if given.simulated:
        images = simulated_frames(given.simulated, given.every)
        rows += of_network(
            "simulated_frames" + given.name, images, given.detector, settings, given.folder
        )
    shown = scores_table(rows)
    write_table(table, merged(table, rows))
    print(shown.round(3).to_string(index=False))


if __name__ == "__main__":
    run_step(main)
