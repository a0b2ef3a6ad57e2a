"""Crops of labelled sections, warped, turned, mirrored and blurred at random.

Elastic displacements after Ronneberger et al. 2015, section 3.1: what matters most where few
sections are labelled.
"""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
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


SHARPEST_PX = 0.3
"""Smallest standard deviation of a blur: less changes nothing."""

CONTROL_POINTS = 5
"""Along a side of a crop, between which elastic displacements are interpolated."""


def margin_of(settings: TrainSettings) -> int:
    """How far beyond a crop its warp reaches (px)."""
    half = settings.crop_px / 2
    return int(np.ceil(half * (np.sqrt(2) * np.exp(1.5 * settings.scaling) - 1))) + int(
        np.ceil(3 * settings.elastic_px)
    )


def warp_of(
    settings: TrainSettings, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where every pixel of a crop comes from, along y and x from its middle (px).

    A size, a stretch by half of that along any direction, a turn by any angle, and displacements
    at points of a grid, interpolated by cubics.
    """
    side = settings.crop_px
    y, x = np.mgrid[:side, :side].astype(np.float32) - np.float32((side - 1) / 2)
    if settings.scaling > 0:
        size, stretch = np.exp(rng.uniform(-1, 1, 2) * settings.scaling * (1, 0.5))
        first, second = (_turn(angle) for angle in rng.uniform(0, 2 * np.pi, 2))
        matrix = first @ np.diag([size * stretch, size / stretch]) @ second
        (a, b), (c, d) = matrix.astype(np.float32)
        y, x = a * y + b * x, c * y + d * x
    if settings.elastic_px > 0:
        points = rng.normal(0, settings.elastic_px, (2, CONTROL_POINTS, CONTROL_POINTS))
        by_y, by_x = (
            cv2.resize(one, (side, side), interpolation=cv2.INTER_CUBIC)
            for one in points.astype(np.float32)
        )
        y, x = y + by_y, x + by_x
    return y, x


def _turn(angle: float) -> NDArray[np.float64]:
    """The matrix of a turn (radians)."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def blurred(planes: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """Sections (C, Y, X), each out of focus."""
    return np.stack(
        [cv2.GaussianBlur(np.ascontiguousarray(one), (0, 0), sigma_px) for one in planes]
    ).astype(np.float32)


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
        """The crop of an index, anywhere in its section, varied by the settings."""
        settings = self.settings
        stack, z = self.places[index]
        height, width = stack.membrane.shape[1:]
        top = int(rng.integers(height - settings.crop_px + 1))
        left = int(rng.integers(width - settings.crop_px + 1))
        rows, columns = (slice(at, at + settings.crop_px) for at in (top, left))
        if settings.scaling > 0 or settings.elastic_px > 0:
            planes, membrane = self._warped(stack, z, top, left, rng)
        else:
            planes = stack.grey.planes(z, settings.network.neighbours, rows, columns)
            membrane = stack.membrane[z, rows, columns]
        turned = TURNED[settings.augmentation[int(rng.integers(len(settings.augmentation)))]]
        contrast, brightness = rng.normal(0, 1, 2) * settings.grey_jitter
        planes = turned(planes) * np.float32(np.exp(contrast)) + np.float32(brightness)
        if settings.blur_px > 0 and rng.random() < 0.5:
            planes = blurred(planes, SHARPEST_PX + settings.blur_px * rng.random())
        if settings.noise > 0:
            noise = rng.normal(0, settings.noise * rng.random(), planes.shape)
            planes = planes + noise.astype(np.float32)
        return np.ascontiguousarray(planes), np.ascontiguousarray(turned(membrane))

    def _warped(
        self, stack: Labelled, z: int, top: int, left: int, rng: np.random.Generator
    ) -> Crop:
        """A crop turned by any angle, stretched and displaced; mirrored at ends of the section."""
        settings = self.settings
        side, margin = settings.crop_px, margin_of(settings)
        height, width = stack.membrane.shape[1:]
        rows = slice(max(0, top - margin), min(height, top + side + margin))
        columns = slice(max(0, left - margin), min(width, left + side + margin))
        y, x = warp_of(settings, rng)
        middle = (side - 1) / 2
        y, x = (
            y + np.float32(top - rows.start + middle),
            x + np.float32(left - columns.start + middle),
        )

        def seen(picture: NDArray[np.float32]) -> NDArray[np.float32]:
            return np.asarray(
                cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101),
                np.float32,
            )

        planes = stack.grey.planes(z, settings.network.neighbours, rows, columns)
        membrane = seen(stack.membrane[z, rows, columns].astype(np.float32)) > 0.5
        return np.stack([seen(one) for one in planes]), membrane
