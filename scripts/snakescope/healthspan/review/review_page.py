"""The page of review of a plate: a film strip of every worm, to be looked through and corrected.

One file that needs no other and no server: corrections are kept in the browser and handed out as
the file that the workflow reads (:mod:`snakescope.healthspan.review.corrections`). Served by
``snakescope review`` the same page saves them beside the results.
"""

import argparse
import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from snakescope.healthspan.registration.registered_pages import registered_pages
from snakescope.healthspan.report.contact_sheet import add_plate_arguments, read_instances
from snakescope.healthspan.report.contact_sheet_drawing import crop_around, mask_of_cell
from snakescope.healthspan.report.contact_sheet_rows import (
    INDIVIDUAL_COLUMNS,
    TRACK_COLUMNS,
    columns_of,
)
from snakescope.healthspan.review.corrected import digest_of_tracks
from snakescope.healthspan.review.corrections import (
    ACTIONS,
    ADJUDICATED,
    COLUMNS,
    PLATE_REASONS,
    REASONS,
)
from snakescope.healthspan.review.review_rows import PROBABILITY, ReviewRow, review_rows, same_place
from snakescope.healthspan.review.settings import ReviewPageSettings
from snakescope.healthspan.states.states import STATE_COLOURS
from snakescope.report.pages import TEMPLATES, html, jpeg_url, write_text
from snakescope.step.progress import progress
from snakescope.step.tables import read_table

CELLS_A_LINE = 64
"""Cells of a strip that are side by side in one picture; a JPEG is 65535 px wide at most."""
GROUND, GAIN, EMPTY = 128.0, 90.0, 224
"""Grey level of the ground, levels for a unit of contrast, and level without a frame."""
SHOWN_COLUMNS = (*TRACK_COLUMNS, "state", "counted", "reason", *PROBABILITY.values())
SCRIPTS = ("review_model.js", "review_drawing.js", "review_saving.js", "review.js")


def draw_cells(
    strips: NDArray[np.uint8],
    column: int,
    frame: NDArray[Any],
    rows: Sequence[ReviewRow],
    crop_px: float,
    scale: float,
) -> None:
    """Draw the cells of a frame, in place.

    Args:
        strips: grey levels, uint8 (rows, T, side, side).
        column: which of T.
        frame: raw pixels (Y, X).
        crop_px: side of the square shown, in plate pixels.
        scale: plate pixels per raw pixel.
    """
    side = strips.shape[-1]
    crops = [crop_around(frame, one.row.places[column], crop_px, scale, side) for one in rows]
    # A worm outside of the frame has no contrast, and would give the others too much.
    contrast = [extent for crop in crops if (extent := float(np.abs(crop).max())) > 0]
    spread = float(np.median(contrast)) if contrast else 1.0
    for number, crop in enumerate(crops):
        levels = np.clip(np.round(GROUND + GAIN * crop / spread), 0, 255)
        strips[number, column] = levels.astype(np.uint8)


