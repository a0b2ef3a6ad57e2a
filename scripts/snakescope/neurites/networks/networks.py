"""The networks that turn an EM volume into affinities: residual symmetric 3-D U-Nets.

``base`` is the network of Lee et al. 2017, "Superhuman Accuracy on the SNEMI3D Connectomics
Challenge", figure 2 and section 2.1; ``revnet`` is that of Koyama et al., section 2-3: each
of the nine modules becomes one convolution that changes the number of channels and n reversible
blocks. Parameters: base 2,216,052; revnet 1,433,268 + (n - 1) x 784,608.

What is kept for backward is chosen apart from the function that is computed:

``stored``       all that plain autograd keeps
``reversible``   as Koyama et al.: nothing inside the reversible blocks, all outside
``frugal``       one tensor a module, its output: pooling, upsampling, skip sums, embeddings and the
                 convolutions that change channels are recomputed from it as well
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from snakescope.neurites.networks.reversible import ReversibleBlock, ReversibleSequence, recomputed

Network = Literal["base", "revnet"]
Memory = Literal["stored", "reversible", "frugal"]

FEATURES = (24, 32, 48, 72, 104)
"""Channels of the levels, finest first."""

CHANNELS = 12
"""Affinities that come out, see :data:`snakescope.neurites.networks.affinity_targets.OFFSETS`."""


def _convolution(inputs: int, outputs: int) -> nn.Conv3d:
    return nn.Conv3d(inputs, outputs, 3, padding=1, bias=False)


class Pointwise(nn.Conv3d):
    """1 x 1 x 1 convolution that, in float32 training on a CPU, leaves channels last in memory.

    PyTorch 2.7 puts its result in the default order (one thread, float32; in bfloat16 it does not),
    and every sum, ELU and normalisation after it then goes through memory in two orders at once.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        on_cpu = x.device.type == "cpu"
        if not (self.training and on_cpu) or torch.is_autocast_enabled("cpu"):
            return super().forward(x)
        weight = self.weight.flatten(1)
        return functional.linear(x.movedim(1, -1), weight, self.bias).movedim(-1, 1)


class Convolved(nn.Sequential):
    """3 x 3 x 3 convolution, batch normalisation and, unless ``linear``, ELU in place."""

    def __init__(self, inputs: int, outputs: int, linear: bool = False) -> None:
        layers = [_convolution(inputs, outputs), nn.BatchNorm3d(outputs)]
        super().__init__(*layers, *([] if linear else [nn.ELU(inplace=True)]))


