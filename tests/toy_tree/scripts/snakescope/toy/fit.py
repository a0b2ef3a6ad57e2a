"""Fit class means to the training images of a fold."""

import argparse

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import save_file
from snakescope.toy.settings import FitSettings

from snakescope.learning.cross_validation.folds import add_fit_options, read_fold
from snakescope.step.output import atomic_write

add_arguments = add_fit_options


def features(items: pd.DataFrame, model: str) -> NDArray[np.float64]:
    """Grey values (N, pixels) of images, or their mean (N, 1)."""
    grey = np.array([np.asarray(Image.open(path).convert("L")).ravel() for path in items["path"]])
    return grey / 255 if model == "means" else grey.mean(axis=1, keepdims=True) / 255


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = FitSettings.model_validate_json(arguments.settings)
    items = read_fold(arguments.items, arguments.splits, arguments.fold)
    train = items[items["role"] == "train"]
    seen = features(train, arguments.model)
    means = {
        name: seen[train["class"] == name].mean(axis=0) for name in sorted(set(items["class"]))
    }
    middle = np.mean(list(means.values()), axis=0)
    shrunk = {name: one + settings.shrinkage * (middle - one) for name, one in means.items()}
    with atomic_write(arguments.weights) as partial:
        save_file(shrunk, partial)
