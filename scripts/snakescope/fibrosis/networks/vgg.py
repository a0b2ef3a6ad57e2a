"""VGG16 and VGG19 as Meng et al. and Kang et al. used them: a new head on fixed convolutions.

The head is fully connected, 512 units, as in Meng et al., IEEE Access 5 (2017) 5804-5810. Without a
weights file the convolutions are random, which is no transfer learning.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import timm
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from snakescope.fibrosis.networks.settings import VggSettings
from snakescope.step.errors import StepError

MEAN, SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CHANNELS = 512
LEAST_LIVER = 0.9
"""Share of liver in a patch, where it can be had."""


class Head(nn.Sequential):
    """Features to classes."""

    def __init__(self, classes: int):
        super().__init__(
            nn.Linear(CHANNELS, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, classes)
        )


def convolutions(name: str, weights: str, seed: int) -> nn.Module:
    """The convolutions of vgg16 or vgg19, in evaluation mode.

    Args:
        weights: safetensors of timm's model; empty: random numbers of ``seed``.

    Raises:
        StepError: no such file, or other tensors.
    """
    torch.manual_seed(seed)
    model: Any = timm.create_model(name, pretrained=False).features
    if weights:
        if not Path(weights).is_file():
            raise StepError(
                f"{weights}: expected the weights of {name}, found no such file; save timm's model"
                " as safetensors, or leave the setting empty for a random start"
            )
        try:
            tensors = load_file(weights)
            kept = {key.removeprefix("features."): value for key, value in tensors.items()
                    if key.startswith("features.")}  # fmt: skip
            model.load_state_dict(kept)
        except (SafetensorError, RuntimeError) as error:
            raise StepError(
                f"{weights}: expected safetensors of timm's {name}, found other tensors"
                f" ({type(error).__name__}); export them again"
            ) from None
    return model.eval().requires_grad_(False)


def crops(
    image: NDArray[np.uint8], liver: NDArray[np.uint8] | None, patches: bool, settings: VggSettings
) -> NDArray[np.float32]:
    """The whole scan, or patches of its liver, as VGG wants them: (N, 3, size, size).

    Patches lie on a grid of half overlap, those with most liver first; without an outline they are
    taken from the sector.
    """
    parts = [image]
    if patches:
        side = settings.patch_px
        where = (image > 0) if liver is None else (liver > 0)
        share: Any = cv2.boxFilter(where.astype(np.float32), -1, (side, side), anchor=(0, 0))
        corners = [(y, x) for y in range(0, image.shape[0] - side + 1, side // 2)
                   for x in range(0, image.shape[1] - side + 1, side // 2)]  # fmt: skip
        corners.sort(key=lambda at: (-round(float(min(share[at], LEAST_LIVER)), 3), at))
        good = [at for at in corners if share[at] >= LEAST_LIVER] or corners[:1]
        chosen = np.linspace(0, len(good) - 1, min(settings.patches, len(good))).astype(int)
        parts = [image[y : y + side, x : x + side] for y, x in (good[at] for at in chosen)]
    size = (settings.size_px, settings.size_px)
    grey = np.stack([cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in parts]) / 255
    mean, sd = (np.array(one)[None, :, None, None] for one in (MEAN, SD))
    return np.asarray((grey[:, None] - mean) / sd, np.float32)


def features(model: nn.Module, batch: NDArray[np.float32]) -> Tensor:
    """Mean over the last convolutions: (N, 3, size, size) to (N, 512)."""
    with torch.inference_mode():
        found = [model(torch.from_numpy(one[None])).mean((2, 3)) for one in batch]
    return torch.cat(found)


def train_head(
    values: Tensor, labels: Tensor, classes: int, epochs: int, seed: int
) -> tuple[Head, Tensor, Tensor]:
    """Fit a head to features (N, 512); return it with the mean and SD that it wants them less."""
    torch.manual_seed(seed)
    mean, sd = values.mean(0), values.std(0).clamp_min(1e-6)
    seen, head = (values - mean) / sd, Head(classes)
    optimiser = torch.optim.AdamW(head.parameters(), lr=1e-3, weight_decay=0.05)
    rng = np.random.default_rng(seed)
    head.train()
    for _ in range(epochs):
        for rows in np.array_split(rng.permutation(len(seen)), max(1, len(seen) // 32)):
            optimiser.zero_grad()
            nn.functional.cross_entropy(head(seen[rows]), labels[rows]).backward()
            optimiser.step()
    return head.eval(), mean, sd
