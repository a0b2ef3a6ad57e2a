"""Weights survive the way to disk and back, and nothing else passes for them."""

import pytest
import torch

from snakescope.learning.weights import load_weights, save_weights, with_tensors
from snakescope.step.checksum import sha256_of
from snakescope.step.errors import StepError

CARD = {"architecture": "linear", "model": {"inputs": 3}, "pixel_size_um": 9.74, "labels": ["a"]}


def linear() -> torch.nn.Linear:
    torch.manual_seed(1)
    return torch.nn.Linear(3, 2)


def test_parameters_and_card_come_back(tmp_path):
    path = tmp_path / "weights.safetensors"
    checksum = save_weights(path, linear(), CARD)
    tensors, card = load_weights(path, checksum.upper())
    assert card == CARD
    assert torch.equal(tensors["weight"], linear().weight)
    assert set(tensors) == {"weight", "bias"}


def test_equal_models_give_equal_files(tmp_path):
    one = save_weights(tmp_path / "one.safetensors", linear(), CARD)
    other = save_weights(
        tmp_path / "other.safetensors", linear(), dict(reversed(list(CARD.items())))
    )
    assert one == other == sha256_of(tmp_path / "one.safetensors")


def test_missing_file_is_named(tmp_path):
    with pytest.raises(StepError, match=r"gone.safetensors: expected model weights"):
        load_weights(tmp_path / "gone.safetensors")


def test_another_checksum_is_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_weights(path, linear(), CARD)
    with pytest.raises(StepError, match="expected weights with SHA-256 00"):
        load_weights(path, "0" * 64)


@pytest.mark.parametrize("content", [b"", b"not weights at all", b"\x08\0\0\0\0\0\0\0{}      "])
def test_other_content_is_refused(tmp_path, content):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    with pytest.raises(StepError, match="expected safetensors weights"):
        load_weights(path)


def test_a_model_takes_its_own_tensors_and_no_others():
    tensors = linear().state_dict()
    filled = with_tensors(torch.nn.Linear(3, 2), tensors, "w.safetensors", "a line")
    assert torch.equal(filled.weight, tensors["weight"]) and not filled.training
    said = r"w\.safetensors: expected the tensors of a line as its card describes it, found others"
    with pytest.raises(StepError, match=said):
        with_tensors(torch.nn.Linear(2, 2), tensors, "w.safetensors", "a line")
