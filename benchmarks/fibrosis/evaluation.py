"""The evaluation of the fibrosis tree: docs/tables/fibrosis-evaluation.tsv.

    .venv/bin/python -m benchmarks.fibrosis.evaluation

Trained rows come from the fold tables of benchmarks/fibrosis/cross_validation.py, of whole
cross-validations only. The rest is computed: what needs real images is left as it is in the table
where they are not at hand (SNAKESCOPE_DATA).
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import ROOT
from benchmarks.fibrosis import calibration, new_devices, untrained
from benchmarks.fibrosis.cross_validation import (
    FOLDS,
    RUNS,
    SETS,
    fit_settings,
    key_of,
    simulation,
    truth_of,
)
from benchmarks.fibrosis.page import page
from snakescope.fibrosis.classes import class_names
from snakescope.fibrosis.prediction.predict import temperature_of
from snakescope.fibrosis.simulation.oracle import oracle_table
from snakescope.fibrosis.simulation.settings import PRESETS
from snakescope.learning.intervals import bootstrap_interval, paired_difference
from snakescope.learning.scores import auc, auc_of_groups, calibration_error
from snakescope.report.pages import write_text
from snakescope.step.command import run_step
from snakescope.step.tables import read_table, write_table

TABLE = ROOT / "docs/tables/fibrosis-evaluation.tsv"
SPEED = ROOT / "docs/tables/fibrosis-speed.tsv"
PAGE = ROOT / "docs/benchmarks/fibrosis-evaluation.md"
COLUMNS = ["set", "method", "metric", "value", "low", "high", "n"]
FOLD_COUNT = 10
TEXT = ["scan", "patient", "stage", "role", "key"]
Row = untrained.Row
NAN = float("nan")
KEPT = ("bootstrap_by_patient", "oracle", "nakagami")
"""Of these, rows that were not made now stay: scans of a set are drawn only to be trained on."""

REAL = {"sector": "sectors", "trap": "trap", "planted": "planted"}


def whole_tables() -> Iterator[tuple[str, str, int, str, pd.DataFrame]]:
    """Set, model, seed, suffix and predictions of cross-validations of which no fold lacks."""
    for path in sorted(FOLDS.glob("*.tsv")):
        name = next((one for one in SETS if path.stem.startswith(one)), "")
        if not name:
            continue
        model, _, rest = path.stem.removeprefix(f"{name}_").partition("_seed")
        seed, _, suffix = rest.partition("_")
        table = read_table(
            path,
            ["fold", "key", "cpu_s", "predict_s"],
            text=["scan", "patient", "stage", "role", "key"],
        )
        by = "image" if "by_image" in suffix else "patient"
        settings = fit_settings(int(seed))
        wanted = {
            key_of(name, model, settings, fold, by, FOLD_COUNT)
            + ("s" if "shuffled" in suffix else "")
            for fold in range(FOLD_COUNT)
        }
        if wanted <= set(table["key"]):
            yield name, model, int(seed), suffix, table[table["key"].isin(wanted)]


def calibrated(table: pd.DataFrame) -> pd.DataFrame:
    """Test predictions with the temperature of each fold's validation scans applied."""
    names = [f"p_{name}" for name in class_names(3)]
    parts = []
    for _, fold in table.groupby("fold"):
        held, test = (fold[fold["role"] == role] for role in ("validation", "test"))
        logits = np.log(held[names].to_numpy(float).clip(1e-9))
        temperature = temperature_of(logits, truth_of(held))
        values = test[names].to_numpy(float).clip(1e-9) ** (1 / temperature)
        parts.append(
            test.assign(**dict(zip(names, (values / values.sum(1, keepdims=True)).T, strict=True)))
        )
    return pd.concat(parts).sort_values("scan")


def right_of(test: pd.DataFrame) -> np.ndarray:
    """Whether each scan's class is right."""
    names = [f"p_{name}" for name in class_names(3)]
    return np.asarray(test[names].to_numpy(float).argmax(1) == truth_of(test))


def accuracy_of_patients(test: pd.DataFrame) -> tuple[float, float, float, int]:
    """Share of patients whose class is right by the mean logarithm of their scans' probabilities.

    Returns:
        With its interval over patients, and their number.
    """
    names = [f"p_{name}" for name in class_names(3)]
    logs = np.log(test[names].astype(float).clip(lower=1e-9)).assign(truth=truth_of(test))
    pooled = logs.groupby(test["patient"].to_numpy(str)).mean()
    right = pooled[names].to_numpy().argmax(axis=1) == pooled["truth"].to_numpy()
    found = bootstrap_interval(lambda rows: float(right[rows].mean()), np.arange(len(right)), 1)
    return (*found, len(right))


