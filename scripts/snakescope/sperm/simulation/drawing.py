"""Pictures of simulated sperm through a microscope: relief or phase contrast.

``icsi_pvp`` is relief (Hoffman) contrast at the magnification of an injection, where a slope is
bright on one side and dark on the other; ``semen`` is phase contrast of a counting chamber, with
bright heads, dark tails and halos.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.sperm.simulation.debris import draw_debris
from snakescope.sperm.simulation.morphology import MIDPIECE_UM, Sperm
from snakescope.sperm.simulation.settings import Preset

UM_PER_PX = {"icsi_pvp": 0.15, "semen": 0.46}
SIZE_YX = {"icsi_pvp": (150, 150), "semen": (480, 640)}
FINER = 2
"""Pixels are drawn so many times finer along each axis."""
EXPOSURE_S = {"icsi_pvp": 1 / 60, "semen": 1 / 250}
SUBSTEPS = 3
BACKGROUND, HEAD, MIDPIECE, TAIL = range(4)
"""Labels of the truth masks."""
SHIFT = 4
"""Bits behind the point of coordinates that OpenCV draws at."""

Mask = NDArray[np.uint8]
Image = NDArray[np.float32]


@dataclass(frozen=True)
class Optics:
    """A microscope and its camera, the same for all of a dish.

    Attributes:
        brightness: of the background (grey values), contrast (grey values), noise (SD).
        direction: of the relief (rad).
        blur_um: SD of the point spread.
        halo: share of phase contrast.
        tail: darkness of a tail against the brightness of a head in phase contrast.
    """

    brightness: float
    contrast: float
    noise: float
    direction: float
    blur_um: float
    halo: float
    tail: float = 0.9


def draw_optics(rng: np.random.Generator, preset: Preset) -> Optics:
    """The optics of a dish."""
    if preset == "icsi_pvp":
        return Optics(
            rng.uniform(115, 140), rng.uniform(55, 90), rng.uniform(2.5, 4.5),
            np.deg2rad(rng.uniform(20, 50)), rng.uniform(0.15, 0.25), 0.0,
        )  # fmt: skip
    return Optics(
        rng.uniform(85, 110), rng.uniform(100, 190), rng.uniform(1.5, 4), 0.0,
        rng.uniform(0.3, 0.5), rng.uniform(0.3, 0.8), rng.uniform(0.5, 1.0),
    )  # fmt: skip


def _points(
    sperm: Sperm, time_s: float, origin: tuple[float, float], scale: float
) -> NDArray[np.float64]:
    """The flagellum in pixels of the canvas, shape (P, 2)."""
    x, y, angle = sperm.head_at(time_s)
    back = sperm.flagellum_at(time_s)
    u, v = -sperm.head_um[0] / 2 - back[:, 0], back[:, 1]
    c, s = np.cos(angle), np.sin(angle)
    return np.stack(
        [(x - origin[0] + c * u - s * v) * scale, (y - origin[1] + s * u + c * v) * scale], axis=1
    )


def draw_head(
    canvas: Image,
    sperm: Sperm,
    time_s: float,
    origin: tuple[float, float],
    scale: float,
    mask: Mask | None = None,
) -> None:
    """Raise ``canvas`` to the thickness of the head (0 to 1), and set its mask."""
    x, y, angle = sperm.head_at(time_s)
    cx, cy = (x - origin[0]) * scale, (y - origin[1]) * scale
    reach = int(sperm.head_um[0] * scale) + 2
    x0, y0 = max(0, int(cx) - reach), max(0, int(cy) - reach)
    x1, y1 = min(canvas.shape[1], int(cx) + reach), min(canvas.shape[0], int(cy) + reach)
    if x1 <= x0 or y1 <= y0:
        return
    across, along = np.arange(x0, x1) - cx, (np.arange(y0, y1) - cy)[:, None]
    c, s = np.cos(angle), np.sin(angle)
    u, v = (c * across + s * along) / scale, (-s * across + c * along) / scale
    length, width = sperm.head_um
    front = u / (length / 2)
    e = 1 - front**2 - (v / (width / 2 * (1 + 0.5 * sperm.taper * (front - 1) / 2))) ** 2
    thick = np.sqrt(np.clip(e, 0, 1))
    for a, b, radius in sperm.vacuoles:
        thick -= 0.7 * np.exp(-(((u - a) / radius) ** 2 + ((v - b) / radius) ** 2)) * (e > 0)
    part = canvas[y0:y1, x0:x1]
    if sperm.focus < 1:
        side = v / (width / 2)
        # Out of the plane of focus a dark head with a bright spot, nearer its tail or its tip.
        place = 0.3 - 0.8 * (sperm.asymmetry > 0)
        spot = 1.4 * np.exp(-(((front - place) / 0.45) ** 2) - (side / 0.5) ** 2)
        body = 0.6 / (1 + np.exp(-6 * e))
        thick = sperm.focus * thick + (1 - sperm.focus) * (spot - body)
        part += thick.astype(np.float32)
    else:
        np.maximum(part, thick.astype(np.float32), out=part)
    if mask is not None:
        mask[y0:y1, x0:x1][e > 0] = HEAD


def draw_tail(
    canvas: Mask,
    sperm: Sperm,
    time_s: float,
    origin: tuple[float, float],
    scale: float,
    mask: Mask | None = None,
) -> None:
    """Draw the flagellum, midpiece and droplet on ``canvas`` (thickness, 255 is 1)."""
    points = _points(sperm, time_s, origin, scale)
    fixed = np.round(points * (1 << SHIFT)).astype(np.int32)
    place = np.linspace(0, sperm.tail_um, len(points))
    mid = place <= MIDPIECE_UM + 1
    lines = ((fixed, 72, 0.45, TAIL), (fixed[mid], 140, 0.75, MIDPIECE))
    for line, value, thick_um, label in lines:
        thick = max(1, round(thick_um * scale))
        cv2.polylines(canvas, [line], False, value, thick, cv2.LINE_AA, SHIFT)
        if mask is not None:
            cv2.polylines(mask, [line], False, label, max(2, thick), cv2.LINE_8, SHIFT)
    if sperm.droplet_um > 0:
        centre = tuple(int(one) for one in fixed[mid][-1])
        radius = int(sperm.droplet_um * scale * (1 << SHIFT))
        cv2.circle(canvas, centre, radius, 155, -1, cv2.LINE_AA, SHIFT)
        if mask is not None:
            cv2.circle(mask, centre, radius, MIDPIECE, -1, cv2.LINE_8, SHIFT)


def draw(
    sperms: Sequence[Sperm],
    time_s: float,
    origin: tuple[float, float],
    size_yx: tuple[int, int],
    um_per_px: float,
    exposure_s: float = 0.0,
) -> tuple[Image, Image, Mask]:
    """Thickness of heads and of tails (0 to 1), finer than pixels, and the labels of pixels.

    Args:
        origin: x, y of the corner of the picture (um).

    Returns:
        float32 (2 Y, 2 X) twice; uint8 (Y, X).
    """
    shape = (size_yx[0] * FINER, size_yx[1] * FINER)
    scale = FINER / um_per_px
    heads, tails = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    mask = np.zeros(shape, np.uint8)
    for step in range(SUBSTEPS):
        at = time_s + exposure_s * (step - (SUBSTEPS - 1) / 2) / SUBSTEPS
        canvas = np.zeros(shape, np.uint8)
        for sperm in sperms:
            draw_tail(canvas, sperm, at, origin, scale, mask if step == SUBSTEPS // 2 else None)
        tails += canvas
    for sperm in sperms:
        draw_head(heads, sperm, time_s, origin, scale, mask)
    labels = mask.reshape(size_yx[0], FINER, size_yx[1], FINER).max(axis=(1, 3))
    return heads, tails / np.float32(255 * SUBSTEPS), labels


def blurred(image: Image, sd_px: float) -> Image:
    """Gaussian blur."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), max(sd_px, 0.3)), np.float32)


