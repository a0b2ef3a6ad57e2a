"""Readers of volumes: TIFF stack, folder of sections, HDF5, OME-Zarr.

:func:`describe` finds shape and dtype without reading voxels; :func:`read` reads a range of
sections.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snakescope.step.errors import StepError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tifffile import TiffFile, TiffPageSeries

# Readers are imported where they are used: the Snakefile imports this module in every process.

TIFF = (".tif", ".tiff")
SECTIONS = (*TIFF, ".png", ".jpg", ".jpeg")
HDF5 = (".h5", ".hdf5", ".hdf", ".he5")
HDF5_DATASET = re.compile(r"(.*\.(?:h5|hdf5|hdf|he5)):(.*)", re.IGNORECASE)
FORMS = "a TIFF stack, a folder of sections (TIFF, PNG, JPEG), an HDF5 file or an OME-Zarr"


@dataclass(frozen=True)
class Source:
    """A volume on disk.

    Attributes:
        path: as given in the sample sheet.
        form: tiff, sections, hdf5 or zarr.
        shape: voxels along z, y and x.
        dtype: name of the numpy dtype.
        files: the files whose change is noticed; of a folder one per section, in order.
        dataset: name within the file; empty for forms without datasets.
    """

    path: str
    form: str
    shape: tuple[int, int, int]
    dtype: str
    files: tuple[str, ...]
    dataset: str = ""

    def files_of(self, begin: int, end: int) -> tuple[str, ...]:
        """Return the files that contain sections ``begin`` to ``end``, the latter excluded."""
        return self.files[begin:end] if self.form == "sections" else self.files


def describe(path: str) -> Source:
    """Return form, shape and dtype of a volume without reading its voxels.

    Raises:
        StepError: the path does not exist, is damaged, not in 3-D, or of an unknown form.
    """
    named = None if Path(path).exists() else HDF5_DATASET.fullmatch(path)
    file, dataset = named.groups() if named else (path, "")
    if not Path(file).exists():
        raise StepError(f"{path}: expected {FORMS}, found nothing there; correct the sample sheet")
    try:
        if Path(file).suffix.lower() in HDF5:
            return _hdf5(path, file, dataset)
        if Path(file).is_dir():
            names = (".zarray", ".zattrs", ".zgroup", "zarr.json")
            if any(Path(file, name).exists() for name in names):
                return _zarr(path, file)
            return _sections(path)
        if Path(file).suffix.lower() in TIFF:
            return _tiff(path)
    except StepError:
        raise
    except Exception as error:  # readers raise any exception on damaged files
        raise _damaged(path, error) from None
    raise StepError(
        f"{path}: expected {FORMS}, found {Path(file).suffix or 'no suffix'}; convert it"
    )


def _damaged(path: str, error: Exception) -> StepError:
    lines = str(error).splitlines()
    return StepError(
        f"{path}: expected a whole volume, found a damaged or truncated file "
        f"({lines[0][:100] if lines else type(error).__name__}); copy it again"
    )


def _checked(path: str, shape: Sequence[int]) -> tuple[int, int, int]:
    if len(shape) != 3 or min(shape) < 1:
        raise StepError(
            f"{path}: expected one grey volume with the axes z, y, x, found the shape "
            f"{' x '.join(map(str, shape))}; keep one channel and one time"
        )
    z, y, x = map(int, shape)
    return z, y, x


def _tiff(path: str) -> Source:
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = _stack(file)
        shape = tuple(n for n in series.shape if n != 1) if series.ndim > 3 else series.shape
        shape = (1, *shape) if len(shape) == 2 else shape
        # A last axis S holds colours. Before y it may hold sections: stacks of three or four
        # sections are often written like that.
        if series.axes.endswith("S"):
            raise StepError(
                f"{path}: expected one grey volume, found colours, {' x '.join(map(str, shape))}; "
                "export it in grey"
            )
        if strays := _strays(file, series):
            raise StepError(
                f"{path}: expected sections of {shape[-2]} x {shape[-1]} px, {series.dtype}, found "
                f"{strays} of another size or bit depth; export the stack again"
            )
        ends = [
            offset + count
            for page in file.pages
            for offset, count in zip(
                page.aspage().dataoffsets, page.aspage().databytecounts, strict=False
            )
        ]
        if series.dataoffset is not None:
            ends.append(series.dataoffset + series.nbytes)
        # Volumetric pages have several sections (tag ImageDepth).
        elif (found := _depth(series)) != math.prod(shape[:-2]):
            raise ValueError(f"{math.prod(shape[:-2])} sections expected, {found} found")
        # A strip beyond the end of the file would be read as zeros.
        if max(ends, default=0) > Path(path).stat().st_size:
            raise ValueError(
                f"voxels expected up to byte {max(ends)} of {Path(path).stat().st_size}"
            )
        return Source(path, "tiff", _checked(path, shape), str(series.dtype), (path,))


def _stack(file: TiffFile) -> TiffPageSeries:
    """Return the largest series of a TIFF file, which may hold thumbnails as well."""
    return max(file.series, key=lambda series: series.size)


def _strays(file: TiffFile, series: TiffPageSeries) -> int:
    """Count pages that belong neither to the volume nor to its thumbnails.

    Only of files whose metadata do not state the number of sections.
    """
    if series.kind not in ("generic", "uniform"):
        return 0
    own = {page.index for page in series.pages if page is not None}
    others = (page.aspage() for page in file.pages if page.index not in own)
    return sum(not page.is_reduced for page in others)


def _depth(series: TiffPageSeries) -> int:
    return sum(page.aspage().imagedepth for page in series.pages if page is not None)


def _natural(path: Path) -> list[Any]:
    """Sort key of file names with numbers: section 10 follows section 9."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]


