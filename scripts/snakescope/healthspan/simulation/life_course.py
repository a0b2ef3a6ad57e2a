"""Simulated life courses: growth, locomotion, immobility and death of worms.

Times are days of adulthood, positions px of a dish. A worm is healthy while it moves from place to
place, immobile while it bends and shifts a little in place, and dead without any movement: the
three states of Matsuo et al. (section 1). Movement is a process in time, so that a frame does not
depend on the times of other frames.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.simulation.worm_body import Worm, random_amplitudes

HEALTHY, IMMOBILE, DEAD = 0, 1, 2
"""Indices in :data:`~snakescope.healthspan.states.states.STATES`."""

IMMOBILE_SHAPE, IMMOBILE_SCALE_D = 1.81, 0.81
"""Gamma distribution of the immobile period (days) of N2 at 25 C, independent of its onset."""

SHRINKAGE = 0.10
"""Fraction of its length that a corpse loses in its first half day; it regains most of it."""


@dataclass(frozen=True)
class LifeCourse:
    """A life: ends of healthspan and life (days of adulthood) and size of the body (px)."""

    healthspan_end_d: float
    death_d: float
    length: float
    width: float
    restlessness: float

    def state(self, day: float) -> int:
        if day < self.healthspan_end_d:
            return HEALTHY
        return IMMOBILE if day < self.death_d else DEAD


def draw_courses(
    rng: np.random.Generator,
    count: int,
    lifespan_scale_d: float,
    lifespan_shape: float,
    length_px: tuple[float, float] = (115.0, 7.0),
    width_px: tuple[float, float] = (8.0, 0.7),
) -> list[LifeCourse]:
    """Draw lives with Weibull lifespans and gamma-distributed immobile periods."""
    courses = []
    for _ in range(count):
        death = lifespan_scale_d * rng.weibull(lifespan_shape)
        immobile = rng.gamma(IMMOBILE_SHAPE, IMMOBILE_SCALE_D)
        courses.append(
            LifeCourse(
                healthspan_end_d=max(0.0, death - immobile),
                death_d=death,
                length=float(np.clip(rng.normal(*length_px), 0.7 * length_px[0], 140)),
                width=float(np.clip(rng.normal(*width_px), 5.5, 10.5)),
                restlessness=float(rng.gamma(4.0, 0.25)),
            )
        )
    return courses


def _body(course: LifeCourse, day: float) -> tuple[float, float]:
    """Length and width (px): adults grow for two days, corpses shrink and swell again."""
    grown = 1 - 0.22 * float(np.exp(-max(day, 0) / 1.0))
    length, width = course.length * grown, course.width * grown
    since_death = day - course.death_d
    if since_death > 0:
        shrunk = SHRINKAGE * (1 - np.exp(-since_death / 0.2)) * (0.35 + 0.65 * np.exp(-since_death))
        length *= 1 - float(shrunk)
        width *= 1 + 0.4 * float(shrunk)
    return length, width


def _place(rng: np.random.Generator, radius: float) -> tuple[float, float]:
    distance = radius * np.sqrt(rng.random())
    angle = rng.uniform(0, 2 * np.pi)
    return float(distance * np.sin(angle)), float(distance * np.cos(angle))


def _crawl(rng: np.random.Generator, worm: Worm, vigour: float, days: float, radius: float) -> Worm:
    """Move a healthy worm: to a random place if young, to a near one if old."""
    if vigour > 0.35:
        y, x = _place(rng, radius)
    else:
        distance = (60 + rng.exponential(500 * vigour + 40)) * np.sqrt(days / 0.5)
        angle = rng.uniform(0, 2 * np.pi)
        y, x = worm.y + distance * np.sin(angle), worm.x + distance * np.cos(angle)
        if np.hypot(y, x) > radius:
            y, x = y * 0.6 * radius / np.hypot(y, x), x * 0.6 * radius / np.hypot(y, x)
    return replace(
        worm,
        y=float(y),
        x=float(x),
        heading=rng.uniform(0, 2 * np.pi),
        amplitudes=random_amplitudes(rng, 0.55 + 0.45 * vigour),
    )


def fidget(rng: np.random.Generator, worm: Worm, days: float, restlessness: float) -> Worm:
    """Move an immobile worm.

    Its centre shifts by 0.14 mm (14 px) in the median over an immobile period, its head and
    tail bend; restlessness 1 is the average.
    """
    share = np.sqrt(max(days, 0.0) / 0.5) * restlessness
    shift = rng.normal(size=2) * 6.0 * share
    kept = float(np.exp(-0.45 * share))
    fresh = random_amplitudes(rng, 0.7) * np.sqrt(1 - kept**2)
    bent = replace(worm, amplitudes=worm.amplitudes * kept + fresh)
    return bent.moved(float(shift[0]), float(shift[1]), float(rng.normal() * 0.12 * share))


def live(
    rng: np.random.Generator,
    course: LifeCourse,
    days: NDArray[np.float64],
    radius: float,
    nudge_rate: float = 0.03,
) -> list[Worm]:
    """Return the worm at each of the ascending ``days``, in px around the centre of the dish.

    Args:
        radius: maximum distance of the centre of the worm (px).
        nudge_rate: shifts per day of a corpse by living worms, by a few px each.
    """
    y, x = _place(rng, radius)
    length, width = _body(course, float(days[0]))
    worm = Worm(y, x, rng.uniform(0, 2 * np.pi), random_amplitudes(rng), length, width)
    path = []
    before = float(days[0]) - 0.5
    for day in days:
        day = float(day)
        crawling = min(day, course.healthspan_end_d) - before
        if crawling > 0:
            vigour = 1 - min(1.0, before / max(course.healthspan_end_d, 1e-6))
            worm = _crawl(rng, worm, max(vigour, 0.0), crawling, radius)
        fidgeting = min(day, course.death_d) - max(before, course.healthspan_end_d)
        if fidgeting > 0:
            worm = fidget(rng, worm, fidgeting, course.restlessness)
        if before > course.death_d and rng.random() < nudge_rate * (day - before):
            push = rng.normal(size=2) * 5
            worm = worm.moved(float(push[0]), float(push[1]), float(rng.normal() * 0.1))
        length, width = _body(course, day)
        worm = replace(worm, length=length, width=width)
        path.append(worm)
        before = day
    return path
