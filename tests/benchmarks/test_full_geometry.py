"""The benchmark measures what it says, and its command lines are those of the steps."""

import os
import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.healthspan.full_geometry import Cost, Run, costs_table, measure, merged, page, runs
from snakescope import REPOSITORY
from snakescope.step.errors import StepError

SCRIPTS = REPOSITORY / "scripts"
BLOCKS = ["t000-t009", "t010-t019", "t020-t029"]
WEIGHTS = {"detect": Path("detector.safetensors"), "classify": Path("classifier.safetensors")}


def test_memory_and_time_are_those_of_the_child() -> None:
    idle = measure([sys.executable, "-c", "pass"], dict(os.environ))
    busy = "import time; b = b'1' * (200 * 2**20); time.sleep(0.3)"
    cost = measure([sys.executable, "-c", busy], dict(os.environ))
    assert idle.peak_rss_mb < 30
    assert 195 < cost.peak_rss_mb - idle.peak_rss_mb < 215
    assert cost.seconds > 0.3
    assert 0 < cost.cpu_seconds < cost.seconds


def test_a_step_that_fails_is_told_with_its_last_word() -> None:
    failing = "import sys; print('error: no such plate', file=sys.stderr); sys.exit(1)"
    with pytest.raises(StepError, match="status 1: error: no such plate"):
        measure([sys.executable, "-c", failing], dict(os.environ))


@pytest.mark.parametrize("run", runs(Path("p"), BLOCKS, WEIGHTS, "cpu"), ids=lambda run: run.step)
def test_every_option_is_one_of_the_step(run: Run) -> None:
    module = SCRIPTS / Path(*run.words[0].split(".")).with_suffix(".py")
    source = module.read_text(encoding="utf-8")
    for word in run.words[1:]:
        if word.startswith("--"):
            assert f'"{word}"' in source, f"{run.words[0]} has no {word}"


def test_a_block_is_composed_with_its_neighbours() -> None:
    composed = [one for one in runs(Path("p"), BLOCKS, WEIGHTS, "cpu") if one.step == "composite"]
    assert [sum(word.endswith(".json") for word in one.words) for one in composed] == [2, 3, 2]


def test_costs_are_summed_over_blocks_and_divided_by_frames() -> None:
    made = [
        (Run("register", ()), Cost(10, 4, 500)),
        (Run("register", ()), Cost(20, 8, 700)),
        (Run("detect", ()), Cost(60, 20, 900)),
    ]
    table = costs_table(made, 3080, 20, 2, "cuda")
    assert table.to_numpy().tolist() == [
        ["register", 1.5, 0.6, 700, 2, "cpu", 3080, 20],
        ["detect", 3.0, 1.0, 900, 2, "cuda", 3080, 20],
    ]


def test_rows_of_other_devices_are_kept_and_the_same_replaced() -> None:
    old = costs_table([(Run("detect", ()), Cost(90, 80, 900))], 3080, 10, 1, "cpu")
    other = costs_table([(Run("detect", ()), Cost(10, 9, 900))], 3080, 10, 1, "cuda")
    new = costs_table([(Run("detect", ()), Cost(50, 40, 800))], 3080, 10, 1, "cpu")
    table = merged(pd.concat([old, other]), new)
    assert table["seconds_per_frame"].tolist() == [5.0, 1.0]
    assert "| detect | 4.00 | 5.00 | 800 | 1 | cpu | 10 of 3080 px |" in page(table)
