"""Tiling of registered frames, resampled to the pixel size of the detector.

Matsuo et al., section 3.2.1: a frame of 3080 px is divided into 7 x 7 tiles of 440 px. The channels
are first combined into one grey image in which worms are brighter than the background.
"""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.healthspan.detection.channel_overlay import GROUND, overlay
from snakescope.healthspan.detection.settings import TileSettings
from snakescope.healthspan.registration.reference import Description, read_description
from snakescope.healthspan.registration.registered_pages import usable_pages
from snakescope.imaging.stacks import Stack, write_stack
from snakescope.step.errors import StepError
from snakescope.step.progress import progress
from snakescope.step.tables import read_table, write_table

ORIGIN_COLUMNS = (
    "page",
    "timepoint",
    "row",
    "column",
    "top_px",
    "left_px",
    "frame_height_px",
    "frame_width_px",
)
NEAR_ONE = 0.002
# Tolerance of the radius of the dish, so that worms along its wall are not cut.
BEYOND_EDGE = 1.005

Tile = NDArray[np.uint8]


def plate_scale(pixel_size_um: float, model_pixel_size_um: float) -> float:
    """Return plate coordinates (px) per raw pixel; 1 where frames need no resampling."""
    scale = pixel_size_um / model_pixel_size_um
    return 1.0 if abs(scale - 1) < NEAR_ONE else scale


def plate_shape(height: int, width: int, scale: float) -> tuple[int, int]:
    """Return height and width (px) of a frame in plate coordinates."""
    return max(1, round(height * scale)), max(1, round(width * scale))


def resampled(frame: NDArray[Any], scale: float) -> NDArray[Any]:
    """Resample a frame (Y, X) by ``scale``, same dtype.

    Interpolation is by area to shrink and cubic to enlarge. A scale within 0.2 % of 1 returns the
    frame unchanged, since resampling would blur it.
    """
    if abs(scale - 1) < NEAR_ONE:
        return frame
    height, width = plate_shape(frame.shape[0], frame.shape[1], scale)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(frame, (width, height), interpolation=how)


def plate_picture(
    channels: Mapping[str, NDArray[Any]], scale: float, description: Description | None = None
) -> Tile:
    """Return the overlay (Y, X), uint8, of the channels of a frame in plate coordinates.

    Pixels outside of the dish, if its edge is known, get the background value.
    """
    small = {name: resampled(frame, scale) for name, frame in channels.items()}
    mask = None
    if description is not None and description.dish_seen:
        dish = description.dish
        height, width = next(iter(small.values())).shape
        rows, columns = np.ogrid[:height, :width]
        y, x = ((v + 0.5) * scale - 0.5 for v in (dish.y_px, dish.x_px))
        radius = dish.radius_px * scale * BEYOND_EDGE
        mask = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
    return overlay(small, mask)


def tiles_of(picture: Tile, size_px: int) -> Iterator[tuple[int, int, Tile]]:
    """Yield (row, column, tile) of an image (Y, X), row by row.

    Tiles of the last row and column are padded by the background value.
    """
    height, width = picture.shape
    for row in range(-(-height // size_px)):
        for column in range(-(-width // size_px)):
            top, left = row * size_px, column * size_px
            piece = picture[top : top + size_px, left : left + size_px]
            tile = np.full((size_px, size_px), GROUND, np.uint8)
            tile[: piece.shape[0], : piece.shape[1]] = piece
            yield row, column, tile


def assemble(tiles: Stack | NDArray[np.uint8], origins: pd.DataFrame, timepoint: int) -> Tile:
    """Assemble the image (Y, X) of a timepoint in plate coordinates from its tiles.

    Args:
        tiles: the opened stack of tiles, or an array (N, size, size).
        origins: their table of origins.

    Raises:
        StepError: the timepoint has no tiles, or not all of them.
    """
    rows = origins[origins["timepoint"] == timepoint]
    if rows.empty:
        raise StepError(f"tiles: expected some of timepoint {timepoint}, found none; tile it again")
    height, width = int(rows["frame_height_px"].iloc[0]), int(rows["frame_width_px"].iloc[0])
    picture = np.full((height, width), GROUND, np.uint8)
    covered = 0
    for page, top, left in zip(rows["page"], rows["top_px"], rows["left_px"], strict=True):
        tile = tiles.page(int(page))[0] if isinstance(tiles, Stack) else tiles[int(page)]
        place = picture[top : top + tile.shape[0], left : left + tile.shape[1]]
        place[:] = tile[: place.shape[0], : place.shape[1]]
        covered += place.size
    if covered != picture.size:
        raise StepError(
            f"tiles: expected {picture.size} px of timepoint {timepoint}, found {covered};"
            " tile it again"
        )
    return picture


def origins_of(pages: list[tuple[int, int]], height: int, width: int, size_px: int) -> pd.DataFrame:
    """Return the table of origins of all tiles; ``pages`` are (timepoint, page of the stack)."""
    down, across = -(-height // size_px), -(-width // size_px)
    rows = [
        (timepoint, row, column, row * size_px, column * size_px, height, width)
        for timepoint, _ in pages
        for row in range(down)
        for column in range(across)
    ]
    table = pd.DataFrame(rows, columns=list(ORIGIN_COLUMNS[1:]))
    table.insert(0, "page", range(len(rows)))
    return table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--frames", required=True, help="registered frames of the block")
    parser.add_argument("--table", required=True, help="their table")
    parser.add_argument("--reference-description", required=True, help="reference.json")
    parser.add_argument("--pixel-size-um", required=True, type=float, help="of the raw frames")
    parser.add_argument("--settings", default="{}", help="TileSettings as JSON")
    parser.add_argument("--tiles", required=True, help="tiles (OME-TIFF) to write")
    parser.add_argument("--origins", required=True, help="table of their origins to write")


def main(arguments: argparse.Namespace) -> None:
    """Command line: cut the registered frames of a block into tiles."""
    cv2.setNumThreads(1)
    settings = TileSettings.model_validate_json(arguments.settings)
    description = read_description(arguments.reference_description)
    scale = plate_scale(arguments.pixel_size_um, settings.model_pixel_size_um)
    pages = usable_pages(read_table(arguments.table, ("timepoint", "page", "status")))
    size = settings.size_px
    with Stack(arguments.frames) as frames:
        height, width = plate_shape(frames.height, frames.width, scale)
        origins = origins_of(pages, height, width, size)

        def cut() -> Iterator[Tile]:
            for _, page in progress(pages, "tile"):
                picture = plate_picture(frames.named(page), scale, description)
                for _, _, tile in tiles_of(picture, size):
                    yield tile

        write_stack(
            arguments.tiles,
            cut(),
            len(origins),
            ["overlay"],
            size,
            size,
            np.uint8,
            compression="zstd",
            pixel_size_um=settings.model_pixel_size_um,
        )
    write_table(arguments.origins, origins)
