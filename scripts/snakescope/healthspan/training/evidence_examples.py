"""Simulated worms as masks and as grey values, to weigh one against the other.

The scenes are those of :mod:`snakescope.healthspan.training.composite_examples`, whose masks a
detector has drawn with its errors; here the same bodies are also drawn as overlays, with other
contrast, blur and noise in every frame and debris that lies still. Worms near death move little
and not all the time: a share of the immobile ones turn no more than the tip of a head, and rest in
some intervals. The simulated lives, which fidget all the time, hold none of these.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.detection.channel_overlay import overlay_of_contrast
from snakescope.healthspan.geometry import PIXEL_SIZE_UM
from snakescope.healthspan.simulation.life_course import DEAD, HEALTHY, IMMOBILE
from snakescope.healthspan.simulation.worm_body import Worm, body_pixels
from snakescope.healthspan.states.composite import compose
from snakescope.healthspan.states.evidence import Frame, evidence_of
from snakescope.healthspan.states.settings import CompositeSettings, EvidenceSettings
from snakescope.healthspan.training.composite_examples import (
    FRAMES,
    Plate,
    bend_end,
    draw_plate,
    draw_worm,
    merge_touching,
    see,
)
from snakescope.healthspan.training.example_ranges import TRAINING, ExampleRanges
from snakescope.imaging.masks import Instance

UNSTEADY = replace(
    TRAINING,
    flicker_px=(0.1, 1.2),
    ragged_px=(0.2, 1.8),
    blunt=(0.0, 0.15),
    missed=(0.0, 0.3),
    truncated=0.2,
    broken=0.05,
    coarse=0.5,
)
"""Masks as a detector draws them on real images of an instrument it was not trained on: on public
crops of 30 um a pixel the same corpse differs by 2 to 3 raw px from day to day."""

RADIUS_PX = (150.0, 260.0)
"""Of the dish of a scene."""

MARGIN_PX = 140
"""Ground around the dish of a scene, so that no window of a composite leaves it."""


@dataclass(frozen=True)
class PixelRanges:
    """From what overlays and faint movements are drawn: (low, high) of even draws, or chances.

    Attributes:
        contrast: of a plate's worms to their ground, in units of its noise.
        granular: spread of the contrast along and across a body, as a share of it.
        gain: factor of the contrast of a frame.
        blur_px: of a frame.
        grain_px: scale of its noise.
        specks: pieces of debris, per million px.
        faint: chance that a worm immobile in all frames moves a tip of its body only.
        resting: chance that such a worm has not moved at all in an interval.
    """

    contrast: tuple[float, float] = (5.0, 25.0)
    granular: tuple[float, float] = (0.0, 0.35)
    gain: tuple[float, float] = (0.75, 1.3)
    blur_px: tuple[float, float] = (0.4, 1.8)
    grain_px: tuple[float, float] = (0.3, 1.5)
    specks: tuple[float, float] = (0.0, 150.0)
    faint: float = 0.35
    resting: float = 0.35


@dataclass(frozen=True)
class EvidenceExamples:
    """Composites uint8 (N, 128, 128, 3), shares of the body that moved (N, 2), states (N,)."""

    composites: NDArray[np.uint8]
    moved: NDArray[np.float64]
    states: NDArray[np.int64]


def turn_tip(rng: np.random.Generator, worm: Worm) -> Worm:
    """The worm with the tip of its head (or tail) turned; the rest of the body stays."""
    return bend_end(rng, worm, share=(0.06, 0.25), angle=(0.3, 1.8))


def draw_overlay(
    rng: np.random.Generator,
    worms: list[Worm],
    specks: list[tuple[float, float, float]],
    contrast: float,
    granular: float,
    ranges: PixelRanges,
    side: int,
) -> NDArray[np.uint8]:
    """An overlay, uint8 (side, side), of worms given in px around its middle."""
    scene = np.zeros((side, side), dtype=np.float32)
    middle = side / 2
    for y, x, radius in specks:
        cv2.circle(scene, (int(x + middle), int(y + middle)), int(radius), contrast, -1)
    for worm in worms:
        body = body_pixels(worm.moved(middle, middle))
        height, width = body.cover.shape
        up, near = max(body.top, 0), max(body.left, 0)
        down, far = min(body.top + height, side), min(body.left + width, side)
        if up >= down or near >= far:
            continue
        inner = (slice(up - body.top, down - body.top), slice(near - body.left, far - body.left))
        bands = 1 + granular * np.sin(40 * body.along[inner]) * np.cos(3 * body.across[inner])
        place = scene[up:down, near:far]
        np.maximum(place, contrast * body.cover[inner] * bands, out=place)
    scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), float(rng.uniform(*ranges.blur_px))))
    noise = rng.normal(size=scene.shape).astype(np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), float(rng.uniform(*ranges.grain_px))))
    scene = scene * np.float32(rng.uniform(*ranges.gain)) + noise / max(float(noise.std()), 1e-6)
    return overlay_of_contrast(scene)


@dataclass(frozen=True)
class LivedScene:
    """The worms of a scene in all its frames, as they are and as a detector draws them.

    Attributes:
        plate: what they have in common.
        frames: masks of each frame, in px around the centre of the dish.
        bodies: the worms of each frame, likewise.
        states: of every worm in the middle frame, by its number.
        merged: numbers of those that the detector has drawn as one there.
    """

    plate: Plate
    frames: list[list[Instance]]
    bodies: list[list[Worm]]
    states: dict[int, int]
    merged: set[int]


def draw_lived_scene(
    rng: np.random.Generator, ranges: ExampleRanges, pixels: PixelRanges, history_h: float = 0.0
) -> LivedScene:
    """A scene of at least three frames; the middle one is the last but one.

    Args:
        history_h: time (h) before the middle frame that is seen as well.
    """
    plate = draw_plate(rng, ranges, RADIUS_PX, history_h)
    days = plate.days
    states: dict[int, int] = {}
    frames: list[list[Instance]] = [[] for _ in days]
    bodies: list[list[Worm]] = [[] for _ in days]
    for number in range(int(rng.integers(4, 13))):
        states[number], course, path = draw_worm(rng, ranges, plate)
        always = course.healthspan_end_d < days[-FRAMES] and course.death_d > days[-1]
        if always and rng.random() < pixels.faint:
            path = [
                one
                if one is path[-2] or day < course.healthspan_end_d
                else path[-2]
                if rng.random() < pixels.resting
                else turn_tip(rng, path[-2])
                for day, one in zip(days, path, strict=True)
            ]
        for frame, (worm, eye) in enumerate(zip(path, plate.eyes, strict=True)):
            bodies[frame].append(worm.moved(eye.dy, eye.dx))
            frames[frame] += see(rng, worm, eye, ranges, frame, number)
    drawn = [merge_touching(rng, found, ranges.merged) for found in frames]
    return LivedScene(plate, [found for found, _ in drawn], bodies, states, drawn[-2][1])


def draw_evidence_scene(
    rng: np.random.Generator, ranges: ExampleRanges, pixels: PixelRanges
) -> EvidenceExamples:
    """The worms of one scene; those that a detector has drawn as one are left out."""
    return examples_of(rng, draw_lived_scene(rng, ranges, pixels), ranges, pixels)[0]


def examples_of(
    rng: np.random.Generator, scene: LivedScene, ranges: ExampleRanges, pixels: PixelRanges
) -> tuple[EvidenceExamples, list[Instance]]:
    """The worms of the last three frames of a scene, and their masks in the middle one."""
    side = int(2 * (scene.plate.radius + MARGIN_PX))
    contrast, granular = rng.uniform(*pixels.contrast), rng.uniform(*pixels.granular)
    count = rng.poisson(rng.uniform(*pixels.specks) * side * side / 1e6)
    specks = [
        (float(y), float(x), float(rng.uniform(2, 9)))
        for y, x in rng.uniform(-side / 2, side / 2, size=(count, 2))
    ]
    coarseness = scene.plate.eyes[-2].coarseness
    pictures = [
        draw_overlay(rng, worms, specks, contrast, granular, pixels, side)
        for worms in scene.bodies[-FRAMES:]
    ]
    if coarseness > 1:
        pictures = [_coarse(one, coarseness) for one in pictures]
    middle = side // 2
    placed = [
        [replace(w, top=w.top + middle, left=w.left + middle) for w in found]
        for found in scene.frames[-FRAMES:]
    ]
    sides: list[Frame | None] = [
        Frame(found, picture) for found, picture in zip(placed, pictures, strict=True)
    ]
    if rng.random() < ranges.one_sided:
        sides[int(rng.choice([0, 2]))] = None
    before, at, after = sides
    assert at is not None
    settings = CompositeSettings()
    composites = compose(
        at.worms,
        None if before is None else before.worms,
        None if after is None else after.worms,
        settings,
    )
    tolerance = EvidenceSettings().tolerance_of(coarseness * PIXEL_SIZE_UM)
    evidence = evidence_of(at, before, after, settings.window_px, tolerance)
    kept = [row for row, one in enumerate(at.worms) if one.identifier not in scene.merged]
    told = [evidence[row] for row in kept]
    examples = EvidenceExamples(
        composites[kept],
        np.array([(e.moved_before, e.moved_after) for e in told]).reshape(-1, 2),
        np.array([scene.states[at.worms[r].identifier] for r in kept], dtype=np.int64),
    )
    return examples, [scene.frames[-2][row] for row in kept]


def _coarse(picture: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """An overlay taken with pixels ``factor`` times larger and brought back to its size."""
    side = picture.shape[0]
    small = cv2.resize(picture, (round(side / factor),) * 2, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


def draw_evidence_examples(
    rng: np.random.Generator,
    per_state: int,
    ranges: ExampleRanges = TRAINING,
    pixels: PixelRanges | None = None,
) -> EvidenceExamples:
    """``per_state`` examples of each state, in the order of drawing."""
    missing = {HEALTHY: per_state, IMMOBILE: per_state, DEAD: per_state}
    scenes: list[EvidenceExamples] = []
    while any(missing.values()):
        scene = draw_evidence_scene(rng, ranges, pixels or PixelRanges())
        kept = []
        for row, state in enumerate(scene.states.tolist()):
            if missing[state]:
                missing[state] -= 1
                kept.append(row)
        scenes.append(
            EvidenceExamples(scene.composites[kept], scene.moved[kept], scene.states[kept])
        )
    return EvidenceExamples(
        np.concatenate([one.composites for one in scenes]),
        np.concatenate([one.moved for one in scenes]),
        np.concatenate([one.states for one in scenes]),
    )
