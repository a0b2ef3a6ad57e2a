"""Associations of an image's class with what is no picture: format, size, machine, grey level."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedGroupKFold

from snakescope.learning.intervals import sign_flip_test, wilson_interval


class Association(NamedTuple):
    """How strongly a field goes with the class.

    Attributes:
        measure: ``V`` (Cramer's V) of names, ``eta`` of numbers; both 0 to 1.
        p: share of permutations of the classes with at least this value.
    """

    field: str
    measure: str
    value: float
    p: float


class MetadataClassifier(NamedTuple):
    """Accuracy of a classifier that sees no pixel, in a cross-validation by group.

    Attributes:
        p: of its difference from always naming the most frequent class of the training folds
            (sign-flip test by group).
    """

    accuracy: float
    low: float
    high: float
    majority: float
    p: float
    items: int


def cramers_v(counts: ArrayLike) -> float:
    """Cramer's V of a contingency table, without bias correction; 0 of a single row or column."""
    table = np.asarray(counts, dtype=np.float64)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape) < 2:
        return 0.0
    total = table.sum()
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    chi2 = ((table - expected) ** 2 / expected).sum()
    return float(np.sqrt(chi2 / (total * (min(table.shape) - 1))))


def correlation_ratio(values: ArrayLike, classes: NDArray[np.integer]) -> float:
    """Eta: root of the share of the variance of ``values`` that lies between classes."""
    numbers = np.asarray(values, dtype=np.float64)
    if len(numbers) < 2:
        return 0.0
    counts = np.bincount(classes)
    sums = np.bincount(classes, weights=numbers)
    means = np.divide(sums, counts, out=np.zeros(len(counts)), where=counts > 0)
    whole = ((numbers - numbers.mean()) ** 2).sum()
    between = (counts * (means - numbers.mean()) ** 2).sum()
    return float(np.sqrt(between / whole)) if whole > 1e-12 * len(numbers) else 0.0


def _strength_of(column: pd.Series, count: int) -> tuple[str, Callable[[NDArray[np.int64]], float]]:
    """The measure of a field, and its value as a function of the classes (N,), 0 .. count - 1."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        there = column.notna().to_numpy()
        numbers = column.to_numpy(np.float64)[there]
        return "eta", lambda classes: correlation_ratio(numbers, classes[there])
    codes, names = pd.factorize(column.fillna("").astype(str))

    def of_names(classes: NDArray[np.int64]) -> float:
        table = np.bincount(codes * count + classes, minlength=len(names) * count)
        return cramers_v(table.reshape(len(names), count))

    return "V", of_names


def associations(
    fields: pd.DataFrame, classes: ArrayLike, groups: ArrayLike, permutations: int, seed: int
) -> list[Association]:
    """How strongly each field that varies goes with the class, strongest first.

    The images of a group share its machine and its class, so that classes are permuted among
    groups: each group takes the most frequent class of another.

    Args:
        fields: a column a field; numbers give eta, other types V.
        classes, groups: shape (N,).
    """
    labels, names = pd.factorize(np.asarray(classes), sort=True)
    codes = labels.astype(np.int64)
    owners, owner_names = pd.factorize(np.asarray(groups))
    count = len(names)
    votes = np.zeros((len(owner_names), count), dtype=np.int64)
    np.add.at(votes, (owners, codes), 1)
    of_group = votes.argmax(axis=1)
    rng = np.random.default_rng(seed)
    drawn = [rng.permutation(of_group)[owners] for _ in range(permutations)]
    found = []
    for name in fields.columns[fields.nunique(dropna=False) > 1]:
        measure, strength = _strength_of(fields[name], count)
        value = strength(codes)
        # Within rounding, an equal value is reached.
        reached = sum(strength(one) >= value - 1e-9 for one in drawn)
        p = (1 + reached) / (1 + permutations)
        found.append(Association(str(name), measure, value, p))
    return sorted(found, key=lambda one: (-one.value, one.field))


def metadata_classifier(
    fields: pd.DataFrame, classes: ArrayLike, groups: ArrayLike, seed: int
) -> MetadataClassifier | None:
    """How well the class is told from the fields alone, in up to 5 folds by group.

    A random forest of 100 trees. None where there are fewer than 2 groups or classes,
    or no class has 2 members.

    Args:
        fields: a column a field; numbers as they are, other types one column a value.
        classes, groups: shape (N,).
    """
    labels = np.asarray(classes).astype(str)
    # Numbered as they come, since pseudonyms of patients are others on every machine.
    owners, owner_names = pd.factorize(np.asarray(groups))
    kinds, members = np.unique(labels, return_counts=True)
    # More folds than the largest class has members cannot be stratified.
    folds = min(5, len(owner_names), members.max(initial=0))
    if folds < 2 or len(kinds) < 2 or fields.empty:
        return None
    numbers = fields.select_dtypes("number")
    names = fields.drop(columns=numbers.columns).fillna("").astype(str)
    parts = [numbers.fillna(-1.0)] + ([pd.get_dummies(names)] if len(names.columns) else [])
    table = pd.concat(parts, axis=1).to_numpy(np.float64)
    right, constant = np.zeros(len(labels), bool), np.zeros(len(labels), bool)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for train, test in splitter.split(table, pd.factorize(labels, sort=True)[0], owners):
        forest = RandomForestClassifier(100, random_state=seed)
        seen, counts = np.unique(labels[train], return_counts=True)
        right[test] = forest.fit(table[train], labels[train]).predict(table[test]) == labels[test]
        constant[test] = labels[test] == seen[counts.argmax()]
    p = sign_flip_test(right.astype(float) - constant, owners, seed)
    interval = wilson_interval(int(right.sum()), len(right))
    return MetadataClassifier(float(right.mean()), *interval, float(constant.mean()), p, len(right))
