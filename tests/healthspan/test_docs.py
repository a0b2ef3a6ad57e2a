"""The page of the tables names every column that a step writes."""

import re

import pandas as pd
import pytest

from snakescope import REPOSITORY
from snakescope.healthspan.detection.detect import DROPPED_COLUMNS
from snakescope.healthspan.registration.frames_table import COLUMNS as FRAMES_COLUMNS
from snakescope.healthspan.survival.cox import COX_COLUMNS
from snakescope.healthspan.survival.curves import plate_curves, plate_summary
from snakescope.healthspan.survival.experiment import SURVIVAL_COLUMNS, TESTS_COLUMNS
from snakescope.healthspan.tracking.individuals import (
    DEAD_AT_START,
    INDIVIDUALS_COLUMNS,
    MOVED_ON,
    NEVER_STOPPED,
    STATIC,
)
from snakescope.healthspan.tracking.track import COUNTS_COLUMNS, STATES_COLUMNS, TRACKS_COLUMNS
from snakescope.tree.failures import Failure

PAGE = (REPOSITORY / "docs/reference/tables.md").read_text(encoding="utf-8")


def curves_and_summary() -> tuple[list[str], list[str]]:
    none = pd.DataFrame(columns=list(INDIVIDUALS_COLUMNS))
    counts = pd.DataFrame({name: [0.0] for name in COUNTS_COLUMNS})
    table, alive, healthy = plate_curves(none, counts, 0.95)
    names = ["plate", "experiment", "condition"]
    return list(table.columns), [*names, *plate_summary(none, counts, alive, healthy, "")]


CURVES, SUMMARY = curves_and_summary()


@pytest.mark.parametrize(
    ("file", "columns"),
    [
        ("frames.tsv", FRAMES_COLUMNS),
        ("individuals.tsv", INDIVIDUALS_COLUMNS),
        ("tracks.tsv", TRACKS_COLUMNS),
        ("states.tsv", STATES_COLUMNS),
        ("counts.tsv", COUNTS_COLUMNS),
        ("curves.tsv", CURVES),
        ("summary.tsv", SUMMARY),
        ("survival.tsv", SURVIVAL_COLUMNS),
        ("tests.tsv", TESTS_COLUMNS),
        ("cox.tsv", COX_COLUMNS),
    ],
)
def test_every_column_of_a_table_is_explained(file: str, columns: list[str]) -> None:
    (section,) = re.findall(
        rf"^\| `{re.escape(file)}`: .*?(?:\n\n|\Z)", PAGE, re.DOTALL | re.MULTILINE
    )
    assert set(columns) <= set(re.findall(r"`(\w+)`", section))


def test_reasons_of_a_track_are_those_that_are_written() -> None:
    """A track that never stopped is no row of tracks.tsv, so neither is its reason."""
    assert all(reason in PAGE for reason in (STATIC, MOVED_ON, DEAD_AT_START))
    assert NEVER_STOPPED not in PAGE


@pytest.mark.parametrize("columns", [DROPPED_COLUMNS, ("plate", *Failure._fields[1:])])
def test_columns_told_in_a_sentence(columns: list[str]) -> None:
    assert all(f"`{name}`" in PAGE for name in columns)
