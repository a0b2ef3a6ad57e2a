"""Simulated videos of sperm with masks and truth: one sperm after another, or a whole field.

``icsi_pvp`` follows a sperm for one second, then the next one of the dish; ``semen`` looks at a
field of many at once, which swim through a picture that does not move.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.imaging.stacks import write_stack
from snakescope.imaging.videos.video import write_video
from snakescope.sperm.simulation.drawing import (
    EXPOSURE_S,
    SIZE_YX,
    UM_PER_PX,
    Image,
    Optics,
    draw,
    draw_background,
    draw_optics,
    expose,
)
from snakescope.sperm.simulation.morphology import Sperm, draw_scores, draw_sperm, quality
from snakescope.sperm.simulation.raters import GRADES, biases, votes
from snakescope.sperm.simulation.settings import Preset, SimulateSettings
from snakescope.step.progress import progress
from snakescope.step.tables import write_table

RATER_SEED = 1
MARGIN_PX = 130
"""Of the scene around the picture, into which a followed sperm swims."""
SPECKS = 60


class Frame(NamedTuple):
    """A frame (Y, X), its labels, and where each head is: x, y (px)."""

    grey: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    heads: list[tuple[float, float]]


@dataclass(frozen=True)
class Followed:
    """A sperm followed for a second, and how it was graded.

    Attributes:
        quality: latent, N(0, 1) of all sperm.
        votes: shape (5,), from grade A to E.
    """

    sperm: Sperm
    quality: float
    votes: NDArray[np.int64]


def seed_of(text: str) -> int:
    """A seed from a name, the same on every machine."""
    return crc32(text.encode())


def donor_mean(donor: str) -> float:
    """Mean quality of a donor in SDs of donors."""
    return float(np.random.default_rng([seed_of(donor), 7]).standard_normal())


def followed(
    video: str, donor: str, number: int, settings: SimulateSettings, preset: Preset = "icsi_pvp"
) -> Followed:
    """The sperm of a second of a video, and its votes; drawn without drawing a picture.

    Args:
        number: of the second, from 0.
    """
    rng = np.random.default_rng([seed_of(video), number, 1])
    scores = draw_scores(rng, donor_mean(donor), settings)
    found = quality(*scores)
    given = votes(found, biases(RATER_SEED), rng)
    return Followed(draw_sperm(rng, preset, *scores), found, given)


def follow(
    one: Followed,
    seconds: float,
    fps: float,
    optics: Optics,
    rng: np.random.Generator,
    preset: Preset = "icsi_pvp",
) -> Iterator[Frame]:
    """Frames that keep the head of a sperm in the middle, nearly."""
    height, width = SIZE_YX[preset]
    scene_yx = (height + 2 * MARGIN_PX, width + 2 * MARGIN_PX)
    scene = draw_background(rng, scene_yx, SPECKS, optics, preset)
    um = UM_PER_PX[preset]
    jitter = rng.normal(0, 0.5, 2)
    for number in range(round(seconds * fps)):
        time_s = number / fps
        # The operator, or the tracking, follows the head with a small error that wanders.
        jitter = 0.7 * jitter + rng.normal(0, 0.4, 2)
        x, y, _ = one.sperm.head_at(time_s)
        origin = (x - (width / 2 + jitter[0]) * um, y - (height / 2 + jitter[1]) * um)
        heads, tails, labels = draw(
            [one.sperm], time_s, origin, (height, width), um, EXPOSURE_S[preset]
        )
        background = _shifted(scene, origin[0] / um, origin[1] / um, (height, width))
        grey = expose(heads, tails, background, optics, preset, rng)
        yield Frame(grey, labels, [((x - origin[0]) / um, (y - origin[1]) / um)])


def _shifted(scene: Image, x: float, y: float, size_yx: tuple[int, int]) -> Image:
    """The part of a scene that lies at x, y (px) from its middle, between pixels where need be."""
    import cv2

    height, width = size_yx
    start = (
        x + (scene.shape[1] - width) / 2 + width / 2,
        y + (scene.shape[0] - height) / 2 + height / 2,
    )
    move = np.array([[1, 0, start[0]], [0, 1, start[1]]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(scene, move, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT)
    )


def draw_field(
    rng: np.random.Generator, donor: float, settings: SimulateSettings, preset: Preset = "semen"
) -> list[Sperm]:
    """The sperm of a field, anywhere in it."""
    height, width = SIZE_YX[preset]
    um = UM_PER_PX[preset]
    found = []
    for _ in range(settings.sperm):
        start = (rng.uniform(0, width) * um, rng.uniform(0, height) * um)
        found.append(draw_sperm(rng, preset, *draw_scores(rng, donor, settings), start))
    return found


def field(
    sperms: list[Sperm],
    seconds: float,
    fps: float,
    optics: Optics,
    rng: np.random.Generator,
    particles: int,
    preset: Preset = "semen",
) -> Iterator[Frame]:
    """Frames of a field that does not move."""
    size_yx, um = SIZE_YX[preset], UM_PER_PX[preset]
    background = draw_background(rng, size_yx, particles, optics, preset)
    for number in range(round(seconds * fps)):
        time_s = number / fps
        heads, tails, labels = draw(sperms, time_s, (0.0, 0.0), size_yx, um, EXPOSURE_S[preset])
        places = [one.head_at(time_s)[:2] for one in sperms]
        grey = expose(heads, tails, background, optics, preset, rng)
        yield Frame(grey, labels, [(x / um, y / um) for x, y in places])


def simulate(
    video: str, donor: str, preset: Preset, seconds: int, settings: SimulateSettings
) -> tuple[list[Frame], pd.DataFrame]:
    """The frames of a video and its truth.

    Args:
        seconds: of sperm that are followed, one a second.

    Returns:
        The frames; a row a sperm: number, start_s, quality, morphology, motility, speed_um_s,
        head_length_um, head_width_um, and votes A to E (of those that are followed).
    """
    rng = np.random.default_rng([seed_of(video), 3])
    optics = draw_optics(rng, preset)
    rows, frames = [], []
    if preset == "semen":
        sperms = draw_field(rng, donor_mean(donor), settings)
        made = field(sperms, settings.field_s, settings.field_fps, optics, rng, settings.debris)
        frames = list(progress(made, "frames"))
        for number, sperm in enumerate(sperms):
            rows.append(_truth(number, 0.0, sperm, quality(sperm.morphology, sperm.motility)))
    else:
        for number in progress(range(seconds), "sperm"):
            one = followed(video, donor, number, settings, preset)
            frames += follow(one, 1.0, settings.fps, optics, rng, preset)
            given = dict(zip(GRADES, one.votes.tolist(), strict=True))
            rows.append(_truth(number, float(number), one.sperm, one.quality) | given)
    return frames, pd.DataFrame(rows)


def _truth(number: int, start_s: float, sperm: Sperm, found: float) -> dict[str, float]:
    return {
        "number": number,
        "start_s": start_s,
        "quality": found,
        "morphology": sperm.morphology,
        "motility": sperm.motility,
        "speed_um_s": sperm.speed,
        "head_length_um": sperm.head_um[0],
        "head_width_um": sperm.head_um[1],
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--name", required=True, help="name of the video, which seeds it")
    parser.add_argument("--donor", required=True, help="its donor")
    parser.add_argument("--preset", required=True, choices=("icsi_pvp", "semen"))
    parser.add_argument("--seconds", required=True, type=int, help="sperm followed, one a second")
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--video", required=True, type=Path, help="video to write (AVI)")
    parser.add_argument("--masks", required=True, type=Path, help="labels to write (TIFF stack)")
    parser.add_argument("--truth", required=True, type=Path, help="table to write, a row a sperm")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = SimulateSettings.model_validate_json(arguments.settings)
    preset: Preset = arguments.preset
    frames, truth = simulate(arguments.name, arguments.donor, preset, arguments.seconds, settings)
    fps = settings.field_fps if preset == "semen" else settings.fps
    height, width = frames[0].grey.shape
    write_stack(
        arguments.masks, (one.labels for one in frames), len(frames), ["labels"], height, width,
        np.uint8, pixel_size_um=UM_PER_PX[preset],
    )  # fmt: skip
    write_table(arguments.truth, truth)
    write_video(arguments.video, (one.grey for one in frames), fps)