def scored(name: str, method: str, test: pd.DataFrame, suffix: str) -> Iterator[Row]:
    """Rows of a cross-validation."""
    groups, n, truth = test["patient"].to_numpy(str), len(test), truth_of(test)
    right = right_of(test)
    accuracy = bootstrap_interval(lambda rows: float(right[rows].mean()), groups, 1)
    metric = "image_wise_accuracy" if "by_image" in suffix else "accuracy"
    method = f"{method}, shuffled labels" if "shuffled" in suffix else method
    yield (name, method, metric, *accuracy, n)
    if "by_image" in suffix:
        return
    yield (name, method, "accuracy_patients", *accuracy_of_patients(test))
    scores = {
        "auc_ge_f2": (truth >= 1, 1 - test["p_F0-F1"]),
        "auc_ge_f4": (truth >= 2, test["p_F4"]),
    }
    for metric, (positive, score) in scores.items():
        values = score.to_numpy(float)

        yield (name, method, metric, *auc_of_groups(positive, values, groups, 1, 1000), n)
        # DeLong's interval wants independent rows: the mean logit of a patient's scans.
        logit = np.log(values.clip(1e-9, 1 - 1e-9) / (1 - values.clip(1e-9, 1 - 1e-9)))
        each = pd.DataFrame({"positive": positive, "logit": logit}).groupby(groups).mean()
        found = auc(each["positive"] > 0.5, each["logit"])
        yield (name, method, f"{metric}_patients", *found, len(each))
    names = [f"p_{one}" for one in class_names(3)]
    error = calibration_error(test[names].to_numpy(float), truth)
    yield (name, method, "ece", error, NAN, NAN, n)
    if test["dice"].notna().any():
        dice = test["dice"].to_numpy(float)
        found = bootstrap_interval(lambda rows: float(dice[rows].mean()), groups, 1)
        yield (name, method, "dice", *found, n)
        yield (name, method, "dice_p5", float(np.quantile(dice, 0.05)), NAN, NAN, n)


def trained() -> Iterator[Row]:
    """Rows of all whole cross-validations; several seeds of a model also as their mean."""
    kept: dict[tuple[str, str], dict[int, pd.DataFrame]] = {}
    by_image: dict[tuple[str, str], pd.DataFrame] = {}
    for name, model, seed, suffix, table in whole_tables():
        test = calibrated(table)
        start = ", random start" if model.startswith("vgg") else ""
        label = f"{model}{start}" + (f", seed {seed}" if seed > 1 else "")
        yield from scored(name, label, test, suffix)
        if not suffix:
            kept.setdefault((name, model), {})[seed] = test
        elif suffix == "by_image" and seed == 1:
            by_image[(name, model)] = test
    for (name, model), seeds in kept.items():
        if len(seeds) > 1:
            for seed, test in seeds.items():
                label = model + (f", seed {seed}" if seed > 1 else "")
                yield from calibration.of_calibrated(name, label, test)
            yield from calibration.of_seeds(name, model, seeds)
            rights = np.mean([right_of(test) for test in seeds.values()], axis=0)
            groups = next(iter(seeds.values()))["patient"].to_numpy(str)
            found = bootstrap_interval(lambda rows, r=rights: float(r[rows].mean()), groups, 1)
            yield (name, f"{model}, mean of {len(seeds)} seeds", "accuracy", *found, len(rights))
    for (name, model), test in by_image.items():
        if 1 in kept.get((name, model), {}):
            other = kept[(name, model)][1]
            groups = other["patient"].to_numpy(str)
            found = paired_difference(right_of(test), right_of(other), groups, 1)
            start = ", random start" if model.startswith("vgg") else ""
            yield (name, f"{model}{start}", "image_wise_gain", *found[:3], len(other))
    for name in SETS:
        first = kept.get((name, "ordinal"), {}).get(1)
        for (other_set, other), seeds in kept.items():
            if first is not None and other_set == name and other != "ordinal" and 1 in seeds:
                one, two = right_of(first), right_of(seeds[1])
                found = paired_difference(one, two, first["patient"].to_numpy(str), 1)
                yield (name, f"ordinal - {other}", "accuracy", *found[:3], len(one))


