"""A training of the search: some kernels, a seed, so many steps; its scores and statistics.

snakescope membranes trial --stacks a/manifest/stack.json --trial k4-8-16_seed3 --steps 400
    --previous steps200.ckpt --last yes --settings '{}' --row steps400.json
    --checkpoint steps400.ckpt
"""

import argparse
import re
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from snakescope.learning.checkpoints import Identity
from snakescope.membranes.features.statistics import Map, logits_of, middle, statistics_of
from snakescope.membranes.networks.kernels import Kernels, kernels_of, name_of
from snakescope.membranes.networks.networks import Network
from snakescope.membranes.networks.settings import NetworkSettings
from snakescope.membranes.prediction.labelled import predict_labelled
from snakescope.membranes.prediction.tiles import as_bytes
from snakescope.membranes.scores.partitions import section_scores, true_cells
from snakescope.membranes.scores.pixels import best_iou_threshold, counts_of, pixel_scores
from snakescope.membranes.search.settings import TrialSettings
from snakescope.membranes.stacks.manifest import read_manifest
from snakescope.membranes.stacks.sections import Labelled, read_labelled
from snakescope.membranes.training.fit import train
from snakescope.membranes.training.settings import TrainSettings
from snakescope.membranes.training.train import identity_of
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write, write_json

PIXEL_THRESHOLDS = tuple(n / 20 for n in range(1, 20))
CELL_THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9)


def settings_of(settings: TrialSettings, kernels: Kernels, seed: int, steps: int) -> TrainSettings:
    """The training of a trial."""
    network = settings.training.network.model_copy(update={"kernels": kernels})
    changed = {"network": network, "seed": seed, "steps": steps}
    return settings.training.model_copy(update=changed)


def folder_of(kernels: Kernels, seed: int) -> str:
    """The folder of a trial, ``k4-8-16_seed3``."""
    return f"{name_of(kernels)}_seed{seed}"


def run_trial(
    settings: TrainSettings,
    train_on: Sequence[Labelled],
    tune_on: Sequence[Labelled],
    test_on: Sequence[Labelled],
    identity: Identity,
    checkpoint: str | Path | None = None,
    last: bool = True,
) -> tuple[Network, dict[str, Any]]:
    """Train, and score on sections that were not trained on.

    Thresholds are chosen on tuning sections; test sections are scored at these.

    Args:
        identity: of the data, for the checkpoint.
        checkpoint: of the same trial with fewer steps, which goes on from there.
        last: whether this is the last rung. Before, only the tuning sections are scored, by which
            settings are chosen.

    Returns:
        The network, and what is known of it: scores, statistics of the branches, and seconds of a
        processor of this part of the training.
    """
    began = time.process_time()
    network = train(settings, train_on, identity, checkpoint)
    seconds = time.process_time() - began
    logits, truth = tuning_logits(network, settings.network, tune_on)
    tuning = [
        (as_bytes(_probability(one)), membrane) for one, membrane in zip(logits, truth, strict=True)
    ]
    counts = [counts_of(*pair) for pair in tuning]
    threshold = best_iou_threshold(counts, PIXEL_THRESHOLDS)
    found: dict[str, Any] = {
        "kernels": list(settings.network.kernels),
        "seed": settings.seed,
        "steps": settings.steps,
        "threshold": threshold,
        "tune_iou": float(np.mean([pixel_scores(one, threshold).iou for one in counts])),
    }
    if last:
        testing = predict_labelled(network, settings.network, test_on)
        if testing:
            of_test = [pixel_scores(counts_of(*pair), threshold) for pair in testing]
            found["test_iou"] = float(np.mean([one.iou for one in of_test]))
            found["test_area_ratio"] = float(np.mean([one.area_ratio for one in of_test]))
        found |= _cell_scores(tuning, testing)
        found["branches"] = {
            name: asdict(one) for name, one in statistics_of(logits, truth).items()
        }
    return network, {**found, "seconds": round(seconds, 1)}


def _probability(logits: Mapping[str, Map]) -> NDArray[np.float32]:
    """Probability of membrane by the logits of all branches."""
    together = np.sum([one[1] - one[0] for one in logits.values()], axis=0, dtype=np.float32)
    found: NDArray[np.float32] = expit(together)
    return found


def _cell_scores(tuning: Sequence[Any], testing: Sequence[Any]) -> dict[str, float]:
    """V_Rand and V_Info at the threshold that is best on tuning sections."""
    truth = [true_cells(membrane) for _, membrane in tuning]
    means = [
        np.mean(
            [
                section_scores(one, cells, threshold)
                for (one, _), cells in zip(tuning, truth, strict=True)
            ],
            axis=0,
        )
        for threshold in CELL_THRESHOLDS
    ]
    best = int(np.argmax([sum(one) for one in means]))
    threshold = CELL_THRESHOLDS[best]
    found = {"cell_threshold": threshold, "tune_v_rand": float(means[best][0])}
    if testing:
        scores = [section_scores(one, true_cells(truth), threshold) for one, truth in testing]
        v_rand, v_info = np.mean(scores, axis=0).tolist()
        found |= {"test_v_rand": v_rand, "test_v_info": v_info}
    return found


def tuning_logits(
    network: Network, settings: NetworkSettings, stacks: Sequence[Labelled]
) -> tuple[list[dict[str, Map]], list[NDArray[np.bool_]]]:
    """Logits of every branch, and truth, of the middles of all sections of a part."""
    logits, truth = [], []
    for stack in stacks:
        part = middle(*stack.membrane.shape[1:])
        for z in stack.sections:
            logits.append(logits_of(network, stack.grey.planes(z, settings.neighbours, *part)))
            truth.append(stack.membrane[z][part])
    return logits, truth


TRIAL = re.compile(r"(k\d+-\d+-\d+)_seed(\d+)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--stacks", type=Path, nargs="+", required=True, help="stack.json of each")
    parser.add_argument("--trial", required=True, help="such as k4-8-16_seed3")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--previous", type=Path, nargs="*", help="checkpoint of the rung before")
    parser.add_argument("--last", choices=("yes", "no"), required=True, help="rung of the search")
    parser.add_argument("--settings", required=True, help="JSON of membranes.search.trial")
    parser.add_argument("--row", type=Path, required=True, help="JSON to write")
    parser.add_argument("--checkpoint", type=Path, required=True, help="to write")


def main(given: argparse.Namespace) -> None:
    """Run a trial."""
    settings = TrialSettings.model_validate_json(given.settings)
    match = TRIAL.fullmatch(given.trial)
    assert match is not None, given.trial
    training = settings_of(settings, kernels_of(match[1]), int(match[2]), given.steps)
    manifests = [read_manifest(path) for path in given.stacks]
    parts = {part: read_labelled(manifests, part) for part in ("train", "tune", "test")}
    if not parts["tune"]:
        raise StepError(
            "search: expected sections to choose kernels with, found none; give their numbers in"
            " the column tune of the sample sheet"
        )
    # In a folder of its own, since a training writes its history beside its checkpoint.
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder, "trial.ckpt")
        for path in given.previous or ():
            shutil.copyfile(path, checkpoint)
        _, found = run_trial(
            training,
            parts["train"],
            parts["tune"],
            parts["test"],
            identity_of(manifests),
            checkpoint,
            given.last == "yes",
        )
        with atomic_write(given.checkpoint) as partial:
            shutil.copyfile(checkpoint, partial)
    write_json(given.row, found)
