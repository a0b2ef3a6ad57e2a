"""X3D (Feichtenhofer, CVPR 2020), as the published X3D-M: depthwise, with squeeze-excitation.

Tensors are (batch, channels, time, y, x).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


def rounded(width: float, divisor: int = 8) -> int:
    """The nearest multiple of ``divisor`` that is at least nine tenths of ``width``."""
    found = max(divisor, int(width + divisor / 2) // divisor * divisor)
    return found + divisor if found < 0.9 * width else found


class SqueezeExcitation(nn.Module):
    """Channels weighted by what the whole clip shows (Hu et al., CVPR 2018), ratio 1/16."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = rounded(channels / 16)
        self.reduce, self.expand = nn.Conv3d(channels, inner, 1), nn.Conv3d(inner, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.expand(torch.relu(self.reduce(x.mean((2, 3, 4), keepdim=True))))
        return x * torch.sigmoid(weight)


class Block(nn.Module):
    """Inverted bottleneck: 1x1, depthwise 3x3x3, 1x1."""

    def __init__(self, ci: int, inner: int, co: int, stride: int, squeezed: bool) -> None:
        super().__init__()
        self.conv_a, self.norm_a = nn.Conv3d(ci, inner, 1, bias=False), nn.BatchNorm3d(inner)
        self.conv_b = nn.Conv3d(inner, inner, 3, (1, stride, stride), 1, groups=inner, bias=False)
        self.norm_b = nn.BatchNorm3d(inner)
        self.squeeze: nn.Module = SqueezeExcitation(inner) if squeezed else nn.Identity()
        self.conv_c, self.norm_c = nn.Conv3d(inner, co, 1, bias=False), nn.BatchNorm3d(co)
        self.shortcut: nn.Module = nn.Identity()
        if ci != co or stride != 1:
            convolution = nn.Conv3d(ci, co, 1, (1, stride, stride), bias=False)
            norm = [nn.BatchNorm3d(co)] if ci != co else []
            self.shortcut = nn.Sequential(convolution, *norm)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.norm_a(self.conv_a(x)))
        y = functional.silu(self.squeeze(self.norm_b(self.conv_b(y))))
        return torch.relu(self.norm_c(self.conv_c(y)) + self.shortcut(x))


class X3D(nn.Module):
    """X3D; the defaults are X3D-M (16 frames)."""

    def __init__(
        self, classes: int = 400, widths: Sequence[int] = (24, 48, 96, 192),
        depths: Sequence[int] = (3, 5, 11, 7), inner: float = 2.25, head: int = 2048,
        dropout: float = 0.5,
    ) -> None:  # fmt: skip
        super().__init__()
        first = widths[0]
        self.stem_yx = nn.Conv3d(3, first, (1, 3, 3), (1, 2, 2), (0, 1, 1), bias=False)
        self.stem_t = nn.Conv3d(first, first, (5, 1, 1), 1, (2, 0, 0), groups=first, bias=False)
        self.stem_norm = nn.BatchNorm3d(first)
        stages, ci = [], first
        for co, depth in zip(widths, depths, strict=True):
            middle = int(inner * co)
            stages.append(
                nn.Sequential(
                    *(
                        Block(ci if at == 0 else co, middle, co, 2 if at == 0 else 1, at % 2 == 0)
                        for at in range(depth)
                    )
                )
            )
            ci = co
        self.stages = nn.Sequential(*stages)
        middle = int(inner * ci)
        self.conv5, self.norm5 = nn.Conv3d(ci, middle, 1, bias=False), nn.BatchNorm3d(middle)
        self.project = nn.Linear(middle, head, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(head, classes)

    def features(self, x: Tensor) -> Tensor:
        """The last maps (B, C, T, y, x)."""
        x = torch.relu(self.stem_norm(self.stem_t(self.stem_yx(x))))
        return torch.relu(self.norm5(self.conv5(self.stages(x))))

    def forward(self, x: Tensor) -> Tensor:
        pooled = torch.relu(self.project(self.features(x).mean((2, 3, 4))))
        found: Tensor = self.head(self.dropout(pooled))
        return found
