"""Training pictures for the detector: single simulated frames with all their masks.

Scenes are drawn denser and more varied than any plate: crowded and empty ones, crossing
pairs, small and large worms, rims, one or both channels. Pictures pass through the same
overlay as real frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.detection.channel_overlay import overlay
from snakescope.healthspan.geometry import TILE_PX
from snakescope.healthspan.simulation.debris import (
    clutter,
    crinkles,
    cross_mark,
    empty_ground,
    rim,
    scatter,
    texture,
    well,
)
from snakescope.healthspan.simulation.optics import (
    Image,
    LookRanges,
    add_patch,
    blurred,
    body_density,
    body_glow,
    draw_look,
    expose,
    light_field,
)
from snakescope.healthspan.simulation.worm_body import (
    Worm,
    body_pixels,
    place,
    random_amplitudes,
)
from snakescope.imaging.masks import Instance

Frame = NDArray[np.uint8] | NDArray[np.uint16]

CHANNEL_SETS = (("bright_field",), ("dark_field",), ("bright_field", "dark_field"))
CHANNEL_SHARES = (0.45, 0.1, 0.45)

GREATEST_PARTNERS = 2
"""Worms that one is put next to: pairs and short chains can be told apart, heaps cannot."""


@dataclass(frozen=True)
class Scene:
    """A picture (uint8 overlay, shape (Y, X)) with the worms on it, cut at its border."""

    picture: NDArray[np.uint8]
    worms: list[Instance]


def draw_worms(rng: np.random.Generator, size: int, crowding: float) -> list[Worm]:
    """Worms of a scene: all of one age, with crossing pairs and little clusters.

    Args:
        crowding: expected number of worms on a tile of ``TILE_PX``.
    """
    length = float(rng.uniform(62, 156))
    width = float(np.clip(length * rng.uniform(0.058, 0.105), 4.8, 12.5))
    count = int(rng.poisson(crowding * (size / TILE_PX) ** 2))
    vigour = float(rng.choice([0.35, 0.8, 1.1], p=[0.2, 0.5, 0.3]))
    worms: list[Worm] = []
    partners: list[int] = []
    for _ in range(count):
        y, x = rng.uniform(-20, size + 20, size=2)
        free = [k for k, number in enumerate(partners) if number < GREATEST_PARTNERS]
        partners.append(0)
        if free and rng.random() < 0.4:
            chosen = free[int(rng.integers(len(free)))]
            partners[chosen] += 1
            partners[-1] += 1
            other = worms[chosen]
            y, x = np.array([other.y, other.x]) + rng.normal(size=2) * rng.uniform(6, 45)
        worms.append(
            Worm(
                float(y),
                float(x),
                rng.uniform(0, 2 * np.pi),
                random_amplitudes(rng, vigour),
                float(np.clip(length * np.exp(rng.normal() * 0.07), 55, 168)),
                float(width * np.exp(rng.normal() * 0.08)),
            )
        )
    return worms


def draw_scene(rng: np.random.Generator, size: int, ranges: LookRanges) -> Scene:
    """A random scene of size x size px, in one channel or both."""
    frames, worms = draw_frames(rng, size, ranges)
    return Scene(overlay(frames), worms)


def draw_frames(
    rng: np.random.Generator, size: int, ranges: LookRanges, channels: Sequence[str] = ()
) -> tuple[dict[str, Frame], list[Instance]]:
    """The channels of a random scene of size x size px, and its worms, cut at its border.

    Args:
        channels: which are exposed; as chance has it where none is named.
    """
    look = draw_look(rng, ranges)
    shape = (size, size)
    ground = empty_ground(shape)
    texture(rng, ground, look)
    scatter(rng, ground, int(rng.poisson(look.debris * size * size / 1e6)))
    if rng.random() < 0.3:
        radius = rng.uniform(0.6, 3) * size
        angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.55, 0.95) * size / 2
        reach = radius - depth
        centre = (size / 2 - reach * np.sin(angle), size / 2 - reach * np.cos(angle))
        rim(rng, ground, centre, radius)
    if rng.random() < 0.15:
        well(rng, ground)
    if rng.random() < 0.12:
        crinkles(rng, ground, look)
    if rng.random() < 0.45:
        clutter(rng, ground, look, int(rng.integers(1, 9)))
    if rng.random() < 0.15:
        cross_mark(rng, ground, tuple(rng.uniform(0, size, 2)), rng.uniform(30, 110))
    density, glow = ground.density, ground.glow
    worms: list[Instance] = []
    for worm in draw_worms(rng, size, float(np.exp(rng.uniform(np.log(2.5), np.log(14))))):
        body = body_pixels(worm, margin=6)
        shade = body_density(rng, body, look)
        if rng.random() < 0.08:
            shade = blurred(shade, rng.uniform(1, 2.5))
        add_patch(density, shade, body.top, body.left)
        add_patch(glow, body_glow(rng, body, look), body.top, body.left)
        instance = place(body, shape, 0, len(worms))
        if instance is not None:
            worms.append(instance)
    if rng.random() < 0.3:
        density = halo(rng, density)
    by_chance = CHANNEL_SETS[int(rng.choice(3, p=CHANNEL_SHARES))]
    names = tuple(channels) or by_chance
    light = light_field(rng, shape, look)
    bits = int(rng.choice([8, 12, 16]))
    frames: dict[str, Frame] = {
        name: expose(rng, density, glow, light, look, name, bits) for name in names
    }
    if rng.random() < 0.25:
        factor = float(rng.uniform(1.5, 3.2))
        frames = {name: coarse(frame, factor) for name, frame in frames.items()}
    return frames, worms


def halo(rng: np.random.Generator, density: Image) -> Image:
    """Density as phase contrast or a sharpening camera shows it: a bright seam around all dark."""
    wide = blurred(density, rng.uniform(2.5, 7))
    return np.asarray(density - np.float32(rng.uniform(0.2, 0.9)) * wide, dtype=np.float32)


def coarse(frame: Frame, factor: float) -> Frame:
    """A frame as taken with ``factor`` times larger pixels, brought back to this size."""
    size = (frame.shape[1], frame.shape[0])
    smaller = (int(size[0] / factor), int(size[1] / factor))
    small = cv2.resize(frame, smaller, interpolation=cv2.INTER_AREA)
    large: Frame = cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)  # type: ignore[assignment]
    return large
