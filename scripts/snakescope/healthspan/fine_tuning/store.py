"""Annotated images as they are trained on: overlays at the model's pixel size with their masks.

A folder with ``<image>.png``, ``<image>.json`` (COCO, as of detection) and ``ignored.tsv``; beside
it ``splits.tsv``, a row an image.
"""

from collections.abc import Iterator
from pathlib import Path

import imagecodecs
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.healthspan.training.labelled_images import Box, LabelledImage
from snakescope.imaging.masks import Instance, MaskSet, read_masks, write_masks
from snakescope.step.output import atomic_write
from snakescope.step.tables import read_table, write_table

SPLIT_COLUMNS = ("image", "group", "part", "worms", "ignored", "width", "height")
FINDING_COLUMNS = ("image", "used", "finding")
REPORT_COLUMNS = ("what", "masks")
IGNORED_COLUMNS = ("image", "left", "top", "width", "height")
IGNORED = "ignored.tsv"


def write_image(folder: Path, image: LabelledImage, pixel_size_um: float) -> None:
    """Write the picture and the masks of an image."""
    with atomic_write(folder / f"{image.name}.png") as partial:
        partial.write_bytes(imagecodecs.png_encode(image.picture))
    height, width = image.picture.shape
    masks = MaskSet(image.name, pixel_size_um, height, width, (0,), tuple(image.worms))
    write_masks(folder / f"{image.name}.json", masks)


def write_ignored(folder: Path, images: list[LabelledImage]) -> None:
    """Write the boxes that have no single mask."""
    rows = [(one.name, *box) for one in images for box in one.ignore]
    write_table(folder / IGNORED, pd.DataFrame(rows, columns=list(IGNORED_COLUMNS)))


def read_splits(path: str | Path) -> pd.DataFrame:
    """Read the images and their parts, names as text."""
    return read_table(path, SPLIT_COLUMNS, text=("image", "group", "part", "licence", "data"))


def images_of(folder: str | Path, splits: pd.DataFrame, part: str) -> Iterator[LabelledImage]:
    """The images of a part, in the order of the table."""
    ignored = read_table(Path(folder, IGNORED), IGNORED_COLUMNS, text=("image",))
    for row in splits[splits["part"] == part].to_dict("records"):
        name = str(row["image"])
        boxes = ignored.loc[ignored["image"] == name, list(IGNORED_COLUMNS[1:])]
        yield LabelledImage(
            name,
            str(row["group"]),
            _picture(Path(folder, f"{name}.png")),
            list(_worms(Path(folder, f"{name}.json"))),
            ignore=[_box(values) for values in boxes.to_numpy(float)],
        )


def _picture(path: Path) -> NDArray[np.uint8]:
    return np.asarray(imagecodecs.png_decode(path.read_bytes()), np.uint8)


def _worms(path: Path) -> tuple[Instance, ...]:
    return read_masks(path).instances


def _box(values: NDArray[np.float64]) -> Box:
    left, top, width, height = (float(one) for one in values)
    return left, top, width, height
