"""Training pictures of what real images show and the plain scenes do not.

Straight and coiled worms, dark outlines around a bright core, parts of a body that are brighter
than the agar, walls with a meniscus and worms along them, knots, crowds, white saturated light,
steps of brightness where images were stitched, JPEG.
"""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.detection.channel_overlay import overlay
from snakescope.healthspan.geometry import TILE_PX
from snakescope.healthspan.simulation.debris import (
    Ground,
    clutter,
    crawled,
    crinkles,
    empty_ground,
    scatter,
    texture,
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
    BodyPixels,
    Worm,
    body_pixels,
    coiled_amplitudes,
    place,
    random_amplitudes,
)
from snakescope.healthspan.training.detector_examples import Frame, Scene, coarse, halo
from snakescope.imaging.masks import Instance
from snakescope.step.progress import progress

HARD = LookRanges(
    density=(0.15, 1.8),
    edge=(0.0, 1.0),
    mottle=(0.0, 1.1),
    blur=(0.5, 2.4),
    light=(0.2, 0.9),
    grain=(0.002, 0.04),
    lawn=(0.0, 0.08),
)
HARD_UNSEEN = LookRanges(
    density=(0.2, 2.2),
    edge=(0.2, 1.0),
    mottle=(0.1, 1.3),
    blur=(0.6, 2.0),
    light=(0.15, 0.95),
    grain=(0.003, 0.03),
    lawn=(0.01, 0.09),
)
"""Ranges of the scenes of ``simulated_unseen_2``."""

HOLLOW_SHARE = 0.35
LEAST_INSIDE = 0.85
"""Share of a body along a wall that must be within it."""


