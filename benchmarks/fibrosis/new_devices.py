"""What adaptation does on a device that a network was not trained on, in outlines and in stages.

    .venv/bin/python -m benchmarks.fibrosis.new_devices

Each of the simulated devices is left out of the training in turn; the scans of other patients on
it are then read as they are, and with the means and SDs of the layers over some of them. Two
networks: that of the benchmark, and a weak one as in the demo. The sets are those that
benchmarks.fibrosis.learning_curve learns from, so that no scan of simulated_paper is looked at, and
whether to adapt can be decided by these rows. Writes a row a scan to
benchmarks/fibrosis/folds/new_devices.tsv, for benchmarks.fibrosis.evaluation.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from benchmarks import ROOT
from benchmarks.fibrosis import cross_validation
from benchmarks.fibrosis.cross_validation import CONFIG, FOLDS, examples_of
from benchmarks.fibrosis.learning_curve import OTHERS
from benchmarks.fibrosis.untrained import NAN, Row
from snakescope.fibrosis.prediction.predict import dice
from snakescope.fibrosis.training.adapted import adapted
from snakescope.fibrosis.training.examples import Examples
from snakescope.fibrosis.training.models import Fitted, fit_model, labels_of, predict
from snakescope.fibrosis.training.settings import FitSettings
from snakescope.learning.intervals import bootstrap_interval, paired_difference
from snakescope.step.command import run_step
from snakescope.step.tables import read_table, write_table

TABLE = FOLDS / "new_devices.tsv"
LEARNT, TESTED = "others_0", "others_1"
CONFIGS = {"benchmark": CONFIG, "demo": ROOT / "config/examples/fibrosis_demo/config.yaml"}
SCANS = {"benchmark": 0, "demo": 54}
"""Scans of all devices to train on (count); 0: all of the set."""

AT_ONCE = (0, 4, 1000)
"""Scans that a network is adapted to at a time (count); 0: not adapted; 1000: all there are."""


def settings_of(config: Path) -> FitSettings:
    """The training of an example."""
    given = yaml.safe_load(config.read_text(encoding="utf-8"))["fibrosis"]["training"]
    return FitSettings.model_validate({**given, "seed": 1, "threads": 1, "device": "cpu"})


def devices_of(truth: pd.DataFrame) -> NDArray[np.str_]:
    """The device of each scan."""
    return truth["device"].to_numpy(str)


def read(fitted: Fitted, tested: Examples, count: int) -> Iterator[dict[str, Any]]:
    """Dice of each scan and whether its class is right, adapted to so many scans at once, or not.

    Args:
        count: scans (0: not adapted).
    """
    truth = labels_of(tested, fitted.settings)
    for first in range(0, len(tested), count or len(tested)):
        rows = range(first, min(len(tested), first + (count or len(tested))))
        part = tested.of(rows)
        one = adapted(fitted, part) if count else fitted
        for at, found in zip(rows, predict(one, part), strict=True):
            yield {
                "scan": tested.names[at], "patient": tested.groups[at],
                "dice": round(dice(found.liver, tested.masks[at]), 4),
                "right": int(found.logits.argmax() == truth[at]),
            }  # fmt: skip


def compared() -> Iterator[dict[str, Any]]:
    """Rows of all networks, devices and numbers of scans."""
    (learnt, learnt_truth), (tested, tested_truth) = examples_of(LEARNT), examples_of(TESTED)
    for name, config in CONFIGS.items():
        for device in sorted(set(devices_of(tested_truth))):
            started = time.process_time()
            order = np.arange(min(len(learnt), SCANS[name] or len(learnt)))
            rows = order[devices_of(learnt_truth)[order] != device]
            fitted = fit_model("ordinal", learnt.of(rows), settings_of(config), {})
            held = tested.of(np.flatnonzero(devices_of(tested_truth) == device))
            for count in AT_ONCE:
                found = list(read(fitted, held, count))
                scores = pd.DataFrame(found)[["dice", "right"]].mean().round(3).to_dict()
                print(f"{name}, {device}, adapted to {count}: {scores},"
                      f" {time.process_time() - started:.0f} s",
                      file=sys.stderr, flush=True)  # fmt: skip
                for row in found:
                    yield {"network": name, "device": device, "adapted_to": count, **row}


def scores_of(path: Path) -> Iterator[Row]:
    """Dice and accuracy of each network, and what adaptation changes in them, scan by scan."""
    if not path.exists():
        return
    table = read_table(
        path, ["adapted_to", "dice", "right"], text=["scan", "patient", "network", "device"]
    )
    for network, of_network in table.groupby("network", sort=False):
        parts = {int(n): rows.sort_values("scan") for n, rows in of_network.groupby("adapted_to")}
        groups = parts[0]["patient"].to_numpy(str)
        for metric, column in (("dice", "dice"), ("accuracy", "right")):
            plain = parts[0][column].to_numpy(float)
            for count, rows in parts.items():
                values = rows[column].to_numpy(float)
                label = f"adapted to {count}" if count < max(AT_ONCE) else "adapted to all"
                method = f"ordinal of the {network}, {label if count else 'not adapted'}"
                found = bootstrap_interval(lambda at, v=values: float(v[at].mean()), groups, 1)
                yield ("new_devices", method, metric, *found, len(rows))
                if count:
                    gain = paired_difference(values, plain, groups, 1)
                    label = f"{method} - not adapted"
                    yield ("new_devices", label, metric, *gain[:3], len(rows))
                    change = pd.Series(values - plain).groupby(rows["device"].to_numpy(str))
                    for device, of_device in change:
                        yield ("new_devices", f"{label}, device {device}", metric,
                               float(of_device.mean()), NAN, NAN, len(of_device))  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--table", type=Path, default=TABLE, help="table to write")
    cross_validation.add_trial_arguments(parser)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    options = parser.parse_args()
    cross_validation.with_sets(OTHERS, options.images, options.kept)
    write_table(options.table, pd.DataFrame(compared()))


if __name__ == "__main__":
    run_step(main)
