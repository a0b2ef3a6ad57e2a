"""Reversible blocks: their inputs are recomputed from their outputs, so none is kept for backward.

Gomez et al. 2017, "The Reversible Residual Network", equations 6 and 7, in the
notation of Koyama et al., section 2-2: y1 = x1 + F(x2), y2 = x2 + G(y1); backward,
x2 = y2 - G(y1), x1 = y1 - F(x2).

A sequence of blocks keeps one tensor, its last output, however many blocks there are. Going back,
every branch is run once more; that second run sees the random numbers and the autocast of the
first, and leaves the running statistics of batch normalisation alone.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


@contextmanager
def frozen_statistics(*modules: nn.Module) -> Iterator[None]:
    """Within, batch normalisation uses the statistics it would use, but does not record them."""
    norms = [one for module in modules for one in module.modules() if isinstance(one, _BatchNorm)]
    kept = [(one.momentum, one.num_batches_tracked) for one in norms]
    try:
        for one in norms:
            # Without momentum the buffers take part as always and come out as they went in. (With
            # tracking switched off, autograd would keep other tensors than the first time, which
            # torch's checkpointing refuses.)
            one.momentum = 0.0
            one.num_batches_tracked = None
        yield
    finally:
        for one, (momentum, batches) in zip(norms, kept, strict=True):
            one.momentum, one.num_batches_tracked = momentum, batches


@dataclass(frozen=True)
class Circumstances:
    """What a branch's result depends on besides its input and parameters."""

    device: torch.device
    autocast: bool
    dtype: torch.dtype
    cpu_random: Tensor
    device_random: Tensor | None

    @classmethod
    def now(cls, device: torch.device) -> "Circumstances":
        kind = device.type
        return cls(
            device,
            torch.is_autocast_enabled(kind),
            torch.get_autocast_dtype(kind),
            torch.get_rng_state(),
            torch.cuda.get_rng_state(device) if kind == "cuda" else None,
        )

    @contextmanager
    def again(self) -> Iterator[None]:
        """Within, chance and autocast are as they were; after it, chance is as it was before."""
        devices = [self.device] if self.device_random is not None else []
        with ExitStack() as stack:
            stack.enter_context(torch.random.fork_rng(devices=devices))
            torch.set_rng_state(self.cpu_random)
            if self.device_random is not None:
                torch.cuda.set_rng_state(self.device_random, self.device)
            # While the outer autocast is open, it keeps the weights that it cast for the first run,
            # where nothing was recorded: taken from there, they would get no gradient.
            stack.enter_context(
                torch.autocast(
                    self.device.type, dtype=self.dtype, enabled=self.autocast, cache_enabled=False
                )
            )
            yield


class ReversibleBlock(nn.Module):
    """One pair of branches; F and G map half the channels to as many, of the same shape."""

    def __init__(self, f: nn.Module, g: nn.Module) -> None:
        super().__init__()
        self.f, self.g = f, g

    def forward(self, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
        y1 = x1 + self.f(x2)
        return y1, x2 + self.g(y1)

    def inverse(self, y1: Tensor, y2: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the inputs from the outputs ``y1``, ``y2`` (Koyama et al., equations 3 and 4)."""
        x2 = y2 - self.g(y1)
        return y1 - self.f(x2), x2


def _trained(module: nn.Module) -> list[nn.Parameter]:
    return [one for one in module.parameters() if one.requires_grad]


def _branch_back(
    branch: nn.Module, at: Circumstances, given: Tensor, gradient: Tensor
) -> tuple[Tensor, Tensor, tuple[Tensor | None, ...]]:
    """Run a branch again and through it backwards: its output, d given, d parameters."""
    with torch.enable_grad(), at.again(), frozen_statistics(branch):
        given = given.detach().requires_grad_()
        output = branch(given)
    wanted = (given, *_trained(branch))
    d_given, *d_parameters = torch.autograd.grad(
        output, wanted, gradient.to(output.dtype), allow_unused=True
    )
    return (
        output.detach(),
        torch.zeros_like(given) if d_given is None else d_given,
        tuple(d_parameters),
    )


class _Sequence(torch.autograd.Function):
    """Blocks one after another; ``parameters`` are theirs, so that autograd knows of them."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, blocks: Sequence[ReversibleBlock], *parameters: nn.Parameter
    ) -> Tensor:
        ctx.blocks, ctx.circumstances = blocks, []
        one, two = x.chunk(2, dim=1)
        for block in blocks:
            before_f = Circumstances.now(x.device)
            one = one + block.f(two)
            ctx.circumstances.append((before_f, Circumstances.now(x.device)))
            two = two + block.g(one)
        y = torch.cat((one, two), dim=1)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_y: Tensor) -> Any:
        (y,) = ctx.saved_tensors
        one, two = y.chunk(2, dim=1)
        d_one, d_two = d_y.chunk(2, dim=1)
        gradients: list[Tensor | None] = []
        for block, (at_f, at_g) in zip(
            reversed(ctx.blocks), reversed(ctx.circumstances), strict=True
        ):
            output, d_given, d_g = _branch_back(block.g, at_g, one, d_two)
            two, d_one = two - output, d_one + d_given
            output, d_given, d_f = _branch_back(block.f, at_f, two, d_one)
            one, d_two = one - output, d_two + d_given
            gradients = [*d_f, *d_g, *gradients]
        return torch.cat((d_one, d_two), dim=1), None, *gradients


class ReversibleSequence(nn.Module):
    """Reversible blocks over the two halves of the channels, shape (N, C, z, y, x) in and out.

    Args:
        blocks: one or more.
        stored: keep what plain autograd keeps instead of recomputing; the same function.

    Raises:
        ValueError: an odd number of channels comes in.
    """

    def __init__(self, blocks: Sequence[ReversibleBlock], stored: bool = False) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.stored = stored

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1] % 2:
            raise ValueError(f"an even number of channels is needed, found {x.shape[1]}")
        # The stream itself stays exact enough to be reversed; only the branches are rounded.
        if torch.is_grad_enabled() and x.dtype in (torch.bfloat16, torch.float16):
            x = x.float()
        blocks = [one for one in self.blocks if isinstance(one, ReversibleBlock)]
        if not self.stored and torch.is_grad_enabled():
            parameters = [p for block in blocks for p in (*_trained(block.f), *_trained(block.g))]
            recomputed: Tensor = _Sequence.apply(x, blocks, *parameters)
            return recomputed
        one, two = x.chunk(2, dim=1)
        for block in blocks:
            one, two = block(one, two)
        return torch.cat((one, two), dim=1)


def recomputed(
    function: Callable[..., Tensor], modules: Sequence[nn.Module], *inputs: Tensor
) -> Tensor:
    """``function(*inputs)``, of which only the inputs are kept and the rest is computed again.

    For what lies between reversible parts: torch's own checkpointing, with the statistics of the
    batch normalisation in ``modules`` recorded once.
    """
    if not torch.is_grad_enabled():
        return function(*inputs)
    result: Tensor = checkpoint(
        function,
        *inputs,
        use_reentrant=False,
        context_fn=lambda: (nullcontext(), frozen_statistics(*modules)),
    )
    return result
