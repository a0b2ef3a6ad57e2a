"""Liver masks of real frames by a network of simulated scans, and after further training on a few.

    .venv/bin/python -m benchmarks.fibrosis.liver [--train]

Frames of two subjects of abdominal_us (SNAKESCOPE_DATA) that show liver. What is trained further
sees the drawn frames of one subject and is tested on the other. Writes the Dice of every frame to
benchmarks/fibrosis/folds/abdominal_us.tsv, from which benchmarks.fibrosis.evaluation takes its
rows. ``--train`` makes the weights that saw simulated scans alone; they are not shipped, as a
random start is not worse.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from benchmarks import ROOT
from benchmarks.fibrosis import cross_validation
from benchmarks.fibrosis.untrained import DATA
from snakescope.fibrosis.prediction.predict import dice
from snakescope.fibrosis.scans.read import read_raw
from snakescope.fibrosis.training.examples import Examples, normalisation_of
from snakescope.fibrosis.training.models import Fitted, fit_model, predict, restored
from snakescope.fibrosis.training.settings import FitSettings
from snakescope.imaging.sector import cropped, fit_sector, maximum_of
from snakescope.learning.registry import Card, Data, ScoreSet, card_of, write_card
from snakescope.learning.weights import load_weights, save_weights
from snakescope.step.command import run_step
from snakescope.step.tables import write_table

WEIGHTS = cross_validation.RUNS / "liver.safetensors"
TABLE = ROOT / "benchmarks/fibrosis/folds/abdominal_us.tsv"
LIVER_RGB, COLOUR_DISTANCE = (100, 0, 100), 40
SUBJECTS = "ag"
TRAINING: dict[str, Any] = {
    "threads": 1, "device": "cpu", "flip": True, "moves": 2.0,
    "ordinal": {"width": 8, "size_px": 192, "epochs": 20, "rate": 0.005, "batch": 4},
}  # fmt: skip
FURTHER: dict[str, Any] = {
    **TRAINING, "ordinal": {**TRAINING["ordinal"], "epochs": 40, "rate": 0.002},
}  # fmt: skip
"""Chosen before any frame was predicted, and not changed after."""

SIMULATED = {
    "liver_paper": {"preset": "paper", "seed": 31, "images": (12,) * 5, "patients": 50},
    "liver_literature": {"preset": "literature", "seed": 32, "images": (12,) * 5, "patients": 50},
    "liver_held": {"preset": "paper", "seed": 33, "images": (6,) * 5, "patients": 30},
}


def frames_of(folder: Path, subject: str) -> Examples:
    """The frames of a subject that have a mask; livers that are not there have an empty one."""
    frames = {path.stem: read_raw(str(path)).grey
              for path in sorted((folder / "images").glob(f"{subject}[0-9]*.jpg"))}  # fmt: skip
    sector = fit_sector(maximum_of(frames.values()), subject)
    names, images, masks = [], [], []
    for path in sorted((folder / "masks").glob(f"{subject}[0-9]*.png")):
        if path.stem not in frames:
            continue
        colours = np.asarray(cv2.imread(str(path)), np.float64)[..., ::-1]
        near = np.linalg.norm(colours - LIVER_RGB, axis=2) < COLOUR_DISTANCE
        liver = near.astype(np.uint8) * 255
        names.append(path.stem)
        images.append(cropped(frames[path.stem], sector, cross_validation.SIDE))
        masks.append(cropped(liver, sector, cross_validation.SIDE, nearest=True))
    # Healthy volunteers: a stage is needed, and nothing is read off it.
    stages = np.zeros(len(names), np.int64)
    return Examples(tuple(names), tuple(images), tuple(masks), stages, (subject,) * len(names))


def joined(parts: list[Examples]) -> Examples:
    """Scans of several sets as one."""
    return Examples(
        *(sum((tuple(getattr(part, name)) for part in parts), ())
          for name in ("names", "images", "masks")),
        np.concatenate([part.stages for part in parts]),
        sum((part.groups for part in parts), ()),
    )  # fmt: skip


def train(weights: Path) -> None:
    """Train on simulated scans; write weights and their card."""
    cross_validation.SETS.update(SIMULATED)
    sets = {name: cross_validation.examples_of(name)[0] for name in SIMULATED}
    held = sets.pop("liver_held")
    settings = FitSettings.model_validate({**TRAINING, "seed": 1})
    fitted = fit_model("ordinal", joined(list(sets.values())), settings, {"for": "liver"})
    found = np.array([
        dice(one.liver, mask)
        for one, mask in zip(predict(fitted, held), held.masks, strict=True)
    ])  # fmt: skip
    count = sum(len(one) for one in sets.values())
    ordinal = settings.ordinal
    card = Card(
        what="B-mode scan to the mask of the liver, to start a training on few drawn scans from",
        sha256=save_weights(weights, fitted.module, fitted.card),
        model=fitted.card,
        data=[Data(what=f"{count} simulated scans, presets paper and literature", licence="MIT")],
        seed=settings.seed,
        steps=ordinal.epochs * (count // ordinal.batch),
        settings=json.loads(settings.recorded()),
        held_out={
            "simulated": ScoreSet(
                what="scans of other simulated patients", n=len(held), cases="scans",
                scores={"dice": float(found.mean()), "dice_p5": float(np.quantile(found, 0.05))},
            )
        },
        limits="saw simulated scans only; its stages mean nothing on real ones, and its masks need"
        " further training on drawn scans of the device",
        licence="MIT",
        command=".venv/bin/python -m benchmarks.fibrosis.liver --train",
    )  # fmt: skip
    write_card(card_of(weights), card)


def rows_of(method: str, fitted: Fitted, examples: Examples) -> Iterator[dict[str, Any]]:
    """Dice of the frames that show liver, and what is taken for liver in the others."""
    for at, one in enumerate(predict(fitted, examples)):
        mask, liver = examples.masks[at], one.liver
        assert mask is not None and liver is not None
        shows = bool((mask > 0).any())
        yield {
            "frame": examples.names[at],
            "subject": examples.groups[at],
            "method": method,
            "dice": round(dice(liver, mask), 4) if shows else "",
            "liver_share": round(float((liver >= 0.5).sum() / (examples.images[at] > 0).sum()), 4),
        }


def compared(weights: Path, folder: Path) -> Iterator[dict[str, Any]]:
    """Rows of all methods."""
    subjects = {name: frames_of(folder, name) for name in SUBJECTS}
    simulated = restored(*load_weights(weights))
    for name, test in subjects.items():
        # Real frames are darker than simulated ones: grey levels are those of the subject.
        own = simulated._replace(norm=normalisation_of(test))
        yield from rows_of("simulation alone", own, test)
        other = joined([part for key, part in subjects.items() if key != name])
        for method, start in (("trained further", str(weights)), ("random start", "")):
            settings = FitSettings.model_validate({**FURTHER, "seed": 1, "start": start})
            fitted = fit_model("ordinal", other, settings, {"test": name})
            yield from rows_of(method, fitted, test)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--train", action="store_true", help="make the weights anew")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="of the simulation")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of real images")
    parser.add_argument("--table", type=Path, default=TABLE, help="table to write")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    options = parser.parse_args()
    if options.train:
        train(options.weights)
    folder = options.data / "abdominal_us"
    columns = ["frame", "subject", "method", "dice", "liver_share"]
    found = list(compared(options.weights, folder)) if folder.exists() else []
    write_table(options.table, pd.DataFrame(found, columns=columns))


if __name__ == "__main__":
    run_step(main)
