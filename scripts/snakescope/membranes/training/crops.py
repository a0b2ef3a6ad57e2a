"""Crops of labelled sections, turned and mirrored at random."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snakescope.membranes.stacks.sections import Labelled
from snakescope.membranes.training.settings import TrainSettings, Turn
from snakescope.step.errors import StepError

Crop = tuple[NDArray[np.float32], NDArray[np.bool_]]
"""Sections as channels, shape (C, side, side), and membrane, shape (side, side)."""

TURNED: dict[Turn, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "none": lambda a: a,
    "90": lambda a: np.rot90(a, 1, (-2, -1)),
    "180": lambda a: np.rot90(a, 2, (-2, -1)),
    "270": lambda a: np.rot90(a, 3, (-2, -1)),
    "left_right": lambda a: a[..., :, ::-1],
    "up_down": lambda a: a[..., ::-1, :],
}


class Crops:
    """Random crops of the sections of some stacks.

    Attributes:
        count: crops of an epoch: as many as cover all sections once.
    """

    def __init__(self, stacks: Sequence[Labelled], settings: TrainSettings):
        """Look at the sizes of the stacks.

        Raises:
            StepError: there is no section to train with, or one smaller than a crop.
        """
        side = settings.crop_px
        self.settings = settings
        self.places: list[tuple[Labelled, int]] = []
        for stack in stacks:
            height, width = stack.membrane.shape[1:]
            if min(height, width) < side:
                raise StepError(
                    f"{stack.grey.name}: expected sections of at least {side} x {side} px"
                    f" (membranes: training: crop_px), found {height} x {width}; lower it"
                )
            covering = -(-height // side) * -(-width // side)
            self.places += [(stack, z) for z in stack.sections for _ in range(covering)]
        if not self.places:
            raise StepError(
                "stacks: expected sections to train with, found none; give their numbers in the"
                " column train of the sample sheet, or write train into its column set"
            )
        # An epoch has at least one batch.
        self.places *= -(-settings.batch // len(self.places))

    @property
    def count(self) -> int:
        """See the class."""
        return len(self.places)

    def draw(self, index: int, rng: np.random.Generator) -> Crop:
        """The crop of an index, anywhere in its section, turned or mirrored."""
        settings = self.settings
        stack, z = self.places[index]
        height, width = stack.membrane.shape[1:]
        top = int(rng.integers(height - settings.crop_px + 1))
        left = int(rng.integers(width - settings.crop_px + 1))
        rows, columns = (slice(at, at + settings.crop_px) for at in (top, left))
        planes = stack.grey.planes(z, settings.network.neighbours, rows, columns)
        turned = TURNED[settings.augmentation[int(rng.integers(len(settings.augmentation)))]]
        contrast, brightness = rng.normal(0, 1, 2) * settings.grey_jitter
        planes = turned(planes) * np.float32(np.exp(contrast)) + np.float32(brightness)
        return np.ascontiguousarray(planes), np.ascontiguousarray(
            turned(stack.membrane[z, rows, columns])
        )
