"""The network of Kang et al.: a U-Net with a class branch at the end of its contracting path.

Section II.1: a fully connected layer after the last contracting stage, losses at three
resolutions and of the class, dropout and maxout in every stage. What the paper does not state
(rates of dropout, pieces of maxout, width of the class branch) is named in the settings.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snakescope.fibrosis.networks.outputs import Output

Head = Literal["flatten", "pooled", "masked"]
DROPOUT = (0.2, 0.2, 0.3, 0.5, 0.5)
"""Of the levels, finest first."""

LEVELS = 5


class Maxout(nn.Module):
    """A 3 x 3 convolution, of which the largest of ``pieces`` linear maps is kept.

    Goodfellow et al., ICML 2013, section 2. There is no other nonlinearity.
    """

    def __init__(self, inputs: int, outputs: int, pieces: int):
        super().__init__()
        self.pieces = pieces
        self.convolution = nn.Conv2d(inputs, outputs * pieces, 3, padding=1)
        nn.init.kaiming_normal_(self.convolution.weight)
        nn.init.zeros_(self.convolution.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, Y, X) to (N, outputs, Y, X)."""
        n, _, y, width = x.shape
        found: Tensor = self.convolution(x)
        return found.view(n, -1, self.pieces, y, width).amax(2)


class Block(nn.Sequential):
    """A stage: maxout, dropout of whole channels, maxout."""

    def __init__(self, inputs: int, outputs: int, pieces: int, dropout: float):
        super().__init__(
            Maxout(inputs, outputs, pieces),
            nn.Dropout2d(dropout),
            Maxout(outputs, outputs, pieces),
        )


class UNet(nn.Module):
    """U-Net with maxout, three outputs and a class branch.

    At width 64, 2 pieces, 512 px and 3 classes it has 59,538,438 (``pooled``) or 61,389,334
    (``flatten``) parameters.

    Args:
        width: channels of the finest level; they double with each of the 5 levels.
        pieces: of maxout.
        head: ``flatten``: 1 x 1 convolution to 16 channels, flattened, 128 units; ``pooled``: mean,
            256 units; ``masked``: the mean weighted with the liver's probability beside the plain
            one, 256 units.
        size: of the input (px), a multiple of 16.
        classes: outputs of the class branch.
    """

    def __init__(
        self,
        width: int = 64,
        pieces: int = 2,
        head: Head = "pooled",
        size: int = 512,
        classes: int = 3,
    ):
        super().__init__()
        c = [width * 2**level for level in range(LEVELS)]
        inputs = [1, *c[:-1]]
        self.head, self.size = head, size
        self.down = nn.ModuleList(
            Block(a, b, pieces, rate) for a, b, rate in zip(inputs, c, DROPOUT, strict=True)
        )
        finer = range(LEVELS - 2, -1, -1)
        self.up = nn.ModuleList(nn.ConvTranspose2d(c[i + 1], c[i], 2, 2) for i in finer)
        self.merge = nn.ModuleList(Block(2 * c[i], c[i], pieces, DROPOUT[i]) for i in finer)
        self.outputs = nn.ModuleList(nn.Conv2d(c[i], 1, 1) for i in (0, 1, 2))
        if head == "flatten":
            self.reduce: nn.Module = nn.Conv2d(c[-1], 16, 1)
            hidden, seen = 128, 16 * (size // 2 ** (LEVELS - 1)) ** 2
        else:
            self.reduce = nn.Identity()
            hidden, seen = 256, c[-1] * (2 if head == "masked" else 1)
        self.classify = nn.Sequential(
            nn.Linear(seen, hidden), nn.ReLU(), nn.Dropout(0.5), nn.Linear(hidden, classes)
        )

    @property
    def camera(self) -> nn.Module:
        """The layer that Grad-CAM looks at: the last of the contracting path."""
        return self.down[-1]

    def forward(self, x: Tensor) -> Output:
        """(N, 1, size, size), mean 0 and SD 1 inside the sector, 0 outside."""
        skips: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else F.max_pool2d(x, 2))
            skips.append(x)
        deepest = x
        masks: list[Tensor] = []
        for level, up, merge in zip(range(LEVELS - 2, -1, -1), self.up, self.merge, strict=True):
            x = merge(torch.cat([skips[level], up(x)], dim=1))
            if level < len(self.outputs):
                masks.append(self.outputs[level](x))
        features = self._features(deepest, masks[0])
        return Output(tuple(masks[::-1]), self.classify(features), deepest.mean((2, 3)))

    def _features(self, deepest: Tensor, coarse: Tensor) -> Tensor:
        if self.head == "flatten":
            reduced: Tensor = self.reduce(deepest)
            return reduced.flatten(1)
        plain = deepest.mean((2, 3))
        if self.head == "pooled":
            return plain
        height, width = deepest.shape[2:]
        liver = F.adaptive_avg_pool2d(torch.sigmoid(coarse.detach()), (height, width))
        weighted = (deepest * liver).sum((2, 3)) / (liver.sum((2, 3)) + 1e-3)
        return torch.cat([weighted, plain], dim=1)


def parameters(model: nn.Module) -> int:
    """Trainable numbers of a network."""
    return sum(one.numel() for one in model.parameters() if one.requires_grad)
