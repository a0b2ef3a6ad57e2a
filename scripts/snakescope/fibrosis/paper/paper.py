"""Table 1 of Kang et al. beside what was measured here, fold by fold, with intervals."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.fibrosis.paper.settings import PaperSettings
from snakescope.learning.cross_validation.folds import PROBABILITY
from snakescope.learning.intervals import bootstrap_interval, wilson_interval
from snakescope.report.pages import markdown, write_text
from snakescope.step.tables import read_table, write_table

PAPER = {
    "vgg16_patches": (65, 65, 68, 55, 65, 61, 46, 52, 75, 86),
    "vgg19_patches": (65, 60, 68, 55, 64, 59, 45, 60, 64, 85),
    "paper": (83, 83, 67, 75, 75, 92, 75, 92, 75, 92),
}
"""Accuracy (%) of each fold in table 1; VGG by patches, the proposed network by images."""

PAPER_RIGHT, PAPER_SCANS = 97, 120
"""The proposed network: all its folds are twelfths, so that ten test sets of 12 had 97 right."""


def table_of(predictions: pd.DataFrame, settings: PaperSettings) -> pd.DataFrame:
    """Accuracy of each model, of each fold and of all, with the paper's beside it.

    Args:
        predictions: item, group, class, fold, model and ``p_`` of each class.

    Returns:
        Columns model, fold (all: together), accuracy, low, high, n, paper (share, or empty). The
        interval of all is by patients, of a fold Wilson's.
    """
    names = [str(name) for name in predictions if str(name).startswith(PROBABILITY)]
    classes = [name.removeprefix(PROBABILITY) for name in names]
    named = np.array(classes)[predictions[names].to_numpy(float).argmax(axis=1)]
    table = predictions.assign(right=named == predictions["class"].to_numpy(str))
    rows = []
    for model in dict.fromkeys(table["model"]):
        mine = table[table["model"] == model]
        paper = PAPER.get(str(model))
        for fold, part in mine.groupby("fold"):
            hits, n = int(part["right"].sum()), len(part)
            theirs = paper[int(fold)] / 100 if paper and int(fold) < len(paper) else np.nan
            rows.append((model, str(fold), hits / n, *wilson_interval(hits, n), n, theirs))
        right: NDArray[np.bool_] = mine["right"].to_numpy(bool)
        whole = bootstrap_interval(
            lambda drawn, right=right: float(right[drawn].mean()),  # type: ignore[misc]
            mine["group"], settings.seed, settings.resamples,
        )  # fmt: skip
        theirs = float(np.mean(paper)) / 100 if paper else np.nan
        rows.append((model, "all", *whole, len(mine), theirs))
    columns = ["model", "fold", "accuracy", "low", "high", "n", "paper"]
    return pd.DataFrame(rows, columns=columns)


def page_of(table: pd.DataFrame) -> str:
    """The page: what was measured, what the paper states, and why they are not the same thing."""
    low, high = wilson_interval(PAPER_RIGHT, PAPER_SCANS)
    return (
        "# Table 1 of Kang et al., measured again\n\n"
        "Folds by patient; the paper's are by image, so that scans of one patient lie on both"
        " sides. The paper's proposed network was right in"
        f" {PAPER_RIGHT} of {PAPER_SCANS} test images ({PAPER_RIGHT / PAPER_SCANS:.1%}, 95 %"
        f" {low:.1%} to {high:.1%}). Its columns of VGG count patches. Fold numbers have nothing"
        " in common.\n\n"
        + markdown(table, dict.fromkeys(("accuracy", "low", "high", "paper"), ".3f"))
        + "\n"
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--predictions", required=True, type=Path, help="of all models (TSV)")
    parser.add_argument("--items", required=True, type=Path, help="ingested scans (TSV)")
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--table", required=True, type=Path, help="table to write")
    parser.add_argument("--page", required=True, type=Path, help="page to write (Markdown)")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = PaperSettings.model_validate_json(arguments.settings)
    text = ["item", "group", "class", "model"]
    found = table_of(read_table(arguments.predictions, text, text=text), settings)
    write_table(arguments.table, found)
    write_text(arguments.page, page_of(found))
