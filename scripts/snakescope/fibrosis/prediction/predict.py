"""Predict the scans of a fold that its model has not seen: class, thresholds, liver.

The temperature of the probabilities is chosen on the validation scans, which the model was not
trained on either. With two folds there are none, and it stays 1.
"""

import argparse
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import log_softmax, softmax

from snakescope.fibrosis.classes import class_names
from snakescope.fibrosis.training.examples import Examples, load_examples
from snakescope.fibrosis.training.models import Prediction, labels_of, predict, restored
from snakescope.learning.cross_validation.folds import (
    add_predict_options,
    read_fold,
    write_predictions,
)
from snakescope.learning.weights import load_weights

add_arguments = add_predict_options
TEMPERATURES = np.geomspace(0.3, 5.0, 200)
PRIOR_SD = 0.3
"""Of the logarithm of the temperature: a dozen validation scans must not decide alone."""


def temperature_of(logits: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """The most likely temperature of validation scans, with a prior around 1.

    Guo et al., ICML 2017, section 4.2, as a maximum a posteriori estimate.

    Args:
        logits: (N, K).
        truth: (N,).
    """
    if not len(truth):
        return 1.0
    rows = np.arange(len(truth))
    cost = [
        -log_softmax(logits / one, axis=1)[rows, truth].sum() + 0.5 * (np.log(one) / PRIOR_SD) ** 2
        for one in TEMPERATURES
    ]
    return round(float(TEMPERATURES[int(np.argmin(cost))]), 4)


def tidied(liver: NDArray[np.float32]) -> NDArray[np.float32]:
    """A map of the liver whose outline is one piece without holes.

    Pixels of 0.5 and more beside the largest piece become 0, holes in it become 1; all else stays.

    Args:
        liver: probability (Y, X).
    """
    pieces, count = ndimage.label(liver >= 0.5)
    if not count:
        return liver
    largest = pieces == 1 + int(np.bincount(pieces.ravel())[1:].argmax())
    holes = ndimage.binary_fill_holes(largest) & ~largest
    found = np.where((pieces > 0) & ~largest, 0, liver)
    return np.asarray(np.where(holes, 1, found), np.float32)


def dice(probability: NDArray[np.float32] | None, mask: NDArray[np.uint8] | None) -> float:
    """Dice of the liver at a probability of 0.5; NaN without either."""
    if probability is None or mask is None:
        return float("nan")
    found, true = probability >= 0.5, mask > 0
    return float(2 * (found & true).sum() / max(1, int(found.sum() + true.sum())))


def further(examples: Examples, found: list[Prediction]) -> pd.DataFrame:
    """What else a model says of each scan: thresholds, liver, and its Dice where it is drawn."""
    rows: list[dict[str, Any]] = []
    for at, one in enumerate(found):
        sector = (examples.images[at] > 0).sum()
        share = np.nan if one.liver is None else float((one.liver >= 0.5).sum() / max(1, sector))
        rows.append(
            {f"ge_F{k + 1}": value for k, value in enumerate(one.thresholds)}
            | {"liver_share": share, "dice": dice(one.liver, examples.masks[at])}
        )
    return pd.DataFrame(rows)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    items = read_fold(arguments.items, arguments.splits, arguments.fold)
    fitted = restored(*load_weights(arguments.weights))
    parts = {name: load_examples(items[items["role"] == name]) for name in ("validation", "test")}
    found = {name: predict(fitted, part) for name, part in parts.items() if len(part)}
    count = fitted.settings.classes
    held = found.get("validation", [])
    logits = np.array([one.logits for one in held]).reshape(len(held), len(class_names(count)))
    truth = labels_of(parts["validation"], fitted.settings) if held else np.zeros(0, np.int64)
    temperature = temperature_of(logits, truth)
    test = np.array([one.logits for one in found["test"]])
    table = further(parts["test"], found["test"]).assign(temperature=temperature)
    write_predictions(
        arguments,
        list(parts["test"].names),
        class_names(count),
        softmax(test / temperature, axis=1),
        table,
    )
