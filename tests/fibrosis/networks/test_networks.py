"""The paper's network to the letter, and losses by hand."""

import numpy as np
import pytest
import torch

from snakescope.fibrosis.classes import class_names, class_of
from snakescope.fibrosis.networks.losses import class_loss, mask_loss, ordinal_loss
from snakescope.fibrosis.networks.ordinal import OrdinalNet
from snakescope.fibrosis.networks.speckle import CHANNELS, speckle_statistics
from snakescope.fibrosis.networks.texture import NAMES, texture_measures
from snakescope.fibrosis.networks.unet import Maxout, UNet, parameters


@pytest.mark.parametrize(
    ("width", "head", "count"),
    [(64, "pooled", 59_538_438), (64, "flatten", 61_389_334), (32, "pooled", 14_954_502),
     (16, "pooled", 3_773_958), (8, "pooled", 961_542)],
)  # fmt: skip
def test_parameters_of_the_paper(width, head, count):
    with torch.device("meta"):
        assert parameters(UNet(width, 2, head)) == count


def test_outputs_at_three_resolutions_and_of_the_class():
    network = UNet(4, 2, "masked", 64, classes=3).eval()
    found = network(torch.randn(2, 1, 64, 64))
    assert [tuple(one.shape) for one in found.masks] == [
        (2, 1, 64, 64), (2, 1, 32, 32), (2, 1, 16, 16),
    ]  # fmt: skip
    assert found.stage.shape == (2, 3)


def test_maxout_is_the_larger_of_two_linear_maps():
    layer = Maxout(1, 3, 2)
    x = torch.randn(1, 1, 8, 8)
    maps = layer.convolution(x)
    wanted = torch.maximum(maps[:, 0::2], maps[:, 1::2])
    assert torch.equal(layer(x), wanted)


def test_mask_loss_by_hand():
    masks = torch.zeros(1, 1, 4, 4)
    masks[..., :2] = 1
    sizes = {4: 2.0, 2: -1.0, 1: 0.0}
    logits = tuple(torch.full((1, 1, size, size), value) for size, value in sizes.items())

    def bce(x, y):
        p = 1 / (1 + np.exp(-x))
        return -(y * np.log(p) + (1 - y) * np.log(1 - p))

    fine, middle = (bce(x, 1) / 2 + bce(x, 0) / 2 for x in (2.0, -1.0))
    wanted = (fine + 0.5 * middle + 0.25 * bce(0.0, 0.5)) / 1.75
    assert mask_loss(logits, masks).item() == pytest.approx(wanted, abs=1e-6)


def test_class_loss_is_equation_7():
    logits = torch.tensor([[1.0, 0.0, -1.0]])
    p = np.exp([1.0, 0.0, -1.0]) / np.exp([1.0, 0.0, -1.0]).sum()
    wanted = -(np.log(p[1]) + np.log(1 - p[0]) + np.log(1 - p[2])) / 3
    assert class_loss(logits, torch.tensor([1])).item() == pytest.approx(wanted, abs=1e-6)


def test_scans_without_a_mask_do_not_count():
    masks = torch.full((2, 1, 4, 4), float("nan"))
    logits = (torch.randn(2, 1, 4, 4, requires_grad=True),)
    assert mask_loss(logits, masks).item() == 0
    masks[0] = 1.0
    assert mask_loss(logits, masks).item() == pytest.approx(
        mask_loss((logits[0][:1],), masks[:1]).item()
    )


def test_thresholds_are_ordered_and_their_loss_is_a_mean():
    network = OrdinalNet(4).eval()
    found = network(torch.randn(3, CHANNELS, 32, 32))
    assert (found.stage.diff(dim=1) < 0).all()
    assert found.masks[0].shape == (3, 1, 32, 32)
    logits = torch.zeros(1, 4)
    assert ordinal_loss(logits, torch.tensor([2])).item() == pytest.approx(np.log(2), abs=1e-6)


def test_speckle_statistics_see_coarse_texture_and_not_the_gain():
    rng = np.random.default_rng(1)
    fine = rng.normal(size=(64, 64)).astype(np.float32)
    coarse = np.kron(rng.normal(size=(8, 8)), np.ones((8, 8))).astype(np.float32)
    one, other, louder = (speckle_statistics(x) for x in (fine, fine + coarse, fine + 3))
    assert one.shape == (CHANNELS, 32, 32)
    # The band of 5 to 9 px of the half image.
    assert other[4].mean() > one[4].mean() + 0.5
    assert np.abs(louder[1] - one[1]).max() < 0.2
    assert louder[0].mean() > one[0].mean() + 2.5


def test_texture_measures_have_names_and_see_the_liver_alone():
    rng = np.random.default_rng(1)
    image = rng.integers(60, 120, (256, 256)).astype(np.uint8)
    liver = np.zeros((256, 256), bool)
    liver[60:200, 60:200] = True
    found = texture_measures(image, liver)
    changed = image.copy()
    changed[:40] = 255
    assert found.shape == (len(NAMES),) and np.isfinite(found).all()
    assert np.array_equal(found, texture_measures(changed, liver))
    assert not texture_measures(image, np.zeros_like(liver)).any()


def test_classes_of_stages():
    assert class_names(3) == ["F0-F1", "F2-F3", "F4"]
    assert [class_of(f"F{s}", 3) for s in range(5)] == [0, 0, 1, 1, 2]
    with pytest.raises(ValueError, match="F9"):
        class_of("F9", 3)
