"""The training repeats itself, can be interrupted, and says what it has made."""

import json
from itertools import islice

import numpy as np
import pytest
import torch

from snakescope.healthspan.states.classify import load_classifier
from snakescope.healthspan.states.models import HYPER_PARAMETERS
from snakescope.healthspan.states.states import STATES
from snakescope.healthspan.training import train_classifier as step
from snakescope.healthspan.training.settings import TrainClassifierSettings
from snakescope.learning.weights import save_weights
from snakescope.step.command import call

TINY = {"per_state": 8, "validation_per_state": 8, "held_out_per_state": 8, "batch": 8}


def settings(**changes):
    return TrainClassifierSettings(**(TINY | {"epochs": 2} | changes))


@pytest.mark.slow
def test_an_interrupted_training_gives_the_same_weights(tmp_path, monkeypatch):
    whole, card = step.train_classifier(settings(), tmp_path / "whole.pt")
    expected = save_weights(tmp_path / "whole.safetensors", whole, card)

    def stop(path, content):
        save(path, content)
        raise KeyboardInterrupt

    from snakescope.learning import loop

    save = loop.save_checkpoint
    monkeypatch.setattr(loop, "save_checkpoint", stop)
    with pytest.raises(KeyboardInterrupt):
        step.train_classifier(settings(), tmp_path / "part.pt")
    monkeypatch.setattr(loop, "save_checkpoint", save)
    resumed, again = step.train_classifier(settings(), tmp_path / "part.pt")
    assert save_weights(tmp_path / "resumed.safetensors", resumed, again) == expected
    other, card = step.train_classifier(settings(seed=2), None)
    assert save_weights(tmp_path / "other.safetensors", other, card) != expected


def test_splits_never_share_a_draw():
    first = [step.split_rng(1, split).integers(1 << 60) for split in step.SPLITS]
    assert len({*first, step.split_rng(2, "training").integers(1 << 60)}) == 4


def test_temperature_softens_what_is_too_certain():
    generator = torch.Generator().manual_seed(0)
    states = torch.randint(3, (400,), generator=generator)
    told = torch.where(torch.rand(400, generator=generator) < 0.8, states, (states + 1) % 3)
    logits = torch.nn.functional.one_hot(told, 3).double()
    ideal = np.log(0.8 / 0.1)
    assert step.best_temperature(logits * ideal * 2, states) == pytest.approx(2.0, rel=0.25)


def test_turning_changes_the_place_but_not_the_colours():
    colours = torch.zeros(2, 128, 128, dtype=torch.uint8)
    colours[:, 60:70, 40:90] = 7
    turned = step.turned(colours, np.random.default_rng(1))
    assert torch.equal(turned.sum(dim=(1, 2)), colours.sum(dim=(1, 2)))
    assert not torch.equal(turned, colours)


def test_batches_are_shuffled_and_whole():
    examples = (torch.arange(10), torch.arange(10))
    drawn = list(islice(step.batches(examples, 4, np.random.default_rng(1)), 2))
    assert [len(states) for _, states in drawn] == [4, 4]
    seen = torch.cat([states for _, states in drawn]).tolist()
    assert len(set(seen)) == 8
    assert seen != sorted(seen)


@pytest.mark.parametrize("architecture", list(HYPER_PARAMETERS))
def test_the_command_writes_weights_and_their_card(tmp_path, monkeypatch, architecture):
    weights, card = tmp_path / "w.safetensors", tmp_path / "w.json"
    chosen = TINY | {"epochs": 1, "architecture": architecture}
    monkeypatch.setattr(
        "sys.argv",
        f"train --settings {json.dumps(chosen, separators=(',', ':'))}"
        f" --weights {weights} --card {card}".split(),
    )
    call(step)
    written = json.loads(card.read_text())
    model, header = load_classifier(weights, written["sha256"])
    assert not model.training
    assert header["architecture"] == written["model"]["architecture"] == architecture
    assert header["temperature"] == written["model"]["temperature"]
    (details,) = (one["details"] for one in written["held_out"].values())
    assert np.sum(details["confusion_rows_true"]) == 8 * len(STATES)
    assert written["steps"] == 3
