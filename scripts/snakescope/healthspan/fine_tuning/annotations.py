"""Annotated images to overlays and masks at the model's pixel size, audited and split by group.

An image that cannot be used is named with the reason and stops no other.
"""

import argparse
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from snakescope.healthspan.detection.size_prior import length_px
from snakescope.healthspan.detection.tile import plate_picture, plate_scale
from snakescope.healthspan.fine_tuning.coco import files_in, of_coco, read_coco, read_geojson
from snakescope.healthspan.fine_tuning.masks import (
    Annotations,
    read_label_image,
    read_single_masks,
    rescaled,
)
from snakescope.healthspan.fine_tuning.settings import AnnotationsSettings
from snakescope.healthspan.fine_tuning.sheet import AnnotatedImage
from snakescope.healthspan.fine_tuning.split import parts_of, stated_parts
from snakescope.healthspan.fine_tuning.store import (
    FINDING_COLUMNS,
    REPORT_COLUMNS,
    SPLIT_COLUMNS,
    write_ignored,
    write_image,
)
from snakescope.healthspan.geometry import PIXEL_SIZE_UM
from snakescope.healthspan.training.labelled_images import LabelledImage, scaled_box
from snakescope.imaging.frames import Frame, read_frame
from snakescope.settings.sheet import extra_columns, read_sheet
from snakescope.step.errors import StepError, SystemFault
from snakescope.step.output import atomic_folder
from snakescope.step.progress import progress
from snakescope.step.tables import write_table

ORIENTATION = 274
"""The tag of EXIF and TIFF that says how a picture is turned."""

USUAL_PX = (50.0, 180.0)
"""Median length of the worms of an image beyond which its pixel size is doubtful (px)."""


@dataclass
class Readings:
    """What is read of the sheet.

    Attributes:
        images: that can be used, each with its row.
        findings: image, ``yes`` or ``no`` for whether it is used, and a sentence.
        digests: name and group of the image of every content.
        stated: how many masks were given.
        dropped: how many of them could not be used, by reason.
    """

    images: list[tuple[LabelledImage, AnnotatedImage]] = field(default_factory=list)
    findings: list[tuple[str, str, str]] = field(default_factory=list)
    digests: dict[str, tuple[str, str]] = field(default_factory=dict)
    stated: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def refuse(self, name: str, reason: object) -> None:
        self.findings.append((name, "no", str(reason)))

    def note(self, name: str, notes: Sequence[str]) -> None:
        self.findings += [(name, "yes", note) for note in notes]


def check_upright(path: str) -> None:
    """Check that a picture is stored as it is shown.

    Programs that annotate turn a picture by its EXIF data, and those that compute do not.

    Raises:
        StepError: it is to be turned.
    """
    try:
        with Image.open(path) as picture:
            turned = picture.getexif().get(ORIENTATION, 1)
    except (OSError, ValueError, SyntaxError):
        # Whether it can be read at all is told by what reads it.
        return
    if turned not in (0, 1):
        raise StepError(
            f"{path}: expected a picture that is stored as it is shown, found one that its EXIF"
            f" data turns (orientation {turned}), so that masks do not fit; save it upright and"
            " without EXIF data, and annotate that"
        )


def frames_of(files: dict[str, str]) -> dict[str, Frame]:
    """The channels of an image, by name.

    Raises:
        StepError: one cannot be read, or they differ in size.
    """
    for path in files.values():
        check_upright(path)
    frames = {channel: read_frame(path) for channel, path in files.items()}
    shapes = {frame.shape for frame in frames.values()}
    if len(shapes) > 1:
        raise StepError(
            f"{' and '.join(files.values())}: expected two channels of one view, found images of"
            f" the sizes {' and '.join(f'{s[1]} x {s[0]}' for s in sorted(shapes))} px; correct"
            " the sheet"
        )
    return frames


