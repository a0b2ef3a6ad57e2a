"""Bring scans into one form: the sector alone, grey, 512 px, without a trace of the patient.

The sector of a device is fitted to the pixelwise maximum of all its frames of one size, since a
side without contact is black in a single one. All that lies outside becomes 0, so that no letter
that a scanner has burned in is left.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from snakescope.fibrosis.classes import class_names, class_of
from snakescope.fibrosis.scans.read import Raw, read_raw
from snakescope.fibrosis.scans.settings import SIDE_PX, IngestSettings
from snakescope.fibrosis.scans.sheet import REFUSED, Scan
from snakescope.imaging import jpeg
from snakescope.imaging.dicom import pseudonym, read_salt
from snakescope.imaging.frames import PNG_MAGIC, TIFF_MAGICS, read_colours
from snakescope.imaging.sector import Sector, cropped, fit_sector, maximum_of
from snakescope.imaging.style import figure_style, save_figure
from snakescope.learning.audit.images import grey_of
from snakescope.learning.figures import Picture, picture_sheet
from snakescope.step.errors import StepError, SystemFault, decoded
from snakescope.step.output import atomic_write
from snakescope.step.progress import progress
from snakescope.step.rows import table_rows
from snakescope.step.tables import write_table

STROKE = 250
"""Grey value from which on thin marks inside the sector are taken for callipers or letters."""

SATURATED = 0.02
MOST_VALUES = 16
"""Of a mask, beyond which it is a picture unless one of them is that of most of it."""
MOST_FILLED = 4.0
"""How many times the area within a mask may be its own; a line around the liver has more."""
OVERVIEW = 36


class Ingested(NamedTuple):
    """An ingested scan: image and mask (uint8, 512 px; None where none is drawn), and its flags."""

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8] | None
    flags: tuple[str, ...]


def read_mask(path: str, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Read the outline of the liver, 255 where it is.

    Raises:
        StepError: no such image, one with loss, another size, nothing drawn or all corners, grey
            values of a picture, or a line that is not filled.
    """
    grey = _mask_pixels(path)
    if grey.shape != shape:
        raise StepError(
            f"{path}: expected a mask of {shape[1]} x {shape[0]} px as its image has, found one of"
            f" {grey.shape[1]} x {grey.shape[0]}; draw it on the whole frame"
        )
    drawn = grey > 0
    if not drawn.any():
        raise StepError(
            f"{path}: expected an outline of the liver, found an empty mask; draw it, or leave the"
            " cell empty"
        )
    if drawn[[0, 0, -1, -1], [0, -1, 0, -1]].all():
        raise StepError(
            f"{path}: expected 0 outside the liver, found none in the corners of the mask, as where"
            " it is inverted, or drawn on a white or transparent ground; save it on black"
        )
    values, counts = np.unique(grey[drawn], return_counts=True)
    if len(values) > MOST_VALUES and counts.max() < 0.5 * counts.sum():
        raise StepError(
            f"{path}: expected a mask, one value where the liver is, found {len(values)} grey"
            " values as in a picture; save the mask alone"
        )
    if ndimage.binary_fill_holes(drawn).sum() > MOST_FILLED * drawn.sum():
        raise StepError(f"{path}: expected the liver filled, found a line around it; fill it")
    return np.where(drawn, 255, 0).astype(np.uint8)


def _mask_pixels(path: str) -> NDArray[Any]:
    """Pixels of a mask (Y, X); of colours the greatest."""

    def none(error: Exception) -> str:
        return (
            f"{path}: expected a mask, found none that can be read ({type(error).__name__});"
            " correct the column mask"
        )

    with decoded(path, none):
        with open(path, "rb") as stream:
            magic = stream.read(8)
        if magic[:4] in TIFF_MAGICS or magic == PNG_MAGIC or magic[:3] == jpeg.START:
            pixels = read_colours(path, labels=True)
        else:
            with Image.open(path) as image:
                pixels = grey_of(image)
    return np.asarray(pixels if pixels.ndim == 2 else pixels.max(axis=2))


def read_scan(scan: Scan, settings: IngestSettings) -> Raw:
    """Read the frame of a scan and refuse Doppler, and frames without contrast.

    Raises:
        StepError: see :func:`snakescope.fibrosis.scans.read.read_raw`; also a coloured frame, or
            one of a single grey value.
    """
    raw = read_raw(scan.image, scan.frame, scan.window_numbers)
    if raw.coloured > settings.max_coloured:
        raise StepError(
            f"{scan.image}: expected a grey B-mode image, found {raw.coloured:.1%} of the pixels"
            " coloured as in Doppler; export the scan without it"
        )
    # A white frame would hide the sector from all scans of its device.
    if (raw.grey == raw.grey.flat[0]).all():
        raise StepError(
            f"{scan.image}: expected an image with contrast, found the one value"
            f" {int(raw.grey.flat[0])} in every pixel; export the scan again"
        )
    return raw


