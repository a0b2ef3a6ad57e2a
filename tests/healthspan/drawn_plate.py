"""A small plate drawn with a few lines, with all the files its later steps read.

Not the simulator: worms are thick arcs and every number is chosen, so that a test
knows what it must find.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.imaging.masks import (
    INSTANCES_PER_TIMEPOINT,
    Instance,
    MaskSet,
    cropped,
    write_masks,
)
from snakescope.imaging.stacks import write_stack
from snakescope.step.tables import write_table

GROUND, WORM = 150, 90


@dataclass(frozen=True)
class DrawnPlate:
    """Paths of a plate's files, and its tables."""

    folder: Path
    masks: list[Path]
    registered: list[Path]
    tracks: pd.DataFrame
    individuals: pd.DataFrame
    frames: pd.DataFrame
    states: pd.DataFrame
    counts: pd.DataFrame
    summary: pd.DataFrame


def arc(size: int, y: float, x: float, angle: float, length: float, width: int) -> NDArray:
    """A worm's body as a bool mask (size, size)."""
    along = np.linspace(-0.5, 0.5, 24)
    bend = 6 * np.sin(along * 5 + angle)
    ys = y + along * length * np.sin(angle) + bend * np.cos(angle)
    xs = x + along * length * np.cos(angle) - bend * np.sin(angle)
    canvas = np.zeros((size, size), np.uint8)
    points = np.round(np.stack([xs, ys], axis=1)).astype(np.int32)[:, None, :]
    cv2.polylines(canvas, [points], False, 1, width)
    return canvas.astype(bool)


def state_at(timepoint: int, stops: int, dies: int) -> str:
    return "dead" if timepoint >= dies else "immobile" if timepoint >= stops else "healthy"


