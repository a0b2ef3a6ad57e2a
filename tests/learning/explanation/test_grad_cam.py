"""Grad-CAM lights what raises a score."""

import numpy as np
import torch
from torch import nn

from snakescope.learning.explanation.grad_cam import grad_cam, layer_maps


def test_a_map_lies_where_the_score_comes_from():
    layer = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.ones_(layer.weight)
    model = nn.Sequential(layer)
    model.requires_grad_(False)
    x = torch.zeros(1, 1, 8, 8)
    x[..., 2:4, 5:7] = 1
    (found,) = grad_cam(layer, x, lambda inputs: model(inputs).sum((1, 2, 3)))
    assert found.shape == (8, 8) and found[2:4, 5:7].min() == 1 and found.sum() == 4
    (none,) = grad_cam(layer, x, lambda inputs: -model(inputs).sum((1, 2, 3)))
    assert not none.any()
    assert not any(one.requires_grad for one in model.parameters()) and not x.requires_grad


def test_what_lowers_a_score_counts_where_it_is_asked_for():
    torch.manual_seed(0)
    layer = nn.Conv3d(1, 2, 1, bias=False)
    x = torch.randn(2, 1, 3, 4, 5)

    def score(inputs):
        return -layer(inputs).sum((1, 2, 3, 4))

    raised, both = (layer_maps(layer, x, score, absolute) for absolute in (False, True))
    with torch.no_grad():
        signed = -layer(x).sum(1).numpy()
    assert both.shape == (2, 3, 4, 5) and (both > raised).any()
    np.testing.assert_allclose(both, np.abs(signed), rtol=1e-6)
    np.testing.assert_array_equal(raised, np.where(signed > 0, both, 0))
