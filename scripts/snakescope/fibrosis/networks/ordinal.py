"""A network of few parameters for few patients: ordered stages, speckle statistics, masked pooling.

What differs from Kang et al. and why: a hundred images do not teach a network what speckle is, so
the energies of bands of spatial frequency are given to it; the class branch sees the liver alone;
stages are ordered, so that four thresholds of one axis are learnt in place of separate classes; and
there is normalisation.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snakescope.fibrosis.networks.outputs import Output
from snakescope.fibrosis.networks.speckle import CHANNELS

THRESHOLDS = 4


class Stage(nn.Sequential):
    """Two 3 x 3 convolutions with batch normalisation."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.SiLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.SiLU(),
        )


class OrdinalNet(nn.Module):
    """U-Net on speckle statistics, with cumulative stage thresholds.

    Args:
        width: channels of the finest level, at a quarter of the image's resolution.
        dropout: of what the class branch sees.
    """

    def __init__(self, width: int = 16, dropout: float = 0.3):
        super().__init__()
        c = [width, width * 3 // 2, width * 2, width * 3]
        seen = CHANNELS
        self.normalise = nn.BatchNorm2d(seen)
        self.down = nn.ModuleList(Stage(a, b) for a, b in zip([seen, *c[:-1]], c, strict=True))
        self.up = nn.ModuleList(Stage(c[i] + c[i + 1], c[i]) for i in (2, 1, 0))
        # Four logits a pixel, spread over its quarters: a mask at half the image's resolution.
        self.outputs = nn.ModuleList([nn.Conv2d(c[0] + seen, 4, 3, padding=1)])
        # Texture is pooled where it is seen, form where it is understood.
        self.texture = nn.Sequential(nn.Conv2d(seen, 24, 1), nn.BatchNorm2d(24), nn.SiLU())
        pooled = seen + 24 + c[0] + c[-1]
        self.hidden = nn.Sequential(
            nn.BatchNorm1d(pooled), nn.Dropout(dropout), nn.Linear(pooled, 32), nn.SiLU()
        )
        self.axis = nn.Linear(32, 1)
        self.gaps = nn.Parameter(torch.full((THRESHOLDS,), 0.5))

    @property
    def camera(self) -> nn.Module:
        """The layer that Grad-CAM looks at."""
        return self.down[0]

    def forward(self, x: Tensor) -> Output:
        """Speckle statistics (N, CHANNELS, size / 2, size / 2); size a multiple of 32 px."""
        seen = self.normalise(x)
        skips: list[Tensor] = []
        y = F.avg_pool2d(seen, 2)
        quarter = y
        for level, stage in enumerate(self.down):
            y = stage(y if level == 0 else F.max_pool2d(y, 2))
            skips.append(y)
        for level, stage in zip((2, 1, 0), self.up, strict=True):
            y = F.interpolate(y, scale_factor=2.0, mode="nearest")
            y = stage(torch.cat([skips[level], y], dim=1))
        fine = F.pixel_shuffle(self.outputs[0](torch.cat([y, quarter], dim=1)), 2)
        coarse = F.avg_pool2d(fine, 2)
        liver = torch.sigmoid(coarse.detach())
        # Away from its border, which is brighter than any texture.
        core = -F.max_pool2d(-liver, 5, 1, 2)
        parts = [_pooled(one, core) for one in (quarter, self.texture(quarter), skips[0])]
        height, width = skips[-1].shape[2:]
        deep = F.adaptive_avg_pool2d(liver, (height, width))
        parts.append(_pooled(skips[-1], deep))
        features = torch.cat(parts, dim=1)
        place = self.axis(self.hidden(features))
        # Ordered by construction: P(>= F1) >= P(>= F2) >= ...
        steps = F.softplus(self.gaps)
        below = torch.cumsum(steps, 0) - steps[0] - steps.sum() / 2
        return Output((fine, coarse), place - below, features)


def _pooled(values: Tensor, weight: Tensor) -> Tensor:
    """Mean of (N, C, Y, X) weighted with (N, 1, Y, X)."""
    return (values * weight).sum((2, 3)) / (weight.sum((2, 3)) + 1e-2)
