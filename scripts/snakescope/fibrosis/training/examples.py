"""Scans as arrays: read, brought to the size of a network, augmented."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.fibrosis.simulation.oracle import STAGE_NUMBER
from snakescope.step.errors import StepError

Grey = NDArray[np.float32]


@dataclass(frozen=True)
class Examples:
    """Ingested scans.

    Attributes:
        names: of the scans.
        images: uint8, each (Y, X), 0 outside the sector and at least 1 inside.
        masks: uint8, each (Y, X), 0 or 255, or None where no outline is given.
        stages: shape (N,), 0 to 4; -1 where it is not known.
        groups: patients.
    """

    names: tuple[str, ...]
    images: tuple[NDArray[np.uint8], ...]
    masks: tuple[NDArray[np.uint8] | None, ...]
    stages: NDArray[np.int64]
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def of(self, rows: Sequence[int] | NDArray[np.intp]) -> "Examples":
        """Some of the scans."""
        chosen = [int(row) for row in rows]
        return Examples(
            tuple(self.names[row] for row in chosen),
            tuple(self.images[row] for row in chosen),
            tuple(self.masks[row] for row in chosen),
            self.stages[chosen],
            tuple(self.groups[row] for row in chosen),
        )


def read_grey(path: str | Path) -> NDArray[np.uint8]:
    """Read an ingested image or mask.

    Raises:
        StepError: no such file, or no image.
    """
    found = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if found is None:
        raise StepError(f"{path}: expected an ingested image, found none; run the ingest again")
    return np.asarray(found, np.uint8)


def load_examples(items: pd.DataFrame) -> Examples:
    """Read the scans of a table with the columns item, group, path, truth (a stage) and mask."""
    masks = items["mask"] if "mask" in items else [""] * len(items)
    stages = items["truth"] if "truth" in items else [""] * len(items)
    return Examples(
        tuple(items["item"]),
        tuple(read_grey(path) for path in items["path"]),
        tuple(read_grey(path) if isinstance(path, str) and path else None for path in masks),
        np.array([STAGE_NUMBER.get(str(stage), -1) for stage in stages], dtype=np.int64),
        tuple(items["group"]),
    )


class Normalisation(NamedTuple):
    """Mean and standard deviation (grey levels of 255) inside the sector of training scans."""

    mean: float
    sd: float


def normalisation_of(examples: Examples) -> Normalisation:
    """Mean and standard deviation of all pixels inside the sectors."""
    values = np.concatenate([image[::4, ::4][image[::4, ::4] > 0] for image in examples.images])
    return Normalisation(float(values.mean()), float(max(values.std(), 1.0)))


def resized(image: NDArray[np.uint8], size: int) -> Grey:
    """An image (Y, X) at ``size`` px, area means; 0 outside the sector, float32, 0 to 255."""
    if image.shape == (size, size):
        return image.astype(np.float32)
    inside = cv2.resize((image > 0).astype(np.uint8), (size, size), interpolation=cv2.INTER_NEAREST)
    small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.where(inside > 0, np.maximum(small, 1), 0).astype(np.float32)


def resized_mask(mask: NDArray[np.uint8] | None, size: int) -> Grey:
    """A mask at ``size`` px as shares 0 to 1, area means; NaN where there is none."""
    if mask is None:
        return np.full((size, size), np.nan, np.float32)
    share = (mask > 0).astype(np.float32)
    return np.asarray(cv2.resize(share, (size, size), interpolation=cv2.INTER_AREA), np.float32)


def normalised(image: Grey, norm: Normalisation) -> Grey:
    """(value - mean) / sd inside the sector, 0 outside."""
    return np.where(image > 0, (image - norm.mean) / norm.sd, 0).astype(np.float32)


class Drawn(NamedTuple):
    """An augmented image (grey levels, 0 outside the sector) and its mask (shares)."""

    image: Grey
    mask: Grey


def moved(
    image: Grey, mask: Grey, rng: np.random.Generator, flip: bool = False, moves: float = 1.0
) -> Drawn:
    """Shift up to 10 % of the side, rotate up to 10 degrees, scale 0.9 to 1.1 (section II.2).

    Args:
        flip: mirror every second scan.
        moves: factor of all three; what is moved beyond its sector is lost with more than 1.
    """
    size = image.shape[0]
    turn = cv2.getRotationMatrix2D(
        (size / 2, size / 2),
        moves * float(rng.uniform(-10, 10)),
        1 + moves * float(rng.uniform(-0.1, 0.1)),
    )
    turn[:, 2] += moves * rng.uniform(-0.1, 0.1, 2) * size
    mirror = flip and rng.random() < 0.5
    if mirror:
        turn = turn @ np.array([[-1, 0, size - 1], [0, 1, 0], [0, 0, 1]], np.float64)
    inside = cv2.warpAffine((image > 0).astype(np.uint8), turn, (size, size), flags=0)
    if moves > 1:
        inside *= image > 0
    grey = cv2.warpAffine(image, turn, (size, size), flags=cv2.INTER_LINEAR)
    outline = mask if np.isnan(mask[0, 0]) else cv2.warpAffine(mask, turn, (size, size))
    if moves > 1:
        outline = outline * (inside > 0)
    return Drawn(
        np.where(inside > 0, np.maximum(grey, 1), 0).astype(np.float32),
        np.asarray(outline, np.float32),
    )


def rescanned(image: Grey, rng: np.random.Generator) -> Grey:
    """As another scanner or hand might have shown it: gain, gamma, TGC, speckle, lost contact.

    Args:
        image: grey levels 0 to 255, 0 outside the sector.
    """
    size, inside = image.shape[0], image > 0
    value = image / 255
    value = np.clip(value, 0.004, 1) ** float(np.exp(rng.normal(0, 0.12)))
    depth = np.linspace(-1, 1, size, dtype=np.float32)[:, None]
    value = value + float(rng.normal(0, 0.05)) + float(rng.normal(0, 0.05)) * depth
    value = value + 0.02 * rng.standard_normal(image.shape, dtype=np.float32)
    if rng.random() < 0.2:  # a side without contact
        edge = int(rng.uniform(0, 0.2) * size)
        side = slice(0, edge) if rng.random() < 0.5 else slice(size - edge, size)
        value[:, side] *= 0.15
    if rng.random() < 0.3:  # a shadow
        x = np.linspace(-1, 1, size, dtype=np.float32)[None]
        dark = np.exp(-(((x - rng.uniform(-0.6, 0.6)) / rng.uniform(0.02, 0.08)) ** 2))
        value = value - float(rng.uniform(0.05, 0.3)) * dark
    return np.where(inside, np.clip(value * 255, 1, 255), 0).astype(np.float32)
