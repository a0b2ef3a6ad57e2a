"""How right a reading of the benchmark's scans gets as it learns from more simulated patients.

    .venv/bin/python -m benchmarks.fibrosis.learning_curve

The tested scans are those of simulated_paper. What is learnt from are other patients of the same
preset, drawn in parts that share no patient; the outlines are the true ones, or those of a network
of a third set. Nothing is chosen here. Writes in which draws each scan was right to
benchmarks/fibrosis/folds/learning_curve.tsv, and what adaptation does to outlines of known devices
to outlines_adapted.tsv, for benchmarks.fibrosis.evaluation.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from benchmarks.fibrosis import cross_validation
from benchmarks.fibrosis.cross_validation import FOLDS, examples_of, fit_settings
from snakescope.fibrosis.networks.ordinal import OrdinalNet
from snakescope.fibrosis.networks.simple import Logistic
from snakescope.fibrosis.prediction.predict import dice
from snakescope.fibrosis.training.adapted import adapted
from snakescope.fibrosis.training.examples import Examples, resized_mask
from snakescope.fibrosis.training.models import (
    Fitted,
    class_probabilities,
    fit_model,
    labels_of,
    measures_of,
    predict,
    restored,
)
from snakescope.fibrosis.training.networks import inputs_of
from snakescope.fibrosis.training.settings import FitSettings
from snakescope.learning.weights import load_weights, save_weights
from snakescope.step.command import run_step
from snakescope.step.progress import progress
from snakescope.step.tables import write_table

TESTED, OUTLINES, PARTS = "simulated_paper", "others_0", 8
SIZES = (70, 150, 300, 600)
OTHERS: dict[str, dict[str, Any]] = {
    f"others_{part}": {"preset": "paper", "seed": 40 + part} for part in range(PARTS + 1)
}
"""Set 0 trains the network that outlines; the others are learnt from. 78 patients each."""

TABLE = FOLDS / "learning_curve.tsv"
ADAPTED = FOLDS / "outlines_adapted.tsv"
ADAPTED_TO = (0, 4, 12, 118)
"""Scans at a time (count); 0: not adapted."""

SURE = 20.0
"""Logit of a pixel that lies wholly inside a true outline, against 0 at its edge, doubled."""

Values = NDArray[np.float64]


def outlining(settings: FitSettings, folder: Path) -> Fitted:
    """The network that outlines: of patients that are neither tested nor learnt from."""
    key = cross_validation.key_of(OUTLINES, "ordinal", settings, 0, "all", 0)
    weights = folder / f"outlines_{key}.safetensors"
    if not weights.exists():
        fitted = fit_model("ordinal", examples_of(OUTLINES)[0], settings, {"set": OUTLINES})
        save_weights(weights, fitted.module, fitted.card)
    return restored(*load_weights(weights))


@torch.no_grad()
def measured(fitted: Fitted, examples: Examples, true: bool) -> tuple[Values, Values]:
    """Measures of `ordinal` (N, 35) and of `features` (N, 12) inside true or predicted outlines."""
    module: Any = OrdinalNet(fitted.settings.ordinal.width).eval()
    net: Any = fitted.module
    size = fitted.settings.ordinal.size_px // 2
    found, masks = [], []
    for at, image in enumerate(progress(examples.images, "scans measured")):
        x, detail = inputs_of("ordinal", image, fitted.norm, fitted.settings)
        if true:
            share = resized_mask(examples.masks[at], size)
            fine = torch.from_numpy(SURE * (share - 0.5))[None, None]
            masks.append(examples.masks[at])
        else:
            fine = net.liver(x)[0]
            liver = torch.nn.functional.interpolate(fine, image.shape, mode="bilinear")[0, 0]
            masks.append(np.asarray(255 * ((liver > 0).numpy() & (image > 0)), np.uint8))
        found.append(module.measures(x, detail, fine))
    outlined = Examples(
        examples.names, examples.images,
        tuple(one if one is not None and one.any() else None for one in masks),
        examples.stages, examples.groups,
    )  # fmt: skip
    return torch.cat(found).double().numpy(), measures_of(outlined)


def read_ordinal(train: Values, stages: NDArray[np.int64], test: Values) -> Values:
    """Class probabilities (N, 3) by the fit of `ordinal`."""
    settings = fit_settings(1)
    net = OrdinalNet(settings.ordinal.width)
    net.read(torch.from_numpy(train), torch.from_numpy(stages), settings.ordinal.ridge)
    with torch.no_grad():
        mean = torch.cat([-net.texture.bias / net.texture.weight[:, 0, 0, 0], net.mean])
        sd = torch.cat([1 / net.texture.weight[:, 0, 0, 0], net.sd])
        logits = net.axis(((torch.from_numpy(test) - mean) / sd).float()) - net.cuts
    return class_probabilities(torch.sigmoid(logits).double().numpy(), settings.classes)


def read_features(train: Values, stages: NDArray[np.int64], test: Values) -> Values:
    """Class logits (N, 3) by the fit of `features`."""
    classes = (stages >= 2).astype(np.int64) + (stages >= 4)
    return np.asarray(Logistic.fitted(train, classes, 3)(torch.from_numpy(test)).detach())


def draws(
    patients: int, groups: NDArray[np.str_], sets: NDArray[np.intp]
) -> Iterator[NDArray[np.intp]]:
    """Rows of so many patients at a time, that share none, set after set."""
    names = list(dict.fromkeys(zip(sets.tolist(), groups.tolist(), strict=True)))
    number = {name: at for at, name in enumerate(names)}
    of = np.array([number[one] for one in zip(sets.tolist(), groups.tolist(), strict=True)])
    for draw in range(len(names) // patients):
        yield np.flatnonzero((of >= draw * patients) & (of < (draw + 1) * patients))


def curve(fitted: Fitted, sizes: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Rows: a scan, a method, its outlines, and from how many patients it was learnt."""
    tested = examples_of(TESTED)[0]
    truth = labels_of(tested, fitted.settings)
    readings: dict[str, Callable[[Values, NDArray[np.int64], Values], Values]] = {
        "ordinal": read_ordinal, "features": read_features,
    }  # fmt: skip
    for outlines in ("true", "predicted"):
        test = measured(fitted, tested, outlines == "true")
        ordinal, texture, stages, groups, sets = [], [], [], [], []
        for name in list(OTHERS)[1:]:
            part = examples_of(name)[0]
            one, two = measured(fitted, part, outlines == "true")
            ordinal.append(one)
            texture.append(two)
            stages.append(part.stages)
            groups += part.groups
            sets += [len(ordinal)] * len(part)
            examples_of.cache_clear()  # half a gigabyte of images is not needed again
        learnt = {"ordinal": np.concatenate(ordinal), "features": np.concatenate(texture)}
        known = np.concatenate(stages)
        for at, (method, read) in enumerate(readings.items()):
            for patients in sizes:
                rights = [
                    read(learnt[method][rows], known[rows], test[at]).argmax(1) == truth
                    for rows in draws(patients, np.array(groups), np.array(sets))
                ]
                print(f"{method}, {outlines} outlines, {patients} patients: {np.mean(rights):.3f}",
                      file=sys.stderr, flush=True)  # fmt: skip
                for scan, right in enumerate(np.transpose(rights)):
                    yield {
                        "scan": tested.names[scan], "patient": tested.groups[scan],
                        "method": method, "outlines": outlines, "patients": patients,
                        "right": "".join("ny"[int(one)] for one in right),
                    }  # fmt: skip


