"""What jobs take: rows of a run, with the time and memory of a benchmark put in."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.healthspan.full_geometry import COLUMNS
from benchmarks.healthspan.measured_costs import (
    BY_BLOCK,
    STEPS_OF,
    page,
    storage,
    with_geometry,
    with_gpus,
)
from benchmarks.workflow.measured import Cost, Row
from snakescope.healthspan.costs import COSTS
from tests.markdown import cells

ROW = Row("healthspan_detect", "cpu", 7.0, Cost(9, 9, 900, 1, 5, 2, "here"))


def geometry(**seconds_and_mb: tuple[float, float]) -> pd.DataFrame:
    rows = [
        [step, 99.0, seconds, mb, 1, "cpu", 3080, 20]
        for step, (seconds, mb) in seconds_and_mb.items()
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_time_and_memory_are_those_of_the_steps_of_a_rule() -> None:
    (row,) = with_geometry([ROW], geometry(tile=(1, 300), detect=(2, 1200)), 20)
    # 60 s of 20 timepoints in two jobs, of which 7 s each are the start.
    assert row.start_s == 7
    assert row.cost.seconds == pytest.approx((60 - 14) / 20)
    assert (row.cost.max_rss_mb, row.cost.output_mb) == (1200, 1)


def test_a_rule_of_the_whole_plate_is_counted_once() -> None:
    whole = Row("healthspan_pages", "cpu", 1.0, ROW.cost)
    (row,) = with_geometry([whole], geometry(contact_sheet=(0.1, 200), quality=(0.4, 300)), 20)
    assert row.cost.seconds == pytest.approx(10 - 1)


def test_a_rule_of_which_a_step_was_not_measured_is_left_alone() -> None:
    assert with_geometry([ROW], geometry(tile=(1, 300)), 20) == [ROW]


def test_gpus_are_assumed_unless_they_were_measured() -> None:
    cpu, gpu = with_gpus([ROW], [])
    assert (cpu, gpu.device, gpu.cost.assumed, gpu.cost.seconds) == (ROW, "cuda", True, 2.0)
    own = Row("healthspan_detect", "cuda", 1.0, ROW.cost)
    assert with_gpus([ROW], [own]) == [ROW]


def test_steps_are_those_that_jobs_ask_memory_for() -> None:
    steps = {step for steps in STEPS_OF.values() for step in steps}
    asked = {step for step in COSTS if not step.startswith("train_")}
    of_no_plate = {"annotations", "audit", "fine_tune", "fine_tune_scores", "fine_tune_states"}
    small = {"simulate", "provenance", "experiment", "plates_table"}
    small |= {"corrected", "conclusion", "review_page", "review_index"}
    of_paper = {step for step in asked if step.startswith("paper")}
    others = small | of_no_plate | of_paper
    assert asked - steps == others
    assert set(BY_BLOCK) <= set(STEPS_OF)


def test_storage_counts_every_file_that_is_kept(tmp_path: Path) -> None:
    for path, size in (
        ("simulated/full/raw/a.tif", 10_000_000), ("results/healthspan/full/frames.tsv", 500_000),
        ("results/healthspan/full/reference.json", 1_000_000),
        ("results/healthspan/full/registered/t000-t009.ome.tif", 3_000_000),
        ("results/healthspan/full/registered/t000-t009.tsv", 500_000),
    ):  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"0" * size)
    table = storage(tmp_path).set_index("what")
    assert table.loc["all results", ["files", "megabytes", "share_of_raw"]].tolist() == [4, 5, 0.5]
    assert table.loc["registered", "megabytes"] == 3.5
    assert table.loc["all results, keep_registered: false", "megabytes"] == 2
    said = page(table.reset_index(), 3080, 10)
    assert "take 0.50 of the raw images" in said
    assert ["all results", "4", "5.0", "0.50"] in cells(said)
