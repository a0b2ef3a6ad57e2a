"""The pixels of the contact sheet.

The sheet is a picture with a palette: grey, and tones of the three states, 64 of each.
That is a byte a pixel, a third of RGB in memory and in the file, and nothing is dithered.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from snakescope.healthspan.report.contact_sheet_rows import Cell, Row
from snakescope.healthspan.states.states import DEAD, HEALTHY, IMMOBILE, STATE_COLOURS
from snakescope.imaging.masks import Instance, paint
from snakescope.imaging.overlays import around, ramp
from snakescope.step.output import atomic_write

TONES = 64
WHITE, RULE_TONE, FAINT_INK_TONE, INK_TONE = 63, 55, 28, 9
PURE_TONE = int(0.6 * TONES)
"""The tone of a ramp that is the state's colour itself."""

INK_OF_CELL = {Cell.HEALTHY: 1, Cell.IMMOBILE: 2, Cell.DEAD: 3}
SHADES = {
    Cell.BEFORE: (46.0, 12.0),
    Cell.NOT_FOUND: (60.5, 9.0),
    Cell.HEALTHY: (37.0, 24.0),
    Cell.IMMOBILE: (37.0, 24.0),
    Cell.DEAD: (37.0, 24.0),
}
"""Tone of the ground, tones for a unit of contrast: the eye is to land on what was found."""

LIFT = 12
"""Tones by which a tinted worm is lightened: dark worms in bright field would hide their state."""

COVERED = 0.3
GAP_PX = 1


def palette() -> NDArray[np.uint8]:
    """RGB of every value of the sheet, uint8 (256, 3)."""
    grey = np.round(np.linspace(0, 255, TONES)).astype(np.uint8)
    tints = [ramp(STATE_COLOURS[state], TONES) for state in (HEALTHY, IMMOBILE, DEAD)]
    return np.concatenate([np.repeat(grey[:, None], 3, axis=1), *tints])


def cell_side(rows: int, columns: int, largest: int, smallest: int, sheet_px: int) -> int:
    """Side of a cell (px): as large as the sheet allows."""
    fitting = int(np.sqrt(sheet_px / max(rows * columns, 1)))
    return max(min(largest, fitting), smallest)


