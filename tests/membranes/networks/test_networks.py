"""Networks: their parameters, and branches that lie exactly on the image."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from snakescope.membranes.networks.kernels import (
    PAPER_IOU,
    PAPER_SETTINGS,
    STRIDES,
    check_kernels,
    kernels_of,
    name_of,
)
from snakescope.membranes.networks.networks import (
    Branch,
    build,
    margin_of,
    membrane,
    parameters_of,
    unet_width,
)
from snakescope.membranes.networks.settings import NetworkSettings


def counted(**options: object) -> int:
    with torch.device("meta"):
        from snakescope.membranes.networks.networks import DeepContextualNetwork

        return parameters_of(DeepContextualNetwork(NetworkSettings(**options)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({"width": 64}, 7_938_658),
        ({"width": 64, "normalisation": "none"}, 7_933_258),
        ({"width": 64, "kernels": (4, 8, 10)}, 7_778_914),
        ({"width": 64, "kernels": (4, 8, 20)}, 8_086_114),
        ({"width": 64, "kernels": (2, 4, 20)}, 8_058_466),
        ({"width": 16}, 554_002),
        ({"width": 8}, 157_850),
    ],
)
def test_the_network_of_takaya_to_the_parameter(
    options: dict[str, object], parameters: int
) -> None:
    assert counted(**options) == parameters
    assert counted(**options, logits="linear") == parameters


def test_a_u_net_has_the_most_parameters_that_are_not_more() -> None:
    settings = NetworkSettings(width=16, architecture="unet")
    dcn = settings.model_copy(update={"architecture": "dcn"})
    assert unet_width(settings) == 17
    assert parameters_of(build(settings)) == 545_294 <= parameters_of(build(dcn))


@pytest.mark.parametrize("kernels", PAPER_SETTINGS)
def test_every_setting_of_the_table_gives_maps_of_the_size_of_the_image(
    kernels: tuple[int, int, int],
) -> None:
    network = build(NetworkSettings(width=2, kernels=kernels)).eval()
    with torch.no_grad():
        for sides in ((64, 64), (72, 136)):
            assert [tuple(one.shape[2:]) for one in network(torch.zeros(1, 1, *sides))] == [
                sides
            ] * 3


@pytest.mark.parametrize(
    ("branch", "kernel"),
    [(0, 2), (0, 4), (0, 6), (1, 4), (1, 6), (1, 10), (2, 8), (2, 10), (2, 14), (2, 16), (2, 20)],
)
def test_an_impulse_stays_where_its_pixel_is(branch: int, kernel: int) -> None:
    """The centre of mass of a kernel of ones is the centre of the coarse pixel."""
    stride = STRIDES[branch]
    layer = Branch(1, kernel, stride, batch=False, rectified=False).up
    torch.nn.init.ones_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    coarse = torch.zeros(1, 1, 12, 12)
    coarse[0, 0, 6, 5] = 1
    with torch.no_grad():
        found = layer(coarse)[0, 0].numpy().astype(np.float64)
    assert found.shape == (12 * stride, 12 * stride)
    y, x = np.mgrid[: found.shape[0], : found.shape[1]] + 0.5
    centre = [(found * one).sum() / found.sum() for one in (y, x)]
    assert np.allclose(centre, [6.5 * stride, 5.5 * stride], atol=1e-6)


@pytest.mark.parametrize(
    ("kernels", "said"),
    [
        ((4, 8, 6), r"6 for branch F3: a kernel must be at least its stride \(8\).*use 8 or 10"),
        ((4, 8, 9), r"9 for branch F3: kernel minus stride \(8\) must be even.*use 8 or 10"),
        ((3, 8, 16), "3 for branch F1.*use 2 or 4"),
        ((4, 2, 16), "2 for branch F2.*use 4 or 6"),
        ((4, 8, 50), "50 for branch F3.*use 46 or 48"),
    ],
)
def test_kernels_off_the_grid_are_refused_with_the_next_good_ones(
    kernels: tuple[int, int, int], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        check_kernels(kernels)
    with pytest.raises(ValidationError, match=said):
        NetworkSettings(kernels=kernels)


def test_names_of_kernels() -> None:
    assert name_of((4, 8, 16)) == "k4-8-16" and kernels_of("k4-8-16") == (4, 8, 16)


def test_the_table_of_the_paper() -> None:
    assert len(set(PAPER_SETTINGS)) == len(PAPER_IOU) == 16
    iou = dict(zip(PAPER_SETTINGS, PAPER_IOU, strict=True))
    assert iou[4, 8, 16] == 0.6536 and iou[4, 8, 10] == 0.7041 and iou[2, 8, 18] == 0.6736


def test_trainings_of_a_seed_start_from_the_same_trunk() -> None:
    one, other = (build(NetworkSettings(width=4, kernels=k), 3) for k in ((4, 8, 16), (2, 8, 10)))
    weights, others = one.state_dict(), other.state_dict()
    differing = {
        name
        for name in weights
        if not torch.equal(weights[name].flatten()[:1], others[name].flatten()[:1])
        or weights[name].shape != others[name].shape
    }
    assert differing == {"branches.F1.up.weight", "branches.F3.up.weight"}
    again = build(NetworkSettings(width=4), 4).state_dict()
    assert not torch.equal(weights["stages.0.0.weight"], again["stages.0.0.weight"])


@pytest.mark.parametrize("branch", [1, 2])
def test_a_map_varies_as_much_at_the_start_whatever_the_kernel(branch: int) -> None:
    deviations = []
    for kernel in (STRIDES[branch], 2 * STRIDES[branch], 24):
        kernels = [4, 8, 16]
        kernels[branch] = kernel
        network = build(NetworkSettings(width=8, kernels=tuple(kernels)), 1)  # type: ignore[arg-type]
        torch.manual_seed(1)
        coarse = torch.randn(4, 8 * 2 ** (branch + 1), 16, 16)
        with torch.no_grad():
            up = network.get_submodule(f"branches.F{branch + 1}.up")(coarse)
        deviations.append(float(up[..., 24:-24, 24:-24].std()))
    assert max(deviations) < 1.35 * min(deviations)


@pytest.mark.parametrize(
    "settings",
    [NetworkSettings(width=2), NetworkSettings(width=2, kernels=(6, 10, 48)),
     NetworkSettings(width=2, branches=("F1",)), NetworkSettings(width=2, architecture="unet")],
)  # fmt: skip
def test_a_pixel_sees_no_farther_than_the_margin(settings: NetworkSettings) -> None:
    network = build(settings, 1).eval()
    margin = margin_of(settings)
    planes = torch.randn(1, 1, 256, 256, requires_grad=True)
    found = membrane(network(planes))
    (gradient,) = torch.autograd.grad(found[0, 128:136, 128:136].sum(), planes)
    rows = torch.nonzero(gradient[0, 0].abs().sum(1)).ravel()
    assert rows.min() >= 128 - margin and rows.max() < 136 + margin