def real_livers(path: Path) -> Iterator[Row]:
    """Dice of the frames of abdominal_us that show liver, of each tested subject, and the least."""
    if not path.exists():
        return
    table = read_table(path, ["dice", "liver_share"], text=["frame", "subject", "method"])
    pen = table["method"].str.startswith("drawn outline")
    for method, rows in table[table["dice"].isna() & ~pen].groupby("method", sort=False):
        share = float(rows["liver_share"].mean())
        yield ("abdominal_us", str(method), "share_where_none_is_drawn", share, NAN, NAN, len(rows))
    table = table[table["dice"].notna()]
    for method, rows in table.groupby("method", sort=False):
        values, subjects = rows["dice"].to_numpy(float), rows["subject"].to_numpy(str)
        # Two subjects are too few to resample: the interval is over frames.
        found = bootstrap_interval(
            lambda at, v=values: float(v[at].mean()), np.arange(len(rows)), 1
        )
        yield ("abdominal_us", str(method), "dice", *found, len(rows))
        yield ("abdominal_us", str(method), "dice_least", float(values.min()), NAN, NAN, len(rows))
        for subject in sorted(set(subjects)) if not pen[rows.index[0]] else ():
            of = values[subjects == subject]
            yield ("abdominal_us", f"{method}, subject {subject}", "dice",
                   float(of.mean()), NAN, NAN, len(of))  # fmt: skip


def inner_choice(path: Path) -> Iterator[Row]:
    """Dice of what was tried on halves of the training subject's frames, and what was chosen."""
    if not path.exists():
        return
    columns = ["epochs", "rate", "inner_dice", "n"]
    table = read_table(path, columns, text=["training_subject", "chosen"])
    for row in table.itertuples():
        chosen = ", chosen" if row.chosen == "y" else ""
        method = f"{row.epochs} epochs, rate {row.rate:g}, subject {row.training_subject}{chosen}"
        yield ("abdominal_us", f"inner choice, {method}", "dice", row.inner_dice, NAN, NAN, row.n)


def speeds() -> pd.DataFrame:
    """Minutes of a cross-validation's ten folds on one core, and scans a second at prediction."""
    rows = []
    for name, model, seed, suffix, table in whole_tables():
        if name == "simulated_paper" and seed == 1 and not suffix:
            folds = table.groupby("fold")["cpu_s"].first()
            seconds = float(table.groupby("fold")["predict_s"].first().mean())
            start = ", random start" if model.startswith("vgg") else ""
            rows.append((name, f"{model}{start}", len(folds), float(folds.sum() / 60), 1 / seconds))
    columns = ["set", "method", "folds", "cpu_minutes", "scans_per_cpu_second"]
    return pd.DataFrame(rows, columns=columns)


def oracles() -> Iterator[Row]:
    """The best rule on the latent fibrosis, and the Nakagami parameter alone."""
    for name in SETS:
        path = RUNS / name / "truth.tsv"
        if path.exists():
            truth = read_table(path, ["f"], text=["scan", "patient", "stage", "device"])
            found = oracle_table(truth, PRESETS[simulation(name).preset].latent_sd)
            for row in found.itertuples():
                yield (name, row.method, row.metric, row.value, row.low, row.high, row.n)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--table", type=Path, default=TABLE, help="table to write")
    parser.add_argument("--speed", type=Path, default=SPEED, help="table of speeds to write")
    parser.add_argument("--page", type=Path, default=PAGE, help="page to write")
    parser.add_argument("--data", type=Path, default=untrained.DATA, help="folder of real images")
    parser.add_argument(
        "--repeats", type=int, default=200, help="sets of the coverage (count); 0: leave its row"
    )


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    options = parser.parse_args()
    before = (
        read_table(options.table, COLUMNS)
        if options.table.exists()
        else pd.DataFrame(columns=COLUMNS)
    )
    rows = [
        *trained(),
        *real_livers(FOLDS / "abdominal_us.tsv"),
        *real_livers(FOLDS / "abdominal_us_further.tsv"),
        *inner_choice(FOLDS / "abdominal_us_inner.tsv"),
        *calibration.learnt(FOLDS / "learning_curve.tsv"),
        *calibration.adapted_devices(FOLDS / "outlines_adapted.tsv"),
        *new_devices.scores_of(FOLDS / "new_devices.tsv"),
        *oracles(),
        *untrained.dicom(),
        *(untrained.coverage(options.repeats) if options.repeats else ()),
    ]
    if options.data.exists():
        for function in REAL.values():
            rows += getattr(untrained, function)()
    table = pd.DataFrame(rows, columns=COLUMNS)
    made = set(zip(table["set"], table["method"], table["metric"], strict=True))
    old = [
        row for row in before.itertuples(index=False)
        if (row[0], row[1], row[2]) not in made and (row[0] in REAL or row[1] in KEPT)
    ]  # fmt: skip
    table = pd.concat([table, pd.DataFrame(old, columns=COLUMNS)], ignore_index=True)
    table = table.sort_values(["set", "method", "metric"])
    speed = speeds()
    write_table(options.table, table)
    write_table(options.speed, speed)
    write_text(options.page, page(table, speed))


if __name__ == "__main__":
    run_step(main)
