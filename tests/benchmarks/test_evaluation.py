"""The evaluation runs the workflow with the weights that are evaluated, on plates of its own."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmarks.healthspan import evaluation
from benchmarks.healthspan.evaluation import Weights, of_simulated, settings_of, upv_plate
from snakescope.healthspan.evaluation.settings import EvaluateSettings
from snakescope.healthspan.simulation.settings import SimulateSettings
from snakescope.healthspan.simulation.simulate import identity_of, make_room


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Any], list[Any]]]:
    """Sections and sheets of the runs that are made; none of them runs."""
    made: list[tuple[dict[str, Any], list[Any]]] = []
    monkeypatch.setattr(evaluation, "configure", lambda _, *given: made.append(given))
    monkeypatch.setattr(evaluation, "workflow", lambda *_, **__: None)
    monkeypatch.setattr(evaluation, "simulate_plate", lambda *_: None)
    monkeypatch.setattr(evaluation, "plate_scores", lambda *_: [])
    monkeypatch.setattr(evaluation, "read_table", lambda *_: pd.DataFrame())
    return made


def test_the_weights_that_are_evaluated_are_those_of_the_run(
    configured: list[tuple[dict[str, Any], list[Any]]], tmp_path: Path
) -> None:
    mine = Weights(tmp_path / "mine.safetensors", tmp_path / "states.safetensors")
    upv_plate(tmp_path, tmp_path, mine, 1)
    of_simulated(EvaluateSettings(plates=1), tmp_path, mine, 1)
    for section, _ in configured:
        assert section["detection"]["detect"]["weights"] == str(mine.detector)
        assert section["states"]["classify"]["weights"] == str(mine.classifier)
    # Next to what the plate's own configuration says of the detection.
    (own, sheet), (plain, _) = configured
    assert own["detection"]["detect"]["min_contrast"] == 100
    assert sheet == [("upv", "upv", "N2", str(tmp_path), 4, 10)]
    assert set(plain) == {"detection", "states"}


def test_shipped_weights_are_not_named(
    configured: list[tuple[dict[str, Any], list[Any]]], tmp_path: Path
) -> None:
    of_simulated(EvaluateSettings(plates=1), tmp_path, Weights(None, None), 1)
    of_simulated(EvaluateSettings(plates=1), tmp_path, Weights(None, tmp_path / "s"), 1)
    assert [section for section, _ in configured] == [
        {}, {"states": {"classify": {"weights": str(tmp_path / "s")}}},
    ]  # fmt: skip


def test_plates_of_other_settings_or_seeds_are_simulated_again(
    configured: list[tuple[dict[str, Any], list[Any]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulated: list[int] = []

    def simulate(settings: SimulateSettings, plate: str, seed: int, folder: Path) -> None:
        make_room(folder / plate, identity_of(settings, seed), [])
        (folder / plate / "truth" / "masks.json").touch()
        simulated.append(seed)

    monkeypatch.setattr(evaluation, "simulate_plate", simulate)
    for change in ({}, {}, {"max_worms": 90}, {"frame_px": 880}, {"first_seed": 5}):
        settings = EvaluateSettings.model_validate({"plates": 2, **change})
        of_simulated(settings, tmp_path, Weights(None, None), 1)
    first, second = 9_000_001, 9_000_002
    # Only the last plate is the fullest one.
    assert simulated == [first, second, second, first, second, 5, 6]


def test_the_plates_are_those_of_the_configuration(tmp_path: Path) -> None:
    assert settings_of(None) == EvaluateSettings()
    path = tmp_path / "config.yaml"
    path.write_text("healthspan:\n  evaluation:\n    plates: 7\n    first_seed: 12\n")
    assert settings_of(path) == EvaluateSettings(plates=7, first_seed=12)
