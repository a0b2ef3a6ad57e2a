"""What a TIFF file says of itself: its pictures, their meaning, their pixel size, and whether
their data are all there.

Decoders fill what is absent with zeros and ignore tags that change the meaning of values, so both
are looked at here, for frames, sections and stacks alike.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tifffile import TiffFile, TiffPage

MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
ZERO_TAIL = 64
"""Zero bytes at the end of a compressed strip that no compression writes."""
FINE_DPI = 1200
"""Resolution from which one in dots per inch is a measured one, and no default of a program."""
MOST_PAGES = 8
"""Pages beyond which a file is no frame, and not followed to its end."""
MOST_TAGS = 4096
TAG_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4,
             16: 8, 17: 8, 18: 8}  # fmt: skip
"""Bytes of a value of each type of a tag (TIFF 6.0; BigTIFF)."""
COMPRESSED = {
    "LZW", "ADOBE_DEFLATE", "DEFLATE", "PACKBITS", "ZSTD", "JPEG", "JPEG2000", "APERIO_JP2000_YCBC",
    "APERIO_JP2000_RGB", "JPEG_2000_LOSSY", "WEBP", "JPEGXL", "LZMA", "PNG",
}  # fmt: skip
"""Kinds of compression that never end in many zeros; decoders of some only warn of absent bits."""
MICROMETRES = {
    "nm": 1e-3, "nanometer": 1e-3, "nanometre": 1e-3, "nanometers": 1e-3, "nanometres": 1e-3,
    "um": 1.0, "µm": 1.0, "\u03bcm": 1.0, "\\u00b5m": 1.0, "µ": 1.0, "\\u00b5": 1.0, "micra": 1.0,
    "micron": 1.0, "microns": 1.0, "micrometer": 1.0, "micrometre": 1.0, "micrometers": 1.0,
    "micrometres": 1.0, "mm": 1e3, "millimeter": 1e3, "millimetre": 1e3, "millimeters": 1e3,
    "millimetres": 1e3, "cm": 1e4, "centimeter": 1e4, "centimetre": 1e4, "centimeters": 1e4,
    "centimetres": 1e4, "m": 1e6, "meter": 1e6, "metre": 1e6, "meters": 1e6, "metres": 1e6,
    "å": 1e-4, "\\u00c5": 1e-4, "angstrom": 1e-4, "angstroms": 1e-4, "pm": 1e-6,
    "picometer": 1e-6, "inch": 25400.0, "inches": 25400.0, "in": 25400.0,
}  # fmt: skip
"""Micrometres of the units of length in files, in small letters."""


def main_page(file: TiffFile) -> TiffPage:
    """Return the first of the largest pages, which is the picture; others may be thumbnails."""
    pages = [page.aspage() for page in file.pages]
    return max(pages, key=lambda one: (one.imagewidth * one.imagelength, -one.index))


def pictures(file: TiffFile) -> list[TiffPage]:
    """Return the pages of the picture's size that are neither reduced nor transparency masks."""
    page = main_page(file)
    own = [one.aspage() for one in file.pages]
    own = [o for o in own if (o.imagewidth, o.imagelength) == (page.imagewidth, page.imagelength)]
    return [one for one in own if not (one.is_reduced or one.is_mask)]


def several(file: TiffFile) -> str:
    """Return what a file holds where it is more than one picture, else an empty text.

    Pages of another size, reduced ones and transparency masks are no pictures of their own.
    """
    page = main_page(file)
    count = len(pictures(file))
    count = max(count, page.imagedepth, int((file.imagej_metadata or {}).get("images", 1)))
    if file.is_stk:
        count = max(count, len((file.stk_metadata or {}).get("PlaneDescriptions", ())) or 1)
    if count < 2:
        return ""
    names = ", ".join(channel_names(file))
    axes = _axes(file)
    told = [f"axes {axes}" if axes else "", f"channels {names}" if names else ""]
    told = [text for text in told if text]
    return f"{count} pictures" + (f" ({', '.join(told)})" if told else "")


