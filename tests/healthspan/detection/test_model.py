"""The detector as it is built and as it is used."""

import copy

import pytest
import torch
from torch import nn

from snakescope.healthspan.detection.model import build_detector, for_inference


@pytest.mark.parametrize("architecture", ["resnet18_half", "mobilenet_v3", "resnet50"])
def test_for_inference_it_is_the_same_function(architecture: str) -> None:
    torch.manual_seed(1)
    built = build_detector(architecture).eval()
    for one in built.modules():
        if isinstance(one, nn.BatchNorm2d):  # As after a training.
            one.running_mean.uniform_(-0.3, 0.3)
            one.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(one.weight, 0.5, 1.5)
            nn.init.uniform_(one.bias, -0.3, 0.3)
    used = for_inference(copy.deepcopy(built), torch.device("cpu"))
    picture = torch.rand(1, 1, 64, 96)
    with torch.inference_mode():
        expected, found = built.backbone(picture), used.backbone(picture)
    for level, values in expected.items():
        scale = values.abs().max()
        assert scale > 0 and (found[level] - values).abs().max() < 1e-4 * scale
    left = [one for one in used.modules() if type(one) is nn.BatchNorm2d]
    assert not left and any(isinstance(one, nn.BatchNorm2d) for one in built.modules())
