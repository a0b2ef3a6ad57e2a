"""What the network finds in one tile or larger view, before and after its mask is cut."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from snakescope.imaging.masks import Instance


@dataclass(frozen=True)
class View:
    """Place of a view on the frame: (top, left) and size (px)."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True)
class SoftDetection:
    """A detection whose mask is a probability.

    Attributes:
        view: what the network looked at.
        top, left: first row and column of the crop, plate coordinates (px).
        probability: uint8 (h, w), 255 for certain.
        score: confidence of the detector, 0 to 1.
    """

    view: View
    top: int
    left: int
    probability: NDArray[np.uint8]
    score: float


@dataclass(frozen=True)
class TileDetection(Instance):
    """A detection in one tile.

    Attributes:
        cut: whether it reaches the border of the tile, so that it may be incomplete.
        soft: what its mask was cut from, where that is known.
    """

    cut: bool = False
    soft: SoftDetection | None = field(default=None, compare=False, repr=False)