def _axes(file: TiffFile) -> str:
    try:
        if not (file.is_ome or file.is_imagej):
            return ""
        return str(max(file.series, key=lambda one: one.size).axes)
    except Exception:  # a description that contradicts the pages
        return ""


def channel_names(file: TiffFile) -> list[str]:
    """Return the names of the channels that OME metadata give, empty without any."""
    return [name for one in _ome(file, "Channel") if (name := one.get("Name", ""))]


def _ome(file: TiffFile, tag: str) -> list[Any]:
    try:
        root = ElementTree.fromstring(file.ome_metadata or "")
    except ElementTree.ParseError:
        return []
    return [one for one in root.iter() if one.tag.rpartition("}")[2] == tag]


def pixel_size_um(file: TiffFile) -> tuple[float, ...] | None:
    """Return the size of a pixel by OME, ImageJ or resolution tags: (z,) y, x in micrometres.

    Without z where none is stated; None where the file states no size. Resolutions in dots per
    inch count from ``FINE_DPI`` on, as 72, 96 or 300 are what programs write where they know
    nothing.
    """
    for one in _ome(file, "Pixels"):
        sizes = [_in_um(one, axis) for axis in "ZYX"]
        if sizes[1] and sizes[2]:
            return tuple(size for size in sizes if size)
    page = main_page(file)
    across, down = (_ratio(page, tag) for tag in ("XResolution", "YResolution"))
    if not across or not down:
        return None
    metadata = file.imagej_metadata or {}
    if unit := MICROMETRES.get(str(metadata.get("unit", "")).strip().lower()):
        y, x = unit / down, unit / across
        # Negative where sections were taken from the top down.
        spacing = abs(float(metadata.get("spacing", 0) or 0))
        return (spacing * unit, y, x) if spacing > 0 else (y, x)
    code = page.tags.get("ResolutionUnit")
    value = int(code.value) if code is not None else 2
    if value == 3 and file.is_imagej is False:
        y, x = 1e4 / down, 1e4 / across
        return (y, x) if x < 100 else None
    if value == 2 and min(across, down) > FINE_DPI:
        return 25400 / down, 25400 / across
    return None


def _in_um(pixels: Any, axis: str) -> float | None:
    try:
        size = float(pixels.get(f"PhysicalSize{axis}", ""))
    except ValueError:
        return None
    unit = MICROMETRES.get(str(pixels.get(f"PhysicalSize{axis}Unit", "µm")).strip().lower())
    return size * unit if unit and math.isfinite(size) and size > 0 else None


def _ratio(page: TiffPage, name: str) -> float | None:
    tag = page.tags.get(name)
    try:
        over, under = tag.value  # type: ignore[union-attr]
        value = float(over) / float(under)
    except (AttributeError, TypeError, ValueError, ZeroDivisionError):
        return None
    return value if math.isfinite(value) and value > 0 else None


def check_chain(file: TiffFile) -> None:
    """Refuse a file that names a further page which is not there.

    Raises:
        ValueError: the link behind the last page leads nowhere.
    """
    page = file.pages[len(file.pages) - 1].aspage()
    handle, big = file.filehandle, file.is_bigtiff
    order: Any = "little" if file.byteorder == "<" else "big"
    handle.seek(page.offset)
    count = int.from_bytes(handle.read(8 if big else 2), order)
    handle.seek((20 if big else 12) * count, 1)
    follows = int.from_bytes(handle.read(8 if big else 4), order)
    first = file.pages.first.offset
    # NDPI and some writers of pyramids link back to the first page.
    if follows and follows != first:
        raise ValueError(f"a further page at byte {follows} is not in the file")


