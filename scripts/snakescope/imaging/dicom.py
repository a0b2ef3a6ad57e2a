"""Ultrasound DICOM: pixels in their right colours, regions that lie in the matrix, few metadata.

Nothing that names a patient, a hospital or a date leaves this module, except through
:func:`pseudonym`.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snakescope.imaging.jpeg import check_whole
from snakescope.step.errors import StepError, decoded, readable

MAGIC_AT, MAGIC = 128, b"DICM"
ULTRASOUND = ("1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.3.1")
"""Ultrasound image and ultrasound multi-frame image storage."""

SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
TWO_D, TISSUE, FLOW = 1, 1, 2
"""Region Spatial Format 2D; Region Data Types tissue and colour flow (PS3.3 C.8.5.5.1)."""

CENTIMETRES = 3
PLAIN = {"manufacturer": "Manufacturer", "model": "ManufacturerModelName"}


class Region(NamedTuple):
    """A region of the frame (px, ends inclusive) that shows tissue in 2-D."""

    top: int
    left: int
    bottom: int
    right: int
    mm_per_px: float


@dataclass(frozen=True)
class UltrasoundFile:
    """What an ultrasound DICOM holds.

    Attributes:
        frames: uint8, shape (N, Y, X, 3), RGB; or grey, shape (N, Y, X), uint8 or deeper, with the
            slope and intercept of the file applied.
        window: centre and width of grey values, where the file states them.
        regions: 2-D tissue regions, largest first, that lie inside the pixel matrix.
        refused: sentences on regions that do not.
        metadata: manufacturer, model, transducer, depth; no text of a person or place.
        doppler: the file says that it shows flow.
        inverted: the least grey value is white.
    """

    frames: NDArray[Any]
    window: tuple[float, float] | None
    regions: tuple[Region, ...]
    refused: tuple[str, ...]
    metadata: dict[str, str] = field(default_factory=dict)
    doppler: bool = False
    inverted: bool = False


def is_dicom(path: str | Path) -> bool:
    """Whether a file begins as DICOM files do.

    Raises:
        SystemFault: the system does not let it be read.
        OSError: it is no file.
    """
    with readable(path), open(path, "rb") as file:
        return file.read(MAGIC_AT + len(MAGIC))[MAGIC_AT:] == MAGIC


def read_header(path: str | Path) -> Any:
    """The data set without pixels, checked for what can be told from it.

    Raises:
        StepError: no ultrasound, a compression without a decoder, a cine clip without frames, or
            more than 8 bits without a window.
    """
    import pydicom
    from pydicom.errors import InvalidDicomError
    from pydicom.pixels import get_decoder

    def none(error: Exception) -> str:
        return (
            f"{path}: expected a DICOM file, found none ({type(error).__name__}); export it again"
        )

    with decoded(path, none, (InvalidDicomError, EOFError, OSError)):
        header = pydicom.dcmread(path, stop_before_pixels=True)
    kind = str(header.get("SOPClassUID", ""))
    if kind not in ULTRASOUND and not kind.startswith(SECONDARY):
        name = getattr(header.get("SOPClassUID"), "name", kind) or "no SOP class"
        raise StepError(f"{path}: expected an ultrasound image, found {name}; leave the scan out")
    syntax = header.file_meta.get("TransferSyntaxUID")
    if syntax is None:
        raise StepError(f"{path}: expected a transfer syntax, found none; export the scan again")
    try:
        decoder = None if not syntax.is_compressed else get_decoder(syntax)
        missing = decoder is not None and not decoder.is_available
    except (NotImplementedError, ValueError):
        missing = True
    if missing:
        raise StepError(
            f"{path}: expected pixels that can be decoded here, found the compression"
            f" {syntax.name}; export the scan without compression, or as JPEG or JPEG 2000"
        )
    frames = header.get("NumberOfFrames")
    multi = kind == ULTRASOUND[1]
    if (multi and not frames) or (frames is not None and int(frames) < 1):
        raise StepError(
            f"{path}: expected a cine clip with frames, found {frames or 'none'}; export it again"
        )
    bits = int(header.get("BitsStored", header.get("BitsAllocated", 8)))
    if bits > 8 and header.get("WindowCenter") is None:
        raise StepError(
            f"{path}: expected grey values of 8 bits, or a window of those of {bits}, found"
            " neither; give centre and width in the column window"
        )
    return header


def read_ultrasound(path: str | Path, window: bool = False) -> UltrasoundFile:
    """Read pixels, regions and metadata of an ultrasound DICOM.

    Args:
        window: one is given elsewhere, so that the file needs none.

    Raises:
        StepError: see :func:`read_header`; also pixels that cannot be decoded.
    """
    import pydicom
    from pydicom.pixels import apply_color_lut, apply_rescale, pixel_array

    try:
        header = read_header(path)
    except StepError as error:
        if not (window and "column window" in str(error)):
            raise
        header = pydicom.dcmread(path, stop_before_pixels=True)
    colour = str(header.get("PhotometricInterpretation", ""))
    try:
        _check_jpegs(path, header)
        pixels = pixel_array(path)
        if colour == "PALETTE COLOR":
            mapped = apply_color_lut(pixels, header)
            pixels = (mapped >> 8).astype(np.uint8) if mapped.dtype == np.uint16 else mapped
    except Exception as error:  # decoders raise what they like on broken pixels
        raise StepError(
            f"{path}: expected whole pixels, found damaged ones ({type(error).__name__}); export"
            " the scan again"
        ) from None
    single = pixels.ndim == (3 if colour not in ("MONOCHROME1", "MONOCHROME2") else 2)
    frames = pixels[None] if single else pixels
    frames = frames[..., :3] if frames.ndim == 4 else frames
    # A window holds for values as they are stored, so deeper ones are inverted behind it.
    inverted = colour == "MONOCHROME1" and frames.dtype != np.uint8
    if colour == "MONOCHROME1" and not inverted:
        frames = 255 - frames
    if frames.dtype != np.uint8 and (header.get("RescaleSlope") or header.get("RescaleIntercept")):
        frames = apply_rescale(frames, header)
    regions, refused, flow = _regions(header, frames.shape[1:3], path)
    metadata = metadata_of(header)
    return UltrasoundFile(frames, _window(header), regions, refused, metadata, flow, inverted)


def _window(header: Any) -> tuple[float, float] | None:
    centre, width = header.get("WindowCenter"), header.get("WindowWidth")
    if centre is None or width is None:
        return None
    first = [one[0] if hasattr(one, "__len__") else one for one in (centre, width)]
    return float(first[0]), float(first[1])


def _regions(
    header: Any, shape: tuple[int, ...], path: str | Path
) -> tuple[tuple[Region, ...], tuple[str, ...], bool]:
    found, refused, flow = [], [], False
    for one in header.get("SequenceOfUltrasoundRegions", None) or []:
        kind = int(one.get("RegionDataType", 0))
        flow = flow or (int(one.get("RegionSpatialFormat", 0)) == TWO_D and kind == FLOW)
        if int(one.get("RegionSpatialFormat", 0)) != TWO_D or kind != TISSUE:
            continue
        top, left, bottom, right = (
            int(one.get(f"RegionLocation{name}", -1))
            for name in ("MinY0", "MinX0", "MaxY1", "MaxX1")
        )
        if not (0 <= top < bottom < shape[0] and 0 <= left < right < shape[1]):
            refused.append(
                f"{path}: expected a region inside {shape[1]} x {shape[0]} px, found one to"
                f" {right}, {bottom}; it is not used, the sector is found in the pixels"
            )
            continue
        in_cm = int(one.get("PhysicalUnitsXDirection", 0)) == CENTIMETRES
        scale = abs(float(one.get("PhysicalDeltaX", 0))) * 10 if in_cm else float("nan")
        found.append(Region(top, left, bottom, right, scale))
    found.sort(key=lambda r: -(r.bottom - r.top) * (r.right - r.left))
    return tuple(found), tuple(refused), flow


def metadata_of(header: Any) -> dict[str, str]:
    """Device, probe and depth: what may go with the class, and what geometry is shared by."""
    found = {name: str(header.get(tag, "") or "").strip() for name, tag in PLAIN.items()}
    probe = header.get("TransducerData")
    first = probe if isinstance(probe, str) else (probe[0] if probe else "")
    found["transducer"] = str(first or "").strip()
    depth = header.get("DepthOfScanField")
    found["depth_mm"] = "" if depth is None else str(depth)
    found["photometric"] = str(header.get("PhotometricInterpretation", ""))
    return found


def read_salt(path: str | Path) -> bytes:
    """The secret of the pseudonyms, made once; who has it can test a guessed identifier."""
    file = Path(path)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(file, "x", encoding="ascii") as new:
                file.chmod(0o600)
                new.write(secrets.token_hex(32) + "\n")
        except FileExistsError:
            pass
    text = file.read_text(encoding="ascii").strip()
    if len(text) < 32:
        raise StepError(
            f"{file}: expected a secret of 32 characters or more, found {len(text)}; remove the"
            " file, so that one is made, or restore it"
        )
    return text.encode()


def pseudonym(identifier: str, salt: bytes, digits: int = 12) -> str:
    """HMAC-SHA256 of an identifier, as hexadecimal digits (RFC 2104).

    A plain hash of a short number is found by trying all numbers; without the salt this one is not.
    """
    return hmac.new(salt, identifier.encode(), hashlib.sha256).hexdigest()[:digits]


def _check_jpegs(path: str | Path, header: Any) -> None:
    """Refuse a frame that is a JPEG and was cut off; see :func:`jpeg.check_whole`."""
    import pydicom
    from pydicom.encaps import generate_frames

    if header.file_meta.TransferSyntaxUID == pydicom.uid.JPEGBaseline8Bit:
        pixels = pydicom.dcmread(path).PixelData
        count = int(header.get("NumberOfFrames", 1))
        for frame in generate_frames(pixels, number_of_frames=count):
            check_whole(frame)
