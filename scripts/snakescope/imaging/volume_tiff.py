"""Volumes in one TIFF file: pages, ImageJ stacks, OME-TIFF, volumetric pages."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snakescope.imaging import tiff
from snakescope.imaging.volume_source import Source, checked
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tifffile import TiffFile, TiffPage, TiffPageSeries

MOST_CHANNELS = 4
"""Channels of an ImageJ file beyond which they are sections."""


def write_stack(path: str | Path, stack: NDArray[Any]) -> None:
    """Write a grey volume or labels, shape (Z, Y, X), as a page a section, whole or not at all."""
    import tifffile

    with atomic_write(path) as partial:
        # Three or four sections would be written as colours, were they not called grey.
        tifffile.imwrite(
            partial, stack, compression="zlib", photometric="minisblack", metadata={"axes": "ZYX"}
        )


def describe_tiff(path: str, kind: str) -> Source:
    """Describe a TIFF stack by its pages and metadata.

    Raises:
        StepError: colours, several channels or times, pages of several kinds.
        ValueError: absent or overlapping data.
    """
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = _stack(file)
        shape = tuple(n for n in series.shape if n != 1) if series.ndim > 3 else series.shape
        shape = (1, *shape) if len(shape) == 2 else shape
        if alike := _alike(file, series):
            shape = (len(alike), *shape[1:])
        # A last axis S holds colours. Before y it may hold sections: stacks of three or four
        # sections are often written like that.
        if series.axes.endswith("S"):
            raise StepError(
                f"{path}: expected one grey volume, found colours, {' x '.join(map(str, shape))}; "
                "export it in grey"
            )
        if strays := _strays(file, alike or [series]):
            raise StepError(
                f"{path}: expected sections of {shape[-2]} x {shape[-1]} px, {series.dtype}, found "
                f"{strays} of another size or bit depth; export the stack again"
            )
        _check_series(path, file, series)
        _check_alone(path, file, series)
        tiff.check_whole(file, tiff.main_page(file), Path(path).stat().st_size)
        ends = _ends(file, series)
        if alike:
            pass
        elif series.dataoffset is not None:
            ends.append(series.dataoffset + series.nbytes)
        # Volumetric pages have several sections (tag ImageDepth).
        elif (found := _depth(series)) != math.prod(shape[:-2]):
            raise ValueError(f"{math.prod(shape[:-2])} sections expected, {found} found")
        # A strip beyond the end of the file would be read as zeros.
        if max(ends, default=0) > Path(path).stat().st_size:
            raise ValueError(
                f"voxels expected up to byte {max(ends)} of {Path(path).stat().st_size}"
            )
        voxel = tiff.pixel_size_um(file)
        voxel = None if voxel is None else (0.0, *voxel)[-3:]
        nm = None if voxel is None else (1e3 * voxel[0], 1e3 * voxel[1], 1e3 * voxel[2])
        dtype = str(series.dtype)
        notes: tuple[str, ...] = ()
        if "S" in series.axes and _kind(tiff.main_page(file)) == "RGB":
            notes = (
                f"{path}: stored as {shape[0]} planes of one picture in colour, which are taken for"
                " sections, as some programs write them; see that it is no picture in colour",
            )
        place = checked(path, shape)
        return Source(path, "tiff", place, dtype, (path,), "", kind, nm, notes=notes)


def _check_series(path: str, file: TiffFile, series: TiffPageSeries) -> None:
    counts = dict(zip(series.axes, series.shape, strict=False))
    # Programs that are told nothing of axes write the sections of an ImageJ file as channels.
    channels = counts.get("C", 1)
    if channels > 1 and not (file.is_imagej and len(counts) == 3 and channels > MOST_CHANNELS):
        names = ", ".join(tiff.channel_names(file))
        raise StepError(
            f"{path}: expected one channel, found {counts['C']} (axes {series.axes}"
            f"{f', channels {names}' if names else ''}); keep one channel"
        )
    page = tiff.main_page(file)
    size = page.imagewidth, page.imagelength
    for number in range(len(file.pages)):
        one = file.pages[number].aspage()
        if one.is_reduced or (one.imagewidth, one.imagelength) != size:
            continue
        if tiff.orientation(one) != 1:
            raise StepError(
                f"{path}: expected sections as they are stored, found the tag Orientation"
                f" {tiff.orientation(one)} (page {number}), which some programs apply and others do"
                " not; save it anew"
            )
        if one.photometric != page.photometric:
            raise StepError(
                f"{path}: expected pages of one kind, found {_kind(page)} and"
                f" {_kind(one)} (page {number}), of which one is inverted or coloured;"
                " save the stack again"
            )


def _check_alone(path: str, file: TiffFile, series: TiffPageSeries) -> None:
    """Refuse a second volume in an OME-TIFF, of which the first would be taken without a word."""
    if not file.is_ome:
        return
    own = series.shape[-2:]
    others = [one for one in file.series if one is not series and one.shape[-2:] == own]
    if others:
        raise StepError(
            f"{path}: expected one volume, found {len(others) + 1} pictures of"
            f" {' x '.join(map(str, own))} px, of shapes"
            f" {', '.join(' x '.join(map(str, one.shape)) for one in (series, *others))}; export"
            " each to a file of its own"
        )


def _kind(page: TiffPage) -> str:
    return str(getattr(page.photometric, "name", page.photometric))


def _ends(file: TiffFile, series: TiffPageSeries) -> list[int]:
    spans = []
    for one in file.pages:
        page = one.aspage()
        if series.dataoffset is None and 0 in page.databytecounts and not page.is_reduced:
            raise ValueError(f"page {page.index} has strips or tiles that are not in the file")
        spans += list(zip(page.dataoffsets, page.databytecounts, strict=False))
    ordered = sorted(spans)
    if any(a + n > b for (a, n), (b, _) in pairwise(ordered)):
        raise ValueError("its pages lie on one another")
    return [offset + count for offset, count in spans]


def _stack(file: TiffFile) -> TiffPageSeries:
    """Return the largest series of a TIFF file, which may hold thumbnails as well."""
    return max(file.series, key=lambda series: series.size)


def _alike(file: TiffFile, series: TiffPageSeries) -> list[TiffPageSeries]:
    """Return the sections of a file that was written page by page, each a series of its own.

    Programs that write with tifffile in a loop describe every page as a picture of its own.
    Empty where the file is no such one.
    """
    if series.kind != "shaped" or sum(n != 1 for n in series.shape) > 2:
        return []
    own = [one for one in file.series if one.shape == series.shape and one.dtype == series.dtype]
    return own if len(own) > 1 else []


def _strays(file: TiffFile, stack: list[TiffPageSeries]) -> int:
    """Count pages that belong neither to the volume nor to its thumbnails.

    Only of files whose metadata do not state the number of sections.
    """
    series = stack[0]
    if series.kind == "shaped":
        beside = [one.pages[0] for one in file.series if one not in stack]
        return sum(page is not None and not page.aspage().is_reduced for page in beside)
    if series.kind not in ("generic", "uniform"):
        return 0
    own = {page.index for page in series.pages if page is not None}
    others = (page.aspage() for page in file.pages if page.index not in own)
    return sum(not page.is_reduced for page in others)


def _depth(series: TiffPageSeries) -> int:
    return sum(page.aspage().imagedepth for page in series.pages if page is not None)


def read_tiff(source: Source, begin: int, end: int) -> NDArray[Any]:
    """Read sections of a TIFF stack, (end - begin, Y, X), 0 is black."""
    import numpy as np
    import tifffile

    with tifffile.TiffFile(source.path) as file:
        size = Path(source.path).stat().st_size
        part = np.asarray(_stored(file, source, begin, end, size))
        part = np.array(part, part.dtype.newbyteorder("="))
        return tiff.by_photometric(part, tiff.main_page(file), source.kind == "labels")


def _stored(file: TiffFile, source: Source, begin: int, end: int, size: int) -> Any:
    import numpy as np
    import tifffile

    series = _stack(file)
    if alike := _alike(file, series):
        own = [page.aspage() for one in alike[begin:end] for page in one.pages if page is not None]
        for page in own:
            tiff.check_whole(file, page, size)
        return np.stack([page.asarray() for page in own])
    if series.dataoffset is not None:
        # Contiguous voxels, often with a single page: read these sections only.
        mapped = tifffile.memmap(source.path, series=file.series.index(series), mode="r")
        return np.array(mapped.reshape(source.shape)[begin:end])
    if len(series.pages) == source.shape[0]:
        pages = [page.aspage() for page in series.pages[begin:end] if page is not None]
        for page in pages:
            tiff.check_whole(file, page, size)
        return np.stack([page.asarray() for page in pages])
    if file.pages.first.is_volumetric and series.ndim == 3:
        import zarr

        # One page with all sections: read the tiles of these sections only.
        return zarr.open_array(series.aszarr(level=0), mode="r")[begin:end]
    return series.asarray().reshape(source.shape)[begin:end]
