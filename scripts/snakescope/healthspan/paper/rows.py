"""One form for the figures of all tables: a row a figure, with what the paper has in its place."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.learning.intervals import Interval, bootstrap_interval, wilson_interval
from snakescope.learning.scores import confusion_matrix, macro_f

Ints = NDArray[np.int64]


class PaperRow(NamedTuple):
    """A figure of a method on a set.

    Attributes:
        table: of the paper, such as ``table 5``.
        set: the images or worms.
        method: as the table names it.
        metric: what was measured.
        value: as measured here; NaN where there is none.
        low, high: its 95 % interval; NaN where there is none.
        n: number of cases.
        paper: the paper's figure, NaN where it has none.
    """

    table: str
    set: str
    method: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    paper: float = float("nan")


COLUMNS = PaperRow._fields


def table_of(rows: Iterable[PaperRow]) -> pd.DataFrame:
    """The rows as the table that is written as TSV; figures have four digits."""
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.round({"value": 4, "low": 4, "high": 4, "paper": 4})


def recalls(confusion: Ints) -> NDArray[np.float64]:
    """Recall of each class (classes,); 0 of one without any case. Rows are true classes."""
    whole = np.maximum(confusion.sum(axis=1), 1)
    return np.asarray(np.diag(confusion) / whole, dtype=np.float64)


def precisions(confusion: Ints) -> NDArray[np.float64]:
    """Precision of each class (classes,); 0 of one that is never assigned."""
    return recalls(confusion.T)


def state_rows(
    name: str,
    method: str,
    truth: Ints,
    called: Ints,
    groups: Ints,
    seed: int,
    resamples: int,
    paper: tuple[float, float, float] | None = None,
) -> list[PaperRow]:
    """Macro recall, precision and F with bootstrap intervals over groups; accuracy with Wilson's.

    Args:
        truth, called: classes (N,), from 0 on.
        groups: what is resampled (N,), such as scenes.
        paper: recall, precision and F of the paper's table 5.
    """
    classes = int(max(truth.max(), called.max())) + 1

    def of_rows(rows: NDArray[np.intp]) -> Ints:
        return confusion_matrix(truth[rows], called[rows], classes)

    figures = {
        "recall": lambda rows: float(recalls(of_rows(rows)).mean()),
        "precision": lambda rows: float(precisions(of_rows(rows)).mean()),
        "f": lambda rows: macro_f(of_rows(rows)),
    }
    theirs = dict(zip(figures, paper or (np.nan,) * 3, strict=True))
    found: dict[str, Interval] = {
        metric: bootstrap_interval(figure, groups, seed, resamples)
        for metric, figure in figures.items()
    }
    right = int((truth == called).sum())
    found["accuracy"] = Interval(right / len(truth), *wilson_interval(right, len(truth)))
    return [
        PaperRow("table 5", name, method, metric, *one, len(truth), theirs.get(metric, np.nan))
        for metric, one in found.items()
    ]
