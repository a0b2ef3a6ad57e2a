"""From composites to states: calibrated, repeatable, and honest about what cannot be known."""

import json

import numpy as np
import pandas as pd
import pytest
import tifffile
import torch

from snakescope import REPOSITORY
from snakescope.healthspan.states.classify import (
    classify,
    load_classifier,
    read_composites,
    states_table,
)
from snakescope.healthspan.states.composite import COLUMNS, write_composites
from snakescope.healthspan.states.models import HYPER_PARAMETERS, build_model
from snakescope.healthspan.states.states import STATES
from snakescope.healthspan.training.composite_examples import draw_examples
from snakescope.healthspan.training.example_ranges import HELD_OUT
from snakescope.learning.scores import confusion_matrix, macro_f
from snakescope.learning.weights import save_weights
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table, write_table
from tests.started import step

CARD = {
    "architecture": "mlp_mixer",
    "parameters": HYPER_PARAMETERS["mlp_mixer"],
    "states": list(STATES),
    "input_px": 64,
    "temperature": 1.5,
}
SHIPPED = REPOSITORY / "resources/models/healthspan/states_mlp_mixer.safetensors"


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(2)
    path = tmp_path / "weights.safetensors"
    return path, save_weights(path, build_model("mlp_mixer"), CARD)


def index(count, before=1, after=3):
    table = pd.DataFrame({name: np.arange(count) for name in COLUMNS})
    table["before"], table["after"] = before, after
    return table.astype({"before": "Int64", "after": "Int64"})


def pictures(count):
    return (np.random.default_rng(3).random((count, 128, 128, 3)) > 0.8).astype(np.uint8) * 255


def test_probabilities_do_not_depend_on_the_batch(weights):
    model, card = load_classifier(*weights)
    whole = classify(model, pictures(7), card["temperature"], batch=7)
    parts = classify(model, pictures(7), card["temperature"], batch=2)
    assert whole.shape == (7, 3)
    assert whole.sum(axis=1) == pytest.approx(np.ones(7))
    assert parts == pytest.approx(whole, abs=1e-5)
    assert np.array_equal(whole, classify(model, pictures(7), card["temperature"], batch=7))


def test_the_most_probable_state_is_named():
    found = np.array([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4], [0.0, 0.1, 0.9]])
    table = states_table(index(3), found)
    assert table["state"].tolist() == ["healthy", "immobile", "dead"]
    assert table["p_immobile"].tolist() == [0.2, 0.5, 0.1]
    assert list(table.columns) == [*COLUMNS, "p_healthy", "p_immobile", "p_dead", "state"]


def test_without_any_neighbour_the_state_is_unknown():
    table = index(3)
    table["before"] = pd.array([pd.NA, pd.NA, 4], dtype="Int64")
    table["after"] = pd.array([pd.NA, 2, pd.NA], dtype="Int64")
    found = states_table(table, np.tile([0.1, 0.1, 0.8], (3, 1)))
    assert found["state"].tolist() == ["unknown", "dead", "dead"]
    assert found.loc[0, ["p_healthy", "p_immobile", "p_dead"]].isna().all()


def test_weights_of_another_model_are_refused(tmp_path):
    path = tmp_path / "detector.safetensors"
    save_weights(path, torch.nn.Linear(2, 2), {"architecture": "mask_rcnn"})
    with pytest.raises(StepError, match="expected weights of a state classifier"):
        load_classifier(path, None)
    save_weights(path, torch.nn.Linear(2, 2), CARD)
    with pytest.raises(StepError, match="expected the tensors of mlp_mixer"):
        load_classifier(path, None)


def test_stack_and_index_must_belong_together(tmp_path):
    write_table(tmp_path / "i.tsv", index(3))
    write_composites(tmp_path / "c.tif", pictures(2))
    with pytest.raises(StepError, match="expected 3 composites"):
        read_composites(tmp_path / "c.tif", tmp_path / "i.tsv")
    tifffile.imwrite(tmp_path / "c.tif", np.zeros((3, 64, 64, 3), np.uint8), photometric="rgb")
    with pytest.raises(StepError, match="window_px: 128"):
        read_composites(tmp_path / "c.tif", tmp_path / "i.tsv")
    (tmp_path / "c.tif").write_bytes(b"II*\0")
    with pytest.raises(StepError, match="expected a TIFF stack"):
        read_composites(tmp_path / "c.tif", tmp_path / "i.tsv")
    (tmp_path / "c.tif").unlink()
    with pytest.raises(StepError, match="found no such file"):
        read_composites(tmp_path / "c.tif", tmp_path / "i.tsv")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_command_classifies_any_number_of_worms(tmp_path, weights, count):
    write_table(tmp_path / "i.tsv", index(count))
    write_composites(tmp_path / "c.tif", pictures(count))
    done = step(
        tmp_path, "healthspan", "classify", "--composites", "c.tif", "--index", "i.tsv",
        "--weights", str(weights[0]), "--sha256", weights[1],
        "--settings", json.dumps({"device": "cpu"}), "--states", "s.tsv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    states = read_table(tmp_path / "s.tsv", (*COLUMNS, "p_dead", "state"))
    assert len(states) == count


@pytest.mark.skipif(not SHIPPED.exists(), reason="no weights shipped")
def test_the_shipped_weights_know_unlike_plates():
    model, card = load_classifier(SHIPPED, None)
    drawn, states = draw_examples(np.random.default_rng(2024), 40, HELD_OUT)
    found = classify(model, drawn, card["temperature"]).argmax(axis=1)
    assert macro_f(confusion_matrix(states, found, 3)) >= 0.9