class ResidualModule(nn.Module):
    """Three convolutions; the first one's output is added to the third's (Lee et al., fig. 2)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.enter = Convolved(inputs, outputs)
        self.second = Convolved(outputs, outputs)
        self.third = _convolution(outputs, outputs)
        self.norm = nn.BatchNorm3d(outputs)

    def rest(self, entered: Tensor) -> Tensor:
        summed = self.third(self.second(entered)) + entered
        return functional.elu(self.norm(summed), inplace=True)


def _branch(channels: int) -> nn.Sequential:
    return nn.Sequential(Convolved(channels, channels), Convolved(channels, channels, linear=True))


class ReversibleModule(nn.Module):
    """One convolution to the new number of channels, then ``n`` reversible blocks."""

    def __init__(self, inputs: int, outputs: int, n: int, memory: Memory) -> None:
        super().__init__()
        half = outputs // 2
        self.enter = Convolved(inputs, outputs)
        self.rest = ReversibleSequence(
            [ReversibleBlock(_branch(half), _branch(half)) for _ in range(n)], memory == "stored"
        )


class Embedding(nn.Module):
    """1 x 5 x 5 convolution, or 3 x 3 x 3 for ``isotropic``, and ELU."""

    def __init__(self, inputs: int, outputs: int, isotropic: bool = False) -> None:
        super().__init__()
        kernel, padding = ((3, 3, 3), (1, 1, 1)) if isotropic else ((1, 5, 5), (0, 2, 2))
        self.convolution = nn.Conv3d(inputs, outputs, kernel, padding=padding)

    def forward(self, x: Tensor) -> Tensor:
        return functional.elu(self.convolution(x), inplace=True)


class Upsampled(nn.Module):
    """To twice the height and width, to the skip's channels, and summed with the skip.

    For ``isotropic`` to twice the depth as well. The paper interpolates first and then applies the
    1 x 1 x 1 convolution. The two commute, so the convolution is done on a quarter of the voxels.
    """

    def __init__(self, inputs: int, outputs: int, isotropic: bool = False) -> None:
        super().__init__()
        self.convolution = Pointwise(inputs, outputs)
        self.factor = (2.0 if isotropic else 1.0, 2.0, 2.0)
        self.norm = nn.BatchNorm3d(outputs)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        larger = functional.interpolate(
            self.convolution(x), scale_factor=self.factor, mode="trilinear"
        )
        return functional.elu(self.norm(larger + skip), inplace=True)


class Level(nn.Module):
    """What brings the voxels to a level, and the module that works there."""

    def __init__(
        self, before: nn.Module, module: ResidualModule | ReversibleModule, frugal: bool
    ) -> None:
        super().__init__()
        self.before, self.module, self.frugal = before, module, frugal

    def _enter(self, *inputs: Tensor) -> Tensor:
        entered: Tensor = self.module.enter(self.before(*inputs))
        return entered

    def forward(self, *inputs: Tensor) -> Tensor:
        entered = recomputed(self._enter, [self], *inputs) if self.frugal else self._enter(*inputs)
        result: Tensor = self.module.rest(entered)
        return result


class NeuriteNetwork(nn.Module):
    """Image to the logits of affinities: (N, 1, z, y, x) to (N, channels, z, y, x), float.

    Args:
        network: ``base`` or ``revnet``.
        n: reversible blocks a module, for ``revnet``.
        memory: what is kept for backward, see the module; ``base`` knows ``stored`` only.
        features: channels of the levels, finest first; even numbers for ``revnet``.
        channels: affinities that come out.
        isotropic: for voxels about as long as wide: pooling, upsampling and embeddings along z as
            along y and x. Otherwise z is left as it is.

    Raises:
        ValueError: a memory that the network does not have, or n below 1.
    """

    def __init__(
        self,
        network: Network = "base",
        n: int = 1,
        memory: Memory = "frugal",
        features: Sequence[int] = FEATURES,
        channels: int = CHANNELS,
        isotropic: bool = False,
    ) -> None:
        super().__init__()
        if network == "base" and memory != "stored":
            raise ValueError(f"the base network is not reversible: memory stored, not {memory}")
        if network == "revnet" and (n < 1 or any(one % 2 for one in features)):
            raise ValueError(f"n {n} of at least 1 and even features {features} are needed")
        frugal = memory == "frugal"

        def module(inputs: int, outputs: int) -> ResidualModule | ReversibleModule:
            if network == "base":
                return ResidualModule(inputs, outputs)
            return ReversibleModule(inputs, outputs, n, memory)

        first = features[0]
        pairs = list(pairwise(features))
        pooling = (2 if isotropic else 1, 2, 2)
        self.frugal = frugal
        self.down = nn.ModuleList(
            [
                Level(Embedding(1, first, isotropic), module(first, first), frugal),
                *(Level(nn.MaxPool3d(pooling), module(a, b), frugal) for a, b in pairs),
            ]
        )
        self.up = nn.ModuleList(
            Level(Upsampled(b, a, isotropic), module(a, a), frugal) for a, b in reversed(pairs)
        )
        self.embed_out = Embedding(first, first, isotropic)
        self.head = nn.Conv3d(first, channels, 1)
        self.apply(_initialised)

    def _out(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.embed_out(x))
        return logits

    def forward(self, image: Tensor) -> Tensor:
        skips: list[Tensor] = []
        x = image
        for level in self.down:
            x = level(x)
            skips.append(x)
        skips.pop()
        for level in self.up:
            x = level(x, skips.pop())
        return recomputed(self._out, [], x) if self.frugal else self._out(x)


def _initialised(module: nn.Module) -> None:
    if isinstance(module, nn.Conv3d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def parameter_count(module: nn.Module) -> int:
    """Trained numbers of a network."""
    return sum(one.numel() for one in module.parameters())


def folded(network: NeuriteNetwork) -> NeuriteNetwork:
    """The network in evaluation mode, its batch normalisations folded into the convolutions.

    The same function up to rounding, with a pass over memory less for every convolution; changed
    in place. What follows a sum (residual modules, upsampling) keeps its normalisation.
    """
    network.eval()
    for one in network.modules():
        if isinstance(one, Convolved) and isinstance(one[1], nn.BatchNorm3d):
            convolution, norm = one[0], one[1]
            assert isinstance(convolution, nn.Conv3d)
            one[0] = torch.nn.utils.fusion.fuse_conv_bn_eval(convolution, norm)
            one[1] = nn.Identity()
    return network


def saved_bytes(network: nn.Module, image: Tensor) -> int:
    """Return the bytes of all tensors that autograd saves in one forward pass.

    A storage that several operations save counts once; parameters and buffers do not count, nor
    does temporary memory of the backward pass.

    Args:
        image: shape (N, 1, z, y, x).
    """
    own = {one.untyped_storage().data_ptr() for one in (*network.parameters(), *network.buffers())}
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    # While the result lives, so does all that is kept: no address can be given out twice.
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = network(image)
    total = sum(kept.values())
    del result
    return total
