"""The network that finds heads: a small U-Net from a frame to a map of heads."""

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

UM_PER_PX = 0.46
"""Scale at which the network sees: that of phase contrast at low magnification."""
STRIDE = 2
"""Pixels of a frame for one of the map."""


def block(ci: int, co: int, stride: int = 1) -> nn.Sequential:
    """Two convolutions with norms."""
    return nn.Sequential(
        nn.Conv2d(ci, co, 3, stride, 1, bias=False), nn.BatchNorm2d(co), nn.ReLU(),
        nn.Conv2d(co, co, 3, 1, 1, bias=False), nn.BatchNorm2d(co), nn.ReLU(),
    )  # fmt: skip


class HeadNet(nn.Module):
    """Logits of a map of heads at half the resolution, of frames (B, 1, Y, X) normalised.

    Sides are multiples of 16.
    """

    def __init__(self, widths: tuple[int, ...] = (12, 24, 32, 48)) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            block(ci, co, 2) for ci, co in zip((1, *widths), widths, strict=False)
        )
        self.up = nn.ModuleList(
            nn.ModuleList([nn.Conv2d(ci, co, 1), block(2 * co, co)])
            for ci, co in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.out = nn.Conv2d(widths[0], 1, 1)
        assert self.out.bias is not None
        nn.init.constant_(self.out.bias, -3.0)

    def forward(self, x: Tensor) -> Tensor:
        kept = []
        for one in self.down:
            x = one(x)
            kept.append(x)
        for (narrow, mix), skip in zip(self.up, kept[-2::-1], strict=True):
            raised = nn.functional.interpolate(narrow(x), scale_factor=2.0, mode="nearest")
            x = mix(torch.cat([raised, skip], dim=1))
        found: Tensor = self.out(x)
        return found


def quick(network: HeadNet) -> HeadNet:
    """The same network for searching only, in two thirds of the time.

    Norms are folded into the convolutions before them, and channels lie last in memory, as few
    channels fill a processor's registers badly otherwise. Logits agree to 1e-5.
    """
    found = copy.deepcopy(network).eval()
    for part in found.modules():
        if isinstance(part, nn.Sequential):
            for at in (0, 3):
                part[at] = fuse_conv_bn_eval(part[at], part[at + 1])
                part[at + 1], part[at + 2] = nn.Identity(), nn.ReLU(inplace=True)
    return found.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
