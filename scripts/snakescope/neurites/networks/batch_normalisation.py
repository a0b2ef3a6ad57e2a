"""Batch normalisation of maps with few channels, quick on a CPU as well.

PyTorch 2.7 normalises channels-last maps on the CPU a voxel at a time. Where the channels do not
fill a vector register (16 numbers of float32), it computes one number at a time, ten times slower:
with the 12 channels of a reversible branch, as long as the convolution before it. Here neighbouring
voxels count as further channels, whose statistics are merged afterwards.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

REGISTER = 16
"""Numbers of a vector register (float32, AVX512); with as many channels torch is quick itself."""

NEIGHBOURS = 16
"""Voxels taken together, at most."""


def _with_neighbours(x: Tensor, neighbours: int) -> Tensor:
    """Channels-last (N, C, z, y, x) as the map (1, neighbours x C, 1, 1, rows) of its memory."""
    return x.movedim(1, -1).reshape(1, 1, 1, -1, neighbours * x.shape[1]).movedim(-1, 1)


def _without_neighbours(wide: Tensor, like: Tensor) -> Tensor:
    """Back from :func:`_with_neighbours`, to the shape of ``like``."""
    return wide.movedim(1, -1).reshape(like.movedim(1, -1).shape).movedim(-1, 1)


class _Normalised(torch.autograd.Function):
    """(x - mean) / sqrt(variance + eps) x weight + bias, and the mean and variance of N, z, y, x.

    Ioffe and Szegedy 2015, "Batch Normalization", algorithm 1 and the gradients of section 3.
    Channels-last (N, C, z, y, x) to the same; weight, bias, mean and variance (C).
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        together = math.gcd(x.numel() // x.shape[1], NEIGHBOURS)
        wide = _with_neighbours(x, together)
        # Of bfloat16 the statistics are float32 only where the recorded ones are.
        recorded = weight.new_zeros(wide.shape[1])
        means, variances = (
            one.view(together, -1)
            for one in torch.batch_norm_update_stats(wide, recorded, recorded.clone(), 0.0)
        )
        mean = means.mean(0)
        variance = variances.mean(0) + means.var(0, unbiased=False)
        mean_of, variance_of, weight_of, bias_of = (
            one.repeat(together) for one in (mean, variance, weight, bias)
        )
        normalised = functional.batch_norm(
            wide, mean_of, variance_of, weight_of, bias_of, training=False, eps=eps
        )
        ctx.together = together
        ctx.save_for_backward(x, weight, mean, (variance + eps).rsqrt())
        ctx.mark_non_differentiable(mean, variance)
        # Detached: what follows may work in place, which autograd does not allow on a view.
        return _without_neighbours(normalised, x).detach(), mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_y: Tensor, *_: Tensor) -> Any:
        x, weight, mean, inverse = ctx.saved_tensors
        together, count = ctx.together, x.numel() // x.shape[1]
        wide, d_wide = (_with_neighbours(one.to(weight.dtype), together) for one in (x, d_y))
        # Of torch's own gradients only the sums: of d_y x normalised, and of d_y.
        _, *sums = torch.ops.aten.native_batch_norm_backward(
            d_wide, wide, None, None, None, mean.repeat(together), inverse.repeat(together),
            True, 0.0, [False, True, True],
        )  # fmt: skip
        d_weight, d_bias = (one.view(together, -1).sum(0) for one in sums)
        of_d_y = weight * inverse
        of_x = -of_d_y * inverse * d_weight / count
        rest = -of_d_y * d_bias / count - of_x * mean
        of_d_y, of_x, rest = (
            one.repeat(together).view(1, -1, 1, 1, 1) for one in (of_d_y, of_x, rest)
        )
        d_x = torch.addcmul(rest, wide, of_x).addcmul_(d_wide, of_d_y).to(x.dtype)
        return _without_neighbours(d_x, x), d_weight, d_bias, None


class BatchNormalisation(nn.BatchNorm3d):
    """nn.BatchNorm3d, in training on a CPU quicker for few channels; (N, C, z, y, x) in and out.

    There results differ from nn.BatchNorm3d in the last digits. Evaluation and GPUs are torch's.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self._is_slow(x):
            return super().forward(x)
        normalised, mean, variance = _Normalised.apply(x, self.weight, self.bias, self.eps)
        self._record(mean, variance, x.numel() // x.shape[1])
        result: Tensor = normalised
        return result

    def _is_slow(self, x: Tensor) -> bool:
        """Whether torch would take a number at a time."""
        return (
            self.training
            and self.affine
            and self.track_running_stats
            and x.device.type == "cpu"
            and x.dtype in (self.weight.dtype, torch.bfloat16)
            and x.dim() == 5
            and x.shape[1] == self.num_features < REGISTER
            and x.numel() > x.shape[1]
            and x.is_contiguous(memory_format=torch.channels_last_3d)
        )

    @torch.no_grad()
    def _record(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Take a batch's statistics into the running ones, as nn.BatchNorm3d does."""
        share = self.momentum or 0.0
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                share = 1 / float(self.num_batches_tracked)
        assert self.running_mean is not None and self.running_var is not None
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance * (count / (count - 1)), share)
