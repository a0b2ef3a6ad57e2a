"""Plates of simulated worms through weeks, seen by a detector that errs: for figure 16.

No image of a whole plate is exposed and searched, which would take hours: the worms of
:mod:`snakescope.healthspan.simulation.life_course` get masks with the errors of the detector, as
those of the training composites do, and overlays to read grey values from.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from snakescope.healthspan.geometry import PIXEL_SIZE_UM
from snakescope.healthspan.paper.settings import PaperCurvesSettings
from snakescope.healthspan.paper.state_examples import EARLIER_H, StateExamples, steps_back
from snakescope.healthspan.simulation.life_course import draw_courses, live
from snakescope.healthspan.simulation.worm_body import Worm
from snakescope.healthspan.states.composite import compose
from snakescope.healthspan.states.evidence import Frame, evidence_of
from snakescope.healthspan.states.settings import CompositeSettings, EvidenceSettings
from snakescope.healthspan.training.composite_examples import draw_eyes, merge_touching, see
from snakescope.healthspan.training.evidence_examples import (
    MARGIN_PX,
    EvidenceExamples,
    PixelRanges,
    draw_overlay,
)
from snakescope.healthspan.training.example_ranges import HELD_OUT
from snakescope.imaging.masks import INSTANCES_PER_TIMEPOINT, Instance

GAP_H = 12.0
AGE_D = 3.0
"""Days of adulthood at the first frame."""
LIFESPAN_SCALE_D, LIFESPAN_SHAPE = 11.0, 5.0
"""Weibull distribution of the lives (days), most of which end within 16 days of frames."""
DISH_PX2_PER_WORM = 40_000
"""Area of the dish for each worm (px)."""
RANGES = replace(HELD_OUT, coarse=0.0)


@dataclass(frozen=True)
class DrawnPlate:
    """A plate and all that was detected on it, a row a detection.

    Attributes:
        worms: composites, grey values, and earlier frames; states are those of the worm drawn.
        detections: timepoint, instance, y_px, x_px, area_px of each.
        frames: timepoint, time_h, status.
        lives: healthspan_end_d, death_d of each worm (days of adulthood).
    """

    worms: StateExamples
    detections: pd.DataFrame
    frames: pd.DataFrame
    lives: pd.DataFrame


def draw_plate_of_weeks(seed: int, settings: PaperCurvesSettings) -> DrawnPlate:
    """A plate of ``settings.worms`` worms over ``settings.timepoints`` frames."""
    rng = np.random.default_rng(seed)
    count, frames = settings.worms, settings.timepoints
    days = AGE_D + np.arange(frames) * GAP_H / 24
    radius = float(np.sqrt(count * DISH_PX2_PER_WORM / np.pi))
    side = int(2 * (radius + MARGIN_PX))
    courses = draw_courses(rng, count, LIFESPAN_SCALE_D, LIFESPAN_SHAPE)
    eyes = draw_eyes(rng, RANGES, frames)
    found: list[list[Instance]] = [[] for _ in days]
    bodies: list[list[Worm]] = [[] for _ in days]
    for number, course in enumerate(courses):
        for frame, worm in enumerate(live(rng, course, days, radius)):
            bodies[frame].append(worm.moved(eyes[frame].dy, eyes[frame].dx))
            found[frame] += see(rng, worm, eyes[frame], RANGES, frame, number)
    seen = [merge_touching(rng, one, RANGES.merged)[0] for one in found]
    seen = [[replace(w, top=w.top + side // 2, left=w.left + side // 2) for w in f] for f in seen]
    pixels = PixelRanges()
    contrast, granular = rng.uniform(*pixels.contrast), rng.uniform(*pixels.granular)
    looks = [
        Frame(worms, draw_overlay(rng, drawn, [], contrast, granular, pixels, side))
        for worms, drawn in zip(seen, bodies, strict=True)
    ]
    examples, detections, chains = [], [], []
    back = int(EARLIER_H / GAP_H) + 2
    tolerance = EvidenceSettings().tolerance_of(PIXEL_SIZE_UM)
    for t, at in enumerate(looks):
        before = looks[t - 1] if t else None
        after = looks[t + 1] if t + 1 < frames else None
        examples.append(_looked_at(at, before, after, tolerance))
        states = [courses[one.identifier].state(float(days[t])) for one in at.worms]
        examples[-1] = replace(examples[-1], states=np.array(states, dtype=np.int64))
        earlier = [list(one.worms) for one in looks[max(t - back, 0) : t][::-1]]
        for k, one in enumerate(at.worms):
            steps = steps_back(one, earlier)
            chains.append([part + [np.inf] * (back - len(part)) for part in steps])
            instance = t * INSTANCES_PER_TIMEPOINT + k
            detections.append((t, instance, *one.centroid, one.area))
    table = np.array(chains, dtype=np.float64).reshape(-1, 2, back)
    whole = EvidenceExamples(
        np.concatenate([one.composites for one in examples]),
        np.concatenate([one.moved for one in examples]),
        np.concatenate([one.states for one in examples]),
    )
    scenes = np.array([one[0] for one in detections], dtype=np.int64)
    gaps = np.full(len(detections), GAP_H)
    columns = ["timepoint", "instance", "y_px", "x_px", "area_px"]
    return DrawnPlate(
        StateExamples(whole, scenes, table[:, 0], table[:, 1], gaps),
        pd.DataFrame(detections, columns=columns),
        pd.DataFrame(
            {"timepoint": np.arange(frames), "time_h": np.arange(frames) * GAP_H,
             "status": "registered"}
        ),
        pd.DataFrame(
            [(one.healthspan_end_d, one.death_d) for one in courses],
            columns=["healthspan_end_d", "death_d"],
        ),
    )  # fmt: skip


def _looked_at(
    at: Frame, before: Frame | None, after: Frame | None, tolerance_px: float
) -> EvidenceExamples:
    settings = CompositeSettings()
    composites = compose(
        at.worms,
        None if before is None else before.worms,
        None if after is None else after.worms,
        settings,
    )
    told = evidence_of(at, before, after, settings.window_px, tolerance_px)
    moved = np.array([(one.moved_before, one.moved_after) for one in told]).reshape(-1, 2)
    return EvidenceExamples(composites, moved, np.zeros(len(told), dtype=np.int64))
