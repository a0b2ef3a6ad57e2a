"""The quick batch normalisation is nn.BatchNorm3d: results, gradients, statistics, modes."""

import copy

import pytest
import torch
from torch import nn

from snakescope.neurites.networks.batch_normalisation import REGISTER, BatchNormalisation

LAST = torch.channels_last_3d
FEW, MANY = 12, REGISTER + 8


def pair(channels: int, dtype: torch.dtype, momentum: float | None = 0.1) -> list[nn.BatchNorm3d]:
    """Torch's and the own normalisation, with the same random parameters."""
    norms = [
        kind(channels, momentum=momentum, dtype=dtype)
        for kind in (nn.BatchNorm3d, BatchNormalisation)
    ]
    for norm in norms:
        torch.manual_seed(3)
        nn.init.uniform_(norm.weight, 0.5, 2.0)
        nn.init.normal_(norm.bias)
    return norms


def a_map(channels: int, dtype: torch.dtype, seed: int = 1, depth: int = 3) -> torch.Tensor:
    """Channels-last, mean 5 and deviation 3; a voxel count that is no multiple of 16."""
    x = torch.randn(2, channels, depth, 6, 5, generator=torch.manual_seed(seed)) * 3 + 5
    return x.to(dtype).contiguous(memory_format=LAST)


def found(norm: nn.BatchNorm3d, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Result, gradients and buffers after two passes; the second with another map."""
    norm.zero_grad()
    norm(a_map(x.shape[1], x.dtype, seed=2))
    given = x.clone(memory_format=torch.preserve_format).requires_grad_()
    # In place, as in the networks.
    y = nn.functional.elu(norm(given), inplace=True)
    weights = torch.randn(y.shape, generator=torch.manual_seed(4)).to(y.dtype)
    (y * weights).sum().backward()
    gradients = {f"d {name}": one.grad for name, one in norm.named_parameters()}
    return {"y": y.detach(), "d x": given.grad, **gradients, **dict(norm.named_buffers())}  # type: ignore[dict-item]


@pytest.mark.parametrize("channels", [1, 3, FEW, MANY])
@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_is_torchs(
    channels: int, momentum: float | None, training: bool, dtype: torch.dtype
) -> None:
    torchs, own = (one.train(training) for one in pair(channels, dtype, momentum))
    x = a_map(channels, dtype)
    wanted, mine = found(torchs, x), found(own, x)
    assert wanted.keys() == mine.keys()
    for name, one in wanted.items():
        assert mine[name].dtype == one.dtype, name
        if training and channels < REGISTER:
            tolerance = 1e-12 if dtype == torch.float64 else 2e-5
            scale = max(1.0, float(one.abs().max()))
            assert (mine[name] - one).abs().max() <= tolerance * scale, name
        else:
            assert torch.equal(mine[name], one), name
    assert mine["y"].is_contiguous(memory_format=LAST)
    assert mine["d x"].is_contiguous(memory_format=LAST)


def test_few_channels_go_the_quick_way() -> None:
    own = BatchNormalisation(FEW)
    assert own._is_slow(a_map(FEW, torch.float32))
    assert own._is_slow(a_map(FEW, torch.bfloat16))
    assert not own._is_slow(a_map(FEW, torch.float32).contiguous())
    assert not own.eval()._is_slow(a_map(FEW, torch.float32))
    assert not BatchNormalisation(MANY)._is_slow(a_map(MANY, torch.float32))
    without = BatchNormalisation(FEW, track_running_stats=False)
    assert not without._is_slow(a_map(FEW, torch.float32))


def test_gradients_are_those_of_differences() -> None:
    own = BatchNormalisation(3, dtype=torch.float64)
    x = a_map(3, torch.float64, depth=1).requires_grad_()
    assert own._is_slow(x)
    nn.init.uniform_(own.weight, 0.5, 2.0)

    def normalised(x: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
        return torch.sin(own(x))

    assert torch.autograd.gradcheck(normalised, (x, own.weight, own.bias))


def test_bfloat16_is_no_worse_than_torchs() -> None:
    x = a_map(FEW, torch.bfloat16, depth=16)
    torchs, own = pair(FEW, torch.float32)
    exact = found(copy.deepcopy(torchs).double(), x.double())
    wanted, mine = found(torchs, x), found(own, x)
    for name, one in exact.items():
        assert mine[name].dtype == wanted[name].dtype, name
        error = (mine[name].double() - one).abs().max()
        assert error <= 1.5 * (wanted[name].double() - one).abs().max() + 1e-5, name


def test_a_voxel_alone_is_refused_as_by_torch() -> None:
    with pytest.raises(ValueError, match="more than 1 value"):
        BatchNormalisation(FEW)(torch.zeros(1, FEW, 1, 1, 1))


def test_the_same_each_time() -> None:
    x = a_map(FEW, torch.float32)
    one, other = (found(pair(FEW, torch.float32)[1], x) for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