def known_devices(fitted: Fitted) -> Iterator[dict[str, Any]]:
    """Dice of the tested scans, of devices that were learnt: adapted to so many at once, or not."""
    tested = examples_of(TESTED)[0]
    for count in ADAPTED_TO:
        for first in range(0, len(tested), count or len(tested)):
            part = tested.of(range(first, min(len(tested), first + (count or len(tested)))))
            one = adapted(fitted, part) if count else fitted
            for at, found in enumerate(predict(one, part)):
                yield {
                    "scan": part.names[at], "patient": part.groups[at], "adapted_to": count,
                    "dice": round(dice(found.liver, part.masks[at]), 4),
                }  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--table", type=Path, default=TABLE, help="table to write")
    parser.add_argument("--adapted", type=Path, default=ADAPTED, help="table of outlines to write")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="patients (count)")
    cross_validation.add_trial_arguments(parser)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    options = parser.parse_args()
    cross_validation.with_sets(OTHERS, options.images, options.kept)
    cross_validation.RUNS.mkdir(parents=True, exist_ok=True)
    fitted = outlining(fit_settings(1), cross_validation.RUNS)
    write_table(options.adapted, pd.DataFrame(known_devices(fitted)))
    write_table(options.table, pd.DataFrame(curve(fitted, options.sizes)))


if __name__ == "__main__":
    run_step(main)
