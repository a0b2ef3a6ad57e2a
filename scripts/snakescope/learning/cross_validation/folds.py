"""What steps of a cross-validation read and write, and their options."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from snakescope.learning.splits import read_items, read_splits, roles, some
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table, write_table

PROBABILITY = "p_"
"""Begins the columns of probabilities, before the class."""


def add_fold_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that ``fit`` and ``predict`` have in common."""
    parser.add_argument("--items", required=True, type=Path, help="items that can be read (TSV)")
    parser.add_argument("--splits", required=True, type=Path, help="the fold of each item (TSV)")
    parser.add_argument("--model", required=True, help="which of the models")
    parser.add_argument("--fold", required=True, type=int, help="fold that is held out, from 0")
    parser.add_argument("--settings", required=True, help="settings of the step as JSON")
    parser.add_argument("--weights", required=True, type=Path, help="weights of the fit")


def add_fit_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fit``."""
    add_fold_options(parser)
    parser.add_argument("--checkpoint", required=True, type=Path, help="to go on from")


def add_predict_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``predict``."""
    add_fold_options(parser)
    parser.add_argument("--predictions", required=True, type=Path, help="table to write")


def add_score_options(parser: argparse.ArgumentParser, pictures: Sequence[str]) -> None:
    """Add the options of ``scores``; each of the pictures is one."""
    parser.add_argument("--items", required=True, type=Path, help="items that can be read (TSV)")
    parser.add_argument("--splits", required=True, type=Path, help="the fold of each item (TSV)")
    parser.add_argument("--predictions", required=True, nargs="+", type=Path, help="of each fit")
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--scores", required=True, type=Path, help="table to write: scores")
    parser.add_argument("--table", required=True, type=Path, help="table to write: predictions")
    for name in pictures:
        parser.add_argument(f"--{name}", required=True, type=Path, help="picture to write")


def read_fold(items: str | Path, splits: str | Path, fold: int) -> pd.DataFrame:
    """The items with their fold, and their ``role`` in the fit of ``fold``.

    A role is train, validation or test (:func:`snakescope.learning.splits.roles`).

    Raises:
        StepError: a table that cannot be read, or other items in the one than in the other.
    """
    table, folds = read_items(items), read_splits(splits)
    other = set(table["item"]) ^ set(folds["item"])
    if other:
        raise StepError(
            f"{splits}: expected the items of {items}, found {some(sorted(other))} in one of them"
            " only; remove the splits, so that they are made again"
        )
    joined = table.drop(columns=[c for c in ("group", "class", "fold") if c in table]).merge(
        folds, on="item", how="left"
    )
    return joined.assign(role=roles(joined["fold"], fold))


def write_predictions(
    arguments: argparse.Namespace,
    items: Sequence[str],
    classes: Sequence[str],
    probabilities: ArrayLike,
    further: pd.DataFrame | None = None,
) -> None:
    """Write the probabilities of the test items of a fold.

    Args:
        arguments: of :func:`add_predict_options`.
        items: N names.
        classes: K names, in their order where they have one.
        probabilities: shape (N, K), rows sum to 1.
        further: N rows of what else is known of each item; its columns follow.

    Raises:
        ValueError: another shape.
    """
    given = np.asarray(probabilities, dtype=np.float64)
    if given.shape != (len(items), len(classes)):
        raise ValueError(f"probabilities {given.shape}, expected {(len(items), len(classes))}")
    table = pd.DataFrame({"item": list(items), "model": arguments.model, "fold": arguments.fold})
    for place, name in enumerate(classes):
        table[f"{PROBABILITY}{name}"] = given[:, place]
    if further is not None:
        table = pd.concat([table, further.reset_index(drop=True)], axis=1)
    write_table(arguments.predictions, table)


def read_predictions(
    paths: Sequence[str | Path], folds: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """Read the predictions of all fits, with the group and class of their items.

    Args:
        folds: of :func:`snakescope.learning.splits.read_splits`.

    Returns:
        Columns item, group, class, fold, model, ``p_`` of each class, and what follows them; and
        the classes in order.

    Raises:
        StepError: another item than the fold's, an item of no or of two predictions, or rows that
            are no probabilities.
    """
    parts = [read_table(path, ["item", "model", "fold"], text=["item", "model"]) for path in paths]
    columns = [str(name) for name in parts[0] if str(name).startswith(PROBABILITY)]
    classes = [name.removeprefix(PROBABILITY) for name in columns]
    for path, part in zip(paths, parts, strict=True):
        fold = folds[folds["fold"].isin(part["fold"])]
        if sorted(part["item"]) != sorted(fold["item"]) or part["fold"].nunique() > 1:
            raise StepError(
                f"{path}: expected a prediction of each item of one fold, found {len(part)} of"
                f" {len(fold)}; remove it, so that it is made again"
            )
        values: NDArray[np.float64] = part.reindex(columns=columns).to_numpy(np.float64)
        if (
            list(part.columns[3 : 3 + len(columns)]) != columns
            or sum(str(name).startswith(PROBABILITY) for name in part) != len(columns)
            or not np.allclose(values.sum(axis=1), 1, atol=1e-3)
            or (values < 0).any()
        ):
            raise StepError(
                f"{path}: expected probabilities of {', '.join(classes)} that sum to 1, found"
                " others; see the step predict of the tree"
            )
    table = pd.concat(parts, ignore_index=True).drop(columns="fold")
    unknown = set(folds["class"]) - set(classes)
    if unknown:
        raise StepError(
            f"{paths[0]}: expected probabilities of every class, found none of {some(unknown)}"
        )
    return folds.merge(table, on="item", how="inner"), classes
