"""The networks have the parameters of the paper's table, and one function whatever they keep."""

import pytest
import torch

from snakescope.neurites.networks.networks import (
    FEATURES,
    NeuriteNetwork,
    Pointwise,
    folded,
    parameter_count,
    saved_bytes,
)

SMALL = (4, 6, 8)


def test_parameters_are_those_of_the_table() -> None:
    assert parameter_count(NeuriteNetwork("base", memory="stored")) == 2_216_052
    counts = [parameter_count(NeuriteNetwork("revnet", n)) for n in (1, 2, 3, 4)]
    assert [round(count / 1e6, 2) for count in counts] == [1.43, 2.22, 3.00, 3.79]
    assert [round(count / 1e6, 3) for count in counts] == [1.433, 2.218, 3.002, 3.787]


@pytest.mark.parametrize("network", ["base", "revnet"])
def test_shapes(network: str) -> None:
    model = NeuriteNetwork(network, memory="stored", features=SMALL, channels=3)
    assert model(torch.zeros(2, 1, 3, 8, 12)).shape == (2, 3, 3, 8, 12)


@pytest.mark.parametrize("network", ["base", "revnet"])
def test_a_network_for_cubes_treats_all_axes_alike(network: str) -> None:
    torch.manual_seed(2)
    model = NeuriteNetwork(network, 1, "stored", SMALL, 3, isotropic=True).eval().double()  # type: ignore[arg-type]
    image = torch.rand(1, 1, 8, 12, 16, dtype=torch.float64)
    assert model(image).shape == (1, 3, 8, 12, 16)
    for one in model.modules():
        if isinstance(one, torch.nn.Conv3d):
            # Kernels that are their own mirror images along the diagonal z = y.
            one.weight.data = (one.weight.data + one.weight.data.transpose(2, 3)) / 2
    upright, turned = model(image), model(image.transpose(2, 3))
    assert torch.allclose(turned, upright.transpose(2, 3), rtol=1e-9, atol=1e-9)
    assert not torch.allclose(turned, upright.reshape(turned.shape))


def test_a_pointwise_convolution_is_torchs_and_leaves_channels_last() -> None:
    torch.manual_seed(4)
    own = Pointwise(6, 4).double()
    x = torch.randn(2, 6, 3, 4, 5, dtype=torch.float64)
    x = x.contiguous(memory_format=torch.channels_last_3d).requires_grad_()
    results = []
    for training in (True, False):
        y = own.train(training)(x)
        results.append((y, *torch.autograd.grad(y.sin().sum(), (x, own.weight, own.bias))))
    assert all(torch.allclose(a, b, rtol=1e-12) for a, b in zip(*results, strict=True))
    y, d_x, *_ = results[0]
    assert y.is_contiguous(memory_format=torch.channels_last_3d)
    assert d_x.is_contiguous(memory_format=torch.channels_last_3d)
    assert torch.equal(results[1][0], torch.nn.functional.conv3d(x, own.weight, own.bias))


def test_the_order_of_the_memory_changes_neither_gradients_nor_statistics() -> None:
    """Channels last, as in training on a CPU, few channels take another normalisation."""
    torch.manual_seed(1)
    state = NeuriteNetwork("revnet", 2, "stored", SMALL).double().state_dict()
    image = torch.randn(2, 1, 4, 16, 16, dtype=torch.float64)
    plain = step("stored", state, image)
    for memory in ("stored", "frugal"):
        other = step(memory, state, image, torch.channels_last_3d)
        for (name, wanted), found in zip(plain.named_parameters(), other.parameters(), strict=True):
            assert wanted.grad is not None and found.grad is not None, name
            assert torch.allclose(found.grad, wanted.grad, rtol=1e-9, atol=1e-9), name
        for (name, one), two in zip(plain.named_buffers(), other.buffers(), strict=True):
            assert torch.allclose(one, two, rtol=1e-9), name


