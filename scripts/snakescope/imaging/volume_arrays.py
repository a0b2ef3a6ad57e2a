"""Volumes in HDF5 files and in Zarr: which dataset, which axes, and what of it is not there.

Both formats read what was never written, or was not copied, as a constant.
"""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snakescope.imaging.tiff import MICROMETRES
from snakescope.imaging.volume_source import Source, check_axes, three_axes
from snakescope.step.errors import StepError

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESOLUTION = ("resolution", "element_size_um", "voxel_size")
"""Attributes with the size of a voxel along z, y and x: in nm, in um where the name says so."""


def describe_hdf5(path: str, file: str, dataset: str, kind: str) -> Source:
    """Describe a dataset of an HDF5 file; the only one in 3-D if none is named.

    Raises:
        StepError: no such dataset or several, other axes, data that were never written, or sources
            of a virtual dataset that are not there.
    """
    import h5py

    with h5py.File(file, "r") as opened:
        found: list[str] = []

        def take(name: str, item: object) -> None:
            if isinstance(item, h5py.Dataset) and _is_volume(item.shape):
                found.append(name)

        opened.visititems(take)
        if dataset.strip("/"):
            named = opened.get(dataset)  # may be a link, which visititems skips
            if not isinstance(named, h5py.Dataset) or not _is_volume(named.shape):
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
        named = None
        stored = _dataset(opened, name)
        axes = three_axes(path, stored.shape)
        names = _axis_names(stored)
        if names:
            check_axes(path, [names[axis] for axis in axes])
        shape = tuple(stored.shape[axis] for axis in axes)
        notes = tuple(_absent_in_hdf5(path, file, stored))
        if "MATLAB_class" in stored.attrs:
            notes += (
                f"{path}: written by MATLAB, which stores axes in reverse: an array y, x, z is read"
                " as z, x, y, its sections transposed; see that labels are from MATLAB as well",
            )
        offset = _numbers(stored.attrs.get("offset"))
        return Source(
            path, "hdf5", shape, str(stored.dtype), (file,), name, kind, _resolution(stored),
            offset, None, notes,
        )  # fmt: skip


def _dataset(opened: Any, name: str) -> Any:
    """Open a dataset whose voxels may lie in files beside it, wherever the program is run."""
    import h5py

    stored = opened[name]
    if not stored.external:
        return stored
    del stored  # HDF5 does not open it once more with another prefix
    access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
    access.set_efile_prefix(b"${ORIGIN}")
    return h5py.Dataset(h5py.h5d.open(opened.id, name.encode(), access))


def _is_volume(shape: tuple[int, ...] | None) -> bool:
    """Whether an array has three axes, those of length 1 left out."""
    return shape is not None and (
        len(shape) == 3 or (len(shape) > 3 and sum(n != 1 for n in shape) <= 3)
    )


def _axis_names(stored: Any) -> list[str]:
    """Names of the axes by axistags (ilastik) or dimension labels, empty without."""
    try:
        tags = json.loads(stored.attrs["axistags"])["axes"]
        names = [str(one["key"]) for one in tags]
    except (KeyError, TypeError, ValueError):
        names = [dim.label for dim in stored.dims]
    return names if len(names) == stored.ndim and all(names) else []


def _numbers(value: Any) -> tuple[float, float, float] | None:
    try:
        z, y, x = (float(one) for one in value)
    except (TypeError, ValueError):
        return None
    return (z, y, x) if all(map(math.isfinite, (z, y, x))) else None


def _resolution(stored: Any) -> tuple[float, float, float] | None:
    for name in RESOLUTION:
        if size := _numbers(stored.attrs.get(name)):
            unit = 1e3 if name.endswith("_um") else 1.0
            z, y, x = (unit * one for one in size)
            return (z, y, x) if min(z, y, x) > 0 else None
    return None


