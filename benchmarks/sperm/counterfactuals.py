"""Simulated clips for explanations: a sperm, and the same with only its head or its beat changed.

The background, the noise and the path of the head are the same in all clips of a sperm, so that a
network that grades them differently does so for the part that is changed.
"""

from dataclasses import dataclass, fields, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.sperm.clips.cut import crop
from snakescope.sperm.simulation.drawing import HEAD, MIDPIECE, TAIL, draw_optics
from snakescope.sperm.simulation.morphology import Sperm
from snakescope.sperm.simulation.settings import Preset, SimulateSettings
from snakescope.sperm.simulation.simulate import Followed, follow, followed, seed_of
from snakescope.sperm.training.data import FPS

PRESET: Preset = "icsi_pvp"
PARTS = ("head", "tail")


class Steady(Sperm):
    """A sperm whose head does not swing with its beat: only its tail tells of it."""

    def head_at(self, time_s: float) -> tuple[float, float, float]:
        """x, y (um) and direction (rad) of the head."""
        x = self.start[0] + np.cos(self.heading) * self.speed * time_s
        y = self.start[1] + np.sin(self.heading) * self.speed * time_s
        return float(x), float(y), self.heading


@dataclass(frozen=True)
class Shown:
    """A clip with its truth.

    Attributes:
        frames: uint8 (16, side, side).
        parts: masks (16, side, side) of ``head`` and of ``tail`` (with the midpiece).
    """

    frames: NDArray[np.uint8]
    parts: dict[str, NDArray[np.bool_]]

    @property
    def sperm(self) -> NDArray[np.bool_]:
        """The mask of all parts."""
        return np.logical_or(*self.parts.values())


def steady(sperm: Sperm) -> Steady:
    """The same sperm, with a head that does not swing."""
    return Steady(**{one.name: getattr(sperm, one.name) for one in fields(Sperm)})


def good(sperm: Sperm) -> Steady:
    """A sperm without defects that swims as it did, and beats well."""
    return replace(
        steady(sperm), head_um=(4.4, 2.9), taper=0.25, vacuoles=np.zeros((0, 3)), droplet_um=0.0,
        kink=(0.0, 4.0), amplitude=0.75, beat=4.5, asymmetry=0.0, lateral=0.0,
    )  # fmt: skip


def bad_head(sperm: Steady) -> Steady:
    """A narrow, tapered head with vacuoles, as long as before so that the tail stays."""
    spots = np.array([[-0.9, 0.3, 0.6], [0.2, -0.4, 0.65], [1.0, 0.3, 0.6], [-0.2, 0.6, 0.55]])
    return replace(sperm, head_um=(sperm.head_um[0], 1.9), taper=0.8, vacuoles=spots)


def bad_tail(sperm: Steady) -> Steady:
    """A tail that hardly beats and is bent."""
    return replace(sperm, amplitude=0.2, beat=1.0, asymmetry=0.9)


def shown(name: str, sperm: Sperm, like: Followed, side: int) -> Shown:
    """The clip of a sperm of a dish called ``name``; equal names have equal backgrounds."""
    optics = draw_optics(np.random.default_rng([seed_of(name), 3]), PRESET)
    rng = np.random.default_rng([seed_of(name), 4])
    made = list(follow(replace(like, sperm=sperm), 1.0, FPS, optics, rng, PRESET))
    scale = made[0].grey.shape[0] / side
    middle = (made[0].grey.shape[0] - 1) / 2
    frames = np.stack([crop(one.grey, middle, middle, scale, side) for one in made])
    labels = np.stack([one.labels for one in made])
    masks = {
        "head": labels == HEAD,
        "tail": (labels == TAIL) | (labels == MIDPIECE),
    }
    return Shown(frames, {part: _smaller(mask, side) for part, mask in masks.items()})


def _smaller(masks: NDArray[np.bool_], side: int) -> NDArray[np.bool_]:
    """Masks (T, Y, X) at another side: true where a quarter of a pixel is, since tails are thin."""
    return np.stack([
        cv2.resize(one.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA) >= 0.25
        for one in masks
    ])  # fmt: skip


def pair(number: int, side: int) -> dict[str, Shown]:
    """Clips of a sperm: as drawn (``whole``), ``good``, and with a bad ``head`` or ``tail``."""
    name = f"explained_{number}"
    like = followed(name, name, 0, SimulateSettings(fps=FPS), PRESET)
    best = good(like.sperm)
    made = {"whole": like.sperm, "good": best, "head": bad_head(best), "tail": bad_tail(best)}
    return {which: shown(name, sperm, like, side) for which, sperm in made.items()}