def step(
    memory: str,
    state: dict[str, torch.Tensor],
    image: torch.Tensor,
    order: torch.memory_format = torch.contiguous_format,
) -> NeuriteNetwork:
    model = NeuriteNetwork("revnet", 2, memory, SMALL).double()  # type: ignore[arg-type]
    model = model.to(memory_format=order)  # type: ignore[call-overload]
    model.load_state_dict(state)
    torch.manual_seed(3)
    model(image).square().mean().backward()
    return model


@pytest.mark.parametrize("memory", ["reversible", "frugal"])
def test_gradients_and_statistics_are_those_of_plain_autograd(memory: str) -> None:
    torch.manual_seed(1)
    state = NeuriteNetwork("revnet", 2, "stored", SMALL).double().state_dict()
    image = torch.randn(2, 1, 4, 16, 16, dtype=torch.float64)
    plain, other = step("stored", state, image), step(memory, state, image)
    for (name, wanted), found in zip(plain.named_parameters(), other.parameters(), strict=True):
        assert wanted.grad is not None and found.grad is not None, name
        assert torch.allclose(found.grad, wanted.grad, rtol=1e-9, atol=1e-9), name
    assert max(float(p.grad.abs().max()) for p in plain.parameters()) > 1e-3  # type: ignore[union-attr]
    buffers = zip(plain.named_buffers(), other.named_buffers(), strict=True)
    for (name, wanted), (_, found) in buffers:
        assert torch.equal(wanted, found), name
        if name.endswith("num_batches_tracked"):
            assert int(found) == 1, name


def test_saved_bytes_are_constant_in_n_and_small() -> None:
    image = torch.randn(1, 1, 4, 32, 32)

    def kept(network: str, n: int, memory: str) -> int:
        return saved_bytes(NeuriteNetwork(network, n, memory, FEATURES), image)  # type: ignore[arg-type]

    base = kept("base", 1, "stored")
    one, four = kept("revnet", 1, "reversible"), kept("revnet", 4, "reversible")
    assert abs(four / one - 1) <= 0.02
    assert one / base <= 0.71
    frugal = [kept("revnet", n, "frugal") for n in (1, 4)]
    assert abs(frugal[1] / frugal[0] - 1) <= 0.02
    assert max(frugal) <= 0.45 * base
    assert kept("revnet", 4, "stored") > kept("revnet", 1, "stored")


def test_folding_keeps_the_function() -> None:
    torch.manual_seed(2)
    for network in ("base", "revnet"):
        model = NeuriteNetwork(network, memory="stored", features=SMALL)  # type: ignore[arg-type]
        for _ in range(3):
            model(torch.randn(1, 1, 4, 16, 16))
        image = torch.randn(1, 1, 4, 16, 16)
        with torch.inference_mode():
            wanted = model.eval()(image)
            assert torch.allclose(folded(model)(image), wanted, atol=1e-4)


def test_half_the_input_does_not_do() -> None:
    with pytest.raises(ValueError, match="even features"):
        NeuriteNetwork("revnet", features=(3, 4))
    with pytest.raises(ValueError, match="not reversible"):
        NeuriteNetwork("base", memory="frugal")
    odd = NeuriteNetwork("base", memory="stored", features=(3, 5))
    assert odd(torch.zeros(1, 1, 2, 4, 4)).shape[2:] == (2, 4, 4)


def test_two_steps_train_alike() -> None:
    """The statistics of the recomputation leave nothing behind for the next step."""
    torch.manual_seed(1)
    state = NeuriteNetwork("revnet", 1, "stored", SMALL).double().state_dict()
    images = torch.randn(3, 1, 1, 2, 16, 16, dtype=torch.float64)
    ends = []
    for memory in ("stored", "frugal"):
        model = NeuriteNetwork("revnet", 1, memory, SMALL).double()  # type: ignore[arg-type]
        model.load_state_dict(state)
        optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
        for image in images:
            optimiser.zero_grad()
            model(image).square().mean().backward()
            optimiser.step()
        ends.append(torch.cat([v.flatten().double() for v in model.state_dict().values()]))
    assert torch.allclose(*ends, rtol=1e-8, atol=1e-9)
