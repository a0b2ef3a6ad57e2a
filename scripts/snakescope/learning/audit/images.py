"""Facts about image files: what is compared between images, and what may betray their class."""

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from snakescope.step.progress import progress

HASH_SIDE = 16
"""A perceptual hash has HASH_SIDE ** 2 = 256 bits; one of 64 mistakes one probe for one image."""
THUMBNAIL_YX = (24, 32)
DETAIL_SIDE, DETAIL_SIGMA = 128, 10.0
COLOURED = 20
"""Difference of the channels of a pixel from which on it has a colour (0 to 255)."""
EXIF = {"camera_make": "Make", "camera_model": "Model", "software": "Software"}
BITS = {"1": 1, "I": 32, "F": 32, "I;16": 16, "I;16B": 16, "I;16L": 16}


@dataclass(frozen=True)
class ImageFacts:
    """What one image file is.

    Attributes:
        problem: why it cannot be read, or empty.
        bytes_sha256: of the file.
        pixels_sha256: of its decoded grey pixels, see :func:`pixels_sha256`.
        phash: shape (256,), its perceptual hash.
        thumbnail: float32, shape (24, 32), mean 0, norm 1.
        detail: float32, shape (128, 128), local contrast: what is left of a copy after another
            gain or gamma.
        metadata: of the file, by field, as text.
        mean_grey: 0 to 1.
        constant: all pixels are equal, or differ by less than one grey level of 255.
        colour: share of pixels that have a colour.
        mask_problem: code and description of what is wrong with its mask, or None.
    """

    problem: str = ""
    bytes_sha256: str = ""
    pixels_sha256: str = ""
    phash: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(HASH_SIDE**2, bool))
    thumbnail: NDArray[np.float32] = field(
        default_factory=lambda: np.zeros(THUMBNAIL_YX, np.float32)
    )
    detail: NDArray[np.float32] = field(
        default_factory=lambda: np.zeros((DETAIL_SIDE, DETAIL_SIDE), np.float32)
    )
    metadata: Mapping[str, str] = field(default_factory=dict)
    mean_grey: float = np.nan
    constant: bool = False
    colour: float = 0.0
    mask_problem: tuple[str, str] | None = None


def pixels_sha256(grey: NDArray[np.generic]) -> str:
    """SHA-256 of ``HxW:`` and the grey pixels, row by row, whatever file they came from."""
    height, width = grey.shape
    shape = f"{height}x{width}:".encode()
    return hashlib.sha256(shape + np.ascontiguousarray(grey).tobytes()).hexdigest()


def grey_of(image: Image.Image) -> NDArray[np.generic]:
    """Grey pixels (Y, X): uint8, or the image's own numbers where it has more than 8 bits."""
    return np.asarray(image if image.mode in BITS and image.mode != "1" else image.convert("L"))


def scaled(grey: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Grey pixels as uint8; of other types the range of the image is spread over 0 to 255."""
    if grey.dtype == np.uint8:
        return grey.astype(np.uint8, copy=False)
    values = np.nan_to_num(grey.astype(np.float64))
    low, span = values.min(), np.ptp(values)
    return np.asarray((values - low) / (span or 1) * 255).astype(np.uint8)


def inner(grey: NDArray[np.uint8], margin: float) -> NDArray[np.uint8]:
    """The image without ``margin`` (share of its sides) on each side, where text and scales are."""
    y, x = (int(margin * side) for side in grey.shape)
    return grey[y : grey.shape[0] - y, x : grey.shape[1] - x]


def detail_of(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Fine structure of an image, (128, 128): less its local mean, over its local SD."""
    size = (DETAIL_SIDE, DETAIL_SIDE)
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    small = np.asarray(cv2.GaussianBlur(small, (0, 0), 1.2), np.float32)
    fine = small - cv2.GaussianBlur(small, (0, 0), DETAIL_SIGMA)
    spread = np.sqrt(cv2.GaussianBlur(fine * fine, (0, 0), DETAIL_SIGMA))
    return np.asarray(fine / (spread + 2), np.float32)


def metadata_of(image: Image.Image) -> dict[str, str]:
    """What the file says of an image besides its pixels, by field."""
    tables = getattr(image, "quantization", None)
    exif = {ExifTags.TAGS.get(tag): str(value).strip() for tag, value in image.getexif().items()}
    found = {
        "format": image.format or "",
        "size_px": f"{image.width}x{image.height}",
        "mode": image.mode,
        "bit_depth": str(BITS.get(image.mode, 8)),
        "jpeg_tables": _short_digest(sorted(tables.items())) if tables else "",
        "frames": str(getattr(image, "n_frames", 1)),
        "file_tags": " ".join(sorted(str(key) for key in image.info)),
    }
    return found | {name: exif.get(tag, "") for name, tag in EXIF.items()}


def _short_digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:8]