def _absent_in_hdf5(path: str, file: str, stored: Any) -> list[str]:
    if stored.is_virtual:
        return _absent_in_view(path, file, stored)
    length = 0
    for name, begin, size in stored.external or ():
        beside = Path(file).parent / name
        if not beside.exists():
            raise StepError(
                f"{path}: expected the file {name}, which holds the voxels of this dataset, found"
                " none; copy it beside this file"
            )
        length += min(size, max(0, beside.stat().st_size - begin))
    if stored.external:
        if length < stored.size * stored.dtype.itemsize:
            raise StepError(
                f"{path}: expected {stored.size * stored.dtype.itemsize} bytes of voxels in"
                f" {', '.join(one[0] for one in stored.external)}, found {length}; copy it again"
            )
        return []
    if stored.id.get_storage_size() == 0:
        raise StepError(
            f"{path}: expected voxels, found a dataset that none were ever written to; write it"
            " again"
        )
    if stored.chunks is None:
        return []
    pairs = zip(stored.shape, stored.chunks, strict=True)
    return _absent(path, math.prod(-(-n // c) for n, c in pairs), stored.id.get_num_chunks())


def _absent_in_view(path: str, file: str, stored: Any) -> list[str]:
    """Note what of a virtual dataset no source gives.

    Raises:
        StepError: a source is not there.
    """
    import h5py

    given, known = 0, True
    for one in stored.virtual_sources():
        source = file if one.file_name == "." else str(Path(file).parent / one.file_name)
        if "%" in source or one.vspace.get_select_npoints() <= 0:
            known = False
            continue
        if not Path(source).exists():
            raise StepError(
                f"{path}: expected the file {source}, of which this dataset is a view, found"
                " none; copy it beside this file"
            )
        with h5py.File(source, "r") as opened:
            if one.dset_name not in opened:
                raise StepError(
                    f"{path}: expected {one.dset_name} in the file {source}, of which this dataset"
                    " is a view, found none; copy that file again"
                )
        given += one.vspace.get_select_npoints()
    if known and given < stored.size:
        return [
            f"{path}: {1 - given / stored.size:.0%} of it is a view of nothing and read as the fill"
            " value; copy what it is a view of"
        ]
    return []


def _absent(path: str, expected: int, found: int) -> list[str]:
    if found >= expected:
        return []
    return [
        f"{path}: {expected - found} of {expected} chunks are absent and read as the fill value; if"
        " the copy was broken off, copy it again"
    ]


def describe_zarr(path: str, file: str, kind: str) -> Source:
    """Describe an OME-Zarr, at full resolution, or the array at the root of a Zarr.

    Raises:
        StepError: no multiscales, or other axes.
    """
    array, dataset, voxel, begin = _open_zarr(file)
    axes = three_axes(path, array.shape)
    shape = tuple(array.shape[axis] for axis in axes)
    named = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    if named and len(named) == array.ndim and all(named):
        check_axes(path, [named[axis] for axis in axes])
    files = (".zarray", "zarr.json")
    folder = Path(file, dataset)
    metadata = tuple(str(folder / name) for name in files if (folder / name).exists())
    try:
        notes = tuple(_absent(path, array.nchunks, array.nchunks_initialized))
    except (NotImplementedError, AttributeError):  # a store that cannot be listed
        notes = ()
    if not array.shards:
        notes += tuple(_more_than_its_shape(path, folder, array))
    size = _resolution(array) if voxel is None else _numbers([voxel[axis] for axis in axes])
    offset = _numbers(array.attrs.get("offset"))
    if begin is not None:
        offset = _numbers([begin[axis] for axis in axes])
    return Source(
        path, "zarr", shape, str(array.dtype), metadata, dataset, kind, size, offset, None, notes
    )


def _more_than_its_shape(path: str, folder: Path, array: Any) -> list[str]:
    """Note voxels that chunks hold beyond the shape, by which the metadata are of another volume.

    Raises:
        StepError: there are chunks beyond the shape.
    """
    import numpy as np
    import zarr

    counts = [-(-n // c) for n, c in zip(array.shape, array.chunks, strict=True)]
    for axis, count in enumerate(counts):
        for others in ([0] * array.ndim, [n // 2 for n in counts]):
            place = (*others[:axis], count, *others[axis + 1 :])
            if (chunk := folder / array.metadata.encode_chunk_key(place)).exists():
                raise StepError(
                    f"{path}: expected chunks within the shape {tuple(array.shape)} of its"
                    f" metadata, found {chunk} beyond; copy or write the volume again"
                )
    for axis, count in enumerate(counts):
        within = array.shape[axis] % array.chunks[axis]
        middle = [n // 2 for n in counts]
        place = (*middle[:axis], count - 1, *middle[axis + 1 :])
        if not within or not (folder / array.metadata.encode_chunk_key(place)).exists():
            continue
        # Writers fill the rest of a chunk at the end; read with whole chunks, it is seen.
        shape = [n * c for n, c in zip(counts, array.chunks, strict=True)]
        whole = zarr.Array.from_dict(array.store_path, array.metadata.to_dict() | {"shape": shape})
        region = [slice(k * c, (k + 1) * c) for k, c in zip(place, array.chunks, strict=True)]
        rest = np.moveaxis(np.asarray(whole[tuple(region)]), axis, 0)[within:]
        if len(np.unique(rest)) > 2:
            return [
                f"{path}: its chunks hold voxels beyond the shape {tuple(array.shape)} of its"
                " metadata; look whether it was cut, or whether they are of another volume"
            ]
    return []


def _open_zarr(file: str) -> tuple[Any, str, list[float] | None, list[float] | None]:
    """Return an array, its name in the group, and size and place of its first voxel (nm)."""
    import zarr

    opened: Any = zarr.open(file, mode="r")
    if isinstance(opened, zarr.Array):
        return opened, "", None, None
    attributes: dict[str, Any] = dict(opened.attrs)
    scales = attributes.get("ome", attributes).get("multiscales")
    if not scales:
        raise StepError(
            f"{file}: expected an OME-Zarr with multiscales, found a Zarr group without; name the "
            "array in it"
        )
    described = [axis for axis in scales[0].get("axes", ()) if isinstance(axis, dict)]
    axes = [axis["name"] for axis in described]
    # Version 0.3 names axes without more.
    axes = axes or [str(axis) for axis in scales[0].get("axes", ()) if isinstance(axis, str)]
    if axes and [name.lower() for name in axes[-3:]] != ["z", "y", "x"]:
        raise StepError(
            f"{file}: expected an OME-Zarr whose last axes are z, y and x, found "
            f"{', '.join(axes)}; write it in this order"
        )
    first = scales[0]["datasets"][0]
    if first["path"] not in opened:
        raise StepError(
            f"{file}: expected the array {first['path']}, which its multiscales name, found none;"
            " copy it again"
        )
    array = opened[first["path"]]
    if larger := [name for name, one in opened.arrays() if one.size > array.size]:
        raise StepError(
            f"{file}: expected the first of its multiscales to be the largest array, found"
            f" {first['path']}, and {larger[0]} larger; name the array, such as {file}/{larger[0]}"
        )
    return array, first["path"], *_scale(scales[0], first, described, array.ndim)


def _scale(
    whole: Any, first: Any, axes: list[Any], ndim: int
) -> tuple[list[float] | None, list[float] | None]:
    size, begin = [1.0] * ndim, [0.0] * ndim
    stated = placed = False
    for holder in (first, whole):
        for one in holder.get("coordinateTransformations", ()):
            kind = one.get("type")
            if kind not in ("scale", "translation") or len(one.get(kind, ())) != ndim:
                continue
            values = [float(value) for value in one[kind]]
            if kind == "translation":
                begin, placed = [a + b for a, b in zip(begin, values, strict=True)], True
                continue
            size, stated = [a * b for a, b in zip(size, values, strict=True)], True
            begin = [a * b for a, b in zip(begin, values, strict=True)]
    units = [MICROMETRES.get(_short(axis.get("unit", ""))) for axis in axes[-3:]]
    if not stated or len(units) != 3 or not all(units):
        return None, None
    nm = [1.0] * (ndim - 3) + [1e3 * float(unit or 0) for unit in units]
    in_nm = [[a * b for a, b in zip(values, nm, strict=True)] for values in (size, begin)]
    return in_nm[0], in_nm[1] if placed else None


def _short(unit: str) -> str:
    return str(unit).lower()


def read_array(source: Source, begin: int, end: int) -> NDArray[Any]:
    """Read sections of an HDF5 dataset or a Zarr array, (end - begin, Y, X)."""
    import numpy as np

    if source.form == "hdf5":
        import h5py

        with h5py.File(source.files[0], "r") as opened:
            return np.asarray(_part(source, _dataset(opened, source.dataset), begin, end))
    array, *_ = _open_zarr(source.path)
    _check_blosc(source, array, begin, end)
    return np.asarray(_part(source, array, begin, end))


def _check_blosc(source: Source, array: Any, begin: int, end: int) -> None:
    """Refuse chunks that were cut off: Blosc reads beyond the end of what it decodes.

    Its header says the length of a chunk (bytes 12 to 15).

    Raises:
        StepError: a chunk of the sections has another length.
    """
    blosc = any("blosc" in type(one).__name__.lower() for one in array.compressors)
    if not blosc or array.shards:
        return
    axis = three_axes(source.path, array.shape)[0]
    counts = [-(-n // c) for n, c in zip(array.shape, array.chunks, strict=True)]
    ranges = [range(count) for count in counts]
    ranges[axis] = range(begin // array.chunks[axis], -(-end // array.chunks[axis]))
    for place in itertools.product(*ranges):
        chunk = Path(source.path, source.dataset, array.metadata.encode_chunk_key(place))
        try:
            with chunk.open("rb") as stream:
                stated = int.from_bytes(stream.read(16)[12:], "little")
        except FileNotFoundError:  # reads as the fill value, which is told
            continue
        size = chunk.stat().st_size
        if size != stated:
            raise StepError(
                f"{source.path}: expected the chunk {chunk.name} of {chunk.parent} to have"
                f" {stated} bytes, as its header says, found {size}; copy it again"
            )


def _part(source: Source, array: Any, begin: int, end: int) -> Any:
    z, y, x = three_axes(source.path, array.shape)
    index: list[int | slice] = [0] * array.ndim
    index[z], index[y], index[x] = slice(begin, end), slice(None), slice(None)
    return array[tuple(index)]
