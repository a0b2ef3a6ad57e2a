"""The semantic baseline of Matsuo et al. (section 2.2.1): ground, body, or overlap of bodies.

Every pixel is classified, and connected pixels of the class body are a worm. Where bodies overlap
the third class keeps them apart; its pixels then belong to every body that they touch. Bodies of
which the overlap is not recognised stay one worm, and a crossing whose overlap is recognised leaves
the four arms of two worms: the weakness that instance segmentation was proposed for.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from snakescope.healthspan.detection.model import GREY_MEAN, GREY_SPREAD, as_input
from snakescope.imaging.masks import Instance, cropped
from snakescope.learning.weights import load_weights, with_tensors
from snakescope.step.errors import StepError

GROUND, BODY, OVERLAP = range(3)
CLASSES = 3
WIDTHS = (24, 48, 96)
STRIDE = 8
"""Sides of pictures are padded to a multiple of it (px)."""
NAME = "semantic_unet"


def _block(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for given in (inputs, outputs):
        layers += [
            nn.Conv2d(given, outputs, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


class SemanticUNet(nn.Module):
    """A U-Net of three levels, float (N, 1, Y, X) in 0 to 1 -> logits (N, 3, Y, X).

    The first level works on 2 x 2 px at a time, which takes a quarter of the time; a worm is 5 px
    wide or more. Y and X are multiples of :data:`STRIDE`.
    """

    def __init__(self, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        high, middle, low = widths
        self.high, self.middle, self.low = (
            _block(4, high),
            _block(high, middle),
            _block(middle, low),
        )
        self.to_middle, self.to_high = _block(low + middle, middle), _block(middle + high, high)
        self.head = nn.Conv2d(high, 4 * CLASSES, kernel_size=1)

    def forward(self, pictures: Tensor) -> Tensor:
        scaled = (pictures - GREY_MEAN) / GREY_SPREAD
        high = self.high(functional.pixel_unshuffle(scaled, 2))
        middle = self.middle(functional.max_pool2d(high, 2))
        low = self.low(functional.max_pool2d(middle, 2))
        middle = self.to_middle(torch.cat([_larger(low), middle], 1))
        high = self.to_high(torch.cat([_larger(middle), high], 1))
        return functional.pixel_shuffle(self.head(high), 2)


def _larger(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0)


def class_map(masks: Tensor) -> Tensor:
    """The class of every pixel, int64 (Y, X), from the masks of all worms (n, Y, X), 0 to 1."""
    bodies = (masks >= 0.5).sum(dim=0)
    return bodies.clamp(max=OVERLAP).to(torch.int64)


def load_semantic(path: str | Path) -> SemanticUNet:
    """Load the baseline in evaluation mode.

    Raises:
        StepError: the file holds other weights.
    """
    tensors, card = load_weights(path, None)
    if card.get("architecture") != NAME:
        raise StepError(
            f"{path}: expected weights of the semantic baseline, found those of"
            f" {card.get('architecture', 'something else')}; remove the file and run again"
        )
    return with_tensors(SemanticUNet(card["widths"]), tensors, path, NAME)


@torch.inference_mode()
def classes_of(model: SemanticUNet, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The likeliest class of every pixel of an overlay of any size, uint8 (Y, X)."""
    height, width = picture.shape
    padded = np.pad(picture, ((0, -height % STRIDE), (0, -width % STRIDE)), mode="edge")
    logits = model(as_input(torch.from_numpy(padded))[None])[0]
    return logits.argmax(dim=0).to(torch.uint8).numpy()[:height, :width]


def worms_of_classes(classes: NDArray[np.uint8], min_area: int) -> list[Instance]:
    """Connected pixels of the class body, each with every overlap that touches it.

    Args:
        classes: uint8 (Y, X).
        min_area: smaller bodies, their overlaps not counted, are left out (px).
    """
    # Not by their corners: at the corners of an overlap both bodies meet.
    count, bodies = cv2.connectedComponents((classes == BODY).astype(np.uint8), connectivity=4)
    crossings, overlaps = cv2.connectedComponents(
        (classes == OVERLAP).astype(np.uint8), connectivity=8
    )
    sizes = np.bincount(bodies.ravel(), minlength=count)
    touching: dict[int, list[int]] = {
        number: [] for number in range(1, count) if sizes[number] >= min_area
    }
    for crossing in range(1, crossings):
        region = (overlaps == crossing).astype(np.uint8)
        ring = cv2.dilate(region, np.ones((3, 3), np.uint8)) > 0
        neighbours = np.unique(bodies[ring])
        near = [number for number in neighbours.tolist() if number in touching]
        for number in near:
            touching[number].append(crossing)
        if not near and region.sum() >= min_area:
            touching[count + crossing] = [crossing]  # An overlap alone is a worm of its own.
    found: list[Instance] = []
    for number, parts in touching.items():
        mask = (bodies == number) if number < count else np.zeros(classes.shape, bool)
        for crossing in parts:
            mask = mask | (overlaps == crossing)
        one = cropped(np.asarray(mask), 0, 0, 0, len(found), 1.0)
        if one is not None:
            found.append(one)
    return found
