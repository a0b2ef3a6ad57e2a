"""The paper's network to the letter, and losses by hand."""

import numpy as np
import pytest
import torch

from snakescope.fibrosis.classes import class_names, class_of
from snakescope.fibrosis.networks.capsule import surface_roughness
from snakescope.fibrosis.networks.losses import (
    class_loss,
    mask_loss,
    ordinal_loss,
    overlap_loss,
)
from snakescope.fibrosis.networks.ordinal import FEATURES, OrdinalNet
from snakescope.fibrosis.networks.speckle import (
    BANDS,
    CHANNELS,
    core_of,
    energy_maps,
    liver_statistics,
    local_statistics,
)
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


def test_overlap_loss_by_hand():
    logits = torch.logit(torch.tensor([0.8, 0.2, 0.6, 0.4])).reshape(1, 1, 2, 2)
    wanted = torch.tensor([1.0, 0.0, 1.0, 0.0]).reshape(1, 1, 2, 2)
    assert overlap_loss(logits, wanted).item() == pytest.approx(1 - 2 * 1.4 / 4, abs=1e-6)
    # A scan that shows no liver has no overlap to win, and takes no part.
    both = torch.cat([wanted, torch.zeros_like(wanted)])
    assert overlap_loss(logits.repeat(2, 1, 1, 1), both).item() == pytest.approx(0.3, abs=1e-6)
    assert overlap_loss(logits, torch.zeros_like(wanted)).item() == 0
    plain, more = (mask_loss((logits,), wanted, overlap).item() for overlap in (0.0, 2.0))
    assert more - plain == pytest.approx(0.6, abs=1e-6)


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


def test_a_network_finds_the_liver_and_has_ordered_thresholds():
    network = OrdinalNet(4).eval()
    found = network(torch.randn(3, 1, 64, 64))
    assert (found.stage.diff(dim=1) < 0).all()
    assert found.masks[0].shape == (3, 1, 32, 32)
    assert found.features.shape == (3, FEATURES)
    logits = torch.zeros(1, 4)
    assert ordinal_loss(logits, torch.tensor([2])).item() == pytest.approx(np.log(2), abs=1e-6)


def test_stages_are_read_off_one_axis():
    network = OrdinalNet(4).eval()
    generator = torch.Generator().manual_seed(1)
    stages = torch.arange(5).repeat(30)
    features = 3 + 2 * torch.randn(150, FEATURES, generator=generator)
    features[:, 7] += 4 * stages
    network.read(features, stages, ridge=0.1)
    weight = network.axis.weight[0].abs()
    assert weight.argmax() == 7 and weight[7] > 5 * weight[[*range(7), *range(8, FEATURES)]].max()
    assert (network.cuts.diff() > 0).all()
    scaled = (features - features.mean(0)) / features.std(0, correction=0)
    probability = torch.sigmoid(network.axis(scaled) - network.cuts)
    # At the optimum the mean probability of a threshold is the share of scans above it.
    assert probability.mean(0).tolist() == pytest.approx([0.8, 0.6, 0.4, 0.2], abs=2e-3)
    again = OrdinalNet(4)
    again.read(features, stages, ridge=0.1)
    assert torch.equal(network.axis.weight, again.axis.weight)


def test_a_stage_that_no_scan_has_stays_finite():
    network = OrdinalNet(4)
    network.read(torch.randn(20, FEATURES), torch.arange(20) % 2, ridge=1.0)
    assert torch.isfinite(network.cuts).all() and (network.cuts.diff() > -1e-4).all()
    assert torch.sigmoid(-network.cuts[3]) < 0.05


def test_speckle_statistics_see_coarse_texture_and_not_the_gain():
    rng = np.random.default_rng(1)
    fine = torch.from_numpy(rng.normal(size=(1, 1, 64, 64)).astype(np.float32))
    coarse = torch.from_numpy(np.kron(rng.normal(size=(8, 8)), np.ones((8, 8)))[None, None]).float()
    one, other, louder = (local_statistics(x)[0] for x in (fine, fine + coarse, fine + 3))
    assert one.shape == (CHANNELS, 32, 32)
    # The band of 5 to 9 px of the half image.
    assert other[5].mean() > one[5].mean() + 0.5
    inner = (slice(1, 4), slice(8, -8), slice(8, -8))
    assert (louder[inner] - one[inner]).abs().max() < 0.01
    assert louder[0].mean() > one[0].mean() + 2.5


def test_a_stage_depends_on_the_inside_of_the_liver_alone():
    rng = np.random.default_rng(1)
    image = torch.from_numpy(rng.normal(size=(1, 1, 96, 96)).astype(np.float32))
    liver = torch.zeros_like(image)
    liver[..., 24:80, 16:72] = 1
    core = core_of(liver, image)
    assert core.sum() == 52 * 52  # a rim of 96 / 48 px is left out
    changed = torch.where(liver > 0, image, image * 5 + 2)
    for seen in (lambda x: energy_maps(x, core)[0], lambda x: liver_statistics(x, core)):
        assert torch.allclose(seen(image), seen(changed), atol=1e-5)
    maps, weight = energy_maps(image, core)
    assert maps.shape == weight.shape == (1, BANDS, 24, 24)
    # The box sums are running sums: a window's mean of ones is one, however far from the border.
    flat = energy_maps(torch.full_like(image, 2.0), core)[0][weight > 0]
    assert flat.max() < 0.5 * np.log(2e-3)
    nothing = core_of(torch.zeros_like(image), image)
    assert nothing.sum() == 96 * 96  # without a liver the sector is taken


def capsule(rng: np.random.Generator, height: float, seen: bool = True) -> torch.Tensor:
    """Speckle above and below a bright line that rises and falls by ``height`` px, and its liver.

    Returns:
        (2, 1, 256, 256): image and coarse outline.
    """
    y, x = np.mgrid[:256, :256]
    line = 60 + 8 * np.sin(x / 90) + height * np.sin(x / 2.5)
    image = rng.normal(size=(256, 256))
    if seen:
        image[np.abs(y - line) < 1.5] += 4
    liver = y > 62 + 8 * np.sin(x / 90)
    return torch.from_numpy(np.stack([image, liver])[:, None]).float()


def test_the_surface_is_traced_in_the_image_beyond_a_smooth_outline():
    rng = np.random.default_rng(1)
    flat, low, high = (
        surface_roughness(*capsule(rng, height).split(1)).exp().item() for height in (0, 1.5, 4)
    )
    assert flat < 0.45 < low < 1 and 1.5 < high < 3
    image, liver = capsule(np.random.default_rng(1), 4).split(1)
    louder = surface_roughness(image * 1.3 + 0.5, liver).exp().item()
    assert louder == pytest.approx(high, rel=0.3)
    # Without a liver there is no surface: as smooth as can be.
    nothing = surface_roughness(image, torch.zeros_like(liver))
    assert torch.isfinite(nothing).all() and nothing.exp().item() < 0.1


def test_scans_of_a_batch_do_not_meet():
    rng = np.random.default_rng(2)
    images, livers = zip(*(capsule(rng, height).split(1) for height in (0, 4)), strict=True)
    both = surface_roughness(torch.cat(images), torch.cat(livers))
    each = [surface_roughness(i, m) for i, m in zip(images, livers, strict=True)]
    assert torch.equal(both, torch.cat(each))


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
