"""The Deep Contextual Network, and a U-Net of equal parameters.

Chen, Qi, Cheng and Heng, "Deep contextual networks for neuronal structure segmentation", AAAI 2016,
in the form of the published code of Takaya et al. (Chainer): batch normalisation, branches from
strides 2, 4 and 8, whose logits are summed.
"""

from functools import cache
from itertools import pairwise
from zlib import crc32

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snakescope.membranes.networks.kernels import BRANCHES, STRIDES
from snakescope.membranes.networks.settings import NetworkSettings

CLASSES = 2
"""Other, membrane."""
GRID = 8
"""Sides of what enters a network are multiples of this (px)."""
UNET_LEVELS = 4


def _convolution(inputs: int, outputs: int, side: int, batch: bool) -> list[nn.Module]:
    """Convolution that keeps the size, and batch normalisation on demand."""
    layer = nn.Conv2d(inputs, outputs, side, padding=side // 2)
    return [layer, nn.BatchNorm2d(outputs)] if batch else [layer]


def _stage(inputs: int, outputs: int, count: int, batch: bool) -> nn.Sequential:
    """``count`` convolutions of 3 x 3, each normalised and rectified."""
    layers: list[nn.Module] = []
    for number in range(count):
        layers += _convolution(inputs if number == 0 else outputs, outputs, 3, batch)
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class Branch(nn.Module):
    """From a coarse map to the logits of one branch at full resolution."""

    def __init__(self, inputs: int, kernel: int, stride: int, batch: bool, rectified: bool):
        super().__init__()
        # Aligned, see snakescope.membranes.networks.kernels.
        padding = (kernel - stride) // 2
        self.up = nn.ConvTranspose2d(inputs, CLASSES, kernel, stride, padding)
        self.refine = nn.Sequential(
            *_convolution(CLASSES, CLASSES, 3, batch), nn.ReLU(inplace=True)
        )
        self.score = nn.Sequential(*_convolution(CLASSES, CLASSES, 1, batch))
        self.rectified = rectified

    def forward(self, coarse: Tensor) -> Tensor:
        """(N, C, h, w) to logits (N, 2, h stride, w stride)."""
        logits: Tensor = self.score(self.refine(F.relu(self.up(coarse))))
        return F.relu(logits) if self.rectified else logits


class Network(nn.Module):
    """What both networks have: maps of logits, whose sum is the prediction."""

    names: tuple[str, ...]
    """Of the maps that :meth:`forward` returns."""

    def forward(self, sections: Tensor) -> tuple[Tensor, ...]:
        """Sections (N, channels, Y, X), sides divisible by 8, to maps of logits (N, 2, Y, X)."""
        raise NotImplementedError


class DeepContextualNetwork(Network):
    """Trunk of ten convolutions with three poolings; a branch from each stride.

    Stage      channels  stride  branch
    first      w         1
    second     2 w       2       F1
    third      4 w       4       F2
    fourth     8 w       8       F3
    """

    def __init__(self, settings: NetworkSettings):
        super().__init__()
        width, batch = settings.width, settings.normalisation == "batch"
        rectified = settings.logits == "rectified"
        self.names = tuple(settings.branches)
        # Stages below the last branch that is used are left out.
        deepest = max(BRANCHES.index(name) for name in self.names)
        channels = [settings.channels, *(width * 2**n for n in range(deepest + 2))]
        counts = (2, 2, 3, 3)
        self.stages = nn.ModuleList(
            _stage(inputs, outputs, count, batch)
            for (inputs, outputs), count in zip(pairwise(channels), counts, strict=False)
        )
        self.branches = nn.ModuleDict()
        for place, name in enumerate(BRANCHES):
            if name in self.names:
                self.branches[name] = Branch(
                    channels[place + 2], settings.kernels[place], STRIDES[place], batch, rectified
                )

    def forward(self, sections: Tensor) -> tuple[Tensor, ...]:
        """See :class:`Network`; maps of the branches, from F1 on."""
        found = []
        coarse = self.stages[0](sections)
        for name, stage in zip(BRANCHES, list(self.stages)[1:], strict=False):
            coarse = stage(F.max_pool2d(coarse, 2))
            if name in self.names:
                found.append(self.branches[name](coarse))
        return tuple(found)


class UNet(Network):
    """Ronneberger et al. 2015 with four levels, two convolutions each, and batch normalisation."""

    names = ("U-Net",)

    def __init__(self, channels: int, width: int, batch: bool = True):
        super().__init__()
        sizes = [width * 2**level for level in range(UNET_LEVELS)]
        self.down = nn.ModuleList(
            _stage(inputs, outputs, 2, batch) for inputs, outputs in pairwise([channels, *sizes])
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(coarse, fine, 2, 2) for fine, coarse in pairwise(sizes)
        )
        self.merge = nn.ModuleList(_stage(2 * fine, fine, 2, batch) for fine in sizes[:-1])
        self.score = nn.Conv2d(width, CLASSES, 1)

    def forward(self, sections: Tensor) -> tuple[Tensor, ...]:
        """See :class:`Network`; one map."""
        levels = [self.down[0](sections)]
        for stage in list(self.down)[1:]:
            levels.append(stage(F.max_pool2d(levels[-1], 2)))
        found = levels.pop()
        for up, merge in zip(reversed(self.up), reversed(self.merge), strict=True):
            found = merge(torch.cat([levels.pop(), up(found)], dim=1))
        return (self.score(found),)


def parameters_of(network: nn.Module) -> int:
    """Number of trained parameters."""
    return sum(one.numel() for one in network.parameters())


@cache
def unet_width(settings: NetworkSettings) -> int:
    """The largest width with which a U-Net has no more parameters than the DCN of ``settings``."""
    with torch.device("meta"):
        limit = parameters_of(DeepContextualNetwork(settings))
        batch, width = settings.normalisation == "batch", 1
        while parameters_of(UNet(settings.channels, width + 1, batch)) <= limit:
            width += 1
    return width


def build(settings: NetworkSettings, seed: int = 0) -> Network:
    """Build the network with initial weights.

    A layer's initial weights depend on the seed, its name and its shape only, so that trainings of
    one seed with other kernels start from the same trunk.
    """
    network: Network
    if settings.architecture == "unet":
        batch = settings.normalisation == "batch"
        network = UNet(settings.channels, unet_width(settings), batch)
    else:
        network = DeepContextualNetwork(settings)
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            # torch uses 32 bits of a seed; the multiplier spreads small seeds over all of them.
            mixed = crc32(name.encode()) ^ (seed * 0x9E3779B1 & 0xFFFFFFFF)
            _initialise(module, torch.Generator().manual_seed(mixed))
    return network


def _initialise(layer: nn.Conv2d | nn.ConvTranspose2d, generator: torch.Generator) -> None:
    """He et al. 2015, equation 10, by the inputs that a value of the output is summed over.

    Those of a deconvolution are channels times (kernel / stride) squared, so that the variance of
    its map does not depend on the kernel when the training starts.
    """
    (height, width), (step, _) = layer.kernel_size, layer.stride
    inputs = layer.in_channels * height * width
    if isinstance(layer, nn.ConvTranspose2d):
        inputs //= step * step
    with torch.no_grad():
        layer.weight.normal_(0.0, (2 / inputs) ** 0.5, generator=generator)
        if layer.bias is not None:
            layer.bias.zero_()


def arranged(network: Network, dtype: torch.dtype) -> Network:
    """The network with the layout that convolutions in an arithmetic are faster with.

    In half the bits channels come last: twice as fast on CPUs with instructions of bfloat16.
    """
    lower = dtype != torch.float32
    layout = torch.channels_last if lower else torch.contiguous_format
    return network.to(memory_format=layout)  # type: ignore[call-overload,no-any-return]


def fused(maps: tuple[Tensor, ...]) -> Tensor:
    """The sum of the maps of logits, (N, 2, Y, X)."""
    return torch.stack(maps).sum(dim=0)


def membrane(maps: tuple[Tensor, ...]) -> Tensor:
    """Probability of membrane by the softmax of the summed logits, (N, Y, X)."""
    # Of two classes: the sigmoid of the difference.
    logits = fused(maps).float()
    return torch.sigmoid(logits[:, 1] - logits[:, 0])


def margin_of(settings: NetworkSettings) -> int:
    """How far a pixel of the prediction sees (px), rounded up to the grid of the network."""
    if settings.architecture == "unet":
        # Two 3 x 3 a level down and up, and a pooling or a 2 x 2 between two levels.
        reach = sum(4 * 2**level for level in range(UNET_LEVELS - 1))
        reach += 2 * 2 ** (UNET_LEVELS - 1) + sum(2 * 2**level for level in range(UNET_LEVELS - 1))
    else:
        # Convolutions and poolings up to each branch, its deconvolution, and a 3 x 3.
        reach = 0
        before = 2
        for place, (name, count) in enumerate(zip(BRANCHES, (2, 3, 3), strict=True)):
            stride = STRIDES[place]
            before += stride // 2 + count * stride
            if name in settings.branches:
                half = -(-settings.kernels[place] // (2 * stride)) * stride
                reach = max(reach, before + half + 1)
    return -(-reach // GRID) * GRID
