"""The detector as it is built and as it is used."""

import copy

import pytest
import torch
from torch import nn

from snakescope.healthspan.detection.model import build_detector, for_inference, worth_a_mask


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


def test_the_trunk_may_compute_in_half_the_bits() -> None:
    torch.manual_seed(1)
    built = build_detector("resnet18_half").eval()
    lower = for_inference(copy.deepcopy(built), torch.device("cpu"), torch.bfloat16)
    picture = torch.rand(1, 1, 64, 96)
    with torch.inference_mode():
        expected, found = built.backbone(picture), lower.backbone(picture)
        (output,) = lower([picture[0]])
    for level, values in expected.items():
        assert found[level].dtype == torch.float32
        assert 0 < (found[level] - values).abs().max() < 0.1 * values.abs().max()
    assert output["masks"].dtype == torch.float32
    assert {one.dtype for one in lower.rpn.parameters()} == {torch.float32}


def test_second_boxes_of_a_worm_get_a_mask_only_if_they_are_sure() -> None:
    boxes = torch.tensor([[0, 0, 50, 10], [0, 0, 50, 11], [0, 0, 52, 10], [30, 0, 80, 10.0]])
    scores = torch.tensor([0.9, 0.6, 0.4, 0.3])
    assert worth_a_mask(boxes, scores).tolist() == [True, True, False, True]
    assert worth_a_mask(boxes[:0], scores[:0]).shape == (0,)
