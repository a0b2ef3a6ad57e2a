"""Volumes as OME-Zarr, and grey ones written section by section.

Version 0.4 of the specification (Zarr 2), which napari, Neuroglancer and BigDataViewer open.
"""

from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import DTypeLike, NDArray

from snakescope.step.output import atomic_folder

CHUNK = (1, 512, 512)
NM_PER_UM = 1000.0


def write_ome_zarr(
    folder: str | Path,
    sections: Iterable[NDArray[np.uint8]],
    shape: Sequence[int],
    voxel_nm: Sequence[float],
    levels: int = 3,
) -> None:
    """Write a volume of bytes with coarser levels, whole or not at all.

    Args:
        folder: named ``<name>.ome.zarr``.
        sections: each of shape ``shape[1:]``, in order.
        shape: voxels along z, y and x.
        voxel_nm: their size along z, y and x (nm).
        levels: count; each halves y and x by the mean of 2 x 2.
    """
    with atomic_folder(folder) as partial:
        name = Path(folder).name.removesuffix(".ome.zarr")
        factors = [(1, 2**level, 2**level) for level in range(levels)]
        arrays = create_levels(partial, name, shape, voxel_nm, factors, CHUNK, np.uint8)
        for z, section in enumerate(sections):
            for array in arrays:
                array[z] = section
                section = means(section[None], (1, 2, 2))[0]


def create_levels(
    folder: str | Path,
    name: str,
    shape: Sequence[int],
    voxel_nm: Sequence[float],
    factors: Sequence[Sequence[int]],
    chunk: Sequence[int],
    dtype: DTypeLike,
    labels: bool = False,
) -> list[Any]:
    """Create an empty OME-Zarr of one volume and return its arrays, one a level.

    Args:
        folder: which is written; what is in it is lost.
        name: of the volume.
        shape: voxels along z, y and x.
        voxel_nm: their size along z, y and x (nm).
        factors: of every level, by how much it is coarser along z, y and x; the first is 1, 1, 1.
        chunk: voxels of a chunk, cut to the level.
        dtype: of voxels, which are 0 where nothing is written.
        labels: whether voxels name objects.
    """
    group = zarr.create_group(store=str(folder), zarr_format=2, overwrite=True)
    arrays: list[Any] = []
    datasets: list[dict[str, Any]] = []
    for level, steps in enumerate(factors):
        coarse = tuple(-(-n // step) for n, step in zip(shape, steps, strict=True))
        arrays.append(
            group.create_array(
                str(level),
                shape=coarse,
                chunks=tuple(min(a, b) for a, b in zip(chunk, coarse, strict=True)),
                dtype=dtype,
                chunk_key_encoding={"name": "v2", "separator": "/"},
                fill_value=0,
            )
        )
        scale = [nm * step / NM_PER_UM for nm, step in zip(voxel_nm, steps, strict=True)]
        datasets.append(
            {
                "path": str(level),
                "coordinateTransformations": [{"type": "scale", "scale": scale}],
            }
        )
    axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"]
    stated: dict[str, Any] = {
        "multiscales": [{"version": "0.4", "name": name, "axes": axes, "datasets": datasets}]
    }
    if labels:
        stated["image-label"] = {"version": "0.4"}
    group.attrs.update(stated)
    return arrays


def means(part: NDArray[np.uint8], factors: Sequence[int]) -> NDArray[np.uint8]:
    """Return the mean of every box of ``factors`` voxels, rounded; ends are filled by the last."""
    ends = [(0, -n % f) for n, f in zip(part.shape, factors, strict=True)]
    padded = np.pad(part, ends, mode="edge").astype(np.uint16)
    z, y, x = factors
    total = np.zeros(tuple(n // f for n, f in zip(padded.shape, factors, strict=True)), np.uint16)
    for k, j, i in product(range(z), range(y), range(x)):
        total += padded[k::z, j::y, i::x]
    count = z * y * x
    found: NDArray[np.uint8] = ((total + count // 2) // count).astype(np.uint8)
    return found