def items_of(row: AnnotatedImage) -> Iterator[tuple[str, dict[str, str]]]:
    """The images of a row: name, and file of each channel. Of a folder with a COCO file, all.

    Raises:
        StepError: the folder has no COCO file beside it, or none of its images is there.
    """
    folder = Path(row.bright_field or row.dark_field)
    if not folder.is_dir():
        yield row.name, row.channels
        return
    if Path(row.masks).suffix.lower() != ".json" or len(row.channels) > 1:
        raise StepError(
            f"{folder}: expected an image, found a folder; name one image a row, or, for a folder,"
            " one channel and a COCO file (.json) in the column masks"
        )
    (channel,) = row.channels
    coco = read_coco(row.masks)
    there = files_in(folder, coco)
    if not there:
        raise StepError(
            f"{folder}: expected the images that {row.masks} names, found none of"
            f" {len(coco.images)} ({', '.join(list(coco.images)[:3])} ...); correct the folder or"
            " file_name"
        )
    for path in there:
        yield f"{row.name}_{path.stem}", {channel: str(path)}


def annotations_of(
    row: AnnotatedImage,
    files: dict[str, str],
    shape: tuple[int, int],
    settings: AnnotationsSettings,
) -> Annotations:
    """The masks of an image, in its own pixels.

    Raises:
        StepError: they are not there, or cannot be read.
    """
    paths = row.mask_files()
    if not paths:
        raise StepError(f"{row.masks}: expected masks, found no such file; correct the sheet")
    kind = Path(row.masks).suffix.lower()
    if kind in (".json", ".geojson"):
        image = next(iter(files.values()))
        coco = read_coco(row.masks) if kind == ".json" else read_geojson(row.masks, image)
        return of_coco(row.masks, coco, image, shape, settings.classes, settings.pixel_origin)
    if len(paths) == 1 and str(paths[0]) == str(Path(row.masks)):
        return read_label_image(paths[0], shape)
    return read_single_masks(paths, shape)


def at_model_scale(
    name: str,
    row: AnnotatedImage,
    frames: dict[str, Frame],
    given: Annotations,
    pixel_size_um: float,
    min_area_px: int,
) -> tuple[LabelledImage, list[str]]:
    """An image and its masks at the model's pixel size, and what is to be known of them."""
    scale = plate_scale(row.pixel_size_um or pixel_size_um, PIXEL_SIZE_UM)
    picture = plate_picture(frames, scale)
    height, width = picture.shape
    shape = next(iter(frames.values())).shape
    worms = list(rescaled(given.worms, (shape[0], shape[1]), (height, width)))
    kept = [one for one in worms if one.area >= min_area_px]
    tiny = [one for one in worms if one.area < min_area_px]
    ignore = [scaled_box(box, scale) for box in given.ignore]
    ignore += [(one.left, one.top, one.mask.shape[1], one.mask.shape[0]) for one in tiny]
    notes = list(given.notes)
    if lost := len(given.worms) - len(kept):
        notes.append(
            f"{lost} masks of less than {min_area_px} px at {PIXEL_SIZE_UM:g} um a pixel, left out"
        )
    if not kept:
        notes.append("no worm: all that is found on it counts as false")
    elif not USUAL_PX[0] <= (middle := float(np.median([*map(length_px, kept)]))) <= USUAL_PX[1]:
        notes.append(
            f"its worms are {middle:.0f} px long at {PIXEL_SIZE_UM:g} um a pixel, where the"
            f" detector knows {USUAL_PX[0]:.0f} to {USUAL_PX[1]:.0f}; check pixel_size_um"
        )
    numbered = [replace(one, identifier=number) for number, one in enumerate(kept)]
    return LabelledImage(name, row.group, picture, numbered, ignore=ignore), notes


def read_rows(
    rows: Sequence[AnnotatedImage], pixel_size_um: float, settings: AnnotationsSettings
) -> Readings:
    """Read all images of the sheet that can be used."""
    found = Readings()
    for row in progress(list(rows), "annotated images"):
        if row.exclusion:
            found.refuse(row.name, f"excluded by the sheet: {row.exclusion}")
            continue
        try:
            items = list(items_of(row))
        except SystemFault:
            raise
        except StepError as error:
            found.refuse(row.name, error)
            continue
        for name, files in items:
            _read_item(found, name, row, files, pixel_size_um, settings)
    return found


