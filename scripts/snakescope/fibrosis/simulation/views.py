"""Views of the upper abdomen of any kind, to train masks on: a liver anywhere, cut off, or absent.

What a real frame shows beside the liver is drawn with random settings rather than true ones, so
that a real frame is one more variant (Tobin et al., IROS 2017; Billot et al., Med. Image Anal. 86
(2023) 102789): layers of the abdominal wall, kidneys, gallbladder, large vessels, bowel gas and
what it hides, sides without contact to the skin, a diaphragm with its mirror image, other tissue.
The outline is that of a hand: vessels inside the liver belong to it, what a shadow hides does not.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.fibrosis.simulation.acoustics import envelope_of
from snakescope.fibrosis.simulation.anatomy import (
    BEAMS,
    SAMPLES,
    Anatomy,
    Grid,
    Patient,
    noise,
    positions,
)
from snakescope.fibrosis.simulation.devices import Device
from snakescope.fibrosis.simulation.settings import Preset

HIDDEN_DB = -13.0
"""What is darkened by more is not drawn as liver."""

LEAST_SHARE = 0.02
"""Of the sector: of less, nobody draws an outline."""

Mask = NDArray[np.bool_]


class View(NamedTuple):
    """What lies in a view.

    Attributes:
        level: backscatter relative to liver (dB), shape (SAMPLES, BEAMS).
        shade: what shadows take, and fluid gives (dB), of equal shape.
        liver: its outline, with its vessels and without what cannot be seen.
        depth_mm: of every sample, from the middle of the probe.
    """

    level: Grid
    shade: Grid
    liver: Mask
    depth_mm: Grid


def varied(device: Device, rng: np.random.Generator) -> Device:
    """The device at another depth and resolution; its sector in the frame stays the same."""
    scale = float(rng.uniform(0.75, 1.25))
    return device._replace(
        radius_mm=device.radius_mm * scale,
        depth_mm=device.depth_mm * scale,
        axial_mm=float(rng.uniform(0.4, 1.1)),
        lateral_mm=float(rng.uniform(1.0, 2.6)),
        focus_mm=float(rng.uniform(40, 100)),
    )


def draw_view(patient: Patient, preset: Preset, device: Device, rng: np.random.Generator) -> View:
    """Draw a view; the stage of the patient shows in the texture of its liver alone."""
    x, z = positions(device)
    level = _other_tissue(x, z, rng)
    shade = np.zeros(x.shape, np.float32)
    tilt = np.tan(patient.tilt + rng.normal(0, 0.1))
    wall = float(rng.uniform(6, 34)) + x * tilt
    wall = wall + rng.uniform(0, 3) * np.sin(x / rng.uniform(20, 60))
    liver = np.zeros(x.shape, bool)
    if rng.random() < 0.9:
        liver = _draw_liver(level, x, z, wall, (patient, preset), device, rng)
    for share, draw in ((0.3, _kidney), (0.25, _gallbladder), (0.15, _large_vessel)):
        if rng.random() < share:
            liver &= ~draw(level, shade, x, z, rng)
    level[z < wall] = _wall(x, z, wall, rng)[z < wall]
    if rng.random() < 0.35:
        liver &= ~_gas(level, shade, x, z, wall, rng)
    _shadows(shade, x, z, wall, rng)
    liver &= (z >= wall) & (shade > HIDDEN_DB)
    if liver.mean() < LEAST_SHARE:
        liver[:] = False
    return View(level, shade, liver, z)


def shown(view: View, device: Device, rng: np.random.Generator) -> Grid:
    """Grey values 0 to 1 of a view on a scanner of random settings, shape (SAMPLES, BEAMS)."""
    whole = np.ones(view.level.shape, bool)
    variance = 10 ** ((view.level + view.shade) / 10)
    scene = Anatomy(variance.astype(np.float32), whole, view.depth_mm)
    # Scanners average views from several angles, and frames.
    looks = [envelope_of(scene, device, rng) for _ in range(rng.integers(1, 5))]
    power = np.mean([one**2 for one in looks], axis=0) * variance.mean()
    depth = np.linspace(0, 1, SAMPLES, dtype=np.float32)[:, None]
    slope = float(rng.uniform(-4, 28))
    gain = rng.normal(0, 2.0) * noise(rng, (SAMPLES, BEAMS), (200, 400))[:, :1]
    sides = rng.uniform(0, 10) * np.linspace(-1, 1, BEAMS, dtype=np.float32)[None] ** 4
    floor = 10 ** (rng.uniform(-46, -24) / 10) * rng.chisquare(2, power.shape) / 2
    db = 10 * np.log10(power * 10 ** ((-slope * depth - sides) / 10) + floor + 1e-9) + gain
    blur = float(rng.uniform(0.1, 1.2)), float(rng.uniform(0.1, 3.5))
    db = cv2.GaussianBlur(db.astype(np.float32), (0, 0), sigmaX=blur[0], sigmaY=blur[1])
    seen = view.liver if view.liver.any() else whole
    grey = (db - np.median(db[seen])) / rng.uniform(46, 80) + rng.uniform(0.16, 0.45)
    return np.asarray(np.clip(grey, 0, 1) ** np.exp(rng.normal(0, 0.15)), np.float32)


def _other_tissue(x: Grid, z: Grid, rng: np.random.Generator) -> Grid:
    """Fat, muscle and bowel (dB): uneven, streaky, with bright interfaces."""
    level = np.full(x.shape, rng.uniform(-14, 5), np.float32)
    level += rng.uniform(2.5, 7) * noise(rng, x.shape, (rng.uniform(20, 90), rng.uniform(6, 30)))
    level += rng.uniform(0, 5) * noise(rng, x.shape, (rng.uniform(3, 9), rng.uniform(6, 30)))
    level += rng.uniform(1, 5) * noise(rng, x.shape, (rng.uniform(8, 25), rng.uniform(3, 10)))
    for _ in range(rng.integers(0, 9)):
        line = rng.uniform(15, 130) + (x - rng.uniform(-60, 60)) * rng.normal(0, 0.5)
        line = line + rng.normal(0, 0.006) * (x - rng.uniform(-60, 60)) ** 2
        along = np.exp(-(((x - rng.uniform(-70, 70)) / rng.uniform(8, 45)) ** 2))
        level += rng.uniform(5, 18) * along * _line(z - line, rng.uniform(0.4, 2.5))
    return level.astype(np.float32)


def _line(distance: NDArray[np.floating], width: float) -> Grid:
    """1 on a line, 0 some widths away (mm)."""
    return np.asarray(np.exp(-((distance / width) ** 2)), np.float32)


def _wall(x: Grid, z: Grid, wall: Grid, rng: np.random.Generator) -> Grid:
    """Skin, fat, muscle and the fasciae between them, along the surface of what lies below."""
    share = z / np.maximum(wall, 1) * float(np.mean(wall))
    level = np.zeros(x.shape, np.float32)
    top = 0.0
    while top < np.mean(wall) + 2:
        below = top + float(rng.uniform(1.5, 9))
        level[(share >= top) & (share < below)] = rng.uniform(-8, 9)
        level += rng.uniform(0, 14) * _line(share - below, rng.uniform(0.4, 1.2))
        top = below
    level += rng.uniform(0, 4) * noise(rng, x.shape, (3, 25)) + rng.uniform(-4, 7)
    return level + rng.uniform(0, 12) * _line(z, 3)


def _draw_liver(
    level: Grid, x: Grid, z: Grid, wall: Grid, who: tuple[Patient, Preset], device: Device,
    rng: np.random.Generator,
) -> Mask:  # fmt: skip
    """Draw a liver and what borders it; return where it is."""
    patient, preset = who
    dome = rng.uniform(75, 165) - rng.uniform(0, 0.009) * (x - rng.uniform(-50, 50)) ** 2
    dome = dome + x * rng.normal(0, 0.2) + rng.uniform(0, 3) * np.sin(x / rng.uniform(12, 40))
    top = wall + max(0.0, float(rng.normal(-4, 7)))
    liver = (z > top) & (z < dome)
    if rng.random() < 0.6:  # it ends inside the view
        turn, at = rng.uniform(-1.0, 1.0), (rng.uniform(-25, 60), rng.uniform(30, 90))
        across = (x - at[0]) * np.cos(turn) + (z - at[1]) * np.sin(turn)
        along = -(x - at[0]) * np.sin(turn) + (z - at[1]) * np.cos(turn)
        edge = rng.normal(0, 0.006) * along**2 + rng.uniform(0, 5) * np.sin(
            along / rng.uniform(6, 30) + rng.uniform(0, 6)
        )
        # By convention the head, and so the liver, is at the left of a frame.
        side = (across - edge) * (1 if rng.random() < 0.7 else -1)
        liver &= side < 0
        rim = rng.uniform(0, 14) * _line(side - 0.5, rng.uniform(0.5, 2))
        level += rim * (z > top) * (z < dome)
    fibrous = preset.coarseness * min(1.0, patient.f) * patient.coarse
    size_mm = 2.8 * patient.scale
    size = (size_mm / (device.depth_mm / SAMPLES), size_mm / 0.95)
    own = 4.3 * (0.06 + 0.6 * fibrous) * noise(rng, x.shape, size)
    own = own + rng.uniform(0.3, 1.3) * noise(rng, x.shape, (60, 18))
    level[liver] = own[liver]
    _vessels(level, liver, x, z, rng)
    if rng.random() < 0.7:  # the diaphragm, and a mirror image behind it
        part = 1 / (1 + np.exp((np.abs(x - rng.uniform(-50, 50)) - rng.uniform(15, 90)) / 4))
        beyond = z > dome + 0.5
        if rng.random() < 0.7:
            mirror = -rng.uniform(1, 22) - (z - dome) * rng.uniform(0, 0.5) + own
            level[beyond] = (part * mirror + (1 - part) * level)[beyond]
        level += rng.uniform(6, 20) * part * _line(z - dome, rng.uniform(0.7, 2.2)) * (z > top)
    return np.asarray(liver)


def _tube(
    x: Grid, z: Grid, start: tuple[float, float], turn: float, length: float,
    rng: np.random.Generator,
) -> Grid:  # fmt: skip
    """Distance (mm) of every sample from a bent line."""
    along = (x - start[0]) * np.cos(turn) + (z - start[1]) * np.sin(turn)
    across = -(x - start[0]) * np.sin(turn) + (z - start[1]) * np.cos(turn)
    across = across - rng.normal(0, 0.15) * along**2 / max(length, 1)
    return np.asarray(np.hypot(across, (np.abs(along) - length / 2).clip(0)), np.float32)


def _vessels(level: Grid, liver: Mask, x: Grid, z: Grid, rng: np.random.Generator) -> None:
    """Veins with and without bright walls, and bright portal tracts, inside the liver."""
    rows, columns = np.nonzero(liver[::16, ::8])
    if not len(rows):
        return
    if rng.random() < 0.5:
        _portal_trunk(level, liver, x, z, rng)
    for _ in range(rng.poisson(6)):
        at = rng.integers(len(rows))
        place = float(x[rows[at] * 16, columns[at] * 8]), float(z[rows[at] * 16, columns[at] * 8])
        away = _tube(x, z, place, rng.uniform(0, np.pi), rng.uniform(0, 50), rng)
        half = float(rng.uniform(0.6, 3.2))
        if rng.random() < 0.6:
            level[liver & (away < half)] = -rng.uniform(9, 35)
        if rng.random() < 0.6:
            level += liver * rng.uniform(3, 11) * _line(away - half - 0.6, rng.uniform(0.5, 1.2))


def _portal_trunk(level: Grid, liver: Mask, x: Grid, z: Grid, rng: np.random.Generator) -> None:
    """A wide vein with bright walls through the liver, which is often darker behind it."""
    middle = float(np.median(x[liver])), float(np.median(z[liver]))
    place = middle[0] + float(rng.normal(0, 20)), middle[1] + float(rng.normal(0, 15))
    turn, half = float(rng.normal(0, 0.5)), float(rng.uniform(1, 6))
    away = _tube(x, z, place, turn, float(rng.uniform(20, 100)), rng)
    behind = liver & (z > place[1] + (x - place[0]) * np.tan(np.clip(turn, -1.2, 1.2)))
    level[behind] += rng.uniform(-8, 1)
    level[liver & (away < half)] = -rng.uniform(4, 30)
    walls = _line(away - half - 0.6, rng.uniform(0.5, 1.8))
    walls *= 1 + 0.5 * noise(rng, x.shape, (20, 10))
    level += liver * rng.uniform(4, 15) * walls.clip(0)


def _ellipse(
    x: Grid, z: Grid, middle: tuple[float, float], axes: tuple[float, float], turn: float
) -> Grid:
    """Distance of every sample from the middle of an ellipse, 1 on its outline."""
    u = (x - middle[0]) * np.cos(turn) + (z - middle[1]) * np.sin(turn)
    v = -(x - middle[0]) * np.sin(turn) + (z - middle[1]) * np.cos(turn)
    return np.asarray(np.hypot(u / axes[0], v / axes[1]), np.float32)


def _kidney(level: Grid, shade: Grid, x: Grid, z: Grid, rng: np.random.Generator) -> Mask:
    """Dark cortex, bright uneven sinus, a capsule; sometimes fat around it."""
    axes = float(rng.uniform(25, 58)), float(rng.uniform(18, 28))
    middle = float(rng.uniform(-60, 60)), float(rng.uniform(45, 120))
    away = _ellipse(x, z, middle, axes, float(rng.uniform(-0.9, 0.9)))
    fat = away < 1 + rng.uniform(0, 0.25)
    level[fat] += rng.uniform(0, 8)
    inside = away < 1
    level[inside] = (-rng.uniform(1, 9) + noise(rng, x.shape, (25, 8)))[inside]
    sinus = away + 0.18 * noise(rng, x.shape, (30, 10)) < rng.uniform(0.3, 0.65)
    level[sinus & inside] += rng.uniform(4, 14) + 3 * noise(rng, x.shape, (9, 5))[sinus & inside]
    level += rng.uniform(2, 12) * _line((away - 1) * axes[1], rng.uniform(0.5, 1.3))
    return np.asarray(fat)


def _gallbladder(level: Grid, shade: Grid, x: Grid, z: Grid, rng: np.random.Generator) -> Mask:
    """Without echoes; what lies behind is brighter."""
    axes = float(rng.uniform(7, 15)), float(rng.uniform(12, 34))
    middle = float(rng.uniform(-50, 50)), float(rng.uniform(30, 90))
    away = _ellipse(x, z, middle, axes, float(rng.uniform(-1.5, 1.5)))
    inside = away < 1
    level[inside] = -rng.uniform(16, 40)
    level += rng.uniform(2, 12) * _line((away - 1.08) * axes[0], rng.uniform(0.6, 1.4))
    behind = np.cumsum(inside, axis=0) * (~inside)
    shade += float(rng.uniform(0, 8)) * np.clip(behind / 60, 0, 1)
    return np.asarray(away < 1.1)


def _large_vessel(level: Grid, shade: Grid, x: Grid, z: Grid, rng: np.random.Generator) -> Mask:
    """Aorta or vena cava, along or across."""
    start = float(rng.uniform(-40, 40)), float(rng.uniform(35, 100))
    length = float(rng.uniform(0, 140)) * float(rng.random() < 0.6)
    away = _tube(x, z, start, float(rng.uniform(-0.7, 0.7)), length, rng)
    half = float(rng.uniform(5, 11))
    level[away < half] = -rng.uniform(14, 35)
    level += rng.uniform(2, 13) * _line(away - half - 0.8, rng.uniform(0.6, 1.6))
    return np.asarray(away < half + 1)


def _gas(level: Grid, shade: Grid, x: Grid, z: Grid, wall: Grid, rng: np.random.Generator) -> Mask:
    """Bowel gas or lung: a bright lumpy line, and a dirty shadow behind it."""
    beams = np.linspace(-1, 1, BEAMS, dtype=np.float32)[None]
    middle, half = rng.uniform(-1.1, 1.1), rng.uniform(0.15, 0.8)
    covered = np.abs(beams - middle) < half
    line = np.maximum(wall, rng.uniform(10, 80) + x * rng.normal(0, 0.25))
    line = line + rng.uniform(0.5, 3) * noise(rng, (SAMPLES, BEAMS), (400, 6))[:1]
    beyond = covered & (z > line)
    lumps = 1 + 0.5 * noise(rng, x.shape, (20, 6))
    bright = rng.uniform(8, 22) * _line((z - line) / lumps.clip(0.3), rng.uniform(1.5, 5))
    deep = (z - line).clip(0)
    dirt = -rng.uniform(4, 18) - deep * rng.uniform(0.05, 0.5)
    dirt = dirt + rng.uniform(0, 4) * np.sin(deep / rng.uniform(1.5, 4))
    level[beyond] = (dirt + rng.uniform(0, 3) * noise(rng, x.shape, (30, 5)))[beyond]
    level += bright * covered
    return np.asarray(covered & (z > line - 1))


def _shadows(shade: Grid, x: Grid, z: Grid, wall: Grid, rng: np.random.Generator) -> None:
    """Sides without contact, ribs, and refraction at edges."""
    beams = np.linspace(-1, 1, BEAMS, dtype=np.float32)[None]
    for side in (-1, 1):
        if rng.random() < 0.3:
            lost = 1 / (1 + np.exp(-(side * beams - rng.uniform(0.1, 1)) / rng.uniform(0.02, 0.15)))
            shade -= rng.uniform(6, 32) * lost * (z > rng.uniform(0, 10))
    for _ in range(rng.poisson(0.8)):
        dark = np.exp(-(((beams - rng.uniform(-1, 1)) / rng.uniform(0.02, 0.15)) ** 2))
        shade -= rng.uniform(3, 25) * dark * (z > wall + rng.uniform(-3, 30))
