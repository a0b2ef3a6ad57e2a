import pytest
import torch
from torchvision.ops import MultiScaleRoIAlign

from snakescope.healthspan.detection.box_pooling import BoxPooling

SHAPES = [(96, 128), (96, 128)]
LEVEL = "stride4"


def boxes() -> list[torch.Tensor]:
    """Boxes of two images of 96 x 128 px: random ones, the whole image, one of less than a cell."""
    torch.manual_seed(3)
    low = torch.rand(9, 2) * torch.tensor([80.0, 60.0])
    random = torch.cat([low, low + 4 + torch.rand(9, 2) * 30], 1)
    edges = torch.tensor([[0.0, 0.0, 128.0, 96.0], [40.0, 40.0, 41.0, 42.0]])
    return [random, edges]


@pytest.fixture
def features() -> torch.Tensor:
    torch.manual_seed(4)
    return torch.randn(2, 5, 24, 32, requires_grad=True)


def test_values_and_gradients_are_those_of_region_align(features: torch.Tensor) -> None:
    pooling = BoxPooling(LEVEL, 4, 28)
    reference = MultiScaleRoIAlign([LEVEL], 28, 2)
    found = {}
    for name, layer in (("ours", pooling.train()), ("torchvision", reference)):
        features.grad = None
        cells = layer({LEVEL: features}, boxes(), SHAPES)
        (cells * torch.linspace(-1, 1, 28)).sum().backward()
        assert features.grad is not None
        found[name] = cells.detach(), features.grad.clone()
    assert torch.allclose(found["ours"][0], found["torchvision"][0], atol=1e-5)
    assert torch.allclose(found["ours"][1], found["torchvision"][1], atol=1e-4)


def test_training_and_use_see_the_same(features: torch.Tensor) -> None:
    pooling = BoxPooling(LEVEL, 4, 14)
    trained = pooling.train()({LEVEL: features}, boxes(), SHAPES)
    used = pooling.eval()({LEVEL: features}, boxes(), SHAPES)
    assert torch.allclose(trained, used, atol=1e-5)


def test_an_image_without_boxes_gives_no_cells(features: torch.Tensor) -> None:
    none = [torch.zeros(0, 4), torch.zeros(0, 4)]
    assert BoxPooling(LEVEL, 4, 7).train()({LEVEL: features}, none, SHAPES).shape == (0, 5, 7, 7)
