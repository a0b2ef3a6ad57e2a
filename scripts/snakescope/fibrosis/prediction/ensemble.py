"""Predict new scans by the models of all folds, and abstain where they should not be asked.

A scan without an answer has a reason: it cannot be read, is unlike the training scans, shows too
little liver, the models disagree, or no class is likely enough. Scans with a stage (set external)
are scored.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax

from snakescope.fibrosis.classes import CLASSES, class_names, class_of
from snakescope.fibrosis.prediction.predict import tidied
from snakescope.fibrosis.prediction.settings import EnsembleSettings
from snakescope.fibrosis.scans.sheet import REFUSED
from snakescope.fibrosis.training.adapted import adapted
from snakescope.fibrosis.training.examples import Examples, load_examples
from snakescope.fibrosis.training.models import Fitted, Prediction, predict, restored
from snakescope.learning.weights import load_weights
from snakescope.step.output import atomic_write
from snakescope.step.progress import progress
from snakescope.step.tables import read_table, write_table

TEXT = ("item", "group", "class", "truth", "path", "mask", "device", "set", "flags")
RIDGE = 0.1
NO_ANSWER = ["scan", "patient", "answer", "abstains"]
"""First columns of answers, those that scans have that cannot be read."""


class Familiar:
    """How far scans are from the training scans, by what a model's class branch sees of them.

    Mahalanobis distance with a covariance shrunk to its diagonal (Lee et al., NeurIPS 2018, of one
    class), as a share of the distance within which ``within`` of the training scans lie.
    """

    def __init__(self, features: NDArray[np.floating], within: float):
        self.mean = features.mean(axis=0)
        centred = features - self.mean
        covariance = centred.T @ centred / max(1, len(features) - 1)
        diagonal = np.diag(np.diag(covariance) + 1e-6)
        self.inverse = np.linalg.inv((1 - RIDGE) * covariance + RIDGE * diagonal + 1e-6 * np.eye(
            len(covariance)))  # fmt: skip
        self.limit = max(float(np.quantile(self._raw(features), within)), 1e-9)

    def _raw(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        centred = np.asarray(features, np.float64) - self.mean
        return np.sqrt(np.einsum("ni,ij,nj->n", centred, self.inverse, centred).clip(0))

    def distance(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """(N, channels) to (N,); above 1 is farther than almost all training scans."""
        return self._raw(features) / self.limit


def joined(
    found: Sequence[Sequence[Prediction]], temperatures: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[NDArray[np.float32] | None]]:
    """Mean probabilities (N, K), their spread between models (N,), and mean liver of each scan."""
    each = np.array(
        [
            [softmax(one.logits / temperature) for one in of_model]
            for of_model, temperature in zip(found, temperatures, strict=True)
        ]
    )
    livers: list[NDArray[np.float32] | None] = []
    for at in range(each.shape[1]):
        maps = [of_model[at].liver for of_model in found]
        there = [one for one in maps if one is not None]
        livers.append(np.mean(there, axis=0) if there else None)
    return each.mean(axis=0), each.std(axis=0).max(axis=1), livers


def reason_of(
    distance: float, share: float, spread: float, confidence: float, settings: EnsembleSettings
) -> str:
    """Why a scan has no answer; empty where it has one."""
    if distance > settings.max_distance:
        return "unlike the training scans"
    if share < settings.min_liver:
        return "too little liver"
    if spread > settings.max_spread:
        return "the models disagree"
    if confidence < settings.min_confidence:
        return "no class is likely enough"
    return ""


def ask(
    models: Sequence[Fitted], train: Examples, new: Examples, settings: EnsembleSettings
) -> tuple[pd.DataFrame, list[NDArray[np.float32] | None]]:
    """Answers to new scans, a row each, and the liver of each.

    Args:
        train: scans that the models were trained on: tell which new ones are unlike them.
    """
    found, distances = [], []
    for fitted in progress(models, "models"):
        adapts = settings.adapt and fitted.name == "ordinal"
        of_new = predict(adapted(fitted, new) if adapts else fitted, new)
        found.append(of_new)
        if of_new and of_new[0].features.size:
            known = Familiar(
                np.array([one.features for one in predict(fitted, train)]), settings.within
            )
            distances.append(known.distance(np.array([one.features for one in of_new])))
    probability, spread, livers = joined(found, [1.0] * len(models))
    if settings.one_piece:
        livers = [None if one is None else tidied(one) for one in livers]
    distance = np.mean(distances, axis=0) if distances else np.zeros(len(new))
    names = class_names(models[0].settings.classes)
    rows: list[dict[str, Any]] = []
    for at, name in enumerate(new.names):
        liver = livers[at]
        sector = max(1, int((new.images[at] > 0).sum()))
        share = 1.0 if liver is None else float((liver >= 0.5).sum() / sector)
        sure = float(probability[at].max())
        reason = reason_of(float(distance[at]), share, float(spread[at]), sure, settings)
        rows.append(
            {
                "scan": name,
                "patient": new.groups[at],
                "answer": "" if reason else names[int(probability[at].argmax())],
                "abstains": reason,
                **{f"p_{n}": p for n, p in zip(names, probability[at], strict=True)},
                "spread": float(spread[at]),
                "distance": float(distance[at]),
                "liver_share": share,
                "stage": f"F{new.stages[at]}" if new.stages[at] >= 0 else "",
            }
        )
    return pd.DataFrame(rows), livers


def unread(refused: pd.DataFrame) -> pd.DataFrame:
    """Rows of the answers of new scans that could not be read, with the reason; without a patient.

    Args:
        refused: columns scan, reason, set, stage; those that would be trained on are left out.
    """
    new = refused[(refused["set"] != "train") | (refused["stage"] == "")]
    rows = new.rename(columns={"reason": "abstains"}).assign(patient="", answer="")
    return rows[[*NO_ANSWER, "stage"]]


def external_scores(table: pd.DataFrame, classes: int) -> pd.DataFrame:
    """Accuracy of scans with a stage: of all, of those answered, and the share of these."""
    known = table[table["stage"] != ""]
    if known.empty:
        return pd.DataFrame(columns=["metric", "value", "n"])
    names = class_names(classes)
    truth = [names[class_of(stage, classes)] for stage in known["stage"]]
    named = known[[f"p_{name}" for name in names]].to_numpy(float).argmax(axis=1)
    right = np.array(names)[named] == np.array(truth)
    answered = (known["abstains"] == "").to_numpy()
    rows = [
        ("accuracy", right.mean(), len(right)),
        ("accuracy_answered", right[answered].mean() if answered.any() else np.nan, answered.sum()),
        ("answered", answered.mean(), len(right)),
    ]
    return pd.DataFrame(rows, columns=["metric", "value", "n"])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--others", required=True, type=Path, help="scans to predict (TSV)")
    parser.add_argument(
        "--refused", required=True, nargs="+", type=Path, help="scans that cannot be read (TSV)"
    )
    parser.add_argument("--items", required=True, type=Path, help="scans of the training (TSV)")
    parser.add_argument("--weights", required=True, nargs="+", type=Path, help="of all folds")
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--masks", required=True, type=Path, help="folder of the masks to write")
    parser.add_argument("--answers", required=True, type=Path, help="table to write")
    parser.add_argument("--scores", required=True, type=Path, help="table to write: with a stage")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = EnsembleSettings.model_validate_json(arguments.settings)
    others = read_table(arguments.others, ["item", "path"], text=TEXT)
    tables = [read_table(path, REFUSED, text="all") for path in arguments.refused]
    without = unread(pd.concat(tables, ignore_index=True))
    if others.empty:
        # All were refused as they were read; the run ends with the name of the first of them.
        write_table(arguments.scores, external_scores(pd.DataFrame({"stage": []}), 3))
        write_table(arguments.answers, without)
        return
    models = [restored(*load_weights(path)) for path in arguments.weights]
    train = load_examples(read_table(arguments.items, ["item", "path"], text=TEXT))
    table, livers = ask(models, train, load_examples(others), settings)
    for name, liver in zip(table["scan"], livers, strict=True):
        if liver is not None:
            with atomic_write(arguments.masks / f"{name}.png") as partial:
                cv2.imwrite(str(partial), np.where(liver >= 0.5, 255, 0).astype(np.uint8))
    assert models[0].settings.classes in CLASSES
    write_table(arguments.scores, external_scores(table, models[0].settings.classes))
    write_table(arguments.answers, pd.concat([table, without], ignore_index=True))
