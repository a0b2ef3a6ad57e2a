"""Simulated objects other than worms: dust, fibres, eggs, bubbles, scratches, trails, rim.

Each function draws into maps of optical density and glow of the dish.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.simulation.optics import Image, Look, add_patch, blurred, smooth_noise
from snakescope.healthspan.simulation.worm_body import Worm, body_pixels, random_amplitudes


@dataclass(frozen=True)
class Ground:
    """Density and glow of all static objects of a dish, shape (Y, X) each."""

    density: Image
    glow: Image


def _blob(rng: np.random.Generator, radius: float, roughness: float) -> Image:
    """A filled outline of random shape, 0 to 1, about ``radius`` px wide."""
    half = int(radius * 3.2) + 3
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    reach = np.ones(24)
    for wave in range(1, 5):
        reach += roughness / wave * rng.normal() * np.cos(wave * angle + rng.uniform(0, 6.3))
    reach = np.clip(reach, 0.3, 1.7) * radius
    stretch = np.exp(np.clip(rng.normal() * 0.35, -0.6, 0.6))
    points = np.stack([np.cos(angle) * reach * stretch, np.sin(angle) * reach / stretch], axis=1)
    patch = np.zeros((2 * half + 1, 2 * half + 1), dtype=np.uint8)
    outline = np.clip(points + half, 0, 2 * half)
    cv2.fillPoly(patch, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return np.asarray(patch, dtype=np.float32) / np.float32(255)


def _dust(rng: np.random.Generator) -> tuple[Image, float]:
    patch = _blob(rng, float(np.exp(rng.uniform(np.log(0.8), np.log(9)))), rng.uniform(0.1, 0.5))
    if rng.random() < 0.4:
        patch = blurred(patch, rng.uniform(0.8, 4))
    return patch * np.float32(rng.uniform(0.1, 1.8)), rng.uniform(0, 0.15)


def _bubble(rng: np.random.Generator) -> tuple[Image, float]:
    radius = float(rng.uniform(4, 40))
    half = int(radius) + 5
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    distance = np.hypot(y, x)
    ring = np.exp(-(((distance - radius) / rng.uniform(0.8, 2.5)) ** 2))
    inner = -0.4 * np.exp(-(((distance - radius + 3) / 2) ** 2))
    return np.asarray((ring + inner) * rng.uniform(0.2, 1.2), np.float32), 0.02


def _curve(
    rng: np.random.Generator, length: tuple[float, float], width: tuple[float, float], bend: float
) -> Image:
    """Return a line that is bent like a worm, but of another thickness or length."""
    line = Worm(
        0.0,
        0.0,
        rng.uniform(0, 2 * np.pi),
        random_amplitudes(rng, bend),
        float(rng.uniform(*length)),
        float(rng.uniform(*width)),
    )
    return body_pixels(line).cover


def _fibre(rng: np.random.Generator) -> tuple[Image, float]:
    patch = _curve(rng, (15, 260), (0.8, 2.4), rng.uniform(0.1, 1.2))
    return patch * np.float32(rng.uniform(0.2, 1.5)), rng.uniform(0, 0.2)


def _trail(rng: np.random.Generator) -> tuple[Image, float]:
    patch = _curve(rng, (150, 500), (3, 9), rng.uniform(0.6, 1.3))
    return blurred(patch, 1.5) * np.float32(rng.uniform(-0.12, 0.12)), 0.0


def _scratch(rng: np.random.Generator) -> tuple[Image, float]:
    patch = _curve(rng, (60, 600), (0.8, 3.5), 0.05)
    return patch * np.float32(rng.choice([-1, 1]) * rng.uniform(0.05, 0.6)), 0.0


def _egg(rng: np.random.Generator) -> tuple[Image, float]:
    patch = np.zeros((15, 15), dtype=np.uint8)
    cv2.ellipse(patch, ((7, 7), (3.2, 5.4), float(rng.uniform(0, 180))), 255, -1, cv2.LINE_AA)
    return patch.astype(np.float32) / np.float32(255) * np.float32(rng.uniform(0.3, 1.0)), 0.05


def _larva(rng: np.random.Generator) -> tuple[Image, float]:
    """Return progeny, smaller than the worms put on the plate."""
    patch = _curve(rng, (16, 30), (1.5, 2.6), 0.8)
    return patch * np.float32(rng.uniform(0.2, 0.9)), 0.1


def _smear(rng: np.random.Generator) -> tuple[Image, float]:
    """A drop of condensation or a clump out of focus."""
    patch = blurred(_blob(rng, rng.uniform(10, 60), 0.3), rng.uniform(4, 14))
    return patch * np.float32(rng.uniform(-0.25, 0.35)), 0.05


_KINDS: dict[Callable[[np.random.Generator], tuple[Image, float]], float] = {
    _dust: 0.58,
    _fibre: 0.10,
    _egg: 0.12,
    _scratch: 0.05,
    _trail: 0.04,
    _bubble: 0.03,
    _larva: 0.04,
    _smear: 0.04,
}


def scatter(rng: np.random.Generator, ground: Ground, count: int) -> None:
    """Add ``count`` random pieces of debris, some of them in clumps."""
    height, width = ground.density.shape
    kinds, shares = list(_KINDS), np.array(list(_KINDS.values()))
    clump = (rng.uniform(0, height), rng.uniform(0, width))
    for _ in range(count):
        kind = kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]
        patch, glow = kind(rng)
        if rng.random() < 0.15:
            y, x = clump[0] + rng.normal() * 60, clump[1] + rng.normal() * 60
        else:
            y, x = rng.uniform(0, height), rng.uniform(0, width)
            if rng.random() < 0.1:
                clump = (y, x)
        top, left = int(y - patch.shape[0] / 2), int(x - patch.shape[1] / 2)
        add_patch(ground.density, patch, top, left)
        add_patch(ground.glow, np.clip(patch, 0, None) * np.float32(glow), top, left)


def _paste(canvas: Image, patch: Image, centre: tuple[float, float]) -> None:
    add_patch(
        canvas, patch, int(centre[0] - patch.shape[0] / 2), int(centre[1] - patch.shape[1] / 2)
    )


def _on_axis(middle: int, angle: float, along: float, across: float) -> tuple[float, float]:
    """(y, x) of a point given along and across an axis through (middle, middle) at an angle."""
    y = middle + along * np.sin(angle) + across * np.cos(angle)
    x = middle + along * np.cos(angle) - across * np.sin(angle)
    return y, x


def _aggregate(rng: np.random.Generator) -> Image:
    """A ragged, oblong heap of agar and dirt: as long as a worm, but wider and without a shape."""
    length, width = rng.uniform(30, 110), rng.uniform(6, 24)
    canvas = np.zeros((220, 220), dtype=np.float32)
    angle, bend = rng.uniform(0, np.pi), rng.normal() * 0.004
    for _ in range(int(rng.integers(6, 22))):
        along, across = rng.normal() * length / 4, rng.normal() * width / 4
        across += bend * along**2
        y, x = _on_axis(110, angle, along, across)
        if rng.random() < 0.3:
            piece = _curve(rng, (14, 45), (1.0, 3.0), rng.uniform(0.2, 1.2))
        else:
            piece = _blob(rng, float(rng.uniform(0.2, 0.55)) * width, rng.uniform(0.3, 0.7))
        _paste(canvas, piece * np.float32(rng.uniform(0.15, 0.9)), (y, x))
    return blurred(np.minimum(canvas, np.float32(rng.uniform(0.8, 1.8))), rng.uniform(0.6, 2.5))


def _drop(rng: np.random.Generator) -> Image:
    """A smooth body, thick at one end and pointed at the other, too short and wide for a worm."""
    length, thick = rng.uniform(30, 80), rng.uniform(9, 22)
    canvas = np.zeros((200, 200), dtype=np.uint8)
    angle, bend = rng.uniform(0, 2 * np.pi), rng.normal() * 0.006
    for share in np.linspace(0, 1, 60):
        along = (share - 0.5) * length
        across = bend * along**2
        y, x = _on_axis(100, angle, along, across)
        radius = thick / 2 * np.sin(np.pi * (0.12 + 0.85 * share**0.7)) + 0.6
        centre = (int(x * 16), int(y * 16))
        cv2.circle(canvas, centre, int(radius * 16), 255, -1, cv2.LINE_AA, 4)
    patch = canvas.astype(np.float32) / np.float32(255)
    return blurred(patch, rng.uniform(0.8, 3))


def _crescent(rng: np.random.Generator) -> Image:
    """The shaded side of a drop of water or of a dent: an arc, sharp outside, fading inside."""
    radius, fade = rng.uniform(14, 60), rng.uniform(2.5, 12)
    half = int(radius) + 8
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    inside = np.float32(radius) - np.hypot(y, x)
    shade = np.exp(-np.clip(inside, 0, None) / np.float32(fade)) * (inside > 0)
    facing = np.cos(np.arctan2(y, x) - np.float32(rng.uniform(0, 2 * np.pi)))
    reach = np.clip((facing - np.float32(rng.uniform(-0.2, 0.7))) * 4, 0, 1)
    return blurred(np.asarray(shade * reach, dtype=np.float32), rng.uniform(0.8, 3))


def _tuft(rng: np.random.Generator) -> Image:
    """Fibres that meet in a knot."""
    canvas = np.zeros((240, 240), dtype=np.float32)
    for _ in range(int(rng.integers(2, 7))):
        piece = _curve(rng, (20, 90), (1.0, 2.6), rng.uniform(0.2, 1.0))
        place = (120 + float(rng.normal() * 9), 120 + float(rng.normal() * 9))
        _paste(canvas, piece * np.float32(rng.uniform(0.2, 0.9)), place)
    knot = _blob(rng, rng.uniform(2, 8), 0.6) * np.float32(rng.uniform(0.3, 1.2))
    _paste(canvas, knot, (120, 120))
    return blurred(canvas, rng.uniform(0.5, 1.5))


_CLUTTER: dict[Callable[[np.random.Generator], Image], float] = {
    _aggregate: 0.45,
    _drop: 0.2,
    _crescent: 0.2,
    _tuft: 0.15,
}


def clutter(rng: np.random.Generator, ground: Ground, look: Look, count: int) -> None:
    """Add ``count`` objects of the size and density of a worm, as on old dishes.

    They are heaps, drops, dents and tufts of fibres.
    """
    height, width = ground.density.shape
    kinds, shares = list(_CLUTTER), np.array(list(_CLUTTER.values()))
    for _ in range(count):
        kind = kinds[int(rng.choice(len(kinds), p=shares))]
        patch = kind(rng) * np.float32(rng.uniform(0.15, 1.3) * look.density)
        centre = (float(rng.uniform(0, height)), float(rng.uniform(0, width)))
        _paste(ground.density, patch, centre)
        _paste(ground.glow, patch * np.float32(rng.uniform(0, 0.15)), centre)


def texture(rng: np.random.Generator, ground: Ground, look: Look) -> None:
    """Grain of the agar and the uneven lawn of bacteria."""
    shape = (ground.density.shape[0], ground.density.shape[1])
    fine = smooth_noise(rng, shape, rng.uniform(2.5, 6))
    coarse = smooth_noise(rng, shape, rng.uniform(25, 120))
    ground.density[:] += look.grain * fine + look.lawn * coarse
    ground.glow[:] += 0.3 * look.glow_ground * (look.grain * 4 * fine + look.lawn * 2 * coarse)


def crinkles(rng: np.random.Generator, ground: Ground, look: Look) -> None:
    """Agar that has dried in folds: faint broken lines as wide as worms, on all of the dish."""
    shape = (ground.density.shape[0], ground.density.shape[1])
    height = smooth_noise(rng, shape, rng.uniform(25, 90))
    folds = np.exp(-((height / np.float32(rng.uniform(0.08, 0.3))) ** 2))
    there = np.clip(smooth_noise(rng, shape, rng.uniform(20, 80)) + 0.3, 0, 1)
    strength = rng.uniform(0.05, 0.45) * min(look.density, 1.0)
    ground.density[:] += np.asarray(folds * there * strength, dtype=np.float32)


def crawled(rng: np.random.Generator, ground: Ground, look: Look) -> None:
    """Agar that worms have crawled over for days: short dark strokes, and bright ones beside them.

    They are at most half as wide as worms, as dark as these, and lie densely in patches.
    """
    height, width = ground.density.shape
    patch = smooth_noise(rng, (height, width), rng.uniform(40, 160)) + rng.uniform(-0.6, 1.5)
    strokes = [
        blurred(_curve(rng, (6, 36), (1.2, 4.2), rng.uniform(0.2, 1.1)), 0.7) for _ in range(24)
    ]
    beside = np.rint(rng.normal(size=2) * 2.5).astype(int)
    bright = rng.uniform(0, 1)
    strength = rng.uniform(0.2, 1.1) * look.density
    count = int(height * width * np.exp(rng.uniform(np.log(3e-4), np.log(4e-3))))
    for y, x in rng.integers(0, (height, width), size=(count, 2)):
        if patch[y, x] < rng.random():
            continue
        one = strokes[int(rng.integers(24))] * np.float32(rng.uniform(0.3, 1) * strength)
        one = np.rot90(one, int(rng.integers(4)))
        top, left = int(y) - one.shape[0] // 2, int(x) - one.shape[1] // 2
        add_patch(ground.density, one, top, left)
        shade = one * np.float32(-bright)
        add_patch(ground.density, shade, top + int(beside[0]), left + int(beside[1]))


def rim(
    rng: np.random.Generator, ground: Ground, centre: tuple[float, float], radius: float
) -> None:
    """The dish's wall: dark and bright rings, and another grey outside."""
    height, width = ground.density.shape
    y = np.arange(height, dtype=np.float32)[:, None] - np.float32(centre[0])
    x = np.arange(width, dtype=np.float32)[None, :] - np.float32(centre[1])
    beyond = np.sqrt(y**2 + x**2) - np.float32(radius)
    wall = np.zeros_like(ground.density)
    at = 0.0
    for _ in range(int(rng.integers(1, 5))):
        thickness = float(rng.uniform(1.5, 9))
        wall += np.float32(rng.uniform(-0.5, 2.0)) * np.exp(-(((beyond - at) / thickness) ** 2))
        at += float(rng.uniform(6, 28))
    outside = np.clip(beyond / 4, 0, 1) * np.float32(rng.uniform(-0.4, 2.5))
    ground.density[:] += wall + outside
    ground.glow[:] += np.clip(wall, 0, None) * np.float32(rng.uniform(0, 0.1))


