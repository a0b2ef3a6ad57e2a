"""Scores on ISBI 2012: five folds of contiguous sections, and 27 sections against 3.

    python -m benchmarks.membranes.folds --data $SNAKESCOPE_DATA

Of the Deep Contextual Network, a U-Net of equal parameters and the smoothed micrograph. One JSON
file a training in ``--work``; those whose key is the same are kept, and interrupted trainings go
on from their checkpoints. ``--only dcn_isbi2012_5fold_0`` runs one of them. The table
docs/tables/membranes-evaluation.tsv is written when all are there.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from benchmarks.membranes.isbi2012 import isbi2012
from snakescope.membranes.cross_validation.fold import RAW, of_fold, of_network, run_parts
from snakescope.membranes.networks.settings import NetworkSettings
from snakescope.membranes.search.trials_table import key_of
from snakescope.membranes.stacks.manifest import Manifest
from snakescope.membranes.training.settings import TrainSettings
from snakescope.step.checksum import sha256_of
from snakescope.step.output import atomic_write, write_json

FOLDS = 5
TURNS = 8
SPLIT = {"train": tuple(range(24)), "tune": (24, 25, 26), "test": (27, 28, 29)}
ALL = {"train": tuple(range(30)), "tune": (), "test": ()}
STEPS = {"dcn": 400, "unet": 250}
"""About the same seconds of a processor."""


def trainings(data: Path) -> Iterator[tuple[str, str, Manifest]]:
    """Network, set with its fold, and the stack as it is divided."""
    for network in ("dcn", "unet", RAW):
        for fold in range(FOLDS):
            yield network, f"isbi2012_5fold_{fold}", of_fold(isbi2012(data, ALL), FOLDS, fold)
        yield network, "isbi2012_27_3", isbi2012(data, SPLIT)


def training_of(network: str, steps: int | None) -> TrainSettings | None:
    """The training of a network; None for the micrograph."""
    if network == RAW:
        return None
    base = TrainSettings(network=NetworkSettings(width=16), steps=steps or STEPS[network])
    return of_network(base, network)


def run_one(
    manifest: Manifest, network: str, steps: int | None, work: Path, name: str
) -> dict[str, Any]:
    """Train and score, or read the result of the same training."""
    training = training_of(network, steps)
    assert manifest.labels is not None
    identity: dict[str, Any] = {
        "version": TrainSettings.version,
        "training": training and training.model_dump(mode="json", exclude={"threads", "device"}),
        "turns": TURNS,
        "parts": {part: list(sections) for part, sections in manifest.parts.items()},
        "data": [sha256_of(one.path) for one in (manifest.image, manifest.labels)],
    }
    key = key_of(identity)
    path = work / f"{network}_{name}.json"
    if path.exists() and (known := json.loads(path.read_text()))["key"] == key:
        return dict(known)
    checkpoint = work / f"{network}_{name}_{key}.ckpt"
    found, pairs = run_parts(manifest, training, TURNS, {"key": key}, checkpoint)
    with atomic_write(work / f"{network}_{name}.tif") as partial:
        tifffile.imwrite(partial, np.stack([one for one, _ in pairs]), compression="zlib")
    found = {"key": key, "network": network, "name": name, **found}
    write_json(path, found)
    return found


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with neurites/isbi2012")
    parser.add_argument("--work", type=Path, default=Path("training/membranes"))
    parser.add_argument("--only", action="append", help="<network>_<set>, may be repeated")
    parser.add_argument("--steps", type=int, help="of every training, to try the benchmark")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    for network, name, manifest in trainings(given.data):
        if not given.only or f"{network}_{name}" in given.only:
            found = run_one(manifest, network, given.steps, given.work, name)
            means = np.mean([list(one.values()) for one in found["sections"].values()], axis=0)
            print(network, name, found["thresholds"], means.round(4).tolist(), flush=True)


if __name__ == "__main__":
    main()
