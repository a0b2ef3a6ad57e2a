"""Raw scans of any format as one RGB or grey frame, with what the file says beside its pixels."""

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from snakescope.imaging.dicom import Region, is_dicom, read_ultrasound
from snakescope.imaging.frames import PNG_MAGIC, read_colours, without_alpha
from snakescope.imaging.jpeg import check_whole
from snakescope.learning.audit.images import BITS, grey_of, metadata_of, pixels_sha256
from snakescope.step.errors import StepError, decoded

CLIPS = (".mp4", ".avi", ".mov", ".mkv")
COLOURED = 40
"""Difference of the channels of a pixel from which on it has a colour (0 to 255)."""

FLAT = 24
"""Largest distance (of 255, each channel) of a screen's flat colour from its most frequent one."""


@dataclass(frozen=True)
class Raw:
    """One frame of a scan.

    Attributes:
        grey: uint8, shape (Y, X); coloured pixels, which are no tissue, are 0.
        coloured: share of pixels of other than flat colours.
        digest: SHA-256 of the grey pixels as decoded, see ``pixels_sha256``.
        region: where the file says that tissue is, or None.
        metadata: of the file, by field, as text: what may go with a class.
        notes: sentences on what was not used.
    """

    grey: NDArray[np.uint8]
    coloured: float
    digest: str
    region: Region | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_raw(path: str, frame: int = 0, window: tuple[float, float] | None = None) -> Raw:
    """Read a frame of a scan.

    Args:
        frame: of a cine clip, from 0.
        window: centre and width of grey values of more than 8 bits.

    Raises:
        StepError: no such file or frame, no image, 16 bits without a window, Doppler by its header,
            pixels that are partly transparent.
    """
    file = Path(path)
    if not file.is_file():
        raise StepError(f"{path}: expected an image, found no such file; correct the sheet")
    if is_dicom(file):
        return _of_dicom(path, frame, window)
    if file.suffix.lower() in CLIPS:
        return _of_clip(path, frame)
    return _of_image(path, frame, window)


ORIENTATION = 0x0112
"""EXIF tag by which viewers turn an image; its mask would not fit."""


def _of_image(path: str, frame: int, window: tuple[float, float] | None) -> Raw:
    def none(error: Exception) -> str:
        why = str(error) if isinstance(error, ValueError) else type(error).__name__
        return (
            f"{path}: expected an image, found none that can be read ({why}); export the scan again"
        )

    with decoded(path, none):
        check_whole(Path(path).read_bytes())
        with Image.open(path) as image:
            count = getattr(image, "n_frames", 1)
            if frame >= count:
                raise StepError(_no_frame(path, frame, count))
            image.seek(frame)
            if (turned := image.getexif().get(ORIENTATION)) in range(2, 9):
                raise StepError(
                    f"{path}: expected pixels as they are shown, found EXIF data that turn them"
                    f" (orientation {turned}); save the image turned"
                )
            metadata = metadata_of(image)
            if image.format == "TIFF":  # pillow inverts WhiteIsZero of 8 bits alone
                plain, rgb = _of_tiff(path, frame)
                metadata["size_px"] = f"{plain.shape[1]}x{plain.shape[0]}"
            else:
                _check_depth(path)
                image.load()
                # In grey of more bits one value alone can be transparent, which hides nothing.
                if image.has_transparency_data and image.mode not in BITS:
                    without_alpha(np.asarray(image.convert("RGBA")), Path(path))
                plain = grey_of(image)
                rgb = np.asarray(image.convert("RGB")) if image.mode not in ("L", "1") else None
    if plain.dtype != np.uint8:
        grey = windowed(plain, window, path)
        return Raw(grey, 0.0, pixels_sha256(plain), metadata=metadata)
    if rgb is None:
        return Raw(plain.astype(np.uint8), 0.0, pixels_sha256(plain), metadata=metadata)
    grey, coloured = without_colour(rgb)
    return Raw(grey, coloured, pixels_sha256(plain), metadata=metadata)


def _of_tiff(path: str, frame: int) -> tuple[NDArray[np.generic], NDArray[np.uint8] | None]:
    """Return grey pixels, and RGB where there are colours, by the reader of all trees."""
    image = read_colours(path, number=frame)
    if image.dtype == bool:
        image = image.astype(np.uint8) * np.uint8(255)
    if image.ndim == 2:
        return image, None
    if image.dtype == np.uint8:
        rgb = np.ascontiguousarray(image.astype(np.uint8))
        return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)), rgb
    if (image == image[:, :, :1]).all():
        return image[:, :, 0], None
    raise StepError(_deep_colours(path))


