"""Jobs ask for what they were measured to take, and not for much more."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tifffile

from benchmarks.healthspan.full_geometry import COLUMNS
from snakescope import REPOSITORY
from snakescope.healthspan.costs import COSTS, PAPER_MEGAPIXELS
from snakescope.healthspan.plates.sheet import Plate
from snakescope.healthspan.settings import HealthspanSettings
from snakescope.healthspan.tree import Healthspan
from snakescope.imaging.frames import Header
from snakescope.step.tables import read_table
from snakescope.tree.costs import SNAKEMAKE_MB, Size, request_mb, request_minutes

MEASURED = read_table(REPOSITORY / "docs/tables/full-geometry.tsv", COLUMNS)
STEPS = [step for step in COSTS if not step.startswith("train_")]
PER_BLOCK = ("register", "tile", "detect", "second_look", "composite", "evidence", "classify")


def frames(megapixels: float, count: int) -> Size:
    """Frames of a job, of so many megapixels each."""
    units = {"megapixel": megapixels, "frame": count, "megapixel frame": megapixels * count}
    return Size("", units)


def memory_mb(steps: Sequence[str], megapixels: float, count: int) -> int:
    return request_mb(max(COSTS[step].memory_mb(frames(megapixels, count)) for step in steps))


def runtime_min(steps: Sequence[str], megapixels: float, count: int) -> int:
    return request_minutes(sum(COSTS[step].seconds(frames(megapixels, count)) for step in steps))


def size(row: pd.Series) -> tuple[float, int]:
    frames = min(10, row["timepoints"]) if row["step"] in PER_BLOCK else row["timepoints"]
    return row["frame_px"] ** 2 / 1e6, int(frames)


@pytest.mark.parametrize("index", MEASURED.index[MEASURED["device"] == "cpu"])
def test_memory_asked_for_is_enough_and_not_twice_the_peak(index: int) -> None:
    row = MEASURED.loc[index]
    asked = memory_mb([row["step"]], *size(row))
    used = row["peak_rss_mb"] + SNAKEMAKE_MB
    assert used < asked <= 2 * used, row["step"]


@pytest.mark.parametrize("index", MEASURED.index[MEASURED["device"] == "cpu"])
def test_time_asked_for_is_ample(index: int) -> None:
    row = MEASURED.loc[index]
    megapixels, frames = size(row)
    took_s = row["cpu_seconds_per_frame"] * frames
    asked_s = 60 * runtime_min([row["step"]], megapixels, frames)
    assert 3 * took_s < asked_s


def test_every_step_was_measured_at_full_size_or_is_small() -> None:
    measured = set(MEASURED["step"])
    small = {"simulate", "experiment", "plates_table"}
    small |= {"corrected", "review_page", "review_index", "conclusion", "annotations"}
    # No plate has these: they were estimated from one training on the wells of BBBC010.
    fine_tuning = {"audit", "fine_tune", "fine_tune_scores", "fine_tune_states"}
    of_paper = {step for step in STEPS if step.startswith("paper")}
    assert set(STEPS) - measured == small | fine_tuning | of_paper


@pytest.mark.parametrize(("frame_px", "worms", "peak_mb"), [(880, 15, 201), (3080, 100, 542)])
def test_a_simulation_asks_for_what_it_was_measured_to_take(
    frame_px: int, worms: int, peak_mb: float
) -> None:
    simulation = {"frame_px": frame_px, "timepoints": 3, "worms": worms}
    settings = HealthspanSettings(simulation=simulation)
    asked = Healthspan(settings, []).memory("simulate")(at(plate="p"), attempt=1)
    assert peak_mb + SNAKEMAKE_MB < asked <= 2 * (peak_mb + SNAKEMAKE_MB)


@pytest.mark.parametrize(
    ("model", "how", "peak_mb"),
    [
        ("detector", {"scenes": 4, "held_out_scenes": 2}, 1292),
        ("detector", {"scenes": 150, "held_out_scenes": 2}, 1438),
        ("detector", {"scenes": 4, "held_out_scenes": 2, "architecture": "resnet101"}, 3279),
        ("classifier", {"per_state": 16}, 970),
        ("classifier", {"per_state": 200}, 1022),
        ("classifier", {"per_state": 1500}, 2013),
    ],
)
def test_a_training_asks_for_what_it_was_measured_to_take(
    model: str, how: dict[str, object], peak_mb: float
) -> None:
    few = {"validation_per_state": 16, "held_out_per_state": 16} if model == "classifier" else {}
    settings = HealthspanSettings.model_validate({"training": {model: {**how, **few}}})
    used = peak_mb + SNAKEMAKE_MB
    asked = Healthspan(settings, []).memory(f"train_{model}")(at(), attempt=1)
    assert used < asked <= 2 * used


def test_the_trainings_that_ship_ask_for_their_examples() -> None:
    tree = Healthspan(HealthspanSettings(), [])
    assert tree.memory("train_detector")(at(), attempt=1) > 1.33 * (1290 + 3000)
    assert tree.memory("train_classifier")(at(), attempt=1) > 1.33 * (940 + 0.23 * 3 * 5000)


def test_no_job_asks_for_more_than_a_laptop_has() -> None:
    for step in STEPS:
        assert memory_mb([step], PAPER_MEGAPIXELS, 50) <= 4096, step


def test_a_job_of_two_steps_takes_the_greater_memory_and_the_time_of_both() -> None:
    size = (PAPER_MEGAPIXELS, 10)
    both = ("tile", "detect")
    assert memory_mb(both, *size) == max(memory_mb([step], *size) for step in both)
    assert runtime_min(both, *size) > max(runtime_min([step], *size) for step in both)


def scanned(plates: list[Plate]) -> Healthspan:
    """A tree whose raw folders the main process has looked at."""
    tree = Healthspan(HealthspanSettings(), plates, scans=True, warn=lambda note: None)
    tree.open()
    return tree


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Healthspan:
    """Plates large and small with eleven frames, and one whose frames are no images."""
    monkeypatch.chdir(tmp_path)
    for name, side in (("large", 3000), ("small", 500), ("broken", 0)):
        folder = Path("raw", name)
        folder.mkdir(parents=True)
        for day in range(11):
            path = folder / f"Phase_A1_1_{day:02d}d00h00m.tif"
            path.write_bytes(b"x")
            if side and not day:
                tifffile.imwrite(path, np.zeros((side, side), np.uint8))
    plates = [
        Plate(name=name, experiment="e", condition="c", folder=f"raw/{name}")
        for name in ("large", "small", "broken")
    ]
    return scanned(plates)


def at(**wildcards: str) -> SimpleNamespace:
    return SimpleNamespace(**wildcards)


def test_jobs_know_the_size_of_their_frames_without_opening_them(tree: Healthspan) -> None:
    for path in Path("raw").rglob("*.tif"):
        path.unlink()
    job = Healthspan(HealthspanSettings(), list(tree.sheet.values()))
    assert job.size("register", at(plate="large", block="t000-t009")) == frames(9.0, 10)
    assert job.size("register", at(plate="small")) == frames(0.25, 20)
    assert job.size("register", at(plate="broken", block="t010-t019")) == frames(
        PAPER_MEGAPIXELS, 10
    )
    assert job.size("register", at(experiment="e")) == frames(0.0, 3)
    assert job.size("register", at()) == frames(0.0, 3)


def test_a_retried_job_asks_for_more(tree: Healthspan) -> None:
    large = at(plate="large", block="t000-t009")
    once = tree.memory("register")(large, attempt=1)
    assert once > tree.memory("register")(at(plate="small", block="t000-t009"), attempt=1)
    assert tree.memory("register")(large, attempt=2) == 2 * once
    assert tree.runtime("register")(large, attempt=2) == 2 * tree.runtime("register")(large, 1)


def test_the_size_is_read_again_only_when_the_first_frames_change(
    tree: Healthspan, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    header = Header((600, 500))
    monkeypatch.setattr(
        "snakescope.imaging.frames.read_header", lambda path: opened.append(path) or header
    )
    plates = list(tree.sheet.values())
    scanned(plates)
    assert opened == []
    Path("raw/small/Phase_A1_1_00d00h00m.tif").write_bytes(b"another")
    scanned(plates)
    assert opened == ["raw/small/Phase_A1_1_00d00h00m.tif"]
    again = Healthspan(HealthspanSettings(), plates)
    assert again.size("register", at(plate="small", block="t000-t009")) == frames(0.3, 10)
