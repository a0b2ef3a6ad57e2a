"""Stacks of frames or tiles as OME-TIFF (axes TCYX), written and read page by page.

Only one page is in memory at a time. Files hold no date and no random identifier, so equal pages
give equal bytes. TIFF has no empty stack: it is written as one page of 1 x 1 px with the value 0,
which :class:`Stack` reads as a stack of length 0.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from xml.etree import ElementTree

import numpy as np
import tifffile
from numpy.typing import DTypeLike, NDArray

from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write

FIXED_UUID = "urn:uuid:00000000-0000-0000-0000-000000000000"
# Deflate opens in every viewer; Zstandard is five times as fast, for intermediate files.
LEVELS = {"zlib": 1, "zstd": 1}


def write_stack(
    path: str | Path,
    pages: Iterable[NDArray[Any]],
    count: int,
    channels: Sequence[str],
    height: int,
    width: int,
    dtype: DTypeLike,
    compression: Literal["zlib", "zstd"] = "zlib",
    pixel_size_um: float | None = None,
) -> None:
    """Write ``count`` pages, each (C, Y, X) or, with one channel, (Y, X).

    Compression is lossless, with a horizontal predictor. ``count`` 0 writes the empty stack.

    Raises:
        ValueError: the pages are not ``count``, or one has another shape.
    """
    if count == 0:
        pages, height, width, pixel_size_um = iter(()), 1, 1, None
    metadata: dict[str, Any] = {
        "axes": "TCYX",
        "Channel": {"Name": list(channels)},
        "UUID": FIXED_UUID,
        "Creator": "snakescope",
    }
    if pixel_size_um is not None:
        metadata |= {f"PhysicalSize{axis}": pixel_size_um for axis in "XY"}
        metadata |= {f"PhysicalSize{axis}Unit": "µm" for axis in "XY"}
    planes = _planes(pages, count, len(channels), height, width, np.dtype(dtype))
    with (
        atomic_write(path) as partial,
        tifffile.TiffWriter(partial, bigtiff=True, ome=True) as file,
    ):
        file.write(
            planes,
            shape=(max(count, 1), len(channels), height, width),
            dtype=np.dtype(dtype),
            photometric="minisblack",
            compression=compression,
            compressionargs={"level": LEVELS[compression]},
            predictor=True,
            maxworkers=1,
            software="snakescope",
            metadata=metadata,
        )


def _planes(
    pages: Iterable[NDArray[Any]],
    count: int,
    channels: int,
    height: int,
    width: int,
    dtype: np.dtype[Any],
) -> Iterator[NDArray[Any]]:
    seen = 0
    for page in pages:
        planes = page[np.newaxis] if page.ndim == 2 else page
        if planes.shape != (channels, height, width):
            raise ValueError(f"page {seen} is {planes.shape}, not {(channels, height, width)}")
        for plane in planes:
            yield np.ascontiguousarray(plane.astype(dtype, casting="safe", copy=False))
        seen += 1
    if seen != count:
        raise ValueError(f"{seen} pages came, {count} were announced")
    if count == 0:
        for _ in range(channels):
            yield np.zeros((1, 1), dtype)


class Stack:
    """An OME-TIFF stack opened for reading; use as a context manager.

    Attributes:
        channels: names of the channels, in the order of a page's first axis.
        height, width: of a page, px (0 when the stack has no pages).
        dtype: of the pixels.
        pixel_size_um: their size (um), where it was written.

    Raises (on opening, and on reading a page):
        StepError: the file is absent, damaged, or no stack of this workflow.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self._file = tifffile.TiffFile(self.path)
        except FileNotFoundError:
            raise StepError(f"{path}: expected a stack of frames, found no such file") from None
        except Exception as error:  # tifffile raises many kinds on damaged files
            raise self._damaged(error) from None
        try:
            self.channels, shape, self.pixel_size_um = self._described()
        except Exception as error:
            self._file.close()
            raise self._damaged(error) from None
        self.dtype = self._file.pages.first.dtype
        self.height, self.width = shape
        self._pages = len(self._file.pages) // len(self.channels)
        if shape == (1, 1):
            self.height = self.width = self._pages = 0

    def _described(self) -> tuple[tuple[str, ...], tuple[int, int], float | None]:
        root = ElementTree.fromstring(self._file.ome_metadata or "")
        names = [one.get("Name", "") for one in root.iter() if one.tag.endswith("}Channel")]
        first = self._file.pages.first
        if not names or len(self._file.pages) % len(names):
            raise ValueError(f"{len(self._file.pages)} pages for {len(names)} channels")
        sizes = (one.get("PhysicalSizeX") for one in root.iter() if one.tag.endswith("}Pixels"))
        pixel_size_um = next((float(size) for size in sizes if size), None)
        return tuple(names), (first.imagelength, first.imagewidth), pixel_size_um

    def _damaged(self, error: Exception) -> StepError:
        return StepError(
            f"{self.path}: expected an OME-TIFF stack of this workflow, found something else"
            f" ({type(error).__name__}: {str(error)[:120]}); remove the file and run again"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        """Number of pages; a page has all channels of one timepoint."""
        return self._pages

    def page(self, index: int) -> NDArray[Any]:
        """Page ``index``, shape (C, Y, X)."""
        return np.stack([self.plane(index, channel) for channel in self.channels])

    def plane(self, index: int, channel: str) -> NDArray[Any]:
        """One channel of page ``index``, shape (Y, X)."""
        if not 0 <= index < self._pages:
            raise StepError(
                f"{self.path}: expected the page {index}, found {self._pages} pages;"
                " remove the file and run again"
            )
        try:
            number = index * len(self.channels) + self.channels.index(channel)
            return self._file.pages[number].aspage().asarray(maxworkers=1)
        except Exception as error:
            raise self._damaged(error) from None

    def named(self, index: int) -> dict[str, NDArray[Any]]:
        """Page ``index`` as channel name -> (Y, X)."""
        return {channel: self.plane(index, channel) for channel in self.channels}


def read_stack(path: str | Path) -> NDArray[Any]:
    """All pages at once, shape (T, C, Y, X); T, Y and X are 0 for a stack without pages."""
    with Stack(path) as stack:
        if not len(stack):
            return np.zeros((0, len(stack.channels), 0, 0), stack.dtype)
        return np.stack([stack.page(index) for index in range(len(stack))])