def _check_depth(path: str) -> None:
    """Refuse a PNG in colours of 16 bits, of which pillow takes the upper 8."""
    with open(path, "rb") as stream:
        head = stream.read(26)
    if head[:8] == PNG_MAGIC and head[24:] in (b"\x10\x02", b"\x10\x06"):
        raise StepError(_deep_colours(path))


def _deep_colours(path: str) -> str:
    return f"{path}: expected 8 bits a colour, found 16; save it in grey, or with 8 bits"


def _of_dicom(path: str, frame: int, window: tuple[float, float] | None) -> Raw:
    found = read_ultrasound(path, window is not None)
    if found.doppler:
        raise StepError(
            f"{path}: expected a B-mode image, found a region of colour flow; export it without"
            " Doppler"
        )
    if frame >= len(found.frames):
        raise StepError(_no_frame(path, frame, len(found.frames)))
    pixels = found.frames[frame]
    metadata = {
        "format": "DICOM",
        "size_px": f"{pixels.shape[1]}x{pixels.shape[0]}",
        "frames": str(len(found.frames)),
        "bit_depth": str(8 * pixels.dtype.itemsize),
        **found.metadata,
    }
    region = found.regions[0] if found.regions else None
    if pixels.ndim == 2:
        grey = pixels
        if pixels.dtype != np.uint8:
            grey = windowed(pixels, window or found.window, path)
        if found.inverted:
            grey = 255 - grey
        return Raw(
            grey.astype(np.uint8), 0.0, pixels_sha256(pixels), region, metadata, found.refused
        )
    rgb = pixels.astype(np.uint8)
    grey, coloured = without_colour(rgb)
    plain = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
    return Raw(grey, coloured, pixels_sha256(plain), region, metadata, found.refused)


def _of_clip(path: str, frame: int) -> Raw:
    import av

    def none(error: Exception) -> str:
        return (
            f"{path}: expected a cine clip, found none that can be decoded"
            f" ({type(error).__name__}); export it again"
        )

    with decoded(path, none), av.open(path) as container:
        for number, one in enumerate(container.decode(video=0)):
            if number == frame:
                rgb = one.to_ndarray(format="rgb24")
                break
        else:
            count = number + 1 if "number" in locals() else 0
            raise StepError(_no_frame(path, frame, count))
    grey, coloured = without_colour(np.asarray(rgb, np.uint8))
    metadata = {"format": "clip", "size_px": f"{rgb.shape[1]}x{rgb.shape[0]}", "bit_depth": "8"}
    plain = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
    return Raw(grey, coloured, pixels_sha256(plain), metadata=metadata)


def _no_frame(path: str, frame: int, count: int) -> str:
    return (
        f"{path}: expected a frame {frame} (from 0), found {count} frames; correct the column"
        " frame, or export the clip again"
    )


def windowed(
    values: NDArray[np.generic], window: tuple[float, float] | None, path: str
) -> NDArray[np.uint8]:
    """Grey values of more than 8 bits as uint8, linear in a window (DICOM PS3.3 C.11.2.1.2).

    Raises:
        StepError: no window is given.
    """
    if window is None:
        raise StepError(
            f"{path}: expected grey values of 8 bits, or a window of those of"
            f" {8 * values.dtype.itemsize}, found neither; give centre and width in the column"
            " window"
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise StepError(
            f"{path}: expected grey values, found NaN or infinity among them; save the image with"
            " numbers in their place"
        )
    centre, width = window
    scaled = (values.astype(np.float64) - centre) / max(width, 1e-9) + 0.5
    return np.asarray(np.round(np.clip(scaled, 0, 1) * 255), np.uint8)


def without_colour(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """Grey pixels with coloured ones at 0, and the share of pixels of other than flat colours.

    Scanners' screens have bars and marks of a few flat colours; flow has many.
    """
    wide = rgb.astype(np.int16)
    coloured = np.ptp(wide, axis=2) > COLOURED
    grey = np.array(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    grey[coloured] = 0
    many = wide[coloured]
    for _ in range(2):
        if len(many):
            code = (many // 16) @ np.array([256, 16, 1])
            kinds, counts = np.unique(code, return_counts=True)
            common = many[code == kinds[counts.argmax()]].mean(axis=0)
            many = many[np.abs(many - common).max(axis=1) > FLAT]
    return grey, len(many) / coloured.size
