"""The benchmark measures what it says, and its command lines are those of the steps."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import ROOT
from benchmarks.healthspan.full_geometry import costs_table, merged, page
from benchmarks.measure import Call, Cost, calls, measure, watching
from snakescope.step.errors import StepError
from tests.markdown import cells


def call(step: str, cost: Cost) -> Call:
    return Call("healthspan", step, (), cost)


def test_steps_that_a_shell_command_calls_are_measured(tmp_path: Path) -> None:
    """As rules call them, by the name ``python``, in bash."""
    environment = {**os.environ, **watching(tmp_path), "PYTHONPATH": str(ROOT / "scripts")}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    command = "python -m snakescope healthspan tile --help > help.txt; python -c 'print(1)'; "
    command += "python -m snakescope healthspan detect --no-such-option 2> error.txt"
    ran = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout) == (2, "1\n")
    assert "--origins" in (tmp_path / "help.txt").read_text()
    assert "--tiles" in (tmp_path / "error.txt").read_text()
    tile, detect = calls(tmp_path)
    assert (tile.tree, tile.step, tile.words) == ("healthspan", "tile", ("--help",))
    assert detect.step == "detect" and tile.cost.peak_rss_mb > 20 and tile.cost.cpu_seconds > 0


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


def test_costs_are_summed_over_blocks_and_divided_by_frames() -> None:
    made = [
        call("register", Cost(10, 4, 500)),
        call("register", Cost(20, 8, 700)),
        call("detect", Cost(60, 20, 900)),
    ]
    table = costs_table(made, 3080, 20, 2, "cuda")
    assert table.to_numpy().tolist() == [
        ["register", 1.5, 0.6, 700, 2, "cpu", 3080, 20],
        ["detect", 3.0, 1.0, 900, 2, "cuda", 3080, 20],
    ]


def test_rows_of_other_devices_are_kept_and_the_same_replaced() -> None:
    old = costs_table([call("detect", Cost(90, 80, 900))], 3080, 10, 1, "cpu")
    other = costs_table([call("detect", Cost(10, 9, 900))], 3080, 10, 1, "cuda")
    new = costs_table([call("detect", Cost(50, 40, 800))], 3080, 10, 1, "cpu")
    table = merged(pd.concat([old, other]), new)
    assert table["seconds_per_frame"].tolist() == [5.0, 1.0]
    row = ["detect", "4.00", "5.00", "800", "1", "cpu", "10 of 3080 px"]
    assert row in cells(page(table))