def _sections(path: str) -> Source:
    files = sorted(
        # macOS writes a file ._section.tif of metadata for every file.
        (
            file
            for file in Path(path).iterdir()
            if file.suffix.lower() in SECTIONS and not file.name.startswith(".")
        ),
        key=_natural,
    )
    if not files:
        raise StepError(
            f"{path}: expected sections ({', '.join(SECTIONS)}), found none; copy them there or "
            "correct the sample sheet"
        )
    first = read_section(files[0])
    return Source(
        path, "sections", (len(files), *first.shape), str(first.dtype), tuple(map(str, files))
    )


def read_section(path: str | Path) -> NDArray[Any]:
    """Read one section, shape (Y, X), values as stored.

    Raises:
        StepError: the file is absent, damaged or not a grey image.
    """
    import numpy as np

    try:
        if Path(path).suffix.lower() in TIFF:
            import tifffile

            image = tifffile.imread(path, key=0)
        else:
            import imagecodecs

            image = imagecodecs.imread(path)
    except Exception as error:  # decoders raise any exception on damaged files
        raise _damaged(str(path), error) from None
    if image.ndim != 2:
        raise StepError(
            f"{path}: expected one grey section, found the shape "
            f"{' x '.join(map(str, image.shape))}; export it in grey"
        )
    return np.asarray(image)


def _hdf5(path: str, file: str, dataset: str) -> Source:
    import h5py

    with h5py.File(file, "r") as opened:
        found: list[str] = []
        opened.visititems(
            lambda name, item: (
                found.append(name) if isinstance(item, h5py.Dataset) and item.ndim == 3 else None
            )
        )
        if dataset.strip("/"):
            named = opened.get(dataset)  # may be a link, which visititems skips
            if not isinstance(named, h5py.Dataset) or named.ndim != 3:
                raise StepError(
                    f"{path}: expected a dataset in 3-D of this name, found "
                    f"{', '.join(found) or 'none in 3-D'}; correct the sample sheet"
                )
            name = dataset.strip("/")
        elif len(found) != 1:
            raise StepError(
                f"{path}: expected one dataset in 3-D, found {', '.join(found) or 'none'}; name it "
                f"after a colon, such as {file}:/{found[0] if found else 'image'}"
            )
        else:
            name = found[0]
        stored = opened[name]
        return Source(path, "hdf5", _checked(path, stored.shape), str(stored.dtype), (file,), name)


