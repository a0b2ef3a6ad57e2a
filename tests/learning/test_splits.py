"""Folds keep groups whole and classes even, and refuse what would make a score a lie."""

import numpy as np
import pandas as pd
import pytest

from snakescope.learning.settings import SplitSettings
from snakescope.learning.splits import (
    assign_folds,
    missing_classes,
    read_splits,
    roles,
    write_splits,
)
from snakescope.step.errors import StepError


def patients(counts: dict[str, int], images: int = 2) -> pd.DataFrame:
    """Items of ``counts[class]`` patients a class, ``images`` each; patients are numbered."""
    rows, number = [], 0
    for name, count in counts.items():
        for _ in range(count):
            number += 1
            rows += [(f"p{number:03d}_{i}", f"{number:03d}", name) for i in range(images)]
    return pd.DataFrame(rows, columns=["item", "group", "class"])


def test_groups_stay_whole_and_classes_are_even():
    table = assign_folds(patients({"F0": 20, "F2": 30, "F4": 10}), SplitSettings(folds=5))
    assert (table.groupby("group")["fold"].nunique() == 1).all()
    counts = pd.crosstab(table["fold"], table["class"])
    assert (counts == [8, 12, 4]).all(axis=None)


def test_folds_depend_on_the_seed_and_not_on_the_order_of_the_sheet():
    items = patients({"a": 8, "b": 9})
    one = assign_folds(items, SplitSettings(folds=3)).set_index("item")["fold"]
    shuffled = items.sample(frac=1, random_state=1)
    again = assign_folds(shuffled, SplitSettings(folds=3)).set_index("item")["fold"]
    assert again.loc[one.index].tolist() == one.tolist()
    other = assign_folds(items, SplitSettings(folds=3, seed=2)).set_index("item")["fold"]
    assert other.tolist() != one.tolist()


def test_folds_do_not_depend_on_what_the_groups_are_called():
    items = patients({"F0": 8, "F2": 9})
    secret = items.assign(group=[name[::-1] for name in items["group"]])
    one = assign_folds(items, SplitSettings(folds=3))["fold"]
    assert (one == assign_folds(secret, SplitSettings(folds=3))["fold"]).all()


@pytest.mark.parametrize("seed", range(20))
def test_no_fold_lacks_a_class_that_could_be_there(seed):
    rng = np.random.default_rng(seed)
    rows = [
        (f"{name}{group}_{i}", f"{name}{group}", name)
        for name, groups in (("a", 6), ("b", 5), ("c", 5), ("d", 3))
        for group in range(groups)
        for i in range(rng.integers(1, 12))
    ]
    items = pd.DataFrame(rows, columns=["item", "group", "class"])
    table = assign_folds(items, SplitSettings(folds=5, seed=seed))
    there = table.groupby("class")["fold"].nunique()
    assert there[["a", "b", "c"]].tolist() == [5, 5, 5]
    assert missing_classes(table) == []


def test_what_makes_no_folds_is_refused():
    settings = SplitSettings(folds=3)
    items = patients({"a": 3, "b": 3})
    few = patients({"a": 2, "b": 2}).drop_duplicates("group")
    for change, facts in (
        (items.assign(group=""), "group"),
        (items.assign(**{"class": None}), "class"),
        (pd.concat([items, items[:1]]), "p001_0"),
        (patients({"a": 4, "b": 1}), "1 of b"),
        (patients({"a": 2}), "3 folds of 2"),
        (few, "found 3 folds and 2 items"),
    ):
        with pytest.raises(StepError, match=facts):
            assign_folds(change, settings)


def test_names_come_back_as_text(tmp_path):
    items = patients({"1": 3, "NA": 3})
    table = assign_folds(items, SplitSettings(folds=3))
    write_splits(tmp_path / "splits.tsv", table)
    found = read_splits(tmp_path / "splits.tsv")
    assert found["group"].tolist() == items["group"].tolist()
    assert set(found["class"]) == {"1", "NA"}
    assert found["fold"].tolist() == table["fold"].tolist()


@pytest.mark.parametrize(
    ("rows", "facts"),
    [
        ("a\t1\tx\t0\nb\t1\tx\t1\n", "1 in several"),
        ("a\t1\tx\t0\na\t1\tx\t0\n", "a more than once"),
        ("a\t1\tx\tfirst\n", "'first'"),
    ],
)
def test_edited_folds_are_checked(tmp_path, rows, facts):
    path = tmp_path / "splits.tsv"
    path.write_text("item\tgroup\tclass\tfold\n" + rows)
    with pytest.raises(StepError, match=rf"splits.tsv.*{facts}"):
        read_splits(path)


def test_each_fold_is_tested_once_and_validates_another():
    fold_of = np.array([0, 0, 1, 2])
    assert roles(fold_of, 0).tolist() == ["test", "test", "validation", "train"]
    assert roles(fold_of, 2).tolist() == ["validation", "validation", "train", "test"]
    assert roles([0, 1], 1).tolist() == ["train", "test"]
