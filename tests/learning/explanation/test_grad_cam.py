"""Grad-CAM lights what raises a score."""

import torch
from torch import nn

from snakescope.learning.explanation.grad_cam import grad_cam


def test_a_map_lies_where_the_score_comes_from():
    layer = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.ones_(layer.weight)
    model = nn.Sequential(layer)
    model.requires_grad_(False)
    x = torch.zeros(1, 1, 8, 8)
    x[..., 2:4, 5:7] = 1
    (found,) = grad_cam(model, layer, x, lambda inputs: model(inputs).sum((1, 2, 3)))
    assert found.shape == (8, 8) and found[2:4, 5:7].min() == 1 and found.sum() == 4
    (none,) = grad_cam(model, layer, x, lambda inputs: -model(inputs).sum((1, 2, 3)))
    assert not none.any()
    assert not any(one.requires_grad for one in model.parameters())
