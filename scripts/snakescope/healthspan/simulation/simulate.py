"""Simulated plates: raw images as exported by the instrument, and ground truth.

    snakescope healthspan simulate --settings '{}' --plate A1 --seed 7 --folder demo

writes ``demo/A1/raw/VID1_Phase_A1_1_00d12h00m.tif`` ... and, under ``demo/A1/truth``:

- ``frames.tsv``: motion of the dish relative to the reference frame at each timepoint (see
  :mod:`snakescope.healthspan.registration.motion`), and whether the frame is missing or fogged;
- ``worms.tsv``: when each worm's healthspan and life ended (days of adulthood);
- ``states.tsv``: state and position of each worm at each timepoint, in the reference frame;
- ``masks.json``: every worm's mask at every timepoint, in the reference frame;
- ``simulation.json``: version, seed and settings, and the names of the images in ``raw/``.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import tifffile
from numpy.typing import NDArray

from snakescope.healthspan.geometry import PIXEL_SIZE_UM
from snakescope.healthspan.registration.motion import Motion
from snakescope.healthspan.simulation.debris import (
    Ground,
    cross_mark,
    empty_ground,
    moved_ground,
    rim,
    scatter,
    texture,
)
from snakescope.healthspan.simulation.life_course import LifeCourse, draw_courses, live
from snakescope.healthspan.simulation.optics import (
    RANGES,
    Look,
    LookRanges,
    add_patch,
    body_density,
    body_glow,
    draw_look,
    expose,
    light_field,
    smooth_noise,
)
from snakescope.healthspan.simulation.settings import SimulateSettings
from snakescope.healthspan.simulation.worm_body import Worm, body_pixels, place
from snakescope.healthspan.states.states import STATES
from snakescope.imaging.masks import INSTANCES_PER_TIMEPOINT, MaskSet, write_masks
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write
from snakescope.step.progress import progress
from snakescope.step.tables import write_table

DISH_SHARE = 0.485
"""Radius of the dish as a fraction of the side of the frame."""
RECORD = "simulation.json"
"""Not an output of the rule, so Snakemake keeps it when the plate is simulated again."""
FILE_CHANNELS = {"bright_field": "Phase", "dark_field": "Green"}


def seen(worm: Worm, matrix: NDArray[np.float64], middle: float) -> Worm:
    """Transform a worm from coordinates around the centre of the dish to a frame."""
    x, y, _ = matrix @ (worm.x + middle, worm.y + middle, 1.0)
    turn = float(np.arctan2(matrix[1, 0], matrix[0, 0]))
    return replace(worm, y=float(y), x=float(x), heading=worm.heading + turn)


def draw_ground(rng: np.random.Generator, settings: SimulateSettings, look: Look) -> Ground:
    """Draw a dish without worms: agar, debris, rim, mark."""
    size = settings.frame_px
    ground = empty_ground((size, size))
    texture(rng, ground, look)
    scatter(rng, ground, int(look.debris * size * size / 1e6))
    middle, radius = (size - 1) / 2, DISH_SHARE * size
    rim(rng, ground, (middle, middle), radius)
    if settings.mark:
        angle, distance = rng.uniform(0, 2 * np.pi), 0.72 * radius
        centre = (middle + distance * np.sin(angle), middle + distance * np.cos(angle))
        cross_mark(rng, ground, centre, float(np.clip(0.03 * size, 45, 90)))
    return ground


def fog(rng: np.random.Generator, ground: Ground) -> Ground:
    """Add condensation: drops and patches of low contrast."""
    shape = (ground.density.shape[0], ground.density.shape[1])
    veil = np.clip(smooth_noise(rng, shape, 90) * 0.25 + 0.1, 0, 0.6)
    blurred = cv2.GaussianBlur(ground.density, (0, 0), 2.0)
    return Ground(np.asarray(blurred * (1 - veil) + 0.15 * veil, np.float32), ground.glow * 0.8)


def draw_frame(
    settings: SimulateSettings,
    ground: Ground,
    light: NDArray[np.float32],
    look: Look,
    worms: list[Worm],
    matrix: NDArray[np.float64],
    seed: list[int],
    fogged: bool,
) -> dict[str, NDArray[np.uint8] | NDArray[np.uint16]]:
    """Render the raw images of one timepoint, one per channel."""
    rng = np.random.default_rng(seed)
    scene = moved_ground(ground, matrix)
    middle = (settings.frame_px - 1) / 2
    for number, worm in enumerate(worms):
        # Granules of a worm do not change, so they have a generator of their own.
        own = np.random.default_rng([*seed[:2], 99, number])
        body = body_pixels(seen(worm, matrix, middle))
        add_patch(scene.density, body_density(own, body, look), body.top, body.left)
        add_patch(scene.glow, body_glow(own, body, look), body.top, body.left)
    if fogged:
        scene = fog(rng, scene)
    return {
        name: expose(rng, scene.density, scene.glow, light, look, name, settings.bits)
        for name in settings.channels
    }


def file_name(plate: str, channel: str, hours: float) -> str:
    """Return a file name as of IncuCyte exports, ``VID1_Phase_A1_1_00d12h00m.tif``."""
    minutes = round(hours * 60)
    days, rest = divmod(minutes, 24 * 60)
    return f"VID1_{FILE_CHANNELS[channel]}_A1_1_{days:02d}d{rest // 60:02d}h{rest % 60:02d}m.tif"


def truth_tables(
    courses: list[LifeCourse],
    paths: list[list[Worm]],
    days: NDArray[np.float64],
    middle: float,
    reference: NDArray[np.float64],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables of ground truth of worms and states."""
    worms = pd.DataFrame(
        {
            "worm": range(len(courses)),
            "healthspan_end_d": [one.healthspan_end_d for one in courses],
            "death_d": [one.death_d for one in courses],
            "censored": [int(one.death_d > days[-1]) for one in courses],
        }
    )
    rows = []
    for number, (course, path) in enumerate(zip(courses, paths, strict=True)):
        for timepoint, (day, worm) in enumerate(zip(days, path, strict=True)):
            there = seen(worm, reference, middle)
            rows.append((timepoint, number, STATES[course.state(day)], there.y, there.x))
    columns = ["timepoint", "worm", "state", "y_px", "x_px"]
    return worms, pd.DataFrame(rows, columns=columns)


