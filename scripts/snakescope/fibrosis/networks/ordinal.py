"""A network for few patients: it learns the liver, and reads the stage off the speckle in it.

What differs from Kang et al. and why: a hundred scans do not teach a network what speckle is, so
energies of bands of spatial frequency are given to it; the class branch sees the inside of the
predicted liver alone; stages are ordered, so that four thresholds on one axis are fitted in place
of separate classes (McCullagh, J. R. Stat. Soc. B 42 (1980) 109-142); this fit has one optimum, and
comes after the liver has been learnt; and there is normalisation.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snakescope.fibrosis.networks.capsule import surface_roughness
from snakescope.fibrosis.networks.losses import ordinal_loss
from snakescope.fibrosis.networks.outputs import Output
from snakescope.fibrosis.networks.speckle import (
    BANDS,
    CHANNELS,
    MEASURES,
    core_of,
    energy_maps,
    liver_statistics,
    local_statistics,
    pooled,
)

THRESHOLDS = 4
FEATURES = 2 * MEASURES + 1
"""Statistics of speckle at two resolutions, and the roughness of the surface."""

CUT_RIDGE = 1 / 9
"""Of the thresholds, in parts of that of the axis: a stage that no scan has stays finite."""


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
    """U-Net on speckle statistics, with cumulative thresholds of the stage.

    Args:
        width: channels of the finest level, at a quarter of the image's resolution.
    """

    mean: Tensor
    sd: Tensor

    def __init__(self, width: int = 16):
        super().__init__()
        self.width = width
        c = [width, width * 3 // 2, width * 2, width * 3]
        self.normalise = nn.BatchNorm2d(CHANNELS)
        self.down = nn.ModuleList(Stage(a, b) for a, b in zip([CHANNELS, *c[:-1]], c, strict=True))
        self.up = nn.ModuleList(Stage(c[i] + c[i + 1], c[i]) for i in (2, 1, 0))
        # Four logits a pixel, spread over its quarters: a mask at half the image's resolution.
        self.output = nn.Conv2d(c[0] + CHANNELS, 4, 3, padding=1)
        # Maps of energies in SDs of training scans, 0 outside the liver, for Grad-CAM to look at.
        self.maps = nn.Identity()
        self.texture = nn.Conv2d(BANDS, BANDS, 1, groups=BANDS)
        self.register_buffer("mean", torch.zeros(FEATURES - BANDS))
        self.register_buffer("sd", torch.ones(FEATURES - BANDS))
        self.axis = nn.Linear(FEATURES, 1, bias=False)
        self.cuts = nn.Parameter(torch.zeros(THRESHOLDS))
        self.forget()

    @property
    def camera(self) -> nn.Module:
        """The layer that Grad-CAM looks at."""
        return self.maps

    def liver(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the liver at a half and a quarter of the resolution.

        Args:
            image: (N, 1, size, size), mean 0 and SD 1 inside the sector, 0 outside; size a multiple
                of 32 px.
        """
        seen = self.normalise(local_statistics(image))
        skips: list[Tensor] = []
        y = quarter = F.avg_pool2d(seen, 2)
        for level, stage in enumerate(self.down):
            y = stage(y if level == 0 else F.max_pool2d(y, 2))
            skips.append(y)
        for level, stage in zip((2, 1, 0), self.up, strict=True):
            y = F.interpolate(y, scale_factor=2.0, mode="nearest")
            y = stage(torch.cat([skips[level], y], dim=1))
        fine = F.pixel_shuffle(self.output(torch.cat([y, quarter], dim=1)), 2)
        return fine, F.avg_pool2d(fine, 2)

    def measures(self, image: Tensor, detail: Tensor, fine: Tensor) -> Tensor:
        """Speckle inside the liver and its surface (N, FEATURES), in SDs of training scans.

        Args:
            image: as in :meth:`liver`.
            detail: the same scans at a resolution that shows speckle.
            fine: logits of the liver.
        """
        coarse_core, _ = self._core(image, fine)
        coarse, coarse_weight = energy_maps(image, coarse_core)
        core, liver = self._core(detail, fine)
        maps, weight = energy_maps(detail, core)
        maps = self.maps(self.texture(maps) * weight)
        others = torch.cat(
            [
                liver_statistics(detail, core),
                surface_roughness(detail, liver),
                pooled(coarse, coarse_weight),
                liver_statistics(image, coarse_core),
            ],
            dim=1,
        )
        energies = maps.sum((2, 3)) / weight.sum((2, 3)).clamp_min(1e-3)
        return torch.cat([energies, (others - self.mean) / self.sd], dim=1)

    @staticmethod
    def _core(image: Tensor, fine: Tensor) -> tuple[Tensor, Tensor]:
        """The core of the liver and its probability, both of the size of an image."""
        size = (image.shape[2], image.shape[3])
        logits = F.interpolate(fine.detach().float(), size, mode="bilinear", align_corners=False)
        liver = torch.sigmoid(logits)
        return core_of(liver, image), liver

    def forward(self, image: Tensor, detail: Tensor | None = None) -> Output:
        """Liver and stage of images, see :meth:`liver`.

        Args:
            detail: the same images at a resolution that shows speckle; None: the images themselves.
        """
        masks = self.liver(image)
        detail = image if detail is None else detail
        features = self.measures(image.float(), detail.float(), masks[0])
        return Output(masks, self.axis(features) - self.cuts, features)

    @torch.no_grad()
    def forget(self) -> None:
        """Leave features as they are measured, and every scan in the middle of the stages."""
        for ones in (self.texture.weight, self.sd):
            ones.fill_(1)
        for zeros in (self.texture.bias, self.mean, self.axis.weight):
            zeros.fill_(0)  # type: ignore[union-attr]
        self.cuts.copy_(torch.linspace(-1.5, 1.5, THRESHOLDS))

    def read(self, features: Tensor, stages: Tensor, ridge: float) -> None:
        """Fit the axis of stages and its thresholds; the same numbers give the same fit.

        The thresholds come out ordered: each makes the mean probability of its stage that of the
        training scans, and fewer scans reach a later stage.

        Args:
            features: of :meth:`measures` after :meth:`forget`, (N, FEATURES).
            stages: (N,), 0 to 4.
            ridge: penalty of the squared axis against the loss summed over scans and thresholds.
        """
        values = features.double()
        mean, sd = values.mean(0), values.std(0, correction=0).clamp_min(1e-6)
        scaled = (values - mean) / sd
        axis = torch.zeros(FEATURES, dtype=torch.float64, requires_grad=True)
        cuts = torch.zeros(THRESHOLDS, dtype=torch.float64, requires_grad=True)
        optimiser = torch.optim.LBFGS(
            [axis, cuts], max_iter=500, tolerance_grad=1e-8, line_search_fn="strong_wolfe"
        )

        def loss() -> Tensor:
            optimiser.zero_grad()
            logits = (scaled @ axis)[:, None] - cuts
            total = ordinal_loss(logits, stages) * logits.numel()
            total = total + 0.5 * ridge * ((axis**2).sum() + CUT_RIDGE * (cuts**2).sum())
            total.backward()  # type: ignore[no-untyped-call]
            return total

        optimiser.step(loss)  # type: ignore[no-untyped-call]
        with torch.no_grad():
            self.texture.weight.copy_((1 / sd[:BANDS])[:, None, None, None])
            self.texture.bias.copy_(-(mean / sd)[:BANDS])  # type: ignore[union-attr]
            self.mean.copy_(mean[BANDS:])
            self.sd.copy_(sd[BANDS:])
            self.axis.weight.copy_(axis[None])
            self.cuts.copy_(cuts)
