"""What a calibration error means with few scans: that of a predictor which is right by its word."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.fibrosis.cross_validation import truth_of
from benchmarks.fibrosis.untrained import NAN, Row
from snakescope.fibrosis.classes import class_names
from snakescope.learning.intervals import Interval, bootstrap_interval, paired_difference
from snakescope.learning.scores import calibration_error
from snakescope.step.tables import read_table

DRAWS = 2000


def error_of_calibrated(
    probabilities: NDArray[np.float64], groups: NDArray[np.str_], seed: int, draws: int = DRAWS
) -> Interval:
    """Calibration error where classes are drawn from the probabilities themselves: noise alone.

    Args:
        probabilities: shape (N, classes), rows sum to 1.
        groups: shape (N,); scans of one group share their luck, as those of a patient share their
            stage. Names that all differ: every scan for itself, which gives the least error.

    Returns:
        Mean over draws, and the range of 95 % of them.
    """
    rng = np.random.default_rng(seed)
    _, group = np.unique(groups, return_inverse=True)
    ends = probabilities.cumsum(axis=1)[:, :-1]
    found = []
    for _ in range(draws):
        luck = rng.random(group.max() + 1)[group]
        found.append(calibration_error(probabilities, (luck[:, None] >= ends).sum(axis=1)))
    return Interval(float(np.mean(found)), *(float(q) for q in np.quantile(found, [0.025, 0.975])))


def of_calibrated(
    name: str, method: str, test: pd.DataFrame, repeated: bool = False
) -> Iterator[Row]:
    """Rows of what a calibrated predictor of the same probabilities would have.

    Args:
        repeated: a scan has several rows, which share its luck as they share its stage.
    """
    names = [f"p_{one}" for one in class_names(3)]
    values = test[names].to_numpy(float)
    scans = test["scan"].to_numpy(str) if repeated else np.arange(len(test)).astype(str)
    groups = {"ece_if_calibrated": scans,
              "ece_if_calibrated_by_patient": test["patient"].to_numpy(str)}  # fmt: skip
    for metric, of in groups.items():
        yield (name, method, metric, *error_of_calibrated(values, of, 1), len(test))


def of_seeds(name: str, model: str, seeds: Mapping[int, pd.DataFrame]) -> Iterator[Row]:
    """Rows of the scans of all seeds as if they were others, and of the mean of the seeds.

    The mean is set beside the first seed, scan by scan. The scans are the same in each seed, so
    that pooling them takes less of the noise away than other scans would.
    """
    names = [f"p_{one}" for one in class_names(3)]
    tables = [one.sort_values("scan") for one in seeds.values()]
    pooled = pd.concat(tables, ignore_index=True)
    mean = tables[0].assign(**{
        one: np.mean([table[one].to_numpy(float) for table in tables], axis=0) for one in names
    })  # fmt: skip
    count = len(tables)
    for what, table in (("pooled scans", pooled), ("mean probability", mean)):
        method = f"{model}, {what} of {count} seeds"
        error = calibration_error(table[names].to_numpy(float), truth_of(table))
        yield (name, method, "ece", error, NAN, NAN, len(table))
        yield from of_calibrated(name, method, table, repeated=table is pooled)
    groups = mean["patient"].to_numpy(str)
    right = mean[names].to_numpy(float).argmax(axis=1) == truth_of(mean)
    first = tables[0][names].to_numpy(float).argmax(axis=1) == truth_of(tables[0])
    method = f"{model}, mean probability of {count} seeds"
    accuracy = bootstrap_interval(lambda at: float(right[at].mean()), groups, 1)
    yield (name, method, "accuracy", *accuracy, len(mean))
    gain = paired_difference(right, first, groups, 1)
    yield (name, f"{method} - {model}", "accuracy", *gain[:3], len(mean))


def learnt(path: Path) -> Iterator[Row]:
    """Accuracy by the number of other patients that were learnt from, and its range over draws."""
    if not path.exists():
        return
    columns = ["scan", "patient", "method", "outlines", "patients", "right"]
    table = read_table(path, columns, text=columns)
    for (method, outlines, patients), rows in table.groupby(
        ["method", "outlines", "patients"], sort=False
    ):
        right = np.array([[one == "y" for one in row] for row in rows["right"]], float)
        each, groups = right.mean(axis=1), rows["patient"].to_numpy(str)
        label = f"{method}, {outlines} outlines, {patients} patients"
        found = bootstrap_interval(lambda at, e=each: float(e[at].mean()), groups, 1)
        yield ("learning_curve", label, "accuracy", *found, len(rows))
        draws = right.mean(axis=0)
        yield ("learning_curve", label, "accuracy_range_of_draws", float(draws.mean()),
               float(draws.min()), float(draws.max()), len(draws))  # fmt: skip


def adapted_devices(path: Path) -> Iterator[Row]:
    """Dice of known devices, adapted to so many scans at a time, or as the network is."""
    if not path.exists():
        return
    table = read_table(path, ["adapted_to", "dice"], text=["scan", "patient"])
    for count, rows in table.groupby("adapted_to"):
        values, groups = rows["dice"].to_numpy(float), rows["patient"].to_numpy(str)
        label = f"adapted to {int(count)} scans at once" if count else "not adapted"
        found = bootstrap_interval(lambda at, v=values: float(v[at].mean()), groups, 1)
        yield ("known_devices", f"ordinal, {label}", "dice", *found, len(rows))