def draw_plate(
    folder: Path,
    worms: int = 6,
    timepoints: int = 12,
    per_block: int = 5,
    plate_px: int = 400,
    scale: float = 1.0,
    missing: tuple[int, ...] = (3,),
    unregistered: tuple[int, ...] = (7,),
    lost: tuple[tuple[int, int], ...] = ((0, 9),),
    dtype: type = np.uint8,
) -> DrawnPlate:
    """Draw it: worm w stops at timepoint 2 + w and dies two later; the last worm never stops.

    Args:
        folder: where its files go.
        plate_px: side of the plate in plate coordinates.
        scale: plate pixels per raw pixel.
        missing, unregistered: timepoints without a page.
        lost: (worm, timepoint) pairs at which a worm is not found.
    """
    random = np.random.default_rng(7)
    raw_px = round(plate_px / scale)
    places = random.uniform(80, plate_px - 80, (worms, 2))
    angles = random.uniform(0, 3, worms)
    frames, tracks, counts, states = [], [], [], []
    masks, registered = [], []
    for first in range(0, timepoints, per_block):
        block = range(first, min(first + per_block, timepoints))
        name = f"t{first:03d}-t{first + per_block - 1:03d}"
        pages: list[NDArray] = []
        instances: list[Instance] = []
        for timepoint in block:
            status = (
                "missing"
                if timepoint in missing
                else "unregistered"
                if timepoint in unregistered
                else "registered"
            )
            good = status == "registered"
            frames.append(
                {
                    "timepoint": timepoint,
                    "time_h": 12.0 * timepoint,
                    "page": len(pages) if good else None,
                    "status": status,
                    "reason": "" if good else "no such file",
                    "shift_y_px": 3 * np.sin(timepoint) if good else None,
                    "shift_x_px": 4 * np.cos(timepoint) if good else None,
                    "rotation_deg": 0.1 * timepoint if good else None,
                    "score": 0.9 - 0.01 * timepoint if good else None,
                    "method": "mark" if good else "",
                }
            )
            tally = {"healthy": 0, "immobile": 0, "dead": 0}
            frame = random.normal(GROUND, 4, (plate_px, plate_px))
            for worm in range(worms):
                state = state_at(timepoint, 2 + worm, 4 + worm) if worm < worms - 1 else "healthy"
                y, x = places[worm]
                if state == "healthy":
                    y, x = random.uniform(80, plate_px - 80, 2)
                body = arc(plate_px, y, x, angles[worm], 100, 8)
                frame[body] = random.normal(WORM, 4, int(body.sum()))
                if not good or (worm, timepoint) in lost:
                    continue
                identifier = timepoint * INSTANCES_PER_TIMEPOINT + worm
                one = cropped(body, 0, 0, timepoint, identifier, 0.9)
                assert one is not None
                instances.append(one)
                tally[state] += 1
                chances = {f"p_{name}": 0.9 if name == state else 0.05 for name in tally}
                found = {"instance": identifier, "y_px": one.centroid[0], "x_px": one.centroid[1]}
                seen = {"timepoint": timepoint, "time_h": 12.0 * timepoint, **found}
                states.append({**seen, **chances, "state": state})
                if state != "healthy":
                    tracks.append(
                        {
                            "track": worm,
                            **seen,
                            "state": state,
                            **chances,
                            "consistent_state": state,
                            "counted": 1,
                            "reason": "",
                        }
                    )
            total = sum(tally.values())
            counts.append(
                {
                    "timepoint": timepoint,
                    "time_h": 12.0 * timepoint,
                    "day": 2 + timepoint / 2,
                    "usable": int(good),
                    **tally,
                    "alive": total - tally["dead"],
                    "total": total,
                }
            )
            if good:
                raw = cv2.resize(frame, (raw_px, raw_px), interpolation=cv2.INTER_AREA)
                deep = np.clip(raw, 0, 255) * (200 if dtype is np.uint16 else 1)
                pages.append(deep.astype(dtype)[None])
        registered.append(folder / "registered" / f"{name}.ome.tif")
        write_stack(registered[-1], pages, len(pages), ["bright_field"], raw_px, raw_px, dtype)
        masks.append(folder / "masks" / f"{name}.json")
        usable = tuple(one for one in block if one not in (*missing, *unregistered))
        write_masks(masks[-1], MaskSet("drawn", 9.74, plate_px, plate_px, usable, tuple(instances)))
        write_table(
            folder / "masks" / f"{name}.dropped.tsv",
            pd.DataFrame(
                {
                    "timepoint": [first, first],
                    "y_px": [20.0, 30.0],
                    "x_px": [20.0, 30.0],
                    "area_px": [9, 12],
                    "length_px": [4, 5],
                    "score": [0.4, 0.6],
                    "reason": ["too small", "edge of dish"],
                }
            ),
        )
    individuals = pd.DataFrame(
        [
            {
                "individual": worm + 1,
                "track": worm if worm < worms - 1 else None,
                "first_timepoint": 2 + worm if worm < worms - 1 else None,
                "last_timepoint": timepoints - 1 if worm < worms - 1 else None,
                "y_px": places[worm][0],
                "x_px": places[worm][1],
                "healthspan_end_after_d": 2 + (1 + worm) / 2,
                "healthspan_end_before_d": 2 + (2 + worm) / 2,
                "death_after_d": 2 + (3 + worm) / 2,
                "death_before_d": 2 + (4 + worm) / 2 if worm < worms - 1 else None,
                "seen_moving": 1,
                "health_censored": int(worm == worms - 1),
                "death_censored": int(worm == worms - 1),
                "censor_reason": "alive at last frame" if worm == worms - 1 else "",
            }
            for worm in range(worms)
        ]
    )
    summary = pd.DataFrame(
        [{"plate": "drawn", "worms": worms, "deaths": worms - 1, "lost_from_view": 0}]
    )
    plate = DrawnPlate(
        folder, masks, registered, pd.DataFrame(tracks), individuals,
        pd.DataFrame(frames), pd.DataFrame(states), pd.DataFrame(counts), summary,
    )  # fmt: skip
    for name in ("tracks", "individuals", "frames", "states", "counts", "summary"):
        write_table(folder / f"{name}.tsv", getattr(plate, name))
    return plate
