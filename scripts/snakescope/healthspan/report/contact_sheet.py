"""The contact sheet of a plate's individuals: rows are worms, columns are timepoints.

Every worm that stopped has a row, sorted by death; its crops are tinted by state over its
mask, so that a person sees at once where the machine may be wrong (paper, section 3.4 and
figure 17). Movers cannot be told apart, so a worm has no place before it stopped: until
then the sheet shows, faded, the ground on which it was to stop.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.healthspan.registration.registered_pages import (
    FRAME_COLUMNS,
    registered_pages,
)
from snakescope.healthspan.report.contact_sheet_drawing import (
    WHITE,
    cell_side,
    draw_timepoint,
    palette,
    with_labels,
    write_png,
)
from snakescope.healthspan.report.contact_sheet_rows import (
    INDIVIDUAL_COLUMNS,
    TRACK_COLUMNS,
    Row,
    columns_of,
    rows_of,
)
from snakescope.healthspan.report.settings import ContactSheetSettings
from snakescope.healthspan.states.sightings import all_masks
from snakescope.healthspan.states.states import DEAD, HEALTHY, IMMOBILE, STATE_COLOURS
from snakescope.healthspan.tracking.individuals import corrected_heading
from snakescope.imaging.masks import Instance
from snakescope.imaging.style import FAINT_INK, INK, RULE
from snakescope.report.pages import html, jpeg_url, write_text
from snakescope.step.progress import progress
from snakescope.step.tables import read_table

KEYS = (
    ("healthy", STATE_COLOURS[HEALTHY]),
    ("immobile", STATE_COLOURS[IMMOBILE]),
    ("dead", STATE_COLOURS[DEAD]),
    ("before it stopped (movers are counted, not followed)", "#bababa"),
    ("not found", "#ffffff"),
    ("no usable frame", "#dfdfdf"),
)
"""What the colours of the sheet mean."""


@dataclass(frozen=True)
class Sheet:
    """A drawn contact sheet.

    Attributes:
        title: one line.
        rows: the worms, sorted by death.
        days: age at each column (d).
        side: of a cell (px).
        pixels: palette values, uint8 (rows * side, columns * side).
    """

    title: str
    rows: list[Row]
    days: list[float]
    side: int
    pixels: NDArray[np.uint8]


def read_instances(
    paths: Sequence[str | Path], wanted: set[int]
) -> tuple[dict[int, Instance], str, float | None]:
    """The wanted instances of a plate by identifier, its name and its pixel size (um)."""
    found: dict[int, Instance] = {}
    plate, pixel_size_um = "", None
    for path in paths:
        masks = all_masks(path)
        plate, pixel_size_um = masks.plate, masks.pixel_size_um
        found.update((one.identifier, one) for one in masks.instances if one.identifier in wanted)
    return found, plate, pixel_size_um


def draw_sheet(
    tracks: pd.DataFrame,
    individuals: pd.DataFrame,
    frames: pd.DataFrame,
    masks: Sequence[str | Path],
    registered: Sequence[str | Path],
    pixel_size_um: float,
    age_at_first_frame_d: float,
    settings: ContactSheetSettings,
) -> Sheet:
    """Draw the sheet; every registered frame is read once and one is held at a time.

    Args:
        tracks, individuals, frames: the plate's tables.
        masks, registered: files of its blocks.
        pixel_size_um: of the registered frames (um).
        age_at_first_frame_d: of the worms (d).
        settings: of the sheet.

    Raises:
        StepError: a mask file or a stack is absent or damaged.
    """
    timepoints, day, shown = columns_of(frames, age_at_first_frame_d)
    days = day.tolist()
    rows = rows_of(individuals, tracks, timepoints, shown)
    side = cell_side(
        len(rows),
        len(timepoints),
        settings.max_cell_px,
        settings.min_cell_px,
        settings.sheet_px,
    )
    wanted = {int(one) for row in rows for one in row.instances if one >= 0}
    instances, plate, plate_pixel_um = read_instances(masks, wanted)
    scale = pixel_size_um / (plate_pixel_um or pixel_size_um)
    crop_px = settings.crop_um / (plate_pixel_um or pixel_size_um)
    pixels = np.full((len(rows) * side, len(timepoints) * side), WHITE, dtype=np.uint8)
    if rows:
        drawn = set()
        pages = registered_pages(frames, registered, settings.channel)
        for timepoint, frame in progress(pages, "contact sheet"):
            column = timepoints.index(timepoint)
            draw_timepoint(pixels, column, frame, rows, instances, side, crop_px, scale)
            drawn.add(column)
        for column in set(range(len(timepoints))) - drawn:
            draw_timepoint(pixels, column, None, rows, instances, side, crop_px, scale)
    never = len(individuals) - len(rows)
    more = f", {never} more never seen to stop" if never else ""
    title = f"{plate or 'plate'}: {len(rows)} worms that stopped{more}"
    title += corrected_heading(individuals)
    return Sheet(title, rows, days, side, pixels)


def page(sheet: Sheet, jpeg_quality: int) -> str:
    """HTML with a row of pictures per worm; the headings stay in sight while one scrolls."""
    tops = range(0, sheet.pixels.shape[0], sheet.side)
    strips = [
        jpeg_url(palette()[sheet.pixels[top : top + sheet.side]], jpeg_quality) for top in tops
    ]
    return html(
        "contact_sheet.html",
        title=sheet.title,
        worms=[
            (row.individual, row.fate, strip) for row, strip in zip(sheet.rows, strips, strict=True)
        ],
        days=sheet.days,
        day_step=1 if sheet.side >= 34 else 2,
        side=sheet.side,
        keys=KEYS,
        ink=INK,
        faint_ink=FAINT_INK,
        rule=RULE,
    )


def write_sheet(
    sheet: Sheet, image: str | Path, page_file: str | Path, settings: ContactSheetSettings
) -> None:
    """Write the sheet as a labelled PNG and as a page with a strip per worm."""
    text = page(sheet, settings.jpeg_quality)
    write_png(image, with_labels(sheet.pixels, sheet.rows, sheet.days, sheet.title, sheet.side))
    write_text(page_file, text)


def add_plate_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that shows every worm of a plate."""
    parser.add_argument("--tracks", required=True)
    parser.add_argument("--individuals", required=True)
    parser.add_argument("--frames", required=True)
    parser.add_argument("--masks", nargs="+", required=True)
    parser.add_argument("--registered", nargs="+", required=True)
    parser.add_argument("--pixel-size-um", type=float, required=True)
    parser.add_argument("--age-at-first-frame-d", type=float, default=0.0)
    parser.add_argument("--settings", default="{}")
    parser.add_argument("--page", required=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_plate_arguments(parser)
    parser.add_argument("--image", required=True)


def main(arguments: argparse.Namespace) -> None:
    """Read the command line and make the sheet."""
    settings = ContactSheetSettings.model_validate_json(arguments.settings)
    sheet = draw_sheet(
        read_table(arguments.tracks, TRACK_COLUMNS),
        read_table(arguments.individuals, INDIVIDUAL_COLUMNS),
        read_table(arguments.frames, FRAME_COLUMNS),
        arguments.masks,
        arguments.registered,
        arguments.pixel_size_um,
        arguments.age_at_first_frame_d,
        settings,
    )
    write_sheet(sheet, arguments.image, arguments.page, settings)
