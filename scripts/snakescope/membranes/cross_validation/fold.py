"""One fold of the cross-validation of a stack: train, predict, score.

snakescope membranes fold --stack stack.json --network dcn --fold 0 --settings '{}'
    --training '{}' --checkpoint training/fold.ckpt --scores dcn_fold0.json

Sections of the fold's block are tested; thresholds come from the block after it.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from snakescope.learning.checkpoints import Identity, path_of
from snakescope.learning.precision import arithmetic
from snakescope.membranes.cross_validation.settings import FoldSettings
from snakescope.membranes.networks.networks import Network, parameters_of
from snakescope.membranes.prediction.labelled import predict_labelled
from snakescope.membranes.scores.baseline import smoothed_darkness
from snakescope.membranes.scores.stack_scores import (
    METRICS,
    Pair,
    choose_thresholds,
    score_sections,
)
from snakescope.membranes.stacks.folds import parts_of_fold
from snakescope.membranes.stacks.manifest import Manifest, read_manifest
from snakescope.membranes.stacks.sections import Labelled, read_labelled
from snakescope.membranes.training.fit import train
from snakescope.membranes.training.settings import TrainSettings
from snakescope.step.output import write_json

RAW = "raw"
"""The smoothed micrograph in the place of a network."""


def of_network(training: TrainSettings, network: str) -> TrainSettings:
    """The training of ``dcn`` or ``unet``."""
    changed = training.network.model_copy(update={"architecture": network})
    return training.model_copy(update={"network": changed})


def pairs_of(
    network: Network | None, training: TrainSettings, stacks: list[Labelled], turns: int
) -> list[Pair]:
    """Predictions and truth of sections; without a network those of the baseline."""
    if network is not None:
        # As precisely as can be, if training was not told otherwise.
        precision = "float32" if training.precision == "auto" else training.precision
        dtype = arithmetic(precision, next(network.parameters()).device)
        return predict_labelled(network, training.network, stacks, turns, dtype)
    return [
        (smoothed_darkness(stack.grey.image[z]), stack.membrane[z])
        for stack in stacks
        for z in stack.sections
    ]


def run_parts(
    manifest: Manifest,
    training: TrainSettings | None,
    turns: int,
    identity: Identity,
    checkpoint: str | Path | None = None,
) -> tuple[dict[str, Any], dict[str, list[Pair]]]:
    """Train with the training sections of a stack, tune and test with the others.

    Args:
        training: None for the baseline.
        turns: of every prediction, see :func:`predict_section`.

    Returns:
        What :func:`scored` says, parameters and seconds of a processor; predictions of the
        sections to tune and to test with.
    """
    began = time.process_time()
    network = None
    if training is not None:
        network = train(training, read_labelled([manifest], "train"), identity, checkpoint)
    trained = time.process_time() - began
    base = training or TrainSettings()
    pairs = {
        part: pairs_of(network, base, read_labelled([manifest], part), turns)
        for part in ("tune", "test")
    }
    found = {
        **scored(manifest, pairs),
        "parameters": 0 if network is None else parameters_of(network),
        "train_seconds": round(trained, 1),
        "seconds": round(time.process_time() - began, 1),
    }
    return found, pairs


def scored(manifest: Manifest, pairs: Mapping[str, Sequence[Pair]]) -> dict[str, Any]:
    """Scores of every test section, at thresholds chosen on tuning sections."""
    thresholds = choose_thresholds(pairs["tune"])
    sections = score_sections(pairs["test"], thresholds)
    return {
        "sections": {
            str(z): dict(zip(METRICS, map(float, row), strict=True))
            for z, row in zip(manifest.parts["test"], sections.to_numpy(), strict=True)
        },
        "thresholds": asdict(thresholds),
    }


def of_fold(manifest: Manifest, folds: int, fold: int) -> Manifest:
    """A stack whose labelled sections are divided for a fold."""
    labelled = sorted(z for part in manifest.parts.values() for z in part)
    return replace(manifest, parts=parts_of_fold(labelled, folds, fold))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--stack", type=Path, required=True, help="stack.json of the stack")
    parser.add_argument("--network", choices=("dcn", "unet", RAW), required=True)
    parser.add_argument("--fold", type=int, required=True, help="from 0")
    parser.add_argument("--settings", required=True, help="JSON of membranes.cross_validation")
    parser.add_argument("--training", required=True, help="JSON of membranes.training")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--scores", type=Path, required=True, help="JSON to write")


def main(given: argparse.Namespace) -> None:
    """Run a fold."""
    settings = FoldSettings.model_validate_json(given.settings)
    training = TrainSettings.model_validate_json(given.training)
    manifest = of_fold(read_manifest(given.stack), settings.folds, given.fold)
    chosen = None if given.network == RAW else of_network(training, given.network)
    identity: Identity = {"stack": manifest.name, "sections": list(manifest.parts["train"])}
    kept = training.model_dump(mode="json", exclude={"device", "threads", "report_steps"})
    checkpoint = path_of(given.checkpoint, {**identity, **kept, "network": given.network})
    found, _ = run_parts(manifest, chosen, settings.turns, identity, checkpoint)
    write_json(given.scores, {"network": given.network, "fold": given.fold, **found})
