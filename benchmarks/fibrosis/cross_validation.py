"""Cross-validations of the compact protocol, fold by fold, kept as small tables.

    .venv/bin/python -m benchmarks.fibrosis.cross_validation --set simulated_paper --model ordinal

A fold whose key (settings, simulated set, split, versions) matches is read back from
benchmarks/fibrosis/folds/. ``--by image`` splits by image, as Kang et al. did, to show the leak.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch
import yaml

from benchmarks import ROOT
from snakescope.fibrosis.classes import class_names
from snakescope.fibrosis.prediction.predict import dice
from snakescope.fibrosis.simulation.settings import SimulateSettings
from snakescope.fibrosis.simulation.simulate import sheet, simulate_set
from snakescope.fibrosis.training.examples import Examples
from snakescope.fibrosis.training.models import (
    Prediction,
    fit_model,
    predict,
    vgg_features,
)
from snakescope.fibrosis.training.settings import MODELS, FitSettings
from snakescope.imaging.sector import cropped, fit_sector, maximum_of
from snakescope.learning.settings import SplitSettings
from snakescope.learning.splits import assign_folds, roles
from snakescope.step.command import run_step
from snakescope.step.tables import read_table, write_table

CONFIG = ROOT / "config/examples/fibrosis_benchmark/config.yaml"
FOLDS = ROOT / "benchmarks/fibrosis/folds"
RUNS = ROOT / "benchmarks/runs/fibrosis"
SIDE = 512
LAST_CHANGED = {"ordinal": 3}
"""Version of the fit at which the predictions of a model last changed, where that is not 2."""

SETS: dict[str, dict[str, Any]] = {
    # Of this seed, the best rule on f is right in 0.90; chosen before any training.
    "simulated_paper": {"preset": "paper", "seed": 4},
    "simulated_literature": {
        "preset": "literature", "images": (24, 24, 24, 24, 24), "patients": 100,
    },
    "simulated_leak": {"preset": "leak", "images": (24, 24, 24, 24, 24), "patients": 40},
}  # fmt: skip


def simulation(name: str) -> SimulateSettings:
    """Settings of a simulated set."""
    return SimulateSettings(set=name, **SETS[name])


def fit_settings(seed: int) -> FitSettings:
    """The compact protocol with a seed."""
    given = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["fibrosis"].get("training", {})
    return FitSettings.model_validate({**given, "seed": seed, "threads": 1, "device": "cpu"})


@cache
def examples_of(name: str) -> tuple[Examples, pd.DataFrame]:
    """The scans of a set, sectors fitted per device and cropped, and their truth."""
    settings = simulation(name)
    folder = RUNS / name
    if not (folder / "truth.tsv").exists():
        write_table(folder / "truth.tsv", simulate_set(settings, folder))
    truth = read_table(folder / "truth.tsv", ["f"], text=["scan", "stage", "device"])
    rows = sheet(settings, str(folder))
    raw = {row.scan: cv2.imread(str(row.image), cv2.IMREAD_GRAYSCALE) for row in rows.itertuples()}
    sectors = {
        device: fit_sector(maximum_of(raw[scan] for scan in of["scan"]), device)
        for device, of in rows.groupby("device")
    }
    images, masks = [], []
    for row in rows.itertuples():
        sector = sectors[str(row.device)]
        mask = cv2.imread(str(row.mask), cv2.IMREAD_GRAYSCALE)
        images.append(cropped(raw[row.scan], sector, SIDE))
        masks.append(cropped(mask, sector, SIDE, nearest=True))
    stages = rows["stage"].str[1].astype(int).to_numpy(np.int64)
    return (
        Examples(tuple(rows["scan"]), tuple(images), tuple(masks), stages, tuple(rows["patient"])),
        truth,
    )


def split(name: str, by: str, folds: int) -> pd.DataFrame:
    """The fold of every scan of a set: by patient, or by image."""
    table = sheet(simulation(name), "")
    names = class_names(3)
    classes = [names[(int(s[1]) >= 2) + (int(s[1]) >= 4)] for s in table["stage"]]
    items = pd.DataFrame({
        "item": table["scan"], "class": classes,
        "group": table["patient"] if by == "patient" else table["scan"],
    })  # fmt: skip
    return assign_folds(items, SplitSettings(folds=folds))


def key_of(name: str, model: str, settings: FitSettings, fold: int, by: str, folds: int) -> str:
    """What the predictions of a fold depend on, as 12 hexadecimal digits."""
    part = model.split("1")[0]
    section = getattr(settings, part).recorded() if hasattr(settings, part) else ""
    simulated = simulation(name)
    text = json.dumps([
        simulated.recorded(), simulated.version, LAST_CHANGED.get(model, 2), model, section,
        settings.seed, settings.classes, settings.flip, settings.moves, settings.start, fold, by,
        folds,
    ])  # fmt: skip
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def rows_of(
    examples: Examples, found: list[Prediction], fold: int, role: str, key: str
) -> Iterator[dict[str, Any]]:
    """Rows of the table of a fold."""
    for at, one in enumerate(found):
        logits = one.logits - one.logits.max()
        probability = np.exp(logits) / np.exp(logits).sum()
        yield {
            "scan": examples.names[at],
            "patient": examples.groups[at],
            "stage": f"F{examples.stages[at]}",
            "fold": fold,
            "role": role,
            **{f"p_{n}": p for n, p in zip(class_names(3), probability, strict=True)},
            **{f"q_F{k + 1}": q for k, q in enumerate(one.thresholds)},
            "dice": dice(one.liver, examples.masks[at]),
            "key": key,
        }


def path_of(name: str, model: str, seed: int, by: str, shuffled: bool = False) -> Path:
    """Where the predictions of a model are kept."""
    suffix = ("" if by == "patient" else "_by_image") + ("_shuffled" if shuffled else "")
    return FOLDS / f"{name}_{model}_seed{seed}{suffix}.tsv"


def cross_validate(
    name: str, model: str, seed: int, by: str = "patient", folds: int = 10, shuffled: bool = False
) -> pd.DataFrame:
    """Predictions of all test (and validation) scans; folds that are kept are read back.

    ``cpu_s``: of a fold, on one core; ``predict_s``: of a scan.

    Args:
        shuffled: give every patient the stage of another, which leaves nothing to learn.
    """
    path = path_of(name, model, seed, by, shuffled)
    text = ["scan", "patient", "stage", "role", "key"]
    kept = read_table(path, text, text=text) if path.exists() else pd.DataFrame(columns=text)
    settings = fit_settings(seed)
    parts, todo = [], []
    for fold in range(folds):
        key = key_of(name, model, settings, fold, by, folds) + ("s" if shuffled else "")
        there = kept[kept["key"] == key]
        if len(there):
            parts.append(there)
        else:
            todo.append((fold, key))
    if not todo:
        return pd.concat(parts, ignore_index=True)
    examples, _ = examples_of(name)
    assigned = split(name, by, folds)
    if shuffled:
        examples = with_shuffled_stages(examples, seed)
    started = time.process_time()
    cached = vgg_features(model, examples, settings) if model.startswith("vgg") else None
    # What folds share counts for each of them in part.
    shared = (time.process_time() - started) / len(todo) if cached else 0.0
    shared_each = shared * len(todo) / len(examples)
    for fold, key in todo:
        started = time.process_time()
        role = roles(assigned["fold"], fold)
        rows = {one: np.flatnonzero(role == one) for one in ("train", "validation", "test")}
        some = [cached[row] for row in rows["train"]] if cached else None
        identity = {"set": name, "model": model, "fold": fold, "by": by}
        # The network of `ordinal` learns the liver: with other stages it is the same.
        base = key.removesuffix("s") if model == "ordinal" else key
        torch.manual_seed(seed)
        checkpoint = RUNS / "checkpoints" / f"{name}_{model}_{fold}-{base}.ckpt"
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        fitted = fit_model(
            model, examples.of(rows["train"]), settings, identity, checkpoint, cached=some
        )
        predicting: dict[str, float] = {}
        for one in ("validation", "test"):
            held = examples.of(rows[one])
            some = [cached[row] for row in rows[one]] if cached else None
            asked = time.process_time()
            found = predict(fitted, held, cached=some)
            predicting[one] = (time.process_time() - asked) / max(1, len(held))
            parts.append(pd.DataFrame(rows_of(held, found, fold, one, key)))
        table = pd.concat(parts, ignore_index=True)
        here = table["fold"] == fold
        table.loc[here, "cpu_s"] = round(time.process_time() - started + shared, 1)
        table.loc[here, "predict_s"] = round(predicting["test"] + shared_each, 4)
        parts = [table]
        write_table(path, table)
        test = table[table["role"] == "test"]
        right = test[[f"p_{n}" for n in class_names(3)]].to_numpy().argmax(1) == truth_of(test)
        print(f"{path.stem}: fold {fold} done, accuracy so far {right.mean():.3f}",
              file=sys.stderr, flush=True)  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def add_trial_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what makes a benchmark on sets of its own small enough for a trial."""
    parser.add_argument("--images", type=int, help="of each stage, in place of the sets' own")
    parser.add_argument("--kept", type=Path, help="folder of images and weights, for a trial")