def identity_of(settings: SimulateSettings, seed: int) -> dict[str, Any]:
    """Return version, seed and settings, on which a simulated plate depends."""
    return {
        "version": SimulateSettings.version,
        "seed": seed,
        "settings": settings.model_dump(mode="json"),
    }


def read_record(folder: Path) -> dict[str, Any]:
    """Read the record of the last simulation in the folder of a plate; empty without one."""
    path = folder / "truth" / RECORD
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def is_simulated(folder: Path, settings: SimulateSettings, seed: int) -> bool:
    """Return whether the folder of a plate holds this simulation completely."""
    record = read_record(folder)
    record.pop("frames", None)
    # Ground-truth masks are written last.
    return record == identity_of(settings, seed) and (folder / "truth" / "masks.json").exists()


def make_room(folder: Path, identity: dict[str, Any], names: list[str]) -> None:
    """Remove the images of an earlier simulation, and record those of this one.

    Only recorded images are removed, since the folder may hold images of a user.

    Args:
        folder: of the plate.
        names: of the images that are to be written to ``raw/``.

    Raises:
        StepError: the folder holds other images, which would be mixed with those of the plate.
    """
    raw, truth = folder / "raw", folder / "truth"
    (truth / "masks.json").unlink(missing_ok=True)
    for name in read_record(folder).get("frames", []):
        (raw / Path(name).name).unlink(missing_ok=True)
    others = sorted({path.name for path in raw.glob("*.tif*")} - set(names))
    if others:
        raise StepError(
            f"{raw}: expected images of this simulation only, found {len(others)} others, such as"
            f" {others[0]}; remove them, or simulate a plate of another name"
        )
    with atomic_write(truth / RECORD) as partial:
        record = json.dumps({**identity, "frames": names}, indent=1)
        partial.write_text(record + "\n", encoding="utf-8")


