"""Predict the test images of a fold by their distance to class means."""

import argparse

import numpy as np
from safetensors.numpy import load_file
from scipy.special import softmax
from snakescope.toy.fit import features

from snakescope.learning.cross_validation.folds import (
    add_predict_options,
    read_fold,
    write_predictions,
)

add_arguments = add_predict_options


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    items = read_fold(arguments.items, arguments.splits, arguments.fold)
    test = items[items["role"] == "test"]
    means = dict(sorted(load_file(arguments.weights).items()))
    seen = features(test, arguments.model)
    distance = np.stack([((seen - one) ** 2).sum(axis=1) for one in means.values()], axis=1)
    found = softmax(-distance / (distance.std() + 1e-9), axis=1)
    write_predictions(arguments, list(test["item"]), list(means), found)
