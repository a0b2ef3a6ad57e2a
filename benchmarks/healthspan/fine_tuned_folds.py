"""Fine-tuning cross-validated by well on BBBC010; the scores of each fold are kept in small tables.

    python -m benchmarks.healthspan.fine_tuned_folds [--folds 0 1] [--steps 500]

trains the shipped detector further on the wells of all folds but one, chooses the threshold of the
masks on those, and searches the wells of that fold. What was counted is kept in
docs/tables/healthspan-folds/, a row a worm and one more for each well; the first line is the key of
all that it depends on: images, weights, settings, versions. A table with another key is made again.
Folds of other steps, scenes or precision are kept in --folder, as their rows are.
Trainings go on from the checkpoints in --folder. Where every fold is there, the pooled rows, with a
bootstrap over wells, go to --table as the set ``bbbc010_5fold``; ``ap`` is the mean of the folds.
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks import ROOT
from benchmarks.healthspan.detection import merged
from benchmarks.kept import read_kept, write_kept
from snakescope.healthspan.detection.search import find_soft
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.evaluation.detection_scores import (
    ImageScores,
    average_precision,
    detection_rows,
    score_image,
)
from snakescope.healthspan.evaluation.predictions import LEAST_SCORE, corners_of, worms_of
from snakescope.healthspan.fine_tuning.fit import (
    at_threshold,
    best_threshold,
    digest_of,
    fine_tune,
    threshold_sweep,
)
from snakescope.healthspan.fine_tuning.settings import FineTuneSettings
from snakescope.healthspan.geometry import PIXEL_SIZE_UM, TILE_PX
from snakescope.healthspan.training.labelled_images import LabelledImage, bbbc010
from snakescope.report.pages import Row, scores_table
from snakescope.step.checksum import sha256_of
from snakescope.step.command import run_step
from snakescope.step.errors import StepError
from snakescope.step.tables import write_table

FOLDS = 5
NAME = "bbbc010_5fold"
KEPT = ROOT / "docs/tables/healthspan-folds"
TABLE = ROOT / "docs/tables/healthspan-detection.tsv"
SEED = 1
SHOWN: dict[str, Any] = {"steps": 500, "simulated_scenes": 100, "precision": "bfloat16"}
"""Settings of the folds that the page shows."""

FLAGS = ("found", "close", "crossed", "straight", "along")
MEASURES = {"iou": "ious", "area_ratio": "area_ratios", "width_error": "width_errors"}
"""Column and attribute of what is measured of the worms that are found."""

PER_IMAGE = ("false", "false_close", "count")
PER_FOLD = ("ap", "mask_threshold")
COLUMNS = ("image", "group", "worm", *FLAGS, *MEASURES, *PER_IMAGE, *PER_FOLD)


def folds_of(groups: Sequence[str], folds: int, seed: int) -> dict[str, int]:
    """The fold of each group, as even in number as can be, whatever the order of the groups."""
    names = sorted(set(groups))
    if len(names) < folds:
        raise StepError(f"folds: expected {folds} wells at least, found {len(names)}; lower folds")
    order = np.random.default_rng([seed, folds]).permutation(len(names))
    return {names[int(k)]: place % folds for place, k in enumerate(order)}


def key_of(
    train: Sequence[LabelledImage],
    test: Sequence[LabelledImage],
    settings: FineTuneSettings,
    detect: DetectSettings,
) -> str:
    """Digest of what the scores of a fold depend on."""
    depends = {
        "train": digest_of(train),
        "test": digest_of(test),
        "start": sha256_of(settings.start_weights),
        "fit": settings.model_dump(mode="json", exclude={*settings.unrecorded, "start_weights"}),
        "detect": detect.model_dump(mode="json", exclude={"weights", *detect.unrecorded}),
        "versions": [FineTuneSettings.version, DetectSettings.version],
    }
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:16]


def table_of(
    images: Sequence[LabelledImage], scores: Sequence[ImageScores], ap: float, threshold: float
) -> pd.DataFrame:
    """The counts of images as a table: a row a true worm, and one without a worm for each image."""
    rows: list[dict[str, object]] = []
    for image, one in zip(images, scores, strict=True):
        measured = {column: iter(getattr(one, name)) for column, name in MEASURES.items()}
        rows.append(
            {
                "image": image.name,
                "group": one.group,
                "false": one.false,
                "false_close": one.false_close,
                "count": one.count,
                "ap": ap,
                "mask_threshold": threshold,
            }
        )
        for worm in range(one.found.size):
            row: dict[str, object] = {"image": image.name, "group": one.group, "worm": worm}
            row |= {flag: int(getattr(one, flag)[worm]) for flag in FLAGS}
            if one.found[worm]:
                row |= {column: round(next(values), 5) for column, values in measured.items()}
            rows.append(row)
    whole = pd.DataFrame(rows, columns=list(COLUMNS))
    counts = ["worm", *FLAGS, *PER_IMAGE]
    return whole.astype(dict.fromkeys(counts, "Int64"))


def scores_of(table: pd.DataFrame) -> list[ImageScores]:
    """The counts of the images of a table that :func:`table_of` made."""
    found = []
    for _, rows in table.groupby("image", sort=True):
        whole, worms = rows[rows["worm"].isna()].iloc[0], rows[rows["worm"].notna()]
        flags = [worms[flag].to_numpy(float).astype(bool) for flag in FLAGS]
        one = ImageScores(
            str(whole["group"]), *flags, int(whole["false"]), int(whole["false_close"]),
            count=int(whole["count"]),
        )  # fmt: skip
        for column, name in MEASURES.items():
            setattr(one, name, [float(v) for v in worms.loc[worms["found"] == 1, column]])
        found.append(one)
    return found


def scored(
    train: Sequence[LabelledImage],
    test: Sequence[LabelledImage],
    settings: FineTuneSettings,
    detect: DetectSettings,
    checkpoint: Path,
) -> pd.DataFrame:
    """Train on some wells; count what is found on others."""
    model, _ = fine_tune(train, settings, checkpoint)
    threshold = best_threshold(threshold_sweep(model, train, detect), detect.mask_threshold)
    cut = at_threshold(detect, threshold)
    model.roi_heads.score_thresh = LEAST_SCORE
    scores, everything = [], []
    for image in test:
        soft = find_soft(model, image.picture, corners_of(image.picture), TILE_PX, cut)
        scores.append(score_image(image, worms_of(image, soft, cut, PIXEL_SIZE_UM)))
        everything.append(worms_of(image, soft, cut, PIXEL_SIZE_UM, LEAST_SCORE))
    return table_of(test, scores, average_precision(test, everything), threshold)


def rows_of(tables: Sequence[pd.DataFrame]) -> list[Row]:
    """All figures of the folds together, with intervals over wells."""
    scores = [one for table in tables for one in scores_of(table)]
    ap = float(np.mean([table["ap"].dropna().iloc[0] for table in tables]))
    return list(detection_rows(NAME, scores, exhaustive=True, ap=ap))


def cross_validate(
    images: Sequence[LabelledImage],
    wanted: Sequence[int],
    settings: FineTuneSettings,
    detect: DetectSettings,
    folder: Path,
    kept: Path,
    folds: int = FOLDS,
) -> list[pd.DataFrame]:
    """The tables of all folds that are there, after those of ``wanted`` that were missing."""
    fold_of = folds_of([one.group for one in images], folds, SEED)
    tables = []
    for fold in range(folds):
        test = [one for one in images if fold_of[one.group] == fold]
        train = [one for one in images if fold_of[one.group] != fold]
        key = key_of(train, test, settings, detect)
        path = kept / f"fold{fold}.tsv"
        table = read_kept(path, key, COLUMNS, text=("image", "group"))
        if table is None and fold in wanted:
            print(f"fold {fold}: {len(train)} wells to train on, {len(test)} to search", flush=True)
            made = scored(train, test, settings, detect, folder / f"{key}.ckpt")
            write_kept(path, key, made)
            table = read_kept(path, key, COLUMNS, text=("image", "group"))
        if table is not None:
            tables.append(table)
    return tables


def main() -> None:
    """Train the folds that are missing; write the rows where all are there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    every = list(range(FOLDS))
    parser.add_argument("--folds", nargs="*", type=int, default=every, choices=every)
    parser.add_argument("--steps", type=int, default=SHOWN["steps"], help="of each fold")
    parser.add_argument("--simulated-scenes", type=int, default=SHOWN["simulated_scenes"])
    parser.add_argument("--precision", default=SHOWN["precision"], help="of the training")
    parser.add_argument("--data", type=Path, help="folder of the real images")
    parser.add_argument("--folder", type=Path, default=Path("evaluation/fine_tuned_folds"))
    parser.add_argument("--kept", type=Path, help="folder of the tables of folds")
    parser.add_argument("--table", type=Path, help="to which the rows go")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    data = given.data or Path(os.environ.get("SNAKESCOPE_DATA") or "../shared/data")
    source = data / "worms/bbbc010"
    if not source.is_dir():
        raise StepError(f"{source}: expected the images of BBBC010, found none; name --data")
    chosen = {name: getattr(given, name) for name in SHOWN}
    start = str(ROOT / DetectSettings().weights)
    settings = FineTuneSettings(start_weights=start, threads=given.threads, **chosen)
    # Folds of other settings do not take the place of those that the page shows.
    kept, table = (KEPT, TABLE) if chosen == SHOWN else (given.folder, given.folder / TABLE.name)
    kept, table = given.kept or kept, given.table or table
    given.folder.mkdir(parents=True, exist_ok=True)
    tables = cross_validate(
        list(bbbc010(source)), given.folds, settings, DetectSettings(), given.folder, kept
    )
    if len(tables) < FOLDS:
        print(f"{len(tables)} of {FOLDS} folds are there: no rows yet", file=sys.stderr)
        return
    rows = rows_of(tables)
    write_table(table, merged(table, rows))
    print(scores_table(rows).round(3).to_string(index=False))


if __name__ == "__main__":
    run_step(main)