def simulate_plate(
    settings: SimulateSettings,
    plate: str,
    seed: int,
    folder: Path,
    ranges: LookRanges | None = None,
) -> None:
    """Write ``folder/plate/raw`` and ``folder/plate/truth``, replacing an earlier simulation.

    Args:
        ranges: from which the look is drawn; None takes those that the settings name.

    Raises:
        StepError: the raw folder holds images that no recorded simulation has written.
    """
    size, count = settings.frame_px, settings.timepoints
    middle = (size - 1) / 2
    rng = np.random.default_rng([seed, 0])
    look = draw_look(rng, ranges or RANGES[settings.looks])
    ground = draw_ground(rng, settings, look)
    light = light_field(rng, (size, size), look)
    hours = np.arange(count) * settings.interval_h
    days = settings.age_at_first_frame_d + hours / 24
    courses = draw_courses(rng, settings.worms, settings.lifespan_scale_d, settings.lifespan_shape)
    reach = 0.93 * DISH_SHARE * size - 20
    paths = [live(rng, one, days, reach, settings.nudge_rate_per_d) for one in courses]
    shifts = rng.uniform(-1, 1, size=(count, 2)) * settings.stage_error_px
    turns = rng.uniform(-1, 1, size=count) * settings.turn_deg
    missing = rng.random(count) < settings.missing_share
    missing[0] = False
    fogged = (rng.random(count) < settings.fogged_share) & (np.arange(count) > 0)
    motions = [
        Motion(float(shifts[t, 0]), float(shifts[t, 1]), float(turns[t])) for t in range(count)
    ]
    matrices = [motion.matrix(size, size) for motion in motions]

    raw = folder / plate / "raw"
    names = [
        file_name(plate, channel, float(hours[t]))
        for t in range(count)
        if not missing[t]
        for channel in FILE_CHANNELS
    ]
    make_room(folder / plate, identity_of(settings, seed), names)
    for t in progress(range(count), f"{plate}: frames simulated"):
        if missing[t]:
            continue
        worms = [path[t] for path in paths]
        images = draw_frame(
            settings, ground, light, look, worms, matrices[t], [seed, 1, t], bool(fogged[t])
        )
        for channel, image in images.items():
            with atomic_write(raw / file_name(plate, channel, float(hours[t]))) as partial:
                tifffile.imwrite(partial, image, metadata=None)

    truth = folder / plate / "truth"
    relative = [relative_motion(motion, motions[0], size) for motion in motions]
    frames = pd.DataFrame(
        {
            "timepoint": range(count),
            "time_h": hours,
            "shift_y_px": [one.shift_y_px for one in relative],
            "shift_x_px": [one.shift_x_px for one in relative],
            "rotation_deg": [one.rotation_deg for one in relative],
            "missing": missing.astype(int),
            "fogged": fogged.astype(int),
        }
    )
    write_table(truth / "frames.tsv", frames)
    worms_table, states = truth_tables(courses, paths, days, middle, matrices[0])
    write_table(truth / "worms.tsv", worms_table)
    write_table(truth / "states.tsv", states)
    instances = []
    for number, path in enumerate(paths):
        for t, worm in enumerate(path):
            body = body_pixels(seen(worm, matrices[0], middle))
            one = place(body, (size, size), t, t * INSTANCES_PER_TIMEPOINT + number)
            if one is not None and not missing[t]:
                instances.append(one)
    taken = tuple(t for t in range(count) if not missing[t])
    ordered = tuple(sorted(instances, key=lambda one: one.identifier))
    write_masks(truth / "masks.json", MaskSet(plate, PIXEL_SIZE_UM, size, size, taken, ordered))


def relative_motion(motion: Motion, reference: Motion, size: int) -> Motion:
    """Return the motion of the dish from the reference frame to another, both size x size px."""
    whole = motion.matrix(size, size) @ np.linalg.inv(reference.matrix(size, size))
    return Motion.of_matrix(whole, size, size)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--plate", required=True)
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--folder", required=True, type=Path)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    cv2.setNumThreads(1)
    settings = SimulateSettings.model_validate_json(arguments.settings)
    simulate_plate(settings, arguments.plate, arguments.seed, arguments.folder)
