"""Folds of a cross-validation that never part a group: a patient, a donor, a plate.

``splits.tsv`` has a row an item: item, group, class, fold (from 0).
"""

import argparse
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import StratifiedGroupKFold

from snakescope.learning.settings import SplitSettings
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table, write_table

COLUMNS = ["item", "group", "class", "fold"]
DRAWS = 100
"""Seeds tried for folds that hold every class that they can."""


def assign_folds(items: pd.DataFrame, settings: SplitSettings) -> pd.DataFrame:
    """Give each item a fold, groups whole and classes spread evenly.

    scikit-learn's ``StratifiedGroupKFold``, shuffled. It is greedy and may leave a fold without a
    class that has groups for all folds; then the next seeds are tried, in order.

    Args:
        items: columns item, group, class.

    Returns:
        The columns of :data:`COLUMNS`, in the order of ``items``.

    Raises:
        StepError: an item twice, an empty group or class, a class of a single group, fewer groups
            than folds, fewer items of every class, or no folds that hold every class they can.
    """
    table = items[["item", "group", "class"]].astype("string").reset_index(drop=True)
    _check_items(table)
    groups, classes = table["group"].to_numpy(str), table["class"].to_numpy(str)
    count = len(set(groups))
    if count < settings.folds:
        raise StepError(
            f"folds: expected at most as many as groups, found {settings.folds} folds of {count}"
            " groups; lower folds"
        )
    largest = int(table["class"].value_counts().max())
    if largest < settings.folds:
        raise StepError(
            f"folds: expected at most as many as the largest class has items, found"
            f" {settings.folds} folds and {largest} items; lower folds"
        )
    for seed in range(settings.seed, settings.seed + DRAWS):
        fold = _draw(table["item"].to_numpy(str), groups, classes, settings.folds, seed)
        table["fold"] = fold
        if not missing_classes(table):
            return table
    lacking = "; ".join(missing_classes(table))
    raise StepError(
        f"folds: expected every class in all {settings.folds} folds, found none such in {DRAWS}"
        f" draws ({lacking}); lower folds"
    )


def _check_items(table: pd.DataFrame) -> None:
    for column in ("item", "group", "class"):
        empty = table[column].isna() | (table[column].str.strip() == "")
        if empty.any():
            raise StepError(
                f"items: expected a {column} of each item, found none of"
                f" {some(table.loc[empty, 'item'].fillna('(no name)'))}; fill in the sheet"
            )
    twice = table.loc[table["item"].duplicated(), "item"]
    if len(twice):
        raise StepError(f"items: expected each item once, found {some(twice)} more than once")
    lone = table.groupby("class")["group"].nunique().loc[lambda n: n < 2].index
    if len(lone):
        raise StepError(
            f"items: expected at least 2 groups of each class, found 1 of {some(lone)}: no model"
            " could learn that class while its group is held out; add groups or merge classes"
        )


def some(names: Iterable[object], most: int = 5) -> str:
    """The first names of many, for a sentence."""
    listed = [str(name) for name in names]
    rest = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + rest


def _draw(
    items: NDArray[np.str_],
    groups: NDArray[np.str_],
    classes: NDArray[np.str_],
    folds: int,
    seed: int,
) -> NDArray[np.int64]:
    # scikit-learn shuffles groups in the order of their names. They are called by the first name
    # among their items, so that neither the order of the sheet changes a fold nor what the groups
    # are called: pseudonyms of patients are others on every machine.
    first = pd.Series(items).groupby(groups).transform("min").to_numpy(str)
    order = np.lexsort((classes, first))
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    fold = np.full(len(groups), -1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class has fewer items than folds
        for number, (_, test) in enumerate(
            splitter.split(np.zeros(len(first)), classes[order], first[order])
        ):
            fold[order[test]] = number
    return fold


def missing_classes(table: pd.DataFrame) -> list[str]:
    """Say which folds lack a class that has as many groups as there are folds, or are empty."""
    folds = range(int(table["fold"].max()) + 1)
    groups = table.groupby("class")["group"].nunique()
    there = table.groupby("class")["fold"].agg(set)
    return [
        f"no {name} in fold {fold}"
        for name in groups.index
        for fold in folds
        if groups[name] >= len(folds) and fold not in there[name]
    ] + [f"nothing in fold {fold}" for fold in folds if fold not in set(table["fold"])]


def read_items(path: str | Path) -> pd.DataFrame:
    """Read a table of items: item, group, class, path, and further fields."""
    names = ["item", "group", "class", "path"]
    return read_table(path, names, text=[*names, "mask", "truth"])


def write_splits(path: str | Path, table: pd.DataFrame) -> None:
    """Write folds as TSV."""
    write_table(path, table[COLUMNS])


def read_splits(path: str | Path) -> pd.DataFrame:
    """Read folds, names as text.

    Raises:
        StepError: the file is absent or lacks a column, a fold is no number from 0, an item is
            listed twice, or a group lies in two folds.
    """
    table = read_table(path, COLUMNS, text=COLUMNS)
    fold = pd.to_numeric(table["fold"], errors="coerce")
    wrong = table.loc[~fold.isin(range(len(table))), "fold"]
    if len(wrong):
        raise StepError(f"{path}: expected folds numbered from 0, found {wrong.iloc[0]!r}")
    table["fold"] = fold.astype(int)
    twice = table.loc[table["item"].duplicated(), "item"]
    if len(twice):
        raise StepError(f"{path}: expected each item once, found {some(twice)} more than once")
    check_groups(table, path)
    return table[COLUMNS]


def check_groups(table: pd.DataFrame, path: str | Path = "splits") -> None:
    """Refuse a group that lies in two folds.

    Raises:
        StepError: names the groups.
    """
    folds = table.groupby("group")["fold"].nunique()
    parted = folds.index[folds > 1]
    if len(parted):
        raise StepError(
            f"{path}: expected each group in one fold, found {some(parted)} in several: a model"
            " would be tested on groups that it was trained on; make the folds by group"
        )


def roles(fold_of: ArrayLike, fold: int) -> NDArray[np.str_]:
    """What each item is to the fit of ``fold``: train, validation (the fold after it) or test.

    Thresholds, temperatures and the best checkpoint are chosen on the validation items; with two
    folds there are none, and nothing is chosen.

    Args:
        fold_of: shape (N,), the fold of each item, from 0.
    """
    given = np.asarray(fold_of)
    folds = int(given.max()) + 1
    found = np.full(given.shape, "train", dtype="<U10")
    if folds > 2:
        found[given == (fold + 1) % folds] = "validation"
    found[given == fold] = "test"
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--items", required=True, help="item, group, class (TSV)")
    parser.add_argument("--settings", required=True, help="settings of the folds as JSON")
    parser.add_argument("--splits", required=True, help="table to write")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = SplitSettings.model_validate_json(arguments.settings)
    items = read_table(arguments.items, COLUMNS[:3], text=COLUMNS[:3])
    write_splits(arguments.splits, assign_folds(items, settings))