def check_whole(file: TiffFile, page: TiffPage, size: int) -> None:
    """Refuse a page whose data are not all in the file.

    Raises:
        ValueError: strips or tiles are absent, beyond the end of the file, on one another, shorter
            or longer than their pixels, or end in zeros where they are compressed.
    """
    check_chain(file)
    _check_tags(file, page, size)
    spans = _spans(page)
    ends = [offset + count for offset, count in spans]
    if not ends or max(ends) > size:
        raise ValueError(f"pixels expected up to byte {max(ends, default=0)} of {size}")
    if absent := page.databytecounts.count(0):
        raise ValueError(f"{absent} of {len(spans)} strips or tiles are not in the file")
    ordered = sorted(spans)
    over = any(a + n > b for (a, n), (b, _) in pairwise(ordered))
    for low, high in _described(file, page):
        over |= any(a < high and low < a + n for a, n in ordered)
    if over or ordered[0][0] < 8:
        raise ValueError("its strips lie on one another or on its description")
    _check_end(file, max(ends), size)
    name = getattr(page.compression, "name", "")
    if int(page.compression) == 1:
        if not page.is_tiled:
            # Rows begin with a byte, also of 12 bit packed pixels.
            apart = int(page.planarconfig) == 2
            together = 1 if apart else page.samplesperpixel
            line = -(-page.imagewidth * page.bitspersample * together // 8)
            lines = page.imagedepth * (page.samplesperpixel if apart else 1)
            padded = page.rowsperstrip * len(spans) if page.rowsperstrip < page.imagelength else 0
            expected = [line * n * lines for n in (page.imagelength, padded)]
            if (found := sum(page.databytecounts)) not in expected:
                raise ValueError(f"{expected[0]} bytes of pixels expected, {found} found")
    elif name in COMPRESSED:
        for offset, count in spans:
            file.filehandle.seek(offset + max(0, count - ZERO_TAIL))
            tail = file.filehandle.read(min(count, ZERO_TAIL))
            if count >= ZERO_TAIL and not any(tail):
                raise ValueError("its compressed pixels end in zeros: the copy was broken off")


def _check_tags(file: TiffFile, page: TiffPage, size: int) -> None:
    """Refuse a page whose description lies beyond the end of the file: it was shifted within.

    Raises:
        ValueError: the value of a tag is not in the file.
    """
    big, handle = file.is_bigtiff, file.filehandle
    order: Any = "little" if file.byteorder == "<" else "big"
    head, entry, inline = (8, 20, 8) if big else (2, 12, 4)
    handle.seek(page.offset)
    count = int.from_bytes(handle.read(head), order)
    entries = handle.read(min(count, MOST_TAGS) * entry)
    for at in range(0, len(entries) - entry + 1, entry):
        code, kind = (int.from_bytes(entries[at + k : at + k + 2], order) for k in (0, 2))
        values = int.from_bytes(entries[at + 4 : at + entry - inline], order)
        length = values * TAG_BYTES.get(kind, 0)
        offset = int.from_bytes(entries[at + entry - inline : at + entry], order)
        if length > inline and offset + length > size:
            raise ValueError(f"tag {code} at byte {offset} is not in the file")


def _spans(page: TiffPage) -> list[tuple[int, int]]:
    return list(zip(page.dataoffsets, page.databytecounts, strict=False))


def _described(file: TiffFile, page: TiffPage) -> list[tuple[int, int]]:
    """Return the bytes, first and one after the last, of a page's tags and of their values."""
    big = file.is_bigtiff
    head, entry, link = (8, 20, 8) if big else (2, 12, 4)
    spans = [(page.offset, page.offset + head + entry * len(page.tags) + link)]
    for tag in page.tags:
        if tag.valuebytecount > (8 if big else 4):
            spans.append((tag.valueoffset, tag.valueoffset + tag.valuebytecount))
    return spans


def _check_end(file: TiffFile, data_end: int, size: int) -> None:
    """Refuse a file that goes on for some bytes after all it describes: it was shifted within.

    Raises:
        ValueError: up to 64 bytes at its end that are not zero belong to nothing.
    """
    if file.is_imagej or file.is_stk or len(file.pages) > MOST_PAGES:
        return
    end = data_end
    for number in range(len(file.pages)):
        one = file.pages[number].aspage()
        if {"SubIFDs", "ExifTag", "GPSTag"} & {tag.name for tag in one.tags}:
            return
        end = max([end, *(high for _, high in _described(file, one))])
        end = max([end, *(a + n for a, n in _spans(one))])
    # tifffile leaves 16 bytes behind the last of several pages, a resolution that none refers to.
    unused = 16 if len(file.pages) > 1 else 0
    if 0 < size - end <= ZERO_TAIL and size - end != unused:
        file.filehandle.seek(end)
        if any(file.filehandle.read(size - end)):
            raise ValueError(f"{size - end} bytes at its end that belong to nothing")


def by_photometric(image: NDArray[Any], page: TiffPage, labels: bool = False) -> NDArray[Any]:
    """Return pixels as light: 0 is black, whatever the file stores as white.

    Args:
        labels: the values are names of objects, which a palette only colours.

    Raises:
        ValueError: colours of a palette, or values that are no grey and no RGB.
    """
    import numpy as np

    name = getattr(page.photometric, "name", str(page.photometric))
    if labels and name == "MINISWHITE":
        raise ValueError("labels stored WhiteIsZero, where 0 may be the greatest; invert the LUT")
    if labels and name == "PALETTE":
        return image
    if name == "MINISWHITE":
        if image.dtype.kind == "b":
            return ~image
        if image.dtype.kind != "u":
            raise ValueError(f"WhiteIsZero with values of {image.dtype}; save it as BlackIsZero")
        top = image.dtype.type(2**page.bitspersample - 1)
        return np.asarray(top - image)
    if name == "PALETTE":
        colours = np.asarray(page.colormap)
        if not (np.array_equal(colours[0], colours[1]) and np.array_equal(*colours[1:])):
            raise ValueError("a palette of colours; save it in grey")
        ramp = np.arange(colours.shape[1])
        if np.array_equal(colours[0] >> 8, ramp) or np.array_equal(colours[0] // 257, ramp):
            return image
        return (colours[0][image] >> 8).astype(np.uint8)
    if name not in ("MINISBLACK", "RGB", "YCBCR"):
        raise ValueError(f"pixels of the kind {name}; save it in grey")
    return image


ORIENTED = {
    1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1), 6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1], 8: lambda a: a.swapaxes(0, 1)[::-1],
}  # fmt: skip
"""How stored pixels become the picture, by the tag Orientation (TIFF 6.0, EXIF)."""


