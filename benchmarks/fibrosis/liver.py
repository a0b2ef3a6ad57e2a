"""Liver masks of real frames by a network of simulated scans, and after further training on a few.

    .venv/bin/python -m benchmarks.fibrosis.liver [--train]

Frames of two subjects of abdominal_us (SNAKESCOPE_DATA) that show liver. What is trained further
sees the drawn frames of one subject and is tested on the other; so is the simplest rule, which says
where the liver of others was. Writes the Dice of every frame to
benchmarks/fibrosis/folds/abdominal_us.tsv, from which benchmarks.fibrosis.evaluation takes its
rows. ``--train`` makes the weights that saw simulated scans alone, and ship.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks import ROOT
from benchmarks.fibrosis import cross_validation
from benchmarks.fibrosis.untrained import DATA
from snakescope.fibrosis.prediction.predict import dice, tidied
from snakescope.fibrosis.scans.read import read_raw
from snakescope.fibrosis.training.adapted import adapted
from snakescope.fibrosis.training.beside import simulated_views
from snakescope.fibrosis.training.examples import Examples
from snakescope.fibrosis.training.models import Fitted, fit_model, predict, restored
from snakescope.fibrosis.training.settings import FitSettings
from snakescope.imaging.sector import cropped, fit_sector, maximum_of
from snakescope.learning.registry import Card, Data, ScoreSet, card_of, write_card
from snakescope.learning.weights import load_weights, save_weights
from snakescope.step.command import run_step
from snakescope.step.tables import write_table

WEIGHTS = ROOT / "resources/models/fibrosis/liver.safetensors"
TABLE = ROOT / "benchmarks/fibrosis/folds/abdominal_us.tsv"
LIVER_RGB, COLOUR_DISTANCE = (100, 0, 100), 40
LEAST_PX = 100
"""Of an outline: the soft edge of a spleen (255, 0, 255) has single pixels of this colour."""

SUBJECTS = "ag"
NETWORK: dict[str, Any] = {"width": 12, "size_px": 96, "speckle_px": 128, "overlap": 1.0}
TRAINING: dict[str, Any] = {
    "threads": 1, "device": "cpu", "seed": 1,
    "ordinal": {**NETWORK, "epochs": 16, "rate": 0.005, "batch": 8},
}  # fmt: skip
FURTHER: dict[str, Any] = {
    **TRAINING, "ordinal": {**NETWORK, "epochs": 15, "rate": 0.001, "batch": 8, "views": 100},
}  # fmt: skip
RANDOM: dict[str, Any] = {
    **TRAINING, "moves": 2.0, "ordinal": {**NETWORK, "epochs": 40, "rate": 0.005, "batch": 4},
}  # fmt: skip
SEEDS = (1, 2, 3)
ONE_PIECE = ("ordinal, simulation alone", "ordinal, trained further, mean of 3")
SIMULATED = {
    "liver_views": {"preset": "views", "seed": 31, "images": (160,) * 5, "patients": 800},
    "liver_held": {"preset": "views", "seed": 33, "images": (20,) * 5, "patients": 100},
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
        liver = near.astype(np.uint8) * (255 if near.sum() >= LEAST_PX else 0)
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


def simulated(name: str) -> Examples:
    """One of the simulated sets."""
    cross_validation.SETS.update(SIMULATED)
    return cross_validation.examples_of(name)[0]


def shown(masks: Sequence[NDArray[np.uint8] | None]) -> list[NDArray[np.bool_]]:
    """The masks that show liver."""
    return [mask > 0 for mask in masks if mask is not None and (mask > 0).any()]


def train(weights: Path) -> None:
    """Train on simulated scans; write weights and their card."""
    views, held = simulated("liver_views"), simulated("liver_held")
    settings = FitSettings.model_validate(TRAINING)
    fitted = fit_model("ordinal", views, settings, {"for": "liver"})
    found = np.array([
        dice(one.liver, mask)
        for one, mask in zip(predict(fitted, held), held.masks, strict=True)
        if mask is not None and (mask > 0).any()
    ])  # fmt: skip
    ordinal = settings.ordinal
    weights.parent.mkdir(parents=True, exist_ok=True)
    card = Card(
        what="B-mode scan to the mask of the liver, to start a training on few drawn scans from",
        sha256=save_weights(weights, fitted.module, fitted.card),
        model=fitted.card,
        data=[Data(what=f"{len(views)} simulated scans, preset views", licence="MIT")],
        seed=settings.seed,
        steps=ordinal.epochs * (len(views) // ordinal.batch),
        settings=json.loads(settings.recorded()),
        held_out={
            "simulated": ScoreSet(
                what="scans of other simulated patients that show liver", n=len(found),
                cases="scans",
                scores={"dice": float(found.mean()), "dice_p5": float(np.quantile(found, 0.05))},
            )
        },
        limits="saw simulated scans only; its stages mean nothing on real ones, and its masks need"
        " further training on drawn scans of the device; it takes some frames without liver for"
        " frames with one",
        licence="MIT",
        command=".venv/bin/python -m benchmarks.fibrosis.liver --train",
    )  # fmt: skip
    write_card(card_of(weights), card)


def rows_of(
    method: str, livers: Sequence[NDArray[Any] | None], examples: Examples
) -> Iterator[dict[str, Any]]:
    """Dice of the frames that show liver, and what is taken for liver in the others.

    Args:
        livers: probability of each frame.
    """
    for at, liver in enumerate(livers):
        mask = examples.masks[at]
        assert mask is not None and liver is not None
        yield {
            "frame": examples.names[at],
            "subject": examples.groups[at],
            "method": method,
            "dice": round(dice(liver, mask), 4) if (mask > 0).any() else "",
            "liver_share": round(float((liver >= 0.5).sum() / (examples.images[at] > 0).sum()), 4),
        }


def place_of(masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.float32]:
    """Where the liver is in most masks, 0 or 1: their share, cut where Dice with them is best.

    No pixel is looked at. A network that is no better has learnt nothing of the images.
    """
    share = np.mean(masks, axis=0)
    cuts = [np.asarray(share >= cut, np.float32) for cut in np.linspace(0.05, 0.8, 16)]
    scores = [
        np.mean([dice(cut, mask.astype(np.uint8)) for mask in masks]) if cut.any() else 0.0
        for cut in cuts
    ]
    return cuts[int(np.argmax(scores))]


def mean_of(maps: Sequence[Sequence[NDArray[Any] | None]]) -> list[NDArray[Any] | None]:
    """The mean map of each frame over several networks, as the ensemble of the tree has it."""
    return [np.mean([one for one in of_frame if one is not None], axis=0)
            for of_frame in zip(*maps, strict=True)]  # fmt: skip


def compared(weights: Path, folder: Path) -> Iterator[dict[str, Any]]:
    """Rows of all methods."""
    subjects = {name: frames_of(folder, name) for name in SUBJECTS}
    start, views = restored(*load_weights(weights)), simulated_views(100, TRAINING["seed"])

    def of_network(fitted: Fitted, test: Examples) -> list[NDArray[np.float32] | None]:
        return [one.liver for one in predict(fitted, test)]

    for name, test in subjects.items():
        others = [part for key, part in subjects.items() if key != name]

        def fitted_to(
            parts: list[Examples], given: dict[str, Any], start: str, name: str = name
        ) -> Fitted:
            settings = FitSettings.model_validate({**given, "start": start})
            return fit_model("ordinal", joined(parts), settings, {"test": name})

        def placed(
            masks: Sequence[NDArray[np.uint8] | None], test: Examples = test
        ) -> list[NDArray[Any] | None]:
            place = place_of(shown(masks))
            return [np.where(image > 0, place, 0) for image in test.images]

        methods: dict[str, Callable[[], Sequence[NDArray[Any] | None]]] = {
            "whole sector": lambda t=test: [(one > 0).astype(float) for one in t.images],
            "place, simulation": lambda: placed(views.masks),
            "place, other subject": lambda o=others: placed(joined(o).masks),
            "ordinal, simulation alone": lambda t=test: of_network(adapted(start, t), t),
            "ordinal, simulation alone, not adapted": lambda t=test: of_network(start, t),
            "ordinal, trained further": lambda t=test, o=others: of_network(
                adapted(fitted_to(o, FURTHER, str(weights)), t), t
            ),
            "ordinal, trained further, mean of 3": lambda t=test, o=others: mean_of([
                of_network(adapted(fitted_to(o, {**FURTHER, "seed": seed}, str(weights)), t), t)
                for seed in SEEDS
            ]),
            "ordinal, random start": lambda t=test, o=others: of_network(
                fitted_to(o, RANDOM, ""), t
            ),
        }  # fmt: skip
        for method, livers in methods.items():
            found = livers()
            yield from rows_of(method, found, test)
            if method in ONE_PIECE:
                pieces = [None if one is None else tidied(one) for one in found]
                yield from rows_of(f"{method}, one piece", pieces, test)


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
