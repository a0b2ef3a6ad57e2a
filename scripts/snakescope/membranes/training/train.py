"""Training on the sections of the column train of all stacks.

snakescope membranes train --stacks a/manifest/stack.json --settings '{}'
    --checkpoint training/membranes.ckpt --weights membranes.safetensors --card membranes.json

Thresholds come from the tuning sections, the scores of the card from the test sections.
"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from snakescope.learning.checkpoints import Identity, path_of
from snakescope.learning.registry import Card, Data, ScoreSet, write_card
from snakescope.learning.weights import save_weights
from snakescope.membranes.networks.model_files import MODEL
from snakescope.membranes.networks.networks import Network, parameters_of
from snakescope.membranes.networks.settings import NetworkSettings, described
from snakescope.membranes.prediction.labelled import predict_labelled
from snakescope.membranes.scores.stack_scores import (
    Thresholds,
    choose_thresholds,
    means_of,
    score_sections,
)
from snakescope.membranes.stacks.manifest import Manifest, read_manifest
from snakescope.membranes.stacks.sections import read_labelled
from snakescope.membranes.training.fit import train
from snakescope.membranes.training.settings import TrainSettings
from snakescope.step.checksum import sha256_of

DATA_LICENCE = "that of the stack"


def identity_of(manifests: list[Manifest]) -> Identity:
    """What a training depends on beside its settings: sections, and the data of their files."""
    return {
        "stacks": [
            [one.name, list(one.parts["train"]), one.positive, list(one.crop or ())]
            for one in manifests
        ],
        "data": [sha256_of(path) for one in manifests for path in files_of(one)],
    }


def files_of(manifest: Manifest) -> list[str]:
    """The files of a stack's image and labels."""
    sources = [manifest.image, *([manifest.labels] if manifest.labels else [])]
    return [path for source in sources for path in source.files]


def scores_of(
    network: Network, settings: NetworkSettings, manifests: list[Manifest], thresholds: Thresholds
) -> dict[str, ScoreSet]:
    """Scores of the test sections of every stack that has some."""
    found = {}
    for manifest in manifests:
        stacks = read_labelled([manifest], "test")
        if not stacks:
            continue
        sections = score_sections(predict_labelled(network, settings, stacks), thresholds)
        means = means_of(sections)
        found[manifest.name] = ScoreSet(
            what=f"sections of {manifest.name} that were not trained on",
            n=len(sections),
            cases="sections",
            scores={name: round(one.value, 4) for name, one in means.items()},
            details={
                "intervals": {
                    name: [round(one.low, 4), round(one.high, 4)] for name, one in means.items()
                },
                "thresholds": asdict(thresholds),
            },
        )
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--stacks", type=Path, nargs="+", required=True, help="stack.json of each")
    parser.add_argument("--settings", required=True, help="JSON of membranes.training")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--card", type=Path, required=True)


def main(given: argparse.Namespace) -> None:
    """Train a network."""
    settings = TrainSettings.model_validate_json(given.settings)
    manifests = [read_manifest(path) for path in given.stacks]
    training = read_labelled(manifests, "train")
    tuning = read_labelled(manifests, "tune")
    identity = identity_of([one for one in manifests if one.parts["train"]])
    kept: Identity = {**settings.model_dump(mode="json"), **identity}
    network = train(settings, training, identity, path_of(given.checkpoint, kept)).to("cpu")
    thresholds = choose_thresholds(predict_labelled(network, settings.network, tuning))
    header: dict[str, Any] = {
        "model": MODEL,
        **described(settings.network),
        "thresholds": asdict(thresholds),
        "data": [f"{one.grey.name}, {len(one.sections)} sections" for one in training],
        "seed": settings.seed,
        "settings": settings.model_dump(mode="json", exclude={"threads", "device"}),
    }
    sha256 = save_weights(given.weights, network, header)
    card = Card(
        what="membrane probabilities of sections of nervous tissue in electron micrographs",
        sha256=sha256,
        model={
            "model": MODEL,
            "parameters": parameters_of(network),
            **described(settings.network),
            "thresholds": asdict(thresholds),
        },
        data=[Data(what=one, licence=DATA_LICENCE) for one in header["data"]],
        seed=settings.seed,
        steps=settings.steps,
        settings=header["settings"],
        held_out=scores_of(network, settings.network, manifests, thresholds),
        limits="sections with the look and the pixel size of those it was trained on; look at"
        " sections.png before the membranes are used",
        licence="that of the stacks it was trained on",
        command="snakemake --cores 2 results/membranes/models/membranes.safetensors",
    )
    write_card(given.card, card)
    print(f"held out: {card.model_dump()['held_out']}", file=sys.stderr, flush=True)