def with_sets(others: Mapping[str, dict[str, Any]], images: int | None, kept: Path | None) -> None:
    """Know further sets; with fewer images, and in another folder, if these are given."""
    global RUNS
    SETS.update(others)
    if images:
        for given in SETS.values():
            given |= {"images": (images,) * 5, "patients": 5 * images}
    RUNS = kept or RUNS


def truth_of(table: pd.DataFrame) -> np.ndarray:
    """Classes 0 to 2 of a table with stages."""
    stage = table["stage"].str[1].astype(int)
    return ((stage >= 2).astype(int) + (stage >= 4)).to_numpy()


def with_shuffled_stages(examples: Examples, seed: int) -> Examples:
    """The same scans, with the stages of patients dealt anew."""
    patients = sorted(set(examples.groups))
    of = {p: examples.stages[examples.groups.index(p)] for p in patients}
    dealt = np.random.default_rng(seed).permutation([of[p] for p in patients])
    new = dict(zip(patients, dealt, strict=True))
    stages = np.array([new[p] for p in examples.groups], dtype=np.int64)
    return Examples(examples.names, examples.images, examples.masks, stages, examples.groups)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--set", required=True, choices=SETS, nargs="+")
    parser.add_argument("--model", required=True, choices=MODELS, nargs="+")
    parser.add_argument("--seed", type=int, nargs="+", default=[1])
    parser.add_argument("--by", choices=("patient", "image"), default="patient")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--shuffled", action="store_true")
    parser.add_argument("--images", type=int, help="of each stage, in place of the set's own")
    parser.add_argument("--kept", type=Path, help="folder of images and tables, for a trial")
    parser.add_argument("--table", type=Path, help="write the predictions of the last one here")
    options = parser.parse_args()
    if options.images:
        for given in SETS.values():
            given |= {"images": (options.images,) * 5, "patients": 5 * options.images}
    if options.kept:
        globals().update(FOLDS=options.kept / "folds", RUNS=options.kept / "runs")
    for name in options.set:
        for model in options.model:
            for seed in options.seed:
                found = cross_validate(
                    name, model, seed, options.by, options.folds, options.shuffled
                )
    if options.table:
        write_table(options.table, found)


if __name__ == "__main__":
    run_step(main)
