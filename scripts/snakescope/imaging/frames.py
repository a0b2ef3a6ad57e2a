"""Readers of single raw frames: grey TIFF (also pyramidal, multi-page, 12-bit packed), PNG, JPEG.

Frames keep their bit depth, uint8 or uint16. Incomplete files are refused: decoders fill missing
parts with a constant, which later steps would take for an image without objects.
"""

from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from snakescope.step.errors import StepError

Frame = NDArray[np.uint8] | NDArray[np.uint16]

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"
JPEG_END = b"\xff\xd9"
TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class UnreadableFrame(StepError):
    """A frame that cannot be used; the series is processed without it."""


def read_frame(path: str | Path) -> Frame:
    """Read a raw frame, shape (Y, X), uint8 or uint16, values as stored.

    Of a pyramid the largest level is read, of a multi-page file the first of its largest pages.
    A colour frame is accepted when its channels are equal; an alpha channel is ignored.

    Raises:
        UnreadableFrame: no such file, truncated, not an image, in colour, of another
            sample type, or without any contrast (all black, say).
    """
    path = Path(path)
    try:
        image = _decode(path)
    except UnreadableFrame:
        raise
    except FileNotFoundError:
        raise UnreadableFrame(f"{path}: expected an image, found no such file") from None
    except Exception as error:  # decoders raise any exception on damaged files
        raise UnreadableFrame(
            f"{path}: expected a whole image, found a damaged or truncated one"
            f" ({_first_line(error)}); export this frame again"
        ) from None
    frame = _integers(_grey(image, path), path)
    if frame.max() == frame.min():
        raise UnreadableFrame(
            f"{path}: expected an image with contrast, found the one value {int(frame.flat[0])}"
            " in every pixel; export this frame again"
        )
    return frame


def frame_shape(path: str | Path) -> tuple[int, int]:
    """Height and width (px) of a raw frame, from its header alone.

    Raises:
        UnreadableFrame: no such file, or none of an image that is read here.
    """
    try:
        with open(path, "rb") as stream:
            magic = stream.read(4)
        if magic in TIFF_MAGICS:
            with tifffile.TiffFile(path) as file:
                pages = [page.aspage() for page in file.pages]
                page = max(pages, key=lambda one: one.imagewidth * one.imagelength)
                return page.imagelength, page.imagewidth
        with Image.open(path) as image:
            return image.height, image.width
    except Exception as error:  # decoders raise any exception on damaged files
        raise UnreadableFrame(
            f"{path}: expected an image, found none ({_first_line(error)}); export it again"
        ) from None


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0][:120] if lines else type(error).__name__


def _decode(path: Path) -> NDArray[np.generic]:
    with path.open("rb") as stream:
        magic = stream.read(8)
    if magic[:4] in TIFF_MAGICS:
        return _decode_tiff(path)
    if magic == PNG_MAGIC:
        return np.asarray(imagecodecs.png_decode(path.read_bytes()))
    if magic[:3] == JPEG_MAGIC:
        data = path.read_bytes()
        # libjpeg fills missing parts with grey and only warns.
        if data.rfind(JPEG_END) < len(data) // 2:
            raise ValueError("JPEG without its end marker")
        return np.asarray(imagecodecs.jpeg8_decode(data))
    found = "an empty file" if not magic else "something else"
    raise UnreadableFrame(
        f"{path}: expected a TIFF, PNG or JPEG image, found {found}; export this frame again"
    )


def _decode_tiff(path: Path) -> NDArray[np.generic]:
    size = path.stat().st_size
    with tifffile.TiffFile(path) as file:
        pages = [page.aspage() for page in file.pages]
        page = max(pages, key=lambda one: (one.imagewidth * one.imagelength, -one.index))
        ends = [o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=False)]
        # A strip recorded as empty, or beyond the end of the file, decodes to zeros.
        if not ends or max(ends) > size or 0 in page.databytecounts:
            raise ValueError(f"pixels expected up to byte {max(ends, default=0)} of {size}")
        image = page.asarray(maxworkers=1)
        if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and image.ndim == 3:
            image = np.moveaxis(image, 0, -1)
    return image


def _grey(image: NDArray[np.generic], path: Path) -> NDArray[np.generic]:
    image = np.squeeze(image)
    if image.ndim == 3 and image.shape[2] in (2, 4):
        image = image[:, :, :-1]
    if image.ndim == 3:
        first = image[:, :, 0]
        if all(np.array_equal(first, image[:, :, k]) for k in range(1, image.shape[2])):
            image = first
    if image.ndim != 2 or min(image.shape) < 2:
        raise UnreadableFrame(
            f"{path}: expected one grey image, found the shape"
            f" {' x '.join(map(str, image.shape))}; export one channel per file, in grey"
        )
    return image


def _integers(image: NDArray[np.generic], path: Path) -> Frame:
    if image.dtype == np.uint8 or image.dtype == np.uint16:
        return np.ascontiguousarray(image)
    if np.issubdtype(image.dtype, np.integer) and image.min() >= 0 and image.max() < 2**16:
        return np.ascontiguousarray(image.astype(np.uint16))
    raise UnreadableFrame(
        f"{path}: expected 8, 12 or 16 bit grey values, found {image.dtype};"
        " export this frame as an 8 or 16 bit image"
    )