def restricted(raw: Raw) -> NDArray[np.uint8]:
    """The frame, black outside the region that its file states."""
    if raw.region is None:
        return raw.grey
    kept = np.zeros_like(raw.grey)
    part = np.s_[raw.region.top : raw.region.bottom + 1, raw.region.left : raw.region.right + 1]
    kept[part] = raw.grey[part]
    return kept


def device_of(scan: Scan, raw: Raw) -> tuple[str, ...]:
    """What scans of one sector have in common."""
    named = [raw.metadata.get(k, "") for k in ("manufacturer", "model", "transducer", "depth_mm")]
    return (scan.device, *named, f"{raw.grey.shape[1]}x{raw.grey.shape[0]}")


def sectors_of(
    pairs: Iterable[tuple[Scan, Raw]],
) -> tuple[dict[tuple[str, ...], Sector], dict[tuple[str, ...], str]]:
    """The sector of each device, and why there is none."""
    of: dict[tuple[str, ...], list[tuple[Scan, NDArray[np.uint8]]]] = {}
    for scan, raw in pairs:
        of.setdefault(device_of(scan, raw), []).append((scan, restricted(raw)))
    found, problems = {}, {}
    for device, frames in of.items():
        try:
            whole = maximum_of(frame for _, frame in frames)
            found[device] = fit_sector(whole, frames[0][0].image)
        except StepError as error:
            problems[device] = str(error)
    return found, problems


def ingest(scan: Scan, raw: Raw, sector: Sector, settings: IngestSettings) -> Ingested:
    """Crop and clean one scan.

    Raises:
        StepError: its mask cannot be used, or nothing is left in the sector.
    """
    shape = (raw.grey.shape[0], raw.grey.shape[1])
    mask = read_mask(scan.mask, shape) if scan.mask else None
    inside = sector.mask(shape)
    values = raw.grey[inside]
    if not values.size or values.std() < 1:
        raise StepError(
            f"{scan.image}: expected an image in the sector of its device, found nothing there;"
            " correct the column device"
        )
    flags, grey = [], raw.grey
    strokes = _strokes(grey, inside)
    if strokes.any():
        flags.append("marks in the sector")
        if settings.inpaint:
            grey = np.asarray(cv2.inpaint(grey, strokes, 3, cv2.INPAINT_TELEA), np.uint8)
    if (values >= STROKE).mean() > SATURATED:
        flags.append("saturated")
    if values.mean() < 15:
        flags.append("dark")
    image = cropped(grey, sector, SIDE_PX)
    liver = None if mask is None else cropped(mask, sector, SIDE_PX, nearest=True)
    if liver is not None:
        share = (liver > 0).sum() / max(1, (image > 0).sum())
        if not liver.any():
            raise StepError(
                f"{scan.mask}: expected an outline inside the sector, found none of it there;"
                " correct the mask"
            )
        if share < settings.min_liver:
            flags.append("little liver")
    if raw.notes:
        flags.append("region outside the image")
    return Ingested(image, liver, tuple(flags))


