"""A simulated sperm: its quality, the defects and the movement that follow from it.

Sizes are those of WHO's laboratory manual (2021), of live sperm a little larger; the flagellum is a
travelling wave of the tangent angle whose amplitude grows towards the end (Smith et al. 2009).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from snakescope.sperm.simulation.settings import Preset, SimulateSettings

FLAGELLUM_POINTS = 60
MIDPIECE_UM = 4.0
DEAD = -1.5
"""Motility (SD) below which a sperm does not move at all."""
MAX_SPEED = {"icsi_pvp": 15.0, "semen": 60.0}
"""Of progression (um/s); sperm are slow in the viscous medium of an injection."""
BEAT_HZ = {"icsi_pvp": (1.0, 6.0), "semen": (8.0, 20.0)}
LATERAL_UM = {"icsi_pvp": 0.25, "semen": 1.0}
"""Greatest amplitude of the head's path about its mean."""
DEFECTS = ("size", "taper", "vacuoles", "droplet", "kink")


@dataclass(frozen=True)
class Sperm:
    """What a sperm looks like and how it moves.

    Attributes:
        morphology, motility: latent scores (SD of all sperm, higher is better).
        head_um: length and width.
        taper: how much narrower the head is behind (0 to 1).
        vacuoles: shape (V, 3): place along and across the head, radius (um).
        droplet_um: radius of a cytoplasmic droplet behind the midpiece; 0 is none.
        kink: angle (rad) of a bend of the neck, and its place (um from the neck).
        amplitude: of the tangent angle (rad); wavelength (um), beat (Hz), phase (rad).
        asymmetry: tangent angle that the flagellum bends to at its end (rad).
        speed: of progression (um/s), heading (rad), lateral amplitude of the head (um).
        start: x, y at time 0 (um).
        tail_um: length of the flagellum.
        focus: 1 shows a bright head, 0 a dark ring about a bright spot, as in phase contrast of
            heads that lie at another height.
    """

    morphology: float
    motility: float
    head_um: tuple[float, float]
    taper: float
    vacuoles: NDArray[np.float64]
    droplet_um: float
    kink: tuple[float, float]
    amplitude: float
    wavelength: float
    beat: float
    phase: float
    asymmetry: float
    speed: float
    heading: float
    lateral: float
    start: tuple[float, float]
    tail_um: float = 45.0
    focus: float = 1.0

    def head_at(self, time_s: float) -> tuple[float, float, float]:
        """x, y (um) and direction (rad) of the head."""
        swing = np.sin(-2 * np.pi * self.beat * time_s + self.phase)
        along = self.speed * time_s
        across = self.lateral * swing
        c, s = np.cos(self.heading), np.sin(self.heading)
        x = self.start[0] + c * along - s * across
        y = self.start[1] + s * along + c * across
        return x, y, self.heading + 0.35 * self.amplitude * swing

    def flagellum_at(self, time_s: float) -> NDArray[np.float64]:
        """Points of the flagellum from the neck on (um), shape (P, 2): backwards, across."""
        s = np.linspace(0, self.tail_um, FLAGELLUM_POINTS)
        wave = np.sin(2 * np.pi * (s / self.wavelength - self.beat * time_s) + self.phase)
        angle = self.amplitude * (0.25 + 0.75 * s / self.tail_um) * wave
        angle = angle + self.asymmetry * s / self.tail_um + self.kink[0] * (s > self.kink[1])
        step = np.diff(s)
        x = np.concatenate([[0], np.cumsum(np.cos(angle)[:-1] * step)])
        y = np.concatenate([[0], np.cumsum(np.sin(angle)[:-1] * step)])
        return np.stack([x, y], axis=1)


def draw_scores(
    rng: np.random.Generator, donor: float, settings: SimulateSettings
) -> tuple[float, float]:
    """Morphology and motility of a sperm of a donor, each N(0, 1) over all donors.

    Args:
        donor: the donor's mean quality in SDs of all donors.
    """
    sd, rho = settings.donor_sd, settings.correlation
    shared, *own = rng.standard_normal(3)
    within = np.sqrt(1 - sd**2)
    mixed = [np.sqrt(rho) * shared + np.sqrt(1 - rho) * one for one in own]
    morphology, motility = (float(sd * donor + within * one) for one in mixed)
    return morphology, motility


def quality(morphology: float, motility: float) -> float:
    """What persons grade: half morphology, half motility; one that does not move loses more.

    Scaled to N(0, 1) of all sperm at the default correlation.
    """
    raw = (morphology + motility) / np.sqrt(2.8) - 0.8 * (motility < DEAD)
    return float((raw + 0.05) / 1.187)


def draw_sperm(
    rng: np.random.Generator,
    preset: Preset,
    morphology: float,
    motility: float,
    start: tuple[float, float] = (0.0, 0.0),
) -> Sperm:
    """A sperm of given scores: the severities of its defects sum to its share of worse sperm."""
    severity = float(norm.sf(morphology))
    shares = dict(zip(DEFECTS, severity * rng.dirichlet(np.full(5, 0.8)), strict=True))
    good = float(norm.cdf(motility)) if motility >= DEAD else 0.0
    sign = rng.choice([-1.0, 1.0], size=3)
    length = 4.4 + rng.normal(0, 0.15) + sign[0] * 2.2 * shares["size"]
    width = 2.9 + rng.normal(0, 0.1) + sign[0] * 1.3 * shares["size"]
    spots = int(np.ceil(4 * shares["vacuoles"]))
    vacuoles = np.column_stack(
        [
            rng.uniform(-0.3, 0.35, spots) * length,
            rng.uniform(-0.25, 0.25, spots) * width,
            0.25 + 0.5 * shares["vacuoles"] + rng.uniform(0, 0.1, spots),
        ]
    )
    low, high = BEAT_HZ[preset]
    focus = 1.0 if preset == "icsi_pvp" else float(np.clip(rng.normal(0.55, 0.45), 0, 1))
    dead = motility < DEAD
    return Sperm(
        morphology,
        motility,
        (length, width),
        0.25 + rng.uniform(-0.1, 0.1) + 0.6 * shares["taper"],
        vacuoles,
        2.0 * shares["droplet"] if shares["droplet"] > 0.08 else 0.0,
        (sign[1] * 2.2 * shares["kink"], rng.uniform(2, 8)),
        0.0 if dead else (0.2 + 0.65 * good) * rng.uniform(0.85, 1.15),
        rng.uniform(25, 35),
        0.0 if dead else (low + (high - low) * good) * rng.uniform(0.9, 1.1),
        rng.uniform(0, 2 * np.pi),
        sign[2] * 0.9 * (1 - good) * rng.uniform(0.6, 1.0) + rng.normal(0, 0.1),
        0.0 if dead else MAX_SPEED[preset] * good * rng.uniform(0.9, 1.1),
        rng.uniform(0, 2 * np.pi),
        LATERAL_UM[preset] * good,
        start,
        focus=focus,
    )
