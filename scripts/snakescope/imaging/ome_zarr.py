"""Grey volumes as OME-Zarr, written section by section.

Version 0.4 of the specification (Zarr 2), which napari, Neuroglancer and BigDataViewer open.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

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
        group = zarr.create_group(store=str(partial), zarr_format=2, overwrite=True)
        arrays = [_create(group, level, shape) for level in range(levels)]
        for z, section in enumerate(sections):
            for array in arrays:
                array[z] = section
                section = _halved(section)
        axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"]
        datasets = []
        for level in range(levels):
            factors = (1, 2**level, 2**level)
            scale = [nm * factor / NM_PER_UM for nm, factor in zip(voxel_nm, factors, strict=True)]
            datasets.append(
                {
                    "path": str(level),
                    "coordinateTransformations": [{"type": "scale", "scale": scale}],
                }
            )
        name = Path(folder).name.removesuffix(".ome.zarr")
        multiscale: Any = {"version": "0.4", "name": name, "axes": axes, "datasets": datasets}
        group.attrs.update({"multiscales": [multiscale]})


def _create(group: Any, level: int, shape: Sequence[int]) -> Any:
    depth, height, width = shape
    side = 2**level
    coarse = (depth, -(-height // side), -(-width // side))
    return group.create_array(
        str(level),
        shape=coarse,
        chunks=tuple(min(a, b) for a, b in zip(CHUNK, coarse, strict=True)),
        dtype=np.uint8,
        chunk_key_encoding={"name": "v2", "separator": "/"},
        fill_value=0,
    )


def _halved(section: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mean of every 2 x 2 pixels; an odd last row or column is repeated."""
    height, width = section.shape
    even = np.pad(section, ((0, height % 2), (0, width % 2)), mode="edge").astype(np.uint16)
    total = even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]
    halved: NDArray[np.uint8] = ((total + 2) // 4).astype(np.uint8)
    return halved
