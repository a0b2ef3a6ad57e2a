"""Grade all clips of a video: those that persons graded by the network that saw no such donor.

Without a network there are no grades: none is shipped that saw clips of real sperm with grades.
Networks of a cross-validation grade a clip of theirs by the one whose fold held it out; the mean of
all folds grades the others. The width of intervals comes from clips that were held out, too.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from snakescope.learning.cross_validation.folds import PROBABILITY
from snakescope.learning.device import choose_device
from snakescope.learning.splits import read_splits
from snakescope.learning.weights import load_weights
from snakescope.sperm.clips.cut import TEXT
from snakescope.sperm.results.columns import GRADED as COLUMNS
from snakescope.sperm.results.settings import GradeSettings
from snakescope.sperm.scores import metrics as of
from snakescope.sperm.training.data import load, votes_of
from snakescope.sperm.training.predict import graded, network_of
from snakescope.sperm.videos.sheet import GRADES
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table, write_table

LEAST = 20
"""Held-out clips from which on their quantiles are those of the interval."""


class Residuals(NamedTuple):
    """Errors of mean grades of clips that were held out: quantiles, SD, clips."""

    low: float
    high: float
    sd: float
    n: int


def residuals_of(weights: str) -> Residuals:
    """As the weights state.

    Raises:
        StepError: they state none.
    """
    _, card = load_weights(weights)
    found = card.get("residuals")
    if not isinstance(found, dict) or set(found) != set(Residuals._fields):
        raise StepError(
            f"{weights}: expected weights with the errors of held-out clips, found none; make them"
            " by snakemake results/sperm/models/ours.safetensors, or leave sperm: results: grading:"
            " weights: empty"
        )
    return Residuals(**found)


def residuals(given: NDArray[np.float64], votes: NDArray[np.int64]) -> Residuals:
    """How far mean grades of distributions (N, 5) lie from those of the votes (N, 5)."""
    truth = votes / votes.sum(axis=1, keepdims=True)
    error = of.mean_grade(truth) - of.mean_grade(given)
    low, high = np.quantile(error, [0.05, 0.95])
    return Residuals(float(low), float(high), float(error.std()), len(error))


def residuals_from(predictions: pd.DataFrame) -> Residuals:
    """Of the clips that a cross-validation held out, of one model."""
    votes = np.array([votes_of(text) for text in predictions["votes"]], np.int64)
    given = predictions[[f"{PROBABILITY}{name}" for name in GRADES]].to_numpy(np.float64)
    return residuals(given, votes)


def by_folds(
    clips: list[str], fold_of: dict[str, int], shares: NDArray[np.float64]
) -> tuple[NDArray[np.float64], list[str]]:
    """What networks of several folds give together, and who graded each clip.

    Args:
        shares: of every fold, (F, N, 5).
    """
    found, who = shares.mean(axis=0), [f"{len(shares)} folds"] * len(clips)
    for at, clip in enumerate(clips):
        if clip in fold_of:
            found[at], who[at] = shares[fold_of[clip], at], f"fold {fold_of[clip]}"
    return found, who


def graders(
    weights: list[str], clips: pd.DataFrame, device: torch.device
) -> Iterator[NDArray[np.float64]]:
    """What each network gives the clips, (N, 5)."""
    read = None
    for path in weights:
        network, size_px = network_of(path, device)
        if read is None or read.frames.shape[-1] != size_px:
            read = load(clips, size_px)
        yield graded(network, read)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--clips", required=True, type=Path, help="clips of a video (TSV)")
    parser.add_argument("--weights", required=True, nargs="*", help="weights, of folds in order")
    parser.add_argument("--splits", type=Path, help="the fold of each clip (TSV)")
    parser.add_argument("--predictions", type=Path, help="of the cross-validation (TSV)")
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--grades", required=True, type=Path, help="table to write, a row a clip")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = GradeSettings.model_validate_json(arguments.settings)
    torch.set_num_threads(settings.threads)
    clips = read_table(arguments.clips, ["clip", "path", "frames"], text=TEXT)
    clips = clips[clips["frames"] > 0].reset_index(drop=True)
    names = list(clips["clip"])
    if not names or not arguments.weights:
        write_table(arguments.grades, pd.DataFrame({"clip": names}, columns=COLUMNS))
        return
    shares = np.stack(list(graders(arguments.weights, clips, choose_device(settings.device))))
    if arguments.predictions:
        splits = read_splits(arguments.splits)
        fold_of = dict(zip(splits["item"], splits["fold"].astype(int), strict=True))
        predicted = read_table(arguments.predictions, ["item", "model", "votes"],
                               text=["item", "model", "votes", "group"])  # fmt: skip
        first = predicted[predicted["model"] == predicted["model"].iloc[0]]
        found, who = by_folds(names, fold_of, shares)
        spread = residuals_from(first)
    else:
        found, who = shares.mean(axis=0), [Path(arguments.weights[0]).stem] * len(names)
        spread = residuals_of(arguments.weights[0])
    if spread.n < LEAST:
        print(f"intervals: only {spread.n} clips were held out, so their width is a guess")
    table = pd.DataFrame(found, columns=[f"p{name}" for name in GRADES])
    table.insert(0, "clip", names)
    write_table(
        arguments.grades,
        table.assign(grader=who, low=spread.low, high=spread.high, sd=spread.sd),
    )
