"""The reversible block alone: gradients, statistics, chance, autocast, and what it keeps."""

import pytest
import torch
from torch import nn

from snakescope.neurites.networks.reversible import (
    ReversibleBlock,
    ReversibleSequence,
    frozen_statistics,
    recomputed,
)


def branch(channels: int, dropout: float = 0.0) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(channels, channels, 3, padding=1),
        nn.BatchNorm3d(channels),
        nn.ELU(),
        nn.Dropout(dropout),
        nn.Conv3d(channels, channels, 1),
    )


def sequence(n: int, stored: bool, dropout: float = 0.0) -> ReversibleSequence:
    torch.manual_seed(5)
    blocks = [ReversibleBlock(branch(3, dropout), branch(3, dropout)) for _ in range(n)]
    return ReversibleSequence(blocks, stored)


def run(
    model: nn.Module, x: torch.Tensor, passes: int = 1
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    x = x.clone().requires_grad_()
    torch.manual_seed(11)
    for _ in range(passes):
        y = model(x)
        weights = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y)
        (y * weights).sum().backward()
    found = {name: one.grad for name, one in model.named_parameters()}
    return y.detach(), {"x": x.grad, **found}  # type: ignore[dict-item]


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(2, 6, 3, 5, 4, dtype=torch.float64, generator=torch.manual_seed(7))


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_gradients_equal_those_of_plain_autograd(n: int, dropout: float, x: torch.Tensor) -> None:
    plain, own = sequence(n, True, dropout).double(), sequence(n, False, dropout).double()
    y, wanted = run(plain, x, passes=2)
    found_y, found = run(own, x, passes=2)
    assert torch.equal(y, found_y)
    assert wanted.keys() == found.keys()
    for name, gradient in wanted.items():
        assert (gradient - found[name]).abs().max() <= 1e-9 * max(1.0, gradient.abs().max()), name


def test_statistics_are_recorded_once_a_pass(x: torch.Tensor) -> None:
    plain, own = sequence(2, True).double(), sequence(2, False).double()
    run(plain, x, passes=2)
    run(own, x, passes=2)
    for (name, wanted), (_, found) in zip(plain.named_buffers(), own.named_buffers(), strict=True):
        assert torch.equal(wanted, found), name
    norm = own.blocks[0].f[1]  # type: ignore[index, union-attr]
    assert int(norm.num_batches_tracked) == 2
    assert norm.momentum == 0.1


def test_chance_goes_on_as_without_recomputation(x: torch.Tensor) -> None:
    after = []
    for stored in (True, False):
        run(sequence(2, stored, 0.5).double(), x)
        after.append(torch.rand(4))
    assert torch.equal(*after)


def test_evaluation_mode_uses_the_recorded_statistics(x: torch.Tensor) -> None:
    plain, own = sequence(2, True).double(), sequence(2, False).double()
    for one in (plain, own):
        run(one, x)
        one.zero_grad()
        one.eval()
    _, wanted = run(plain, x)
    _, found = run(own, x)
    assert all(torch.allclose(wanted[name], found[name], rtol=1e-9) for name in wanted)


def test_inverse_gives_the_input_back(x: torch.Tensor) -> None:
    block = ReversibleBlock(branch(3), branch(3)).double().eval()
    x1, x2 = x.chunk(2, dim=1)
    with torch.no_grad():
        back = block.inverse(*block(x1, x2))
    assert torch.allclose(torch.cat(back, 1), x, atol=1e-12)


def test_autocast_of_the_first_run_holds_in_the_second(x: torch.Tensor) -> None:
    def gradients(stored: bool) -> dict[str, torch.Tensor]:
        model = sequence(2, stored)
        seen: list[torch.dtype] = []
        model.blocks[1].g[0].register_forward_hook(  # type: ignore[index, union-attr]
            lambda module, given, output: seen.append(output.dtype)
        )
        one = x.float().requires_grad_()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = model(one)
        assert y.dtype == torch.float32
        y.square().sum().backward()
        assert seen == [torch.bfloat16] * (1 if stored else 2)
        return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}

    wanted, found = gradients(True), gradients(False)
    for name, one in wanted.items():
        assert (
            torch.nn.functional.cosine_similarity(one.flatten(), found[name].flatten(), dim=0)
            > 0.98
            or one.abs().max() < 1e-1
        ), name


@pytest.mark.parametrize("enabled", [True, False])
def test_gradients_are_found_while_autocast_is_still_open(x: torch.Tensor, enabled: bool) -> None:
    def gradients(inside: bool) -> dict[str, torch.Tensor | None]:
        model = sequence(2, False)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            y = model(x.float().requires_grad_())
            if inside:
                y.square().sum().backward()
        if not inside:
            y.square().sum().backward()
        return {name: one.grad for name, one in model.named_parameters()}

    wanted, found = gradients(False), gradients(True)
    for name, one in found.items():
        assert one is not None, name
        assert torch.equal(one, wanted[name]), name  # type: ignore[arg-type]


def test_one_tensor_is_kept_whatever_the_number_of_blocks(x: torch.Tensor) -> None:
    for n in (1, 2, 4):
        kept: list[torch.Tensor] = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor, kept=kept: kept.append(tensor) or tensor,  # type: ignore[misc]
            lambda tensor: tensor,
        ):
            sequence(n, False).double()(x.requires_grad_())
        assert [tuple(one.shape) for one in kept] == [tuple(x.shape)]


def test_frozen_parameters_get_no_gradient(x: torch.Tensor) -> None:
    model = sequence(2, False).double()
    first = model.blocks[0]
    for one in first.parameters():
        one.requires_grad_(False)
    run(model, x)
    assert all(one.grad is None for one in first.parameters())
    assert all(one.grad is not None for one in model.blocks[1].parameters())


def test_a_failing_recomputation_leaves_the_statistics_on() -> None:
    norm = nn.BatchNorm3d(2)
    with pytest.raises(RuntimeError), frozen_statistics(norm):
        raise RuntimeError
    assert norm.momentum == 0.1
    assert int(norm.num_batches_tracked) == 0  # type: ignore[arg-type]


def test_recomputed_part_counts_statistics_once() -> None:
    model = nn.Sequential(nn.Conv3d(1, 2, 1), nn.BatchNorm3d(2))
    given = torch.randn(2, 1, 2, 3, 3, requires_grad=True)
    recomputed(model, [model], given).square().sum().backward()
    assert int(model[1].num_batches_tracked) == 1  # type: ignore[arg-type]


def test_an_odd_number_of_channels_is_refused() -> None:
    with pytest.raises(ValueError, match="even number"):
        sequence(1, False)(torch.zeros(1, 5, 2, 2, 2))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu_with_chance_and_autocast(x: torch.Tensor) -> None:
    plain, own = sequence(2, True, 0.4).cuda(), sequence(2, False, 0.4).cuda()
    results = []
    for model in (plain, own):
        torch.manual_seed(11)
        one = x.float().cuda().requires_grad_()
        model(one).square().sum().backward()
        results.append(one.grad)
    assert torch.allclose(*results, rtol=1e-3, atol=1e-4)  # type: ignore[arg-type]
