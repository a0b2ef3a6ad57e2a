"""Three-dimensional residual networks of bottlenecks: I3D-R50 and SlowFast-R50.

Carreira and Zisserman, CVPR 2017 (inflated to ResNet-50 as by Wang et al., CVPR 2018), and
Feichtenhofer et al., ICCV 2019, table 1. Tensors are (batch, channels, time, y, x). Modules have
the names of the published weights of PyTorchVideo where :mod:`.published` maps them.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

Kernels = Sequence[int]
"""Length in time of the first convolution of the blocks of a stage, repeated over them."""


def conv_norm(
    ci: int, co: int, kernel: tuple[int, int, int], stride: tuple[int, int, int] = (1, 1, 1)
) -> tuple[nn.Conv3d, nn.BatchNorm3d]:
    """A convolution that keeps the size but for its stride, without bias, and its norm."""
    padding = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
    return nn.Conv3d(ci, co, kernel, stride, padding, bias=False), nn.BatchNorm3d(co)


class Bottleneck3d(nn.Module):
    """1x1 (or t x 1 x 1), 1x3x3, 1x1 convolutions about a shortcut."""

    def __init__(self, ci: int, inner: int, co: int, time: int, stride: int) -> None:
        super().__init__()
        self.conv_a, self.norm_a = conv_norm(ci, inner, (time, 1, 1))
        self.conv_b, self.norm_b = conv_norm(inner, inner, (1, 3, 3), (1, stride, stride))
        self.conv_c, self.norm_c = conv_norm(inner, co, (1, 1, 1))
        self.shortcut: nn.Module = nn.Identity()
        if ci != co or stride != 1:
            self.shortcut = nn.Sequential(*conv_norm(ci, co, (1, 1, 1), (1, stride, stride)))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.norm_a(self.conv_a(x)))
        y = torch.relu(self.norm_b(self.conv_b(y)))
        return torch.relu(self.norm_c(self.conv_c(y)) + self.shortcut(x))


def stage(ci: int, inner: int, co: int, depth: int, kernels: Kernels, stride: int) -> nn.Sequential:
    """Blocks of one resolution."""
    return nn.Sequential(
        *(
            Bottleneck3d(
                ci if at == 0 else co, inner, co, kernels[at % len(kernels)],
                stride if at == 0 else 1,
            )
            for at in range(depth)
        )
    )  # fmt: skip


class Stem3d(nn.Module):
    """t x 7 x 7 convolution with stride 2 and a maximum over 3 x 3, stride 2."""

    def __init__(self, co: int, time: int) -> None:
        super().__init__()
        self.conv, self.norm = conv_norm(3, co, (time, 7, 7), (1, 2, 2))
        self.pool = nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        pooled: Tensor = self.pool(torch.relu(self.norm(self.conv(x))))
        return pooled


class I3D(nn.Module):
    """I3D on ResNet-50: every other block looks three frames far."""

    KERNELS = ((3,), (3, 1), (3, 1), (1, 3))

    def __init__(
        self, classes: int = 400, width: int = 64, depths: Sequence[int] = (3, 4, 6, 3),
        dropout: float = 0.5,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem = Stem3d(width, 5)
        self.pool = nn.MaxPool3d((2, 1, 1), (2, 1, 1))
        stages, ci = [], width
        for at, depth in enumerate(depths):
            inner, co = width * 2**at, width * 2 ** (at + 2)
            stages.append(stage(ci, inner, co, depth, self.KERNELS[at], 1 if at == 0 else 2))
            ci = co
        self.stages = nn.ModuleList(stages)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(ci, classes)

    def features(self, x: Tensor) -> Tensor:
        """The last maps (B, C, T / 2, y, x)."""
        x = self.stem(x)
        for at, one in enumerate(self.stages):
            x = one(x)
            if at == 0:
                x = self.pool(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.dropout(self.features(x).mean((2, 3, 4))))
        return found


class Fuse(nn.Module):
    """From the fast to the slow pathway: 7 x 1 x 1 convolution with the stride of their rates."""

    def __init__(self, channels: int, alpha: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(
            channels, 2 * channels, (7, 1, 1), (alpha, 1, 1), (3, 0, 0), bias=False
        )
        self.norm = nn.BatchNorm3d(2 * channels)

    def forward(self, slow: Tensor, fast: Tensor) -> Tensor:
        return torch.cat([slow, torch.relu(self.norm(self.conv(fast)))], dim=1)


class SlowFast(nn.Module):
    """SlowFast on ResNet-50, beta 1/8: few frames wide, all frames narrow.

    Args:
        alpha: frames of the fast pathway for one of the slow.
    """

    SLOW = ((1,), (1,), (3,), (3,))

    def __init__(
        self, classes: int = 400, width: int = 64, depths: Sequence[int] = (3, 4, 6, 3),
        alpha: int = 4, dropout: float = 0.5,
    ) -> None:  # fmt: skip
        super().__init__()
        self.alpha = alpha
        thin = width // 8
        self.slow_stem, self.fast_stem = Stem3d(width, 1), Stem3d(thin, 5)
        slow, fast, fuse, wide, narrow = [], [], [Fuse(thin, alpha)], width, thin
        for at, depth in enumerate(depths):
            inner, co, stride = width * 2**at, width * 2 ** (at + 2), 1 if at == 0 else 2
            slow.append(stage(wide + 2 * narrow, inner, co, depth, self.SLOW[at], stride))
            fast.append(stage(narrow, inner // 8, co // 8, depth, (3,), stride))
            wide, narrow = co, co // 8
            if at < len(depths) - 1:
                fuse.append(Fuse(narrow, alpha))
        self.slow, self.fast = nn.ModuleList(slow), nn.ModuleList(fast)
        self.fuse = nn.ModuleList(fuse)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(wide + narrow, classes)

    def pathways(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The last maps of the slow and of the fast pathway."""
        slow, fast = self.slow_stem(x[:, :, :: self.alpha]), self.fast_stem(x)
        for at, (wide, narrow) in enumerate(zip(self.slow, self.fast, strict=True)):
            slow, fast = wide(self.fuse[at](slow, fast)), narrow(fast)
        return slow, fast

    def forward(self, x: Tensor) -> Tensor:
        slow, fast = self.pathways(x)
        pooled = torch.cat([slow.mean((2, 3, 4)), fast.mean((2, 3, 4))], dim=1)
        found: Tensor = self.head(self.dropout(pooled))
        return found
