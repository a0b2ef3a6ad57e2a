"""The three architectures take the same composites and give the same states."""

import numpy as np
import pytest
import torch

from snakescope.healthspan.states.models import (
    HYPER_PARAMETERS,
    build_model,
    colours_of,
    model_input,
    probabilities,
)
from snakescope.step.errors import StepError


@pytest.mark.parametrize("architecture", list(HYPER_PARAMETERS))
def test_every_architecture_gives_three_logits_and_learns(architecture):
    torch.manual_seed(0)
    model = build_model(architecture)
    logits = model(torch.rand(2, 7, 64, 64))
    assert logits.shape == (2, 3)
    logits.square().sum().backward()
    assert all(one.grad is not None for one in model.parameters() if one.requires_grad)


def test_an_unknown_architecture_is_named():
    with pytest.raises(StepError, match="expected one of mlp_mixer, vit, resnet_rs, found 'hu'"):
        build_model("hu")


def picture(*channels):
    one = np.zeros((1, 128, 128, 3), dtype=np.uint8)
    one[0, 10:13, 20:22, list(channels)] = 255
    return one


@pytest.mark.parametrize(
    ("channels", "colour"), [((0,), 1), ((1,), 2), ((0, 1), 3), ((2,), 4), ((0, 1, 2), 7)]
)
def test_each_colour_has_its_own_share(channels, colour):
    shares = model_input(colours_of(picture(*channels)))
    assert shares.shape == (1, 7, 64, 64)
    assert shares.sum() == pytest.approx(6 / 4)
    assert shares[0, colour - 1, 5, 10] == 1.0
    assert shares[0, colour - 1, 6, 10] == 0.5


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="expected \\(N, 128, 128, 3\\)"):
        colours_of(np.zeros((1, 64, 64, 3), dtype=np.uint8))


def test_a_higher_temperature_is_less_certain():
    logits = torch.tensor([[2.0, 0.0, -1.0]])
    sharp, soft = probabilities(logits, 1.0)[0], probabilities(logits, 2.0)[0]
    assert sharp.sum() == pytest.approx(1.0)
    assert sharp.argmax() == soft.argmax() == 0
    assert sharp[0] > soft[0]
