"""Readers of single raw frames: grey TIFF (also pyramidal, 12-bit packed), PNG, JPEG.

Frames keep their bit depth, uint8 or uint16, and are light as the file means it: WhiteIsZero is
inverted, orientation applied. Files of several pictures and incomplete files are refused: decoders
take the first, or fill missing parts with a constant, which later steps would take for an image
without objects. An error of the system says nothing about the image, and is none of these.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from snakescope.imaging import jpeg, tiff
from snakescope.step.errors import StepError, system_fault

Frame = NDArray[np.uint8] | NDArray[np.uint16]

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
TIFF_MAGICS = tiff.MAGICS
EXIF_ORIENTATION = 0x0112
ALPHA = (tifffile.EXTRASAMPLE.ASSOCALPHA, tifffile.EXTRASAMPLE.UNASSALPHA)


class UnreadableFrame(StepError):
    """A frame that cannot be used; the series is processed without it."""


@dataclass(frozen=True)
class Header:
    """What the header of a raw frame says.

    Attributes:
        shape: height and width (px).
        several: what it holds where that is more than one picture, else empty.
        pixel_size_um: width of a pixel (um), None where the file does not say.
        pixel_height_um: height of a pixel (um), None where the file does not say.
    """

    shape: tuple[int, int]
    several: str = ""
    pixel_size_um: float | None = None
    pixel_height_um: float | None = None


def read_frame(path: str | Path) -> Frame:
    """Read a raw frame, shape (Y, X), uint8 or uint16, 0 is black.

    Of a pyramid the largest level is read, of a file with thumbnails the picture. A colour frame
    is accepted when its channels are equal, an alpha channel where it hides nothing.

    Raises:
        UnreadableFrame: no such file, truncated, partly zeros where data are absent, not an image,
            several images, in colour, of another sample type, or without any contrast.
        SystemFault: the system does not let it be read.
    """
    path = Path(path)
    with _whole_or_refused(path, "export this frame again"):
        image = _decode(path)
    frame = _integers(_grey(image, path), path)
    if frame.max() == frame.min():
        raise UnreadableFrame(
            f"{path}: expected an image with contrast, found the one value {int(frame.flat[0])}"
            " in every pixel; export this frame again"
        )
    return frame


def read_header(path: str | Path) -> Header:
    """Read what the header of a raw frame says, without its pixels.

    Raises:
        UnreadableFrame: no such file, or none of an image that is read here.
        SystemFault: the system does not let it be read.
    """
    try:
        with open(path, "rb") as stream:
            magic = stream.read(4)
        if magic in TIFF_MAGICS:
            with tifffile.TiffFile(path) as file:
                page = tiff.main_page(file)
                size = tiff.pixel_size_um(file)
                shape = page.imagelength, page.imagewidth
                if tiff.orientation(page) > 4:
                    shape = shape[::-1]
                height, width = size[-2:] if size else (None, None)
                return Header(shape, tiff.several(file), width, height)
        with Image.open(path) as image:
            shape = image.height, image.width
            if image.getexif().get(EXIF_ORIENTATION, 1) > 4:
                shape = shape[::-1]
            count = getattr(image, "n_frames", 1)
            several = f"{count} pictures" if count > 1 and image.format != "MPO" else ""
            dpi = image.info.get("dpi", (0, 0))
            width, height = (25400 / float(one) if one > tiff.FINE_DPI else None for one in dpi)
            return Header(shape, several, width, height)
    except Exception as error:  # decoders raise any exception on damaged files
        if fault := system_fault(path, error):
            raise fault from None
        raise UnreadableFrame(
            f"{path}: expected an image, found none ({_first_line(error)}); export it again"
        ) from None


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0][:120] if lines else type(error).__name__


def read_picture(path: str | Path, labels: bool = False) -> NDArray[np.generic]:
    """Read one grey picture of any type of number, shape (Y, X), 0 is black.

    Args:
        labels: take values as they are stored, and runs of zeros for what is not labelled.

    Raises:
        UnreadableFrame: as :func:`read_frame`, but for its type and its contrast.
        SystemFault: the system does not let it be read.
    """
    path = Path(path)
    with _whole_or_refused(path, "copy it again"):
        return _grey(_decode(path, labels, sections=True), path)


def read_colours(
    path: str | Path, labels: bool = False, number: int | None = None
) -> NDArray[np.generic]:
    """Read one picture of any type of number, shape (Y, X) or, where it has colours, (Y, X, 3).

    Args:
        labels: as for :func:`read_picture`.
        number: of several pictures in a TIFF file; without it, several are refused.

    Raises:
        UnreadableFrame, SystemFault: as :func:`read_picture`, but for its colours.
    """
    path = Path(path)
    with _whole_or_refused(path, "copy it again"):
        image = _decode(path, labels, sections=True, number=number)
        return image if image.ndim == 3 and image.shape[2] == 3 else _grey(image, path)


@contextmanager
def _whole_or_refused(path: Path, remedy: str) -> Iterator[None]:
    """Refuse a picture that is absent or cannot be decoded."""
    try:
        yield
    except UnreadableFrame:
        raise
    except FileNotFoundError:
        raise UnreadableFrame(f"{path}: expected an image, found no such file") from None
    except Exception as error:  # decoders raise any exception on damaged files
        if fault := system_fault(path, error):
            raise fault from None
        raise UnreadableFrame(
            f"{path}: expected a whole image, found a damaged or truncated one"
            f" ({_first_line(error)}); {remedy}"
        ) from None


def _decode(
    path: Path, labels: bool = False, sections: bool = False, number: int | None = None
) -> NDArray[np.generic]:
    def whole(image: NDArray[np.generic]) -> NDArray[np.generic]:
        return image if labels else _whole(image, not sections)

    with path.open("rb") as stream:
        magic = stream.read(8)
    if magic[:4] in TIFF_MAGICS:
        return _decode_tiff(path, labels, whole, number)
    if magic == PNG_MAGIC:
        data = path.read_bytes()
        if b"acTL" in data[: data.find(b"IDAT")]:
            raise UnreadableFrame(_several(path, "an animation"))
        image = np.asarray(imagecodecs.png_decode(data))
        if data[24] == 1 and not labels:  # bits a sample, in the header
            image = image.astype(bool)
        return _oriented(whole(without_alpha(image, path)), path)
    if magic[:3] == jpeg.START:
        if labels:
            raise UnreadableFrame(f"{path}: expected labels without loss, found JPEG; save as PNG")
        return _decode_jpeg(path)
    found = "an empty file" if not magic else "something else"
    raise UnreadableFrame(
        f"{path}: expected a TIFF, PNG or JPEG image, found {found}; export this frame again"
    )


def _several(path: Path, found: str) -> str:
    return (
        f"{path}: expected one picture a file, found {found}; export every channel and every"
        " timepoint to a file of its own"
    )


def _decode_jpeg(path: Path) -> NDArray[np.generic]:
    data = path.read_bytes()
    jpeg.check_whole(data)
    image = np.asarray(imagecodecs.jpeg8_decode(data))
    if image.ndim == 3 and image.shape[2] == 4:
        raise UnreadableFrame(f"{path}: expected a grey JPEG, found one in CMYK; save it in grey")
    return _oriented(image, path)


def _oriented(image: NDArray[np.generic], path: Path) -> NDArray[np.generic]:
    """Turn the pixels of a JPEG or PNG as its EXIF data say."""
    with Image.open(path) as opened:
        turned = opened.getexif().get(EXIF_ORIENTATION, 1)
    return np.ascontiguousarray(tiff.ORIENTED.get(turned, tiff.ORIENTED[1])(image))


def _decode_tiff(
    path: Path,
    labels: bool,
    whole: Callable[[NDArray[np.generic]], NDArray[np.generic]],
    number: int | None,
) -> NDArray[np.generic]:
    size = path.stat().st_size
    with tifffile.TiffFile(path) as file:
        page = tiff.main_page(file) if number is None else tiff.pictures(file)[number]
        tiff.check_whole(file, page, size)
        if number is None and (found := tiff.several(file)):
            raise UnreadableFrame(_several(path, found))
        image = page.asarray(maxworkers=1)
        if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and image.ndim == 3:
            image = np.moveaxis(image, 0, -1)
        image = np.asarray(image)
        if image.ndim == 3 and image.shape[2] in (2, 4):
            image = _alpha_of_tiff(image, page, path)
        image = tiff.by_photometric(whole(image), page, labels)
        return np.ascontiguousarray(tiff.ORIENTED[tiff.orientation(page)](image))


def _alpha_of_tiff(
    image: NDArray[np.generic], page: tifffile.TiffPage, path: Path
) -> NDArray[np.generic]:
    """Leave out a last sample that the file calls alpha, or that is the same everywhere."""
    last = image[:, :, -1]
    if page.extrasamples and page.extrasamples[-1] in ALPHA:
        return without_alpha(image, path)
    if last.min() == last.max() and image.shape[2] == 4:
        return image[:, :, :-1]
    raise UnreadableFrame(
        f"{path}: expected one grey value a pixel, found {image.shape[2]} samples that the file"
        " calls no alpha; export one channel per file, in grey"
    )


def without_alpha(image: NDArray[np.generic], path: Path) -> NDArray[np.generic]:
    """Leave out alpha where all is opaque, or nothing lies below what is transparent.

    Args:
        image: (Y, X) or (Y, X, samples); of 2 or 4 samples the last is alpha.

    Raises:
        UnreadableFrame: pixels that are partly transparent hide several values.
    """
    if image.ndim != 3 or image.shape[2] not in (2, 4):
        return image
    alpha, own = image[:, :, -1], image[:, :, :-1]
    hidden = own[alpha < alpha.max()]
    if hidden.size and hidden.min() != hidden.max():
        raise UnreadableFrame(
            f"{path}: expected one grey value a pixel, found pixels that are partly transparent,"
            " which programs show differently; save it without transparency"
        )
    return own


def _whole(image: NDArray[np.generic], rows_too: bool) -> NDArray[np.generic]:
    """Refuse a picture of which a part is zeros because its data are absent."""
    first = image[:, :, 0] if image.ndim == 3 else image
    if first.ndim == 2 and first.any() and (share := tiff.zero_share(first, rows_too)):
        raise ValueError(f"{share:.0%} of it in one run of zeros: the copy was broken off")
    return image


def _grey(image: NDArray[np.generic], path: Path) -> NDArray[np.generic]:
    for axis in reversed(range(image.ndim)):
        if image.ndim > 2 and image.shape[axis] == 1:
            image = image.squeeze(axis)
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
