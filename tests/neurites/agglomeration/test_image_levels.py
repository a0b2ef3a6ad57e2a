"""The image beside the labels: same levels, same size of a voxel, means of what a voxel covers."""

from pathlib import Path

import numpy as np
import zarr

from snakescope.imaging.ome_zarr import create_levels, means
from snakescope.imaging.volumes import describe
from snakescope.neurites.agglomeration.image_levels import write_image
from snakescope.neurites.agglomeration.segmentation import CHUNK, level_factors
from snakescope.neurites.volumes.ingest import create_array

VOXEL_NM = (12.0, 6.0, 6.0)


def test_image_and_labels_lie_on_each_other(tmp_path: Path) -> None:
    volume = np.random.default_rng(0).integers(0, 256, (37, 300, 263), dtype=np.uint8)
    create_array(tmp_path / "image.zarr", "image", volume.shape, 10)[...] = volume
    write_image(tmp_path / "v/image.ome.zarr", tmp_path / "image.zarr", VOXEL_NM, 4)
    group = zarr.open_group(str(tmp_path / "v/image.ome.zarr"), mode="r")
    factors = level_factors(VOXEL_NM, 4)
    assert factors[-1] == (4, 8, 8)
    create_levels(
        tmp_path / "labels", "v", volume.shape, VOXEL_NM, factors, CHUNK, np.uint64, labels=True
    )
    labels = zarr.open_group(str(tmp_path / "labels"), mode="r")
    ours, theirs = (one.attrs["multiscales"][0] for one in (group, labels))
    assert ours["datasets"] == theirs["datasets"] and ours["axes"] == theirs["axes"]
    assert ours["datasets"][3]["coordinateTransformations"][0]["scale"] == [0.048, 0.048, 0.048]
    assert [group[f"{k}"].shape for k in range(4)] == [labels[f"{k}"].shape for k in range(4)]
    np.testing.assert_array_equal(group["0"], volume)
    np.testing.assert_array_equal(group["1"], means(volume, (1, 2, 2)))
    # Rounded level by level, a mean is off by less than a grey value a level.
    whole = volume[4:8, 8:16, 16:24].mean()
    assert abs(float(group["3"][1, 1, 2]) - whole) < 1.5
    source = describe(str(tmp_path / "v/image.ome.zarr"))
    assert source.voxel_nm == VOXEL_NM and source.shape == volume.shape and source.notes == ()
    assert "image-label" not in group.attrs


def test_ends_are_filled_by_the_last_voxel() -> None:
    part = np.array([[[0, 10, 20], [30, 40, 51]]], np.uint8)
    np.testing.assert_array_equal(means(part, (1, 2, 2)), [[[20, 36]]])
    np.testing.assert_array_equal(means(part, (2, 2, 2)), [[[20, 36]]])