def expose(
    heads: Image,
    tails: Image,
    background: Image,
    optics: Optics,
    preset: Preset,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """What the camera records of thicknesses before a background of its size.

    Args:
        background: float32 (Y, X), grey values about 0.

    Returns:
        uint8 (Y, X).
    """
    um_per_px = UM_PER_PX[preset]
    height, width = background.shape
    if preset == "icsi_pvp":
        path = blurred(np.maximum(heads, tails), optics.blur_um / um_per_px * FINER)
        gx = cv2.Sobel(path, cv2.CV_32F, 1, 0, ksize=3)
        gy = cv2.Sobel(path, cv2.CV_32F, 0, 1, ksize=3)
        slope = np.cos(optics.direction) * gx + np.sin(optics.direction) * gy
        grey = optics.contrast * slope - 12 * path
    else:
        sd = optics.blur_um / um_per_px * FINER
        # A head is bright all over, and a midpiece hardly darker than the tail.
        heads, tails = np.clip(1.8 * heads, -0.3, 1), np.minimum(tails, 0.36)
        bright, dark = blurred(heads, sd), blurred(tails, sd)
        halo = blurred(np.abs(heads) + 0.15 * tails, 4 * FINER) * optics.halo
        grey = optics.contrast * (bright + 1.2 * halo - optics.tail * dark)
    small = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    noise = rng.normal(0, optics.noise, background.shape)
    return np.clip(np.round(optics.brightness + small + background + noise), 0, 255).astype(
        np.uint8
    )


def draw_background(
    rng: np.random.Generator,
    size_yx: tuple[int, int],
    particles: int,
    optics: Optics,
    preset: Preset,
) -> Image:
    """Specks, debris and uneven light, float32 (Y, X), grey values about 0."""
    height, width = size_yx
    found = np.zeros(size_yx, np.float32)
    coarse = rng.standard_normal((height // 40 + 3, width // 40 + 3)).astype(np.float32)
    found += 3 * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(particles):
        _particle(rng, found, optics, preset)
    return found


def _particle(rng: np.random.Generator, found: Image, optics: Optics, preset: Preset) -> None:
    height, width = found.shape
    x, y = rng.uniform(0, width), rng.uniform(0, height)
    if preset == "semen":
        draw_debris(rng, found, x, y)
        return
    radius = rng.uniform(2, 4.5)
    reach = int(4 * radius) + 20
    x0, y0, x1, y1 = (
        max(0, int(x) - reach), max(0, int(y) - reach),
        min(width, int(x) + reach), min(height, int(y) + reach),
    )  # fmt: skip
    if x1 <= x0 or y1 <= y0:
        return
    dx, dy = np.arange(x0, x1) - x, (np.arange(y0, y1) - y)[:, None]
    blob = np.exp(-(dx**2 + dy**2) / (2 * radius**2))
    slope = (np.cos(optics.direction) * dx + np.sin(optics.direction) * dy) / radius
    found[y0:y1, x0:x1] += (rng.uniform(8, 25) * slope * blob).astype(np.float32)
