"""Training composites: simulated worms, seen three times by a detector that errs.

A scene is a small dish with worms of all three states, lived through by
:mod:`snakescope.healthspan.simulation.life_course` and shown to the same composite step as real
masks. What makes the task hard is drawn widely: when within an interval a worm stops or dies,
corpses pushed by others, movers that cross, heads that bend on a still body, and the detector's
errors (ragged and biased outlines, lost tips, missed, merged and broken worms, coarse pixels) on
frames that are not quite registered.

How much the detector errs is measured: on simulated plates the shipped one draws the same
corpse in two frames with an intersection over union of 0.92 in the median (0.98 for the true
masks), 0.87 at the lower quartile and 0.6 to 0.8 at the twentieth part.
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.simulation.life_course import (
    DEAD,
    HEALTHY,
    IMMOBILE,
    IMMOBILE_SCALE_D,
    IMMOBILE_SHAPE,
    LifeCourse,
    live,
)
from snakescope.healthspan.simulation.worm_body import MODES, SEGMENTS, Worm, body_pixels, midline
from snakescope.healthspan.states.composite import compose
from snakescope.healthspan.states.settings import CompositeSettings
from snakescope.healthspan.training.example_ranges import TRAINING, ExampleRanges
from snakescope.imaging.masks import Instance, cropped, intersection

FRAMES = 3
AT = 1


def draw_course(
    rng: np.random.Generator, state: int, day: float, gap_d: float, size: Worm, changing: float
) -> LifeCourse:
    """A life that is in ``state`` on ``day``, often just before or after a change of state.

    Args:
        gap_d: time (days) between frames; within it lie the changes that matter.
        size: gives length and width (px).
        changing: see :class:`ExampleRanges`.
    """
    immobile = rng.gamma(IMMOBILE_SHAPE, IMMOBILE_SCALE_D)
    if state == HEALTHY:
        ahead = rng.uniform(0, gap_d) if rng.random() < changing else gap_d + rng.exponential(4.0)
        end = day + ahead
        death = end + immobile
    elif state == IMMOBILE:
        # long periods are met more often than short ones: size-biased gamma
        immobile = max(rng.gamma(IMMOBILE_SHAPE + 1, IMMOBILE_SCALE_D), 0.05)
        end = day - rng.uniform(0, immobile)
        death = end + immobile
    else:
        ago = rng.uniform(0, gap_d) if rng.random() < changing else gap_d + rng.exponential(3.0)
        death = day - ago
        end = death - immobile
    return LifeCourse(
        healthspan_end_d=end,
        death_d=death,
        length=size.length,
        width=size.width,
        restlessness=float(np.clip(rng.gamma(4.0, 0.25), 0.3, 2.5)),
    )


def bend_end(
    rng: np.random.Generator,
    worm: Worm,
    share: tuple[float, float] = (0.12, 0.4),
    angle: tuple[float, float] = (0.5, 1.8),
) -> Worm:
    """The worm with its head (or tail) turned; the rest of the body stays where it was.

    Args:
        share: of the body that bends, from and to.
        angle: at its very end (radians), from and to, to either side.
    """
    reach = rng.uniform(*share)
    along = (np.arange(SEGMENTS) + 0.5) / SEGMENTS
    bend = rng.choice([-1, 1]) * rng.uniform(*angle) * np.clip(1 - along / reach, 0, 1)
    if rng.random() < 0.4:
        bend = bend[::-1]
    turned = replace(
        worm, amplitudes=worm.amplitudes + MODES @ bend, heading=worm.heading + bend.mean()
    )
    return aligned(turned, worm, far_end=bend[0] != 0)


def aligned(turned: Worm, worm: Worm, far_end: bool) -> Worm:
    """``turned`` shifted so that the end which did not bend lies where it lay in ``worm``."""
    still = slice(SEGMENTS // 2, None) if far_end else slice(0, SEGMENTS // 2)
    dy, dx = (midline(worm)[still] - midline(turned)[still]).mean(axis=0)
    return turned.moved(float(dy), float(dx))


def draw_path(
    rng: np.random.Generator,
    course: LifeCourse,
    days: NDArray[np.float64],
    ranges: ExampleRanges,
    radius: float,
) -> list[Worm]:
    """A worm in the frames, in px around the centre of a dish of ``radius`` px."""
    path = live(rng, course, days, radius, ranges.nudged)
    always = course.healthspan_end_d < days[-FRAMES] and course.death_d > days[-1]
    for chance, move in ((ranges.head_only, bend_end), (ranges.rigid, _shoved)):
        if always and rng.random() < chance:
            return [
                one if one is path[-2] or day < course.healthspan_end_d else move(rng, path[-2])
                for day, one in zip(days, path, strict=True)
            ]
    return path


def _shoved(rng: np.random.Generator, worm: Worm) -> Worm:
    away = rng.uniform(4, 16)
    angle = rng.uniform(0, 2 * np.pi)
    turn = float(rng.choice([-1, 1]) * rng.uniform(0.08, 0.35))
    return worm.moved(float(away * np.sin(angle)), float(away * np.cos(angle)), turn)


def rough(
    rng: np.random.Generator, mask: NDArray[np.bool_], ragged_px: float, bias_px: float
) -> NDArray[np.bool_]:
    """A mask (with a margin of 4 px or more) as a detector draws it.

    Its outline moves out by ``bias_px`` and by smooth noise of ``ragged_px``.
    """
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3)
    noise = rng.normal(size=mask.shape).astype(np.float32)
    smooth = np.asarray(cv2.GaussianBlur(noise, (0, 0), float(rng.uniform(2.0, 6.0))))
    smooth = smooth * (ragged_px / max(float(smooth.std()), 1e-6))
    return np.asarray(inside - outside + smooth + bias_px > 0)


def coarse(mask: NDArray[np.bool_], factor: float) -> NDArray[np.bool_]:
    """A mask found on pixels ``factor`` times larger and brought back to this size."""
    height, width = mask.shape
    size = (max(2, round(width / factor)), max(2, round(height / factor)))
    small = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR) > 0.45)


@dataclass(frozen=True)
class Eye:
    """The detector's and the registration's manner in one frame of a plate.

    The fields are those of :class:`ExampleRanges`, once drawn; ``coarseness`` is the factor
    of larger pixels.
    """

    dy: float
    dx: float
    bias_px: float
    ragged_px: float
    blunt: float
    missed: float
    coarseness: float


def draw_eyes(rng: np.random.Generator, ranges: ExampleRanges, frames: int = FRAMES) -> list[Eye]:
    """The frames of a plate: one detector, whose manner flickers a little."""
    factor = float(rng.uniform(1.8, 3.2)) if rng.random() < ranges.coarse else 1.0
    jitter = rng.uniform(*ranges.jitter_px) * np.sqrt(factor)
    bias, flicker = rng.uniform(*ranges.bias_px), rng.uniform(*ranges.flicker_px)
    ragged, blunt = rng.uniform(*ranges.ragged_px), rng.uniform(*ranges.blunt)
    missed = rng.uniform(*ranges.missed)
    return [
        Eye(
            dy=float(rng.normal() * jitter),
            dx=float(rng.normal() * jitter),
            bias_px=float(bias + rng.normal() * flicker),
            ragged_px=float(ragged),
            blunt=float(blunt),
            missed=float(missed),
            coarseness=factor,
        )
        for _ in range(frames)
    ]


def see(
    rng: np.random.Generator, worm: Worm, eye: Eye, ranges: ExampleRanges, frame: int, number: int
) -> list[Instance]:
    """What a detector finds of a worm in a frame: nothing, one instance, or pieces."""
    if rng.random() < eye.missed:
        return []
    body = body_pixels(worm.moved(eye.dy, eye.dx), margin=6)
    lost = np.clip(eye.blunt + rng.normal(size=2) * 0.01, 0, 0.2)
    if rng.random() < ranges.truncated:
        lost[int(rng.integers(2))] += rng.uniform(0.04, 0.3)
    mask = body.mask & (body.along >= lost[0]) & (body.along <= 1 - lost[1])
    if eye.coarseness > 1:
        mask = coarse(mask, eye.coarseness)
    mask = rough(rng, mask, eye.ragged_px, eye.bias_px)
    parts = [mask]
    if rng.random() < ranges.broken:
        gap = rng.uniform(0.25, 0.75)
        parts = [mask & (body.along < gap - 0.02), mask & (body.along > gap + 0.02)]
    found = [cropped(part, body.top, body.left, frame, number, 1.0) for part in parts]
    return [one for one in found if one is not None]


def merge_touching(
    rng: np.random.Generator, found: list[Instance], chance: float
) -> tuple[list[Instance], set[int]]:
    """Overlapping instances of a frame, some of them drawn as one; and the numbers of those."""
    kept: list[Instance] = []
    merged: set[int] = set()
    for one in found:
        partner = next((k for k, other in enumerate(kept) if intersection(one, other) > 0), None)
        if partner is None or rng.random() >= chance:
            kept.append(one)
        else:
            kept[partner] = union(kept[partner], one)
            merged.add(kept[partner].identifier)
    return kept, merged


def union(one: Instance, other: Instance) -> Instance:
    """Two instances as one, under the name of the first."""
    top, left = min(one.top, other.top), min(one.left, other.left)
    bottom, right = max(one.bottom, other.bottom), max(one.right, other.right)
    mask = np.zeros((bottom - top, right - left), dtype=bool)
    for piece in (one, other):
        mask[piece.top - top : piece.bottom - top, piece.left - left : piece.right - left] |= (
            piece.mask
        )
    return replace(one, top=top, left=left, mask=mask)


@dataclass(frozen=True)
class Plate:
    """What the worms of a scene have in common.

    Attributes:
        day: of the frame in the middle, the last but one; gap_d: time between frames (days).
        radius: of the dish (px); length (px) and slender: of its worms; eyes: one a frame.
    """

    day: float
    gap_d: float
    radius: float
    length: float
    slender: float
    eyes: list[Eye]

    @property
    def days(self) -> NDArray[np.float64]:
        """Of the frames."""
        steps = np.arange(2 - len(self.eyes), 2, dtype=np.float64)
        return self.day + self.gap_d * steps


def draw_plate(
    rng: np.random.Generator,
    ranges: ExampleRanges,
    radius_px: tuple[float, float],
    history_h: float = 0.0,
) -> Plate:
    """The plate of a scene, with a radius from ``radius_px`` and at least three frames.

    Args:
        history_h: time (h) before the middle frame that is seen as well.
    """
    gap_d = float(rng.choice(ranges.interval_h)) / 24
    day = float(rng.uniform(6, 25))
    radius = float(rng.uniform(*radius_px))
    length, slender = rng.uniform(*ranges.length_px), rng.uniform(*ranges.slenderness)
    frames = max(FRAMES, 2 + math.ceil(history_h / (24 * gap_d)))
    return Plate(day, gap_d, radius, length, slender, draw_eyes(rng, ranges, frames))


def draw_worm(
    rng: np.random.Generator, ranges: ExampleRanges, plate: Plate
) -> tuple[int, LifeCourse, list[Worm]]:
    """A worm of a plate: its state in the middle frame, its life, and where it lies in each."""
    state = int(rng.integers(3))
    long = float(np.clip(plate.length * np.exp(rng.normal() * 0.07), 55, 145))
    size = Worm(0, 0, 0, np.zeros(7), long, long * plate.slender * np.exp(rng.normal() * 0.06))
    course = draw_course(rng, state, plate.day, plate.gap_d, size, ranges.changing)
    return state, course, draw_path(rng, course, plate.days, ranges, plate.radius)


def draw_scene(
    rng: np.random.Generator, ranges: ExampleRanges
) -> tuple[list[list[Instance]], NDArray[np.int64]]:
    """The instances of three frames, and the states of those of the middle frame.

    The state is -1 where a detector has drawn several worms as one: there is no right answer.
    """
    plate = draw_plate(rng, ranges, ranges.radius_px)
    states: dict[int, int] = {}
    frames: list[list[Instance]] = [[] for _ in range(FRAMES)]
    for number in range(int(rng.integers(ranges.worms[0], ranges.worms[1] + 1))):
        states[number], _, path = draw_worm(rng, ranges, plate)
        for frame, (worm, eye) in enumerate(zip(path, plate.eyes, strict=True)):
            frames[frame] += see(rng, worm, eye, ranges, frame, number)
    drawn = [merge_touching(rng, found, ranges.merged) for found in frames]
    worms, merged = drawn[AT]
    labels = [-1 if one.identifier in merged else states[one.identifier] for one in worms]
    return [found for found, _ in drawn], np.array(labels, dtype=np.int64)


def draw_examples(
    rng: np.random.Generator,
    per_state: int,
    ranges: ExampleRanges = TRAINING,
    settings: CompositeSettings | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Composites uint8 (N, 128, 128, 3) and states (N,), ``per_state`` of each of the three.

    The order is that of drawing: states mixed, worms of a scene together.
    """
    settings = settings or CompositeSettings()
    pictures: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    missing = {HEALTHY: per_state, IMMOBILE: per_state, DEAD: per_state}
    while any(missing.values()):
        frames, states = draw_scene(rng, ranges)
        before: list[Instance] | None = frames[0]
        after: list[Instance] | None = frames[2]
        if rng.random() < ranges.one_sided:
            before, after = (None, after) if rng.random() < 0.5 else (before, None)
        for picture, state in zip(
            compose(frames[AT], before, after, settings), states.tolist(), strict=True
        ):
            if missing.get(state):
                missing[state] -= 1
                pictures.append(picture)
                labels.append(state)
    return np.array(pictures), np.array(labels, dtype=np.int64)
