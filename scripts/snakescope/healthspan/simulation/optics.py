"""Image formation of simulated dishes: bodies, illumination, grain and camera.

Objects have an optical density (bright field) and a glow (dark field). A frame is
light * exp(-density), or glow, plus grain and noise. Parameters are drawn from wide ranges (domain
randomisation), since models must generalise to other instruments.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.simulation.worm_body import BodyPixels

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Look:
    """Appearance parameters of an instrument; lengths in px, grey values as fractions of 1."""

    density: float
    """Optical density through the middle of a worm."""
    edge: float
    """Density of the body's outline, as a share of ``density``."""
    mottle: float
    """Strength of the gut's granules."""
    blur: float
    """Standard deviation of the optics' point spread."""
    light: float
    """Grey value of the empty agar in bright field, as a share of the camera's range."""
    vignette: float
    """Loss of light at the corners."""
    grain: float
    """Contrast of the agar's fine texture."""
    lawn: float
    """Contrast of the coarse texture (bacteria, moisture)."""
    noise: float
    """Camera noise."""
    glow: float
    """Fluorescence of a worm, as a share of the camera's range."""
    glow_ground: float
    """Grey value of the ground in dark field."""
    debris: float
    """Number of pieces of debris per megapixel."""
    hollow: float = 0.0
    """Share of its density that the core of a body lacks: 1 is as bright as the agar."""


@dataclass(frozen=True)
class LookRanges:
    """Bounds from which looks are drawn, each (low, high)."""

    density: tuple[float, float] = (0.25, 1.8)
    edge: tuple[float, float] = (0.0, 0.9)
    mottle: tuple[float, float] = (0.0, 0.7)
    blur: tuple[float, float] = (0.5, 2.2)
    light: tuple[float, float] = (0.25, 0.8)
    vignette: tuple[float, float] = (0.0, 0.6)
    grain: tuple[float, float] = (0.004, 0.03)
    lawn: tuple[float, float] = (0.0, 0.05)
    noise: tuple[float, float] = (0.002, 0.02)
    glow: tuple[float, float] = (0.03, 0.5)
    glow_ground: tuple[float, float] = (0.02, 0.12)
    debris: tuple[float, float] = (10.0, 250.0)
    hollow: tuple[float, float] = (0.0, 0.0)


TRAINING = LookRanges()
UNSEEN = LookRanges(
    density=(0.35, 2.2),
    edge=(0.2, 1.0),
    mottle=(0.1, 0.9),
    blur=(0.7, 1.8),
    light=(0.15, 0.9),
    vignette=(0.1, 0.7),
    grain=(0.006, 0.025),
    lawn=(0.01, 0.07),
    noise=(0.003, 0.015),
    glow=(0.05, 0.7),
    glow_ground=(0.01, 0.2),
    debris=(30.0, 200.0),
)
RANGES = {"training": TRAINING, "unseen": UNSEEN}


def draw_look(rng: np.random.Generator, ranges: LookRanges) -> Look:
    """Draw a look from log-uniform ranges (uniform if a bound is zero).

    A range without width draws no number, so that one that is added leaves earlier looks as they
    were.
    """
    drawn = {}
    for name, (low, high) in vars(ranges).items():
        if low == high:
            drawn[name] = low
        elif low > 0:
            drawn[name] = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        else:
            drawn[name] = float(rng.uniform(low, high))
    return Look(**drawn)


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> Image:
    """Return a random field of unit variance with a correlation length of ``scale`` px."""
    step = max(1.0, scale / 2)
    size = (int(shape[0] / step) + 4, int(shape[1] / step) + 4)
    coarse = rng.standard_normal(size).astype(np.float32)
    coarse = blurred(coarse, 1.0)
    field = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(field / max(float(field.std()), 1e-6), dtype=np.float32)


def blurred(image: Image, spread: float) -> Image:
    """A Gaussian blur with a standard deviation of ``spread`` px."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), spread), dtype=np.float32)


def add_patch(canvas: Image, patch: Image, top: int, left: int) -> None:
    """Add ``patch`` to ``canvas`` at (top, left); what lies outside is cut off."""
    height, width = canvas.shape
    t, b = max(top, 0), min(top + patch.shape[0], height)
    lf, r = max(left, 0), min(left + patch.shape[1], width)
    if t < b and lf < r:
        canvas[t:b, lf:r] += patch[t - top : b - top, lf - left : r - left]


def body_density(rng: np.random.Generator, body: BodyPixels, look: Look) -> Image:
    """Optical density of a worm over its crop: thickness, dark outline, granular gut."""
    across = np.clip(body.across, 0, 1)
    thickness = np.sqrt(1 - 0.9 * across**2)
    outline = np.exp(-(((across - 0.8) / 0.2) ** 2))
    profile = (1 - 0.6 * look.edge) * thickness + look.edge * outline
    if look.hollow:
        core = np.exp(-((across / 0.75) ** 4))
        profile = profile - look.hollow * core * profile
    granules = cv2.resize(
        rng.standard_normal((3, 40)).astype(np.float32), (160, 8), interpolation=cv2.INTER_LINEAR
    )
    row = np.minimum((across * 7).astype(int), 7)
    column = np.minimum((body.along * 159).astype(int), 159)
    profile = profile * np.clip(1 + look.mottle * granules[row, column], 0.15, 2.2)
    return np.asarray(look.density * body.cover * profile, dtype=np.float32)


def body_glow(rng: np.random.Generator, body: BodyPixels, look: Look) -> Image:
    """Fluorescence of a worm over its crop: brightest along the gut, uneven between worms."""
    across = np.clip(body.across, 0, 1)
    granules = cv2.resize(
        rng.standard_normal((1, 14)).astype(np.float32), (160, 1), interpolation=cv2.INTER_LINEAR
    )[0]
    along = np.clip(1 + 0.35 * granules[np.minimum((body.along * 159).astype(int), 159)], 0.2, 2)
    strength = look.glow * float(np.exp(rng.normal() * 0.4))
    return np.asarray(
        strength * body.cover * (0.35 + 0.65 * np.sqrt(1 - 0.9 * across**2)) * along, np.float32
    )


def light_field(rng: np.random.Generator, shape: tuple[int, int], look: Look) -> Image:
    """Uneven light of the instrument, fixed to the camera; at most 1."""
    y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None] - np.float32(rng.normal() * 0.15)
    x = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :] - np.float32(rng.normal() * 0.15)
    field = 1 - look.vignette * np.clip((y**2 + x**2) / 2, 0, 1.2) * np.float32(0.8)
    slope = rng.normal(size=2) * 0.05
    return np.asarray(field * (1 + slope[0] * y + slope[1] * x), dtype=np.float32)


def expose(
    rng: np.random.Generator,
    density: Image,
    glow: Image,
    light: Image,
    look: Look,
    channel: str,
    bits: int,
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Render a scene in one channel; uint8 for 8 bits, else uint16.

    Args:
        density, glow, light: the scene, shape (Y, X).
        bits: depth of the camera; 12 bits are kept in the low bits of 16.
    """
    if channel == "bright_field":
        image = look.light * light * np.exp(-blurred(density, look.blur))
    else:
        ground = look.glow_ground * (0.7 + 0.3 * light)
        image = ground + blurred(glow, look.blur)
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    image = image + noise * look.noise * np.sqrt(np.clip(image, 0.02, 1))
    top = 2**bits - 1
    return np.clip(np.rint(image * top), 0, top).astype(np.uint8 if bits == 8 else np.uint16)