def read_facts(path: str | Path, mask: str | Path | None = None, margin: float = 0.1) -> ImageFacts:
    """The facts of an image file, of its first frame where it has several.

    A file that cannot be read gives its problem, never an error: the others are looked at, too.

    Args:
        mask: file of a mask of the image's size, zero where it is background.
        margin: share of the sides that is left out of what is compared, see :func:`inner`.
    """
    try:
        data = Path(path).read_bytes()
        with Image.open(path) as image:
            image.load()
            metadata = metadata_of(image)
            grey = grey_of(image)
            colour = _colour(image)
    except Exception as error:  # decoders raise what they like on broken files
        return ImageFacts(problem=f"{type(error).__name__}: {error}".rstrip(": "))
    picture = scaled(grey)
    part = np.ascontiguousarray(inner(picture, margin))
    small = cv2.resize(part, THUMBNAIL_YX[::-1], interpolation=cv2.INTER_AREA)
    thumbnail = np.asarray(small, np.float32) - np.float32(small.mean())
    norm = float(np.linalg.norm(thumbnail))
    return ImageFacts(
        bytes_sha256=hashlib.sha256(data).hexdigest(),
        pixels_sha256=pixels_sha256(grey),
        phash=imagehash.phash(Image.fromarray(part), hash_size=HASH_SIDE).hash.ravel(),
        thumbnail=thumbnail / (norm or 1.0),
        detail=detail_of(part),
        metadata=metadata,
        mean_grey=float(picture.mean()) / 255,
        constant=bool(grey.min() == grey.max() or picture.std() < 1),
        colour=colour,
        mask_problem=_mask_problem(mask, grey.shape) if mask else None,
    )


def _colour(image: Image.Image) -> float:
    if image.mode in ("L", "1") or image.mode in BITS:
        return 0.0
    channels = np.asarray(image.convert("RGB")).astype(np.int16)
    return float((np.ptp(channels, axis=2) > COLOURED).mean())


def _mask_problem(path: str | Path, shape: tuple[int, ...]) -> tuple[str, str] | None:
    try:
        with Image.open(path) as image:
            mask = grey_of(image)
    except Exception as error:
        return "mask_unreadable", f"{path}: {type(error).__name__}: {error}".rstrip(": ")
    if mask.shape != shape:
        sizes = (f"{width} x {height} px" for height, width in (shape, mask.shape))
        return "mask_size", "{}: expected a mask of {}, found {}".format(path, *sizes)
    if not mask.any():
        return "mask_empty", f"{path}: expected a mask, found zeros only"
    return None


def read_all(
    paths: Iterable[str | Path],
    masks: Iterable[str | Path | None],
    margin: float = 0.1,
    threads: int = 1,
) -> list[ImageFacts]:
    """Facts of many image files, in their order."""
    with ThreadPoolExecutor(max(threads, 1)) as pool:
        found = pool.map(lambda path, mask: read_facts(path, mask, margin), paths, masks)
        return list(progress(found, "audit"))
