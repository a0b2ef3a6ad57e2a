"""What is pooled and proposed is what torchvision pools and proposes."""

import pytest
import torch
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import roi_align

from snakescope.healthspan.detection.model import MASK_POOL, PROPOSAL_LEVELS, build_detector
from snakescope.healthspan.detection.pooling import BoxPool, Pool, proposed

BOXES = torch.tensor(
    [
        [10.3, 20.7, 90.1, 61.9],
        [0.0, 0.0, 30.0, 12.0],  # in a corner
        [150.2, 120.4, 160.0, 128.0],  # in the other one
        [64.0, 64.0, 64.5, 65.0],  # smaller than a pixel of the map
        [0.0, 0.0, 160.0, 128.0],  # everything
        [2.0, 100.0, 158.0, 106.0],
        [159.9, 10.0, 160.0, 90.0],  # a sliver along the border
        [10.0, 127.0, 90.0, 128.0],
    ]
)


@pytest.mark.parametrize("pool", [MASK_POOL, Pool("stride4", 4, 7, 2), Pool("stride4", 4, 5, 3)])
def test_boxes_are_pooled_as_by_roi_align(pool: Pool) -> None:
    maps = torch.randn(2, 8, 32, 40, generator=torch.Generator().manual_seed(1))
    boxes = [BOXES, BOXES[[2, 0]] * 0.9]
    wanted = roi_align(maps, boxes, pool.cells, 1 / pool.stride, pool.samples)
    layout = maps.to(memory_format=torch.channels_last)
    found = BoxPool(pool)({"stride4": layout}, boxes, [(128, 160)] * 2)
    assert found.shape == wanted.shape
    torch.testing.assert_close(found, wanted, rtol=0, atol=2e-5)
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_no_boxes_are_pooled_to_nothing() -> None:
    maps = {"stride4": torch.zeros(1, 8, 32, 40)}
    found = BoxPool(MASK_POOL)(maps, [torch.zeros(0, 4)], [(128, 160)])
    assert found.shape == (0, 8, MASK_POOL.cells, MASK_POOL.cells)


@pytest.mark.parametrize("most", [50, 100_000])
def test_the_likeliest_anchors_are_decoded_to_the_same_proposals(most: int) -> None:
    torch.manual_seed(2)
    model = build_detector("resnet18_half_slender").eval()
    network = model.rpn.proposals
    for top_n in (network._pre_nms_top_n, network._post_nms_top_n):
        top_n["testing"] = most
    # Heads that begin at random say nearly nothing.
    torch.nn.init.normal_(network.head.cls_logits.weight, std=0.5)
    torch.nn.init.normal_(network.head.bbox_pred.weight, std=0.1)
    images = ImageList(torch.rand(2, 1, 160, 128), [(160, 128), (150, 100)])
    with torch.inference_mode():
        maps = model.backbone(images.tensors)
        chosen = {level: maps[level] for level in PROPOSAL_LEVELS}
        wanted, _ = network(images, chosen)
        found = proposed(network, images, list(chosen.values()))
    assert [len(one) for one in found] == [len(one) for one in wanted]
    assert all(len(one) > 20 for one in found)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-4)