def orientation(page: TiffPage) -> int:
    """Return the tag Orientation of a page, 1 where it is absent or has no meaning."""
    tag = page.tags.get("Orientation")
    value = tag.value if tag is not None else 1
    return int(value) if value in ORIENTED else 1


LARGEST_BORDER = 0.05
"""Share of a picture that whole black rows of a border take."""


def zero_share(image: NDArray[Any], rows_too: bool = True) -> float:
    """Return the share of a picture (Y, X) that is zero because its data are absent, else 0.

    A copy that was broken off, or a file that was reserved and not filled, has a run of zeros over
    two rows or more in a picture that has hardly any other zero.

    Black borders of aligned pictures are no absent data: columns that are black throughout are not
    looked at, and whole rows count only where they are more than a border.

    Args:
        rows_too: whether a run that begins and ends with a row counts at all.
    """
    import numpy as np

    if image.ndim != 2 or image.size < 4 or not image.any():
        return 0.0
    columns = np.flatnonzero(image.any(axis=0))
    top = int(np.argmax(image.any(axis=1)))
    top = top if top <= LARGEST_BORDER * len(image) else 0
    image = image[top:, columns[0] : columns[-1] + 1]
    flat, width = image.ravel(), image.shape[1]
    # Two whole rows of zeros hold one pixel of every row's middle: most pictures end here.
    zero_rows = np.flatnonzero(~image.any(axis=1))
    if not len(zero_rows):
        return 0.0
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flat == 0, [0]))))
    begins, lengths = edges[::2], edges[1::2] - edges[::2]
    longest = int(np.argmax(lengths))
    run, begin = int(lengths[longest]), int(begins[longest])
    others = np.delete(lengths, longest)
    rest = flat.size - run
    rare = others.sum() < 0.01 * max(rest, 1)
    short = others.max(initial=0) < min(width / 4, run / 50) and others.sum() < 0.7 * max(rest, 1)
    cut = begin % width or (begin + run) % width
    cut = cut or (rows_too and run > LARGEST_BORDER * flat.size)
    if run < 2 * width or not (rare or (short and begin + run == flat.size)) or not cut:
        return 0.0
    return run / flat.size