def _read_item(
    found: Readings,
    name: str,
    row: AnnotatedImage,
    files: dict[str, str],
    pixel_size_um: float,
    settings: AnnotationsSettings,
) -> None:
    try:
        frames = frames_of(files)
        shape = next(iter(frames.values())).shape
        given = annotations_of(row, files, (shape[0], shape[1]), settings)
    except SystemFault:
        raise
    except StepError as error:
        found.refuse(name, error)
        return
    found.stated += given.stated
    found.dropped.update(given.dropped)
    image, notes = at_model_scale(name, row, frames, given, pixel_size_um, settings.min_area_px)
    digest = hashlib.blake2b(image.picture.tobytes(), digest_size=16).hexdigest()
    twin, group = found.digests.setdefault(digest, (name, row.group))
    if twin != name:
        found.refuse(
            name,
            f"expected each image once, found the same picture as {twin} of the group {group};"
            " remove one row",
        )
        return
    found.images.append((image, row))
    found.note(name, notes)


def splits_table(
    images: Sequence[tuple[LabelledImage, AnnotatedImage]], parts: Mapping[str, str]
) -> pd.DataFrame:
    """A row an image, with the part of its group and the user's own columns."""
    extra = extra_columns([row for _, row in images])
    rows = [
        (
            one.name, one.group, parts[one.group], len(one.worms), len(one.ignore),
            one.picture.shape[1], one.picture.shape[0], row.licence, row.data,
            *(row.extra.get(name, "") for name in extra),
        )
        for one, row in images
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=[*SPLIT_COLUMNS, "licence", "data", *extra])


def dropped_table(found: Readings) -> pd.DataFrame:
    """How many masks were given and left out, by reason."""
    rows = [("given", found.stated), *sorted(found.dropped.items())]
    return pd.DataFrame(rows, columns=list(REPORT_COLUMNS))


def check_dropped(sheet: str, found: Readings, most: float) -> None:
    """Check that next to all masks could be used.

    Raises:
        StepError: more than a share of them could not; the rest would be a biased choice.
    """
    lost = found.dropped.total()
    if lost > most * found.stated:
        told = "; ".join(f"{reason}: {count}" for reason, count in found.dropped.most_common())
        raise StepError(
            f"{sheet}: expected at most {most:.0%} of the annotations of COCO files to be of no"
            f" use, found {lost} of {found.stated} ({told}); export them again, or raise"
            " fine_tuning: annotations: max_dropped_share"
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--sheet", required=True, help="sheet of annotated images")
    parser.add_argument("--pixel-size-um", required=True, type=float, help="where it states none")
    parser.add_argument("--settings", default="{}", help="AnnotationsSettings as JSON")
    parser.add_argument("--labelled", required=True, help="folder to write")
    parser.add_argument("--splits", required=True, help="table of the images to write")
    parser.add_argument("--findings", required=True, help="table of findings to write")
    parser.add_argument("--report", required=True, help="table of masks left out to write")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    cv2.setNumThreads(1)
    settings = AnnotationsSettings.model_validate_json(arguments.settings)
    sheet = read_sheet(arguments.sheet, AnnotatedImage, needed=True)
    found = read_rows(sheet.rows, arguments.pixel_size_um, settings)
    for refused in sheet.refused:
        found.refuse(refused.name, refused.reason)
    table = pd.DataFrame(found.findings, columns=list(FINDING_COLUMNS))
    write_table(arguments.findings, table)
    write_table(arguments.report, dropped_table(found))
    check_dropped(arguments.sheet, found, settings.max_dropped_share)
    for name, used, finding in found.findings:
        print(f"{name}{'' if used == 'yes' else ' (not used)'}: {finding}", flush=True)
    rows = [row for _, row in found.images]
    parts = parts_of(
        arguments.sheet,
        [row.group for row in rows],
        stated_parts(arguments.sheet, [row for row in sheet.rows if not row.exclusion]),
        settings.held_out_share,
        settings.seed,
    )
    with atomic_folder(arguments.labelled) as folder:
        folder.mkdir()
        for image, _ in found.images:
            write_image(folder, image, PIXEL_SIZE_UM)
        write_ignored(folder, [image for image, _ in found.images])
    write_table(arguments.splits, splits_table(found.images, parts))
