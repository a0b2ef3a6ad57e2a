"""Fit a model to the training scans of a fold."""

import argparse

from snakescope.fibrosis.training.examples import load_examples
from snakescope.fibrosis.training.models import fit_model
from snakescope.fibrosis.training.settings import FitSettings
from snakescope.learning.checkpoints import path_of
from snakescope.learning.cross_validation.folds import add_fit_options, read_fold
from snakescope.learning.weights import save_weights
from snakescope.step.checksum import sha256_of

add_arguments = add_fit_options


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = FitSettings.model_validate_json(arguments.settings)
    items = read_fold(arguments.items, arguments.splits, arguments.fold)
    train = items[items["role"] == "train"]
    identity = {
        "model": arguments.model,
        "fold": arguments.fold,
        "items": sha256_of(arguments.items),
        "splits": sha256_of(arguments.splits),
    }
    checkpoint = path_of(arguments.checkpoint, identity | {"settings": settings.recorded()})
    fitted = fit_model(arguments.model, load_examples(train), settings, identity, checkpoint)
    save_weights(arguments.weights, fitted.module, fitted.card)