def inside_of_well(rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    """The inside of a round or rounded square well that a scene shows in part, uint8 0 / 1."""
    power = float(rng.choice([2.0, rng.uniform(3, 9)]))
    radius = rng.uniform(0.42, 1.6) * size
    turn, away = rng.uniform(0, 2 * np.pi, 2)
    middle = size / 2 + np.array([np.sin(away), np.cos(away)]) * max(
        radius - rng.uniform(0.25, 0.5) * size, 0
    )
    y, x = np.mgrid[:size, :size].astype(np.float32)
    y, x = y - np.float32(middle[0]), x - np.float32(middle[1])
    if rng.random() < 0.5:
        turn = 0.0
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    along, across = np.abs(c * x + s * y), np.abs(c * y - s * x)
    reach = (along / radius) ** power + (across / radius) ** power
    return (reach <= 1).astype(np.uint8)


def draw_wall(rng: np.random.Generator, ground: Ground, inside: NDArray[np.uint8]) -> None:
    """A dark surround, rings along the wall, and the meniscus within."""
    deep = cv2.distanceTransform(np.ascontiguousarray(inside), cv2.DIST_L2, 5)
    beyond = cv2.distanceTransform(np.ascontiguousarray(1 - inside), cv2.DIST_L2, 5)
    edge = np.clip((beyond - deep) / rng.uniform(1, 6) + 0.5, 0, 1)
    wall = edge * np.float32(rng.uniform(0.6, 3.5))
    wall += np.exp(-deep / rng.uniform(4, 40)) * np.float32(rng.uniform(-0.15, 0.5)) * inside
    if rng.random() < 0.6:
        ring = np.exp(-(((beyond - rng.uniform(0, 15)) / rng.uniform(1.5, 8)) ** 2))
        wall += ring * np.float32(rng.uniform(-1.2, 0.8)) * (1 - inside)
    ground.density[:] += blurred(np.asarray(wall, np.float32), rng.uniform(0.6, 2))
    ground.glow[:] += edge.astype(np.float32) * np.float32(rng.uniform(0, 0.03))


def along_wall(
    rng: np.random.Generator, inside: NDArray[np.uint8], width: float
) -> tuple[float, float, float] | None:
    """Place (y, x) and heading of a worm that lies along the wall; None where there is no room."""
    deep = cv2.distanceTransform(np.ascontiguousarray(inside), cv2.DIST_L2, 5)
    near = width / 2 + rng.uniform(0, 9)
    rows, columns = np.nonzero((deep > near) & (deep < near + 2))
    if not rows.size:
        return None
    chosen = int(rng.integers(rows.size))
    y, x = int(rows[chosen]), int(columns[chosen])
    calm = cv2.GaussianBlur(deep, (0, 0), 6)
    dy = float(cv2.Sobel(calm, cv2.CV_32F, 0, 1)[y, x])
    dx = float(cv2.Sobel(calm, cv2.CV_32F, 1, 0)[y, x])
    return float(y), float(x), float(np.arctan2(dx, -dy))


def bundle(
    rng: np.random.Generator, size: int, length: float
) -> list[tuple[float, float, float, float]]:
    """Straight worms side by side or at a small angle, as the dead lie in liquid.

    Returns:
        (y, x, heading, vigour) of each; many lie along the rows or columns of the image.
    """
    heading = rng.uniform(0, np.pi)
    if rng.random() < 0.4:
        heading = float(rng.choice([0.0, np.pi / 2])) + rng.normal() * 0.04
    y, x = rng.uniform(0, size, size=2)
    places = []
    for _ in range(int(rng.integers(2, 5))):
        own = heading + rng.normal() * np.deg2rad(float(rng.choice([4, 18])))
        places.append((float(y), float(x), float(own), float(rng.uniform(0.01, 0.14))))
        along = rng.uniform(-0.45, 0.45) * length
        across = rng.uniform(0.05, 0.22) * length
        y += along * np.sin(heading) + across * np.cos(heading)
        x += along * np.cos(heading) - across * np.sin(heading)
    return places


def draw_bodies(
    rng: np.random.Generator, size: int, inside: NDArray[np.uint8] | None
) -> list[Worm]:
    """Worms of one age: straight and bent ones, alone, in knots and along the wall."""
    length = float(rng.uniform(50, 156))
    width = float(np.clip(length * rng.uniform(0.045, 0.115), 3.0, 13.0))
    dense = rng.random() < 0.2
    crowding = rng.uniform(14, 34) if dense else np.exp(rng.uniform(np.log(2.5), np.log(14)))
    straight = float(rng.choice([0.1, 0.4, 0.9]))
    knots = rng.uniform(0, size, size=(int(rng.integers(0, 3)), 2))
    tied = [knot for knot in knots for _ in range(int(rng.integers(3, 6)))]
    coiled = float(rng.choice([0.0, 0.08, 0.35], p=[0.4, 0.35, 0.25]))

    def one(y: float, x: float, heading: float, vigour: float) -> Worm:
        curls = rng.random() < coiled
        amplitudes = coiled_amplitudes(rng) if curls else random_amplitudes(rng, vigour)
        long = float(np.clip(length * np.exp(rng.normal() * 0.08), 45, 168))
        wide = float(width * np.exp(rng.normal() * 0.1))
        return Worm(y, x, heading, amplitudes, long, wide)

    worms: list[Worm] = []
    for _ in range(int(rng.poisson(crowding * (size / TILE_PX) ** 2))):
        y, x = rng.uniform(-20, size + 20, size=2)
        vigour = float(rng.uniform(0.02, 0.2))
        if rng.random() > straight:
            vigour = float(rng.choice([0.4, 0.8, 1.1]))
        if tied:
            y, x = tied.pop() + rng.normal(size=2) * rng.uniform(6, 30)
        elif worms and rng.random() < 0.2:
            other = worms[int(rng.integers(len(worms)))]
            y, x = np.array([other.y, other.x]) + rng.normal(size=2) * rng.uniform(6, 45)
        worms.append(one(float(y), float(x), float(rng.uniform(0, 2 * np.pi)), vigour))
    if rng.random() < 0.4:
        for _ in range(int(rng.integers(1, 4))):
            worms += [one(*each) for each in bundle(rng, size, length)]
    if inside is not None:
        for _ in range(int(rng.integers(1, 6))):
            found = along_wall(rng, inside, width)
            if found is not None:
                worms.append(one(*found, float(rng.uniform(0.02, 0.25))))
    return worms


def shining(
    rng: np.random.Generator, body: BodyPixels, shade: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The density of a body a part of which gives more light than the agar.

    So a fluorescent head looks in a photograph, or a body whose one end acts as a lens.
    """
    first = float(rng.choice([0.0, rng.uniform(0, 0.6)]))
    last = first + rng.uniform(0.12, 0.45)
    edge = rng.uniform(0.01, 0.05)
    inside = np.clip((body.along - first) / edge, 0, 1) * np.clip((last - body.along) / edge, 0, 1)
    if first == 0:
        inside = np.clip((last - body.along) / edge, 0, 1)
    return np.asarray(shade * (1 - inside * np.float32(rng.uniform(1.2, 3))), np.float32)


def within(one: Instance, inside: NDArray[np.uint8]) -> bool:
    """Whether a body is in the well, at most a little of it over the wall."""
    covered = inside[one.top : one.bottom, one.left : one.right][one.mask]
    return float(covered.mean()) >= LEAST_INSIDE


def stitched(rng: np.random.Generator, frame: Frame) -> Frame:
    """A frame with steps of brightness as between images of a mosaic."""
    out = frame.astype(np.float32)
    row, column = (int(v) for v in rng.integers(0, frame.shape[0], 2))
    for part in (out[:row, :column], out[:row, column:], out[row:, :column], out[row:, column:]):
        slope = np.linspace(0, rng.uniform(-0.15, 0.15), part.shape[1], dtype=np.float32)
        part *= np.float32(rng.uniform(0.85, 1.1)) + slope
    top = np.iinfo(frame.dtype).max
    result: Frame = np.clip(np.rint(out), 0, top).astype(frame.dtype)  # type: ignore[assignment]
    return result


def compressed(rng: np.random.Generator, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A frame as JPEG gives it back."""
    quality = int(rng.integers(45, 95))
    _, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def draw_hard_scene(rng: np.random.Generator, size: int, ranges: LookRanges) -> Scene:
    """A random scene of size x size px."""
    look = draw_look(rng, ranges)
    if rng.random() < HOLLOW_SHARE:
        look = replace(look, hollow=float(rng.uniform(0.5, 1.25)), blur=float(rng.uniform(0.4, 1)))
    if rng.random() < 0.25:
        look = replace(look, light=float(rng.uniform(0.95, 1.5)))
    shape = (size, size)
    ground = empty_ground(shape)
    texture(rng, ground, look)
    scatter(rng, ground, int(rng.poisson(look.debris * size * size / 1e6)))
    if rng.random() < 0.15:
        crinkles(rng, ground, look)
    if rng.random() < 0.25:
        crawled(rng, ground, look)
    if rng.random() < 0.4:
        clutter(rng, ground, look, int(rng.integers(1, 9)))
    inside = inside_of_well(rng, size) if rng.random() < 0.45 else None
    if inside is not None and (inside.all() or inside.mean() < 0.1):
        inside = None
    density, glow = ground.density, ground.glow
    worms: list[Instance] = []
    shiny = float(rng.uniform(0.1, 0.6)) if rng.random() < 0.2 else 0.0
    for worm in draw_bodies(rng, size, inside):
        body = body_pixels(worm, margin=6)
        instance = place(body, shape, 0, len(worms))
        if inside is not None and (instance is None or not within(instance, inside)):
            continue
        shade = body_density(rng, body, look)
        if rng.random() < 0.08:
            shade = blurred(shade, rng.uniform(1, 2.5))
        if rng.random() < shiny:
            shade = shining(rng, body, shade)
        add_patch(density, shade, body.top, body.left)
        add_patch(glow, body_glow(rng, body, look), body.top, body.left)
        if instance is not None:
            worms.append(instance)
    if inside is not None:
        draw_wall(rng, ground, inside)
    if rng.random() < 0.35:
        density = halo(rng, density)
    names = ("bright_field",) if rng.random() < 0.8 else ("bright_field", "dark_field")
    bits = int(rng.choice([8, 8, 12, 16]))
    light: Image = light_field(rng, shape, look)
    frames = {name: expose(rng, density, glow, light, look, name, bits) for name in names}
    if rng.random() < 0.15:
        frames = {name: stitched(rng, frame) for name, frame in frames.items()}
    if rng.random() < 0.3:
        factor = float(rng.uniform(1.4, 3.0))
        frames = {name: coarse(frame, factor) for name, frame in frames.items()}
    if bits == 8 and rng.random() < 0.6:
        frames = {name: compressed(rng, frame) for name, frame in frames.items()}  # type: ignore[arg-type]
    return Scene(overlay(frames), worms)


def draw_hard_scenes(seed: int, count: int, size: int, unseen: bool = False) -> list[Scene]:
    """Scenes of what real images show; each depends on the seed and its own number only."""
    ranges = HARD_UNSEEN if unseen else HARD
    numbers = progress(range(count), "hard scenes drawn") if count else range(0)
    return [
        draw_hard_scene(np.random.default_rng([seed, 13, number]), size, ranges)
        for number in numbers
    ]
