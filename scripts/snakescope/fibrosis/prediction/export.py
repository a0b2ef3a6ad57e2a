"""Export ingested scans with outlines in the raw layout of nnU-Net v2, folds among them.

Dataset<number>_Liver/: dataset.json, imagesTr/<scan>_0000.png, labelsTr/<scan>.png (0, 1),
splits_final.json, to be copied to nnU-Net's preprocessed folder. Isensee et al., Nat. Methods 18
(2021) 203-211.
"""

import argparse
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from snakescope.fibrosis.training.examples import read_grey
from snakescope.learning.splits import read_splits
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_folder, write_json
from snakescope.step.tables import read_table


def export(items: pd.DataFrame, folds: pd.DataFrame, folder: Path) -> int:
    """Write the data set; return how many scans it has.

    Args:
        items: columns item, path, mask.
        folds: columns item, fold.

    Raises:
        StepError: no scan has an outline.
    """
    drawn = items[items["mask"].fillna("") != ""]
    if drawn.empty:
        raise StepError(
            "export: expected scans with an outline of the liver, found none; fill in the column"
            " mask of the sheet"
        )
    for name in ("imagesTr", "labelsTr"):
        (folder / name).mkdir(parents=True)
    for row in drawn.to_dict("records"):
        shutil.copy(row["path"], folder / f"imagesTr/{row['item']}_0000.png")
        label = (read_grey(row["mask"]) > 0).astype(np.uint8)
        cv2.imwrite(str(folder / f"labelsTr/{row['item']}.png"), label)
    description = {
        "channel_names": {"0": "B-mode"},
        "labels": {"background": 0, "liver": 1},
        "numTraining": len(drawn),
        "file_ending": ".png",
    }
    fold_of = dict(zip(folds["item"], folds["fold"], strict=True))
    names = sorted(drawn["item"])
    splits = [
        {
            "train": [name for name in names if fold_of[name] != fold],
            "val": [name for name in names if fold_of[name] == fold],
        }
        for fold in sorted(set(fold_of.values()))
    ]
    write_json(folder / "dataset.json", description)
    (folder / "splits_final.json").write_text(json.dumps(splits, indent=1), encoding="utf-8")
    return len(drawn)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--items", required=True, type=Path, help="ingested scans (TSV)")
    parser.add_argument("--splits", required=True, type=Path, help="the fold of each scan (TSV)")
    parser.add_argument("--dataset", required=True, type=Path, help="folder to write")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    items = read_table(arguments.items, ["item", "path", "mask"], text=("item", "mask"))
    with atomic_folder(arguments.dataset) as folder:
        export(items, read_splits(arguments.splits), folder)
