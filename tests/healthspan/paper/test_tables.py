"""Rows of the tables, the methods of table 5, the curves of figure 16, and the page."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from snakescope.healthspan.evaluation.settings import EvaluateSettings
from snakescope.healthspan.paper.curves import curves_figure, curves_of, distances, rows_of
from snakescope.healthspan.paper.drawn_plates import AGE_D, draw_plate_of_weeks
from snakescope.healthspan.paper.page import page_of
from snakescope.healthspan.paper.planning import data_folder
from snakescope.healthspan.paper.rows import PaperRow, precisions, recalls, state_rows, table_of
from snakescope.healthspan.paper.settings import (
    PaperClassifierSettings,
    PaperCurvesSettings,
    PaperSemanticSettings,
)
from snakescope.healthspan.paper.state_examples import TESTING, draw_state_examples
from snakescope.healthspan.paper.states import EARLIER, confusion_rows, judged
from snakescope.healthspan.paper.train_states import training_settings

TRUTH = np.array([0, 0, 1, 1, 2, 2])
GROUPS = np.array([0, 1, 0, 1, 0, 1])


def test_means_over_the_states_and_intervals_by_scene() -> None:
    called = np.array([0, 0, 1, 2, 2, 2])
    rows = state_rows("s", "m", TRUTH, called, GROUPS, 1, 100, (0.5, 0.6, 0.7))
    by_metric = {row.metric: row for row in rows}
    assert by_metric["recall"].value == pytest.approx((1 + 0.5 + 1) / 3)
    assert by_metric["precision"].value == pytest.approx((1 + 1 + 2 / 3) / 3)
    assert by_metric["accuracy"].value == pytest.approx(5 / 6)
    assert [row.paper for row in rows[:3]] == [0.5, 0.6, 0.7] and np.isnan(rows[3].paper)
    for row in rows:
        assert row.low <= row.value <= row.high and row.n == 6


def test_a_state_that_is_never_called_has_no_precision() -> None:
    confusion = np.array([[2, 0, 0], [2, 0, 0], [0, 0, 2]])
    assert recalls(confusion).tolist() == [1, 0, 1]
    assert precisions(confusion).tolist() == [0.5, 0, 1]


def test_confusions_have_the_true_state_first() -> None:
    cells = list(confusion_rows("s", "m", np.array([0, 0]), np.array([1, 1]), ("a", "b")))
    assert ("s", "m", "a", "b", 2) in cells and ("s", "m", "b", "a", 0) in cells


def test_every_method_judges_every_worm_and_the_earlier_one_stands_second() -> None:
    worms = draw_state_examples("unsteady", 3, TESTING, 2)
    methods = {"all dead": lambda one: np.full(len(one.states), 2), "none": lambda one: one.states}
    called = judged(worms, worms, methods)
    assert list(called) == ["all dead", EARLIER, "none"]
    assert all(len(one) == 6 for one in called.values())


def test_the_three_trainings_differ_in_the_architecture_alone() -> None:
    one, other = (training_settings(PaperClassifierSettings(), k) for k in ("vit", "resnet_rs"))
    assert one.architecture == "vit"
    assert one.model_copy(update={"architecture": "resnet_rs"}) == other


@pytest.fixture(scope="module")
def curves() -> pd.DataFrame:
    plate = draw_plate_of_weeks(5, PaperCurvesSettings(worms=6, timepoints=26))
    truth = plate.worms.examples.states
    assert len(truth) == len(plate.detections) and set(truth) == {0, 1, 2}
    pieces = [
        curves_of(plate, called, AGE_D).assign(plate="p", method=name)
        for name, called in (("truth", truth), ("all move", np.zeros_like(truth)))
    ]
    return pd.concat(pieces)


def test_true_states_give_true_curves_and_wrong_ones_do_not(curves: pd.DataFrame) -> None:
    far = {name: distances(part) for name, part in curves.groupby("method")}
    assert far["truth"]["alive"] <= 0.35
    assert far["all move"]["alive"] > 0.6
    rows = {(row.method, row.metric): row for row in rows_of(curves)}
    assert rows["truth", "alive distance"].value == pytest.approx(far["truth"]["alive"])
    assert len(curves_figure(curves).axes) == 2


def rows_of_page(*sets: str) -> pd.DataFrame:
    rows = [
        PaperRow("table 5", one, "Hu moments", "f", 0.5, 0.4, 0.6, 9, 0.511)
        for one in ("steady", *sets)
    ]
    rows += [PaperRow("table 2", "simulated", "semantic, dark field", "f", 0.7, 0.6, 0.8, 9, 0.856)]
    for metric in ("parameters", "view_s", "step_s"):
        rows.append(PaperRow("networks", "one core", "net", metric, 2e6, np.nan, np.nan, 1))
    rows.append(PaperRow("figure 16", "p", "Hu moments", "alive distance", 0.2, 0.1, 0.3, 2))
    return table_of(rows)


def page(rows: pd.DataFrame, **words: str) -> str:
    counts = [("upv_triplets", "Hu moments", a, b, 3) for a in "xy" for b in "xy"]
    confusions = pd.DataFrame(counts, columns=["set", "method", "true", "assigned", "count"])
    return page_of(rows, confusions, PaperClassifierSettings(), PaperSemanticSettings(), **words)


def test_the_page_has_the_papers_figures_beside_ours_and_says_what_is_absent() -> None:
    said = page(rows_of_page())
    assert "0.500 (0.40 to 0.60)" in said and "0.511" in said and "0.856" in said
    assert said.count("No real images were at hand") == 2
    assert "600 simulated composites a state" in said
    real = page(rows_of_page("upv_triplets", "bbbc010"), links="../pictures/a-")
    assert "No real images" not in real and "3 3; 3 3" in real
    assert "](../pictures/a-confusion_steady.png)" in real


def test_the_real_images_are_those_of_the_environment_where_it_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = EvaluateSettings(data=str(tmp_path))
    monkeypatch.delenv("SNAKESCOPE_DATA", raising=False)
    assert data_folder(named) == str(tmp_path)
    assert data_folder(EvaluateSettings(data=str(tmp_path / "absent"))) == ""
    monkeypatch.setenv("SNAKESCOPE_DATA", str(tmp_path / "absent"))
    assert data_folder(named) == ""