def well(rng: np.random.Generator, ground: Ground) -> None:
    """A black surround with a rounded square window, as of a microplate's well."""
    height, width = ground.density.shape
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] - np.float32(rng.normal() * 0.3)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :] - np.float32(rng.normal() * 0.3)
    power = float(rng.uniform(2, 7))
    beyond = (np.abs(y) ** power + np.abs(x) ** power) ** (1 / power) - rng.uniform(0.6, 1.0)
    edge = np.clip(beyond * width / rng.uniform(3, 60), 0, 1)
    ground.density[:] += np.asarray(edge * rng.uniform(1, 3.5), dtype=np.float32)


def cross_mark(
    rng: np.random.Generator, ground: Ground, centre: tuple[float, float], arm: float
) -> None:
    """The cross drawn on the dish, by which frames are registered (paper, section 3.1.2)."""
    half = int(arm) + 6
    patch = np.zeros((2 * half + 1, 2 * half + 1), dtype=np.uint8)
    turn = rng.normal() * 0.06
    for angle in (turn, turn + np.pi / 2 + rng.normal() * 0.03):
        dx, dy = arm * np.cos(angle), arm * np.sin(angle)
        ends = np.rint(np.array([[half - dx, half - dy], [half + dx, half + dy]]) * 16)
        a, b = (tuple(int(v) for v in end) for end in ends)
        cv2.line(patch, a, b, 255, max(3, int(arm / 7)), cv2.LINE_AA, 4)
    ink = blurred(patch.astype(np.float32) / np.float32(255), 1.2)
    ink *= 1 + np.float32(0.15) * smooth_noise(rng, (ink.shape[0], ink.shape[1]), 5)
    top, left = int(centre[0]) - half, int(centre[1]) - half
    add_patch(ground.density, ink * np.float32(1.4), top, left)
    add_patch(ground.glow, ink * np.float32(0.25), top, left)


def empty_ground(shape: tuple[int, int]) -> Ground:
    """Return an empty dish."""
    return Ground(np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32))


def moved_ground(ground: Ground, matrix: NDArray[np.float64]) -> Ground:
    """Warp the background by a motion of the dish.

    Args:
        matrix: 3 x 3 (affine), takes (x, y) of the dish to (x, y) of the camera.
    """
    size = (ground.density.shape[1], ground.density.shape[0])
    warped = [
        cv2.warpAffine(one, matrix[:2], size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        for one in (ground.density, ground.glow)
    ]
    return Ground(np.asarray(warped[0], np.float32), np.asarray(warped[1], np.float32))