def _zarr(path: str, file: str) -> Source:
    array, dataset = _open_zarr(file)
    # Leading axes of length 1 are times and channels.
    shape = array.shape[-3:] if set(array.shape[:-3]) <= {1} else array.shape
    names = (".zarray", "zarr.json")
    folder = Path(file, dataset)
    metadata = tuple(str(folder / name) for name in names if (folder / name).exists())
    return Source(path, "zarr", _checked(path, shape), str(array.dtype), metadata, dataset)


def _open_zarr(file: str) -> tuple[Any, str]:
    """Return the array of full resolution of an OME-Zarr, or the array at the root of a Zarr."""
    import zarr

    opened: Any = zarr.open(file, mode="r")
    if isinstance(opened, zarr.Array):
        return opened, ""
    attributes: dict[str, Any] = dict(opened.attrs)
    scales = attributes.get("ome", attributes).get("multiscales")
    if not scales:
        raise StepError(
            f"{file}: expected an OME-Zarr with multiscales, found a Zarr group without; name the "
            "array in it"
        )
    axes = [axis["name"] for axis in scales[0].get("axes", ()) if isinstance(axis, dict)]
    if axes and [name.lower() for name in axes[-3:]] != ["z", "y", "x"]:
        raise StepError(
            f"{file}: expected an OME-Zarr whose last axes are z, y and x, found "
            f"{', '.join(axes)}; write it in this order"
        )
    dataset = scales[0]["datasets"][0]["path"]
    return opened[dataset], dataset


def read(source: Source, begin: int, end: int) -> NDArray[Any]:
    """Read sections ``begin`` to ``end``, shape (end - begin, Y, X), values as stored.

    Raises:
        StepError: the file is damaged, or a section has another shape than the first.
    """
    try:
        part = _read(source, begin, end)
    except StepError:
        raise
    except Exception as error:  # readers raise any exception on damaged files
        raise _damaged(source.path, error) from None
    if part.shape != (end - begin, *source.shape[1:]):
        raise StepError(
            f"{source.path}: expected sections {begin} to {end - 1} of {source.shape[1]} x "
            f"{source.shape[2]} px, found the shape {part.shape}; write the volume again"
        )
    return part


def _read(source: Source, begin: int, end: int) -> NDArray[Any]:
    import numpy as np

    if source.form == "sections":
        sections = []
        for file in source.files[begin:end]:
            section = read_section(file)
            if str(section.dtype) != source.dtype:
                raise StepError(
                    f"{file}: expected a section of {source.dtype} as the first, {source.files[0]},"
                    f" found {section.dtype}; export all sections alike"
                )
            if section.shape != source.shape[1:]:
                raise StepError(
                    f"{file}: expected a section of {source.shape[1]} x {source.shape[2]} px as "
                    f"the first, found {section.shape[0]} x {section.shape[1]}; export it again"
                )
            sections.append(section)
        return np.stack(sections)
    if source.form == "tiff":
        import tifffile

        with tifffile.TiffFile(source.path) as stack:
            series = _stack(stack)
            if series.dataoffset is not None:
                # Contiguous voxels, often with a single page: read these sections only.
                mapped = tifffile.memmap(source.path, series=stack.series.index(series), mode="r")
                part = mapped.reshape(source.shape)[begin:end]
                return np.array(part, part.dtype.newbyteorder("="))
            if len(series.pages) == source.shape[0]:
                pages = series.pages[begin:end]
                return np.stack([page.asarray() for page in pages if page is not None])
            if stack.pages.first.is_volumetric and series.ndim == 3:
                import zarr

                # One page with all sections: read the tiles of these sections only.
                return np.asarray(zarr.open_array(series.aszarr(level=0), mode="r")[begin:end])
            return np.asarray(series.asarray().reshape(source.shape)[begin:end])
    if source.form == "hdf5":
        import h5py

        with h5py.File(source.files[0], "r") as opened:
            return np.asarray(opened[source.dataset][begin:end])
    array, _ = _open_zarr(source.path)
    lead = (0,) * (array.ndim - 3)
    return np.asarray(array[(*lead, slice(begin, end))])