def draw_timepoint(
    sheet: NDArray[np.uint8],
    column: int,
    frame: NDArray[Any] | None,
    rows: Sequence[Row],
    masks: dict[int, Instance],
    side: int,
    crop_px: float,
    scale: float,
) -> None:
    """Fill one column of the sheet, in place.

    Args:
        sheet: palette values, uint8 (rows * side, columns * side).
        column: which.
        frame: the registered frame (Y, X), raw pixels; None where there is none.
        rows: the worms.
        masks: instances by identifier, plate coordinates.
        side: of a cell (px).
        crop_px: side of the square shown, plate coordinates (px).
        scale: plate pixels per raw pixel.
    """
    drawn = side - GAP_PX
    left = column * side
    if frame is None:
        for number in range(len(rows)):
            sheet[number * side : number * side + drawn, left : left + drawn] = RULE_TONE
        return
    crops = [crop_around(frame, row.places[column], crop_px, scale, drawn) for row in rows]
    spread = max(float(np.percentile([np.abs(crop).max() for crop in crops], 50)), 1e-6)
    for number, (row, crop) in enumerate(zip(rows, crops, strict=True)):
        kind = Cell(row.cells[column])
        ground, gain = SHADES[kind]
        tones = np.clip(np.round(ground + gain * crop / spread), 0, TONES - 1).astype(np.uint8)
        if kind in INK_OF_CELL:
            ink = np.uint8(INK_OF_CELL[kind] * TONES)
            one = masks.get(int(row.instances[column]))
            if one is not None:
                covered = mask_of_cell(one, row.places[column], crop_px, drawn)
                lifted = np.minimum(tones[covered] + LIFT, TONES - 1)
                tones[covered] = lifted + ink
            bar = max(2, side // 16)
            tones[-bar:] = ink + PURE_TONE
        sheet[number * side : number * side + drawn, left : left + drawn] = tones


def crop_around(
    frame: NDArray[Any], place: NDArray[np.float64], crop_px: float, scale: float, side: int
) -> NDArray[np.float32]:
    """The surroundings of a place, less their median, float32 (side, side)."""
    raw_side = max(2, round(crop_px / scale))
    y, x = (place + 0.5) / scale - 0.5
    crop = around(frame, y, x, raw_side).astype(np.float32)
    way = cv2.INTER_AREA if raw_side > side else cv2.INTER_CUBIC
    small = cv2.resize(crop, (side, side), interpolation=way)
    return np.asarray(small - np.median(small), dtype=np.float32)


def mask_of_cell(
    one: Instance, place: NDArray[np.float64], crop_px: float, side: int
) -> NDArray[np.bool_]:
    """The mask as its cell shows it, bool (side, side); a worm one pixel wide stays whole."""
    width = round(crop_px)
    top, left = (round(float(axis) - width / 2) for axis in place)
    moved = Instance(
        one.timepoint, one.identifier, one.top - top, one.left - left, one.mask, one.score
    )
    cover = paint([moved], width, width).astype(np.float32)
    return np.asarray(cv2.resize(cover, (side, side), interpolation=cv2.INTER_AREA) > COVERED)


def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", name)), size)


def with_labels(
    sheet: NDArray[np.uint8], rows: Sequence[Row], days: Sequence[float], title: str, side: int
) -> NDArray[np.uint8]:
    """The sheet with its title, legend, days above and worms on the left."""
    size = int(np.clip(side * 0.22, 9, 13))
    plain, bold, large = _font(size), _font(size, True), _font(15, True)
    labels = [(f"worm {row.individual}", row.fate) for row in rows]
    left = int(max([plain.getlength(text) for _, text in labels] + [90.0])) + 18
    top = 66
    width = max(left + sheet.shape[1] + 8, 640)
    picture = Image.new("L", (width, top + max(sheet.shape[0], 40) + 8), WHITE)
    pen = ImageDraw.Draw(picture)
    pen.text((10, 8), title, fill=INK_TONE, font=large)
    _legend(pen, 10, 32, _font(11))
    step = 1
    while step * side < plain.getlength(f"{max(days, default=0):.1f}") + 6:
        step += 1
    for column in range(0, len(days), step):
        text = f"{days[column]:.1f}"
        place = left + column * side + (side - GAP_PX) / 2
        pen.text((place, top - 5), text, fill=FAINT_INK_TONE, font=plain, anchor="ms")
    pen.text((left - 8, top - 5), "day", fill=FAINT_INK_TONE, font=plain, anchor="rs")
    for number, (name, text) in enumerate(labels):
        middle = top + number * side + side / 2
        pen.text((left - 8, middle - 1), name, fill=INK_TONE, font=bold, anchor="rs")
        pen.text((left - 8, middle + 1), text, fill=FAINT_INK_TONE, font=plain, anchor="ra")
    labelled = np.array(picture, dtype=np.uint8)
    labelled[top : top + sheet.shape[0], left : left + sheet.shape[1]] = sheet
    return labelled


LEGEND = (
    (TONES + PURE_TONE, "healthy"),
    (2 * TONES + PURE_TONE, "immobile"),
    (3 * TONES + PURE_TONE, "dead"),
    (46, "before it stopped"),
    (WHITE, "not found"),
    (RULE_TONE, "no usable frame"),
)


def _legend(pen: ImageDraw.ImageDraw, x: float, y: float, font: ImageFont.FreeTypeFont) -> None:
    for tone, text in LEGEND:
        pen.rectangle([x, y, x + 11, y + 11], fill=tone, outline=FAINT_INK_TONE)
        pen.text((x + 16, y - 1), text, fill=INK_TONE, font=font)
        x += 34 + font.getlength(text)


def write_png(path: str | Path, sheet: NDArray[np.uint8]) -> None:
    """Write palette values as a PNG."""
    picture = Image.fromarray(sheet)
    picture.putpalette(palette().tobytes())
    with atomic_write(path) as partial:
        picture.save(partial, format="PNG", compress_level=6)