def _strokes(grey: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Thin, white, sharp-edged marks, grown by a pixel: uint8, 255 where they are."""
    white = ((grey >= STROKE) & inside).astype(np.uint8)
    thick = cv2.morphologyEx(white, cv2.MORPH_OPEN, np.ones((4, 4), np.uint8))
    thin = white & ~np.asarray(cv2.dilate(thick, np.ones((5, 5), np.uint8)), np.uint8)
    # Speckle is white in spots; strokes are white along at least 7 px.
    count, labels, stats, _ = cv2.connectedComponentsWithStats(thin, connectivity=8)
    long = [
        label for label in range(1, count)
        if max(stats[label, cv2.CC_STAT_WIDTH], stats[label, cv2.CC_STAT_HEIGHT]) >= 7
        and grey[labels == label].mean() >= STROKE
    ]  # fmt: skip
    found = np.isin(labels, long).astype(np.uint8)
    return np.asarray(cv2.dilate(found, np.ones((3, 3), np.uint8)) * 255, np.uint8)


def ingest_all(
    scans: Sequence[Scan], settings: IngestSettings, folder: Path, classes: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Ingest scans; one that cannot be used never stops the others.

    Returns:
        Rows of those that can be used (item, group, class, path, mask, truth, set, source_sha256,
        flags, and what their files say), of those that cannot (scan, reason, set, stage), and of
        the sectors.
    """
    salt = read_salt(settings.salt)
    raws: list[tuple[Scan, Raw]] = []
    refused: list[dict[str, str]] = []
    for scan in progress(scans, "read"):
        try:
            raws.append((scan, read_scan(scan, settings)))
        except SystemFault:
            raise
        except StepError as error:
            refused.append(_refused(scan, error))
    sectors, problems = sectors_of(raws)
    rows: list[dict[str, Any]] = []
    for scan, raw in progress(raws, "crop"):
        device = device_of(scan, raw)
        try:
            if device in problems:
                raise StepError(problems[device])
            done = ingest(scan, raw, sectors[device], settings)
        except SystemFault:
            raise
        except StepError as error:
            refused.append(_refused(scan, error))
            continue
        rows.append(_written(scan, raw, done, folder, classes, salt))
    table = pd.DataFrame(rows)
    return table, pd.DataFrame(refused, columns=list(REFUSED)), _sector_rows(sectors)


def _refused(scan: Scan, error: StepError) -> dict[str, str]:
    return dict(zip(REFUSED, (scan.name, str(error), scan.set, scan.stage), strict=True))


def _written(
    scan: Scan, raw: Raw, done: Ingested, folder: Path, classes: int, salt: bytes
) -> dict[str, Any]:
    image, mask = folder / f"images/{scan.name}.png", ""
    _write_png(image, done.image)
    if done.mask is not None:
        mask = str(folder / f"masks/{scan.name}.png")
        _write_png(Path(mask), done.mask)
    label = class_names(classes)[class_of(scan.stage, classes)] if scan.stage else ""
    # What a file says may give its class away, and is held against it by the audit.
    said = {f"file_{name}": value for name, value in raw.metadata.items() if name != "file_tags"}
    return {
        "item": scan.name,
        "group": pseudonym(scan.patient, salt) if scan.patient else "",
        "class": label,
        "path": str(image),
        "mask": mask,
        "truth": scan.stage,
        "source_sha256": raw.digest,
        "set": scan.set,
        "flags": "; ".join(done.flags),
        "device": scan.device,
        **said,
    }


def _write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    with atomic_write(path) as partial:
        cv2.imwrite(str(partial), pixels)


def _sector_rows(sectors: dict[tuple[str, ...], Sector]) -> pd.DataFrame:
    rows = [
        {
            "device": " ".join(part for part in device if part),
            "half_angle_deg": one.half_angle_deg,
            "apex_y_px": one.apex_y,
            "apex_x_px": one.apex_x,
            "near_px": one.near,
            "far_px": one.far,
        }
        for device, one in sectors.items()
    ]
    names = ("device", "half_angle_deg", "apex_y_px", "apex_x_px", "near_px", "far_px")
    return pd.DataFrame(rows, columns=list(names))


def overview(table: pd.DataFrame, path: Path) -> None:
    """Draw some ingested scans with the outline of their liver, for a look before anything else."""
    chosen = table.iloc[np.linspace(0, len(table) - 1, min(OVERVIEW, len(table))).astype(int)]
    pictures = []
    for row in chosen.to_dict("records"):
        image: Any = cv2.imread(row["path"])
        if row["mask"]:
            mask: Any = cv2.imread(row["mask"], cv2.IMREAD_GRAYSCALE)
            lines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(image, lines, -1, (47, 114, 209), 4)
        small = cv2.resize(image, (192, 192), interpolation=cv2.INTER_AREA)
        pictures.append(Picture(small[..., ::-1], f"{row['item']}  {row['truth']}"))
    with figure_style():
        save_figure(picture_sheet(pictures, "Ingested scans, liver outlined"), path)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--sheet", required=True, type=Path, help="rows of usable scans (TSV)")
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--classes", required=True, type=int, help="classes: 3, 4 or 5")
    parser.add_argument("--folder", required=True, type=Path, help="of images and masks to write")
    parser.add_argument("--items", required=True, type=Path, help="table to write: labelled scans")
    parser.add_argument("--others", required=True, type=Path, help="table to write: all others")
    parser.add_argument(
        "--refused", required=True, type=Path, help="table to write: unusable scans"
    )
    parser.add_argument("--sectors", required=True, type=Path, help="table to write: sectors")
    parser.add_argument("--overview", required=True, type=Path, help="picture to write")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = IngestSettings.model_validate_json(arguments.settings)
    rows = table_rows(arguments.sheet)
    scans = [Scan.model_validate({k: v for k, v in row.items() if v}) for row in rows]
    table, refused, sectors = ingest_all(scans, settings, arguments.folder, arguments.classes)
    if table.empty:
        reason = refused["reason"].iloc[0]
        raise StepError(
            f"scans: expected one that can be used, found none of {len(scans)}: {reason}"
        )
    write_table(arguments.refused, refused)
    write_table(arguments.sectors, sectors)
    overview(table, arguments.overview)
    labelled = (table["set"] == "train") & (table["truth"] != "")
    write_table(arguments.others, table[~labelled])
    write_table(arguments.items, table[labelled].drop(columns=["set", "flags"]))