def outlines_of(
    row: ReviewRow, instances: dict[int, Any], crop_px: float, side: int
) -> dict[int, list[int]]:
    """Return the outline of the mask in each cell that has one: x, y, x, y ... in pixels."""
    found = {}
    for column in row.seen:
        one = instances.get(int(row.row.instances[column]))
        if one is None:
            continue
        mask = mask_of_cell(one, row.row.places[column], crop_px, side).astype(np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        if contours:
            longest = max(contours, key=len)
            found[column] = [int(value) for value in longest.ravel()]
    return found


def strip_urls(cells: NDArray[np.uint8], quality: int) -> list[str]:
    """Return the cells (T, side, side) of a worm as pictures of at most ``CELLS_A_LINE``."""
    urls = []
    for begin in range(0, len(cells), CELLS_A_LINE):
        line = np.concatenate(list(cells[begin : begin + CELLS_A_LINE]), axis=1)
        urls.append(jpeg_url(line, quality))
    return urls


def in_script(value: Any) -> Markup:
    """Return JSON as a script element holds it: nothing but "<" could end it or begin another."""
    return Markup(json.dumps(value, separators=(",", ":")).replace("<", "\\u003c"))


def near_in_words(worm: dict[str, Any], worms: Sequence[dict[str, Any]]) -> list[str]:
    """Return which others a worm may be the same as, in words for its row."""
    names = {
        one["track"]: f"worm {one['individual']}" if one["individual"] else f"object {one['track']}"
        for one in worms
    }
    return [f"lies where {names[one]} does: the same (m)?" for one in worm.get("near", ())[:2]]


def page(data: dict[str, Any], strips: Sequence[Sequence[str]], plate_url: str) -> str:
    """Return the page; all text of the plate is escaped.

    Args:
        data: what the script knows, see :func:`review_data`; of each worm also its ``outlines``.
        strips: the pictures of every worm of ``data``.
        plate_url: picture of the whole plate.
    """
    script = "\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in SCRIPTS)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # Pictures and outlines stand behind the script, which takes them when a row is looked at.
    later = [
        in_script({"pictures": urls, "outlines": worm["outlines"]})
        for worm, urls in zip(data["worms"], strips, strict=True)
    ]
    worms = [{name: of for name, of in one.items() if name != "outlines"} for one in data["worms"]]
    return html(
        "review.html",
        plate=data["plate"],
        worms=worms,
        strips=later,
        movers=data["movers"],
        cell=data["cell"],
        plate_url=plate_url,
        data=in_script({**data, "worms": worms}),
        script=Markup(script),
        script_sha256=digest,
        colours=STATE_COLOURS,
        near={one["track"]: near_in_words(one, data["worms"]) for one in data["worms"]},
        actions=ACTIONS,
        reasons=REASONS,
    )


def review_data(
    plate: str,
    digest: str,
    rows: Sequence[ReviewRow],
    individuals: pd.DataFrame,
    timepoints: Sequence[int],
    day: NDArray[np.float64],
    shown: set[int],
    cell: int,
    hours: Sequence[float],
) -> dict[str, Any]:
    """Return what the script of the page knows of the plate; ``hours`` are of the columns."""
    movers = individuals[individuals["track"].isna()]
    return {
        "plate": plate,
        "digest": digest,
        "columns": COLUMNS,
        "reasons": REASONS,
        "plate_reasons": PLATE_REASONS,
        "adjudicated": ADJUDICATED,
        "cell": cell,
        "line": CELLS_A_LINE,
        "timepoints": list(timepoints),
        "hours": [round(float(one), 4) for one in hours],
        "days": [round(float(one), 2) for one in day],
        "usable": [int(one in shown) for one in timepoints],
        "worms": [one.as_json() for one in rows],
        "movers": [
            {"individual": int(number), "fate": str(reason)}
            for number, reason in zip(movers["individual"], movers["censor_reason"], strict=True)
        ],
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--plate", required=True)
    add_plate_arguments(parser)


def main(given: argparse.Namespace) -> None:
    """Run the step."""
    settings = ReviewPageSettings.model_validate_json(given.settings)
    tracks = read_table(given.tracks, SHOWN_COLUMNS, text=("reason",))
    individuals = read_table(given.individuals, INDIVIDUAL_COLUMNS)
    frames = read_table(given.frames, ("timepoint", "time_h", "page", "status"))
    timepoints, day, shown = columns_of(frames, given.age_at_first_frame_d)
    # As the page sorts them at first, so that those in view are at the begin of its pictures.
    rows = sorted(
        review_rows(individuals, tracks, timepoints, shown, day),
        key=lambda one: (one.individual == 0, np.nan_to_num(one.confidence, nan=-1.0)),
    )
    wanted = {int(one) for row in rows for one in row.row.instances if one >= 0}
    instances, _, plate_um = read_instances(given.masks, wanted)
    plate_um = plate_um or given.pixel_size_um
    scale, crop_px = given.pixel_size_um / plate_um, settings.crop_um / plate_um
    side = settings.cell_px
    strips = np.full((len(rows), len(timepoints), side, side), EMPTY, np.uint8)
    picture: NDArray[Any] = np.full((2, 2), EMPTY, np.uint8)
    size = (1.0, 1.0)
    pages = registered_pages(frames, given.registered, settings.channel)
    for timepoint, frame in progress(pages, "review page"):
        if rows:
            draw_cells(strips, timepoints.index(timepoint), frame, rows, crop_px, scale)
        picture, size = frame, (frame.shape[0] * scale, frame.shape[1] * scale)
    digest = digest_of_tracks(given.tracks)
    time_h = frames.drop_duplicates("timepoint").set_index("timepoint")["time_h"]
    hours = time_h.loc[list(timepoints)].tolist()
    data = review_data(given.plate, digest, rows, individuals, timepoints, day, shown, side, hours)
    near = same_place(rows, settings.near_um / plate_um)
    for row, worm in zip(rows, data["worms"], strict=True):
        worm["outlines"] = outlines_of(row, instances, crop_px, side)
        worm["near"] = near.get(row.track, [])
    data["height_px"], data["width_px"] = size
    urls = [strip_urls(cells, settings.jpeg_quality) for cells in strips]
    whole = jpeg_url(_whole(picture, settings.plate_px), settings.jpeg_quality)
    write_text(Path(given.page), page(data, urls, whole))


def _whole(frame: NDArray[Any], side: int) -> NDArray[np.uint8]:
    """The last frame, its longer side at most ``side`` pixels, stretched to its levels."""
    factor = min(1.0, side / max(frame.shape))
    small = cv2.resize(
        frame.astype(np.float32), None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA
    )
    low, high = np.percentile(small, (0.5, 99.5))
    return np.clip(255 * (small - low) / max(high - low, 1e-6), 0, 255).astype(np.uint8)
