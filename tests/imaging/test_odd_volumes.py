"""Volumes as instruments and programs describe them: the right value, or one sentence."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

from snakescope.imaging.frames import read_frame, read_header
from snakescope.imaging.volumes import describe
from snakescope.step.errors import StepError

VOLUME = np.random.default_rng(0).integers(1, 255, (8, 64, 48)).astype(np.uint8)


def test_numbers_of_sections_may_lie_billions_apart(tmp_path: Path) -> None:
    for number, section in zip((1, 2, 3, 10**12), VOLUME, strict=False):
        tifffile.imwrite(tmp_path / f"s{number}.tif", section)
    notes = describe(str(tmp_path)).notes
    assert any(f"{10**12 - 4} sections are missing by their numbers (4, 5, 6," in n for n in notes)


def test_a_pipe_is_no_volume(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "image.tif")
    with pytest.raises(StepError, match="found a pipe"):
        describe(str(tmp_path / "image.tif"))


def test_a_png_is_turned_as_its_exif_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(VOLUME[0]).save(tmp_path / "a.png", exif=exif)
    frame = read_frame(tmp_path / "a.png")
    np.testing.assert_array_equal(frame, np.rot90(VOLUME[0], -1))
    assert read_header(tmp_path / "a.png").shape == frame.shape


def zarr_group(folder: Path, axes: list, scale: tuple[float, ...] | None = None) -> str:
    group = zarr.create_group(store=str(folder / "v.zarr"), zarr_format=2)
    group.create_array("0", shape=VOLUME.shape, dtype="u1", chunks=(4, 32, 32))[:] = VOLUME
    first: dict = {"path": "0"}
    if scale:
        first["coordinateTransformations"] = [{"type": "scale", "scale": list(scale)}]
    group.attrs.update({"multiscales": [{"axes": axes, "datasets": [first]}]})
    return str(folder / "v.zarr")


def test_axes_of_ome_zarr_0_3_are_obeyed(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="whose last axes are z, y and x, found x, y, z"):
        describe(zarr_group(tmp_path, ["x", "y", "z"]))
    other = tmp_path / "other"
    other.mkdir()
    assert describe(zarr_group(other, ["z", "y", "x"])).shape == VOLUME.shape


@pytest.mark.parametrize(("unit", "nm"), [("meter", 1e9), ("centimeter", 1e7), ("inch", 25.4e6)])
def test_voxel_sizes_in_other_units_are_compared(tmp_path: Path, unit: str, nm: float) -> None:
    axes = [{"name": name, "type": "space", "unit": unit} for name in "zyx"]
    found = describe(zarr_group(tmp_path, axes, (40 / nm, 4 / nm, 4 / nm))).voxel_nm
    assert found == pytest.approx((40, 4, 4))


def test_a_zarr_array_may_say_its_resolution(tmp_path: Path) -> None:
    array = zarr.create_array(
        store=str(tmp_path / "v.zarr"), shape=VOLUME.shape, dtype="u1", chunks=(4, 32, 32)
    )
    array[:] = VOLUME
    array.attrs["resolution"] = [40, 4, 4]
    assert describe(str(tmp_path / "v.zarr")).voxel_nm == (40, 4, 4)


def test_sections_from_the_top_down_have_a_size(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "v.tif", VOLUME, imagej=True, resolution=(250, 250),
        metadata={"axes": "ZYX", "spacing": -0.04, "unit": "um"},
    )  # fmt: skip
    assert describe(str(tmp_path / "v.tif")).voxel_nm == pytest.approx((40, 4, 4))


def test_a_section_in_colour_is_no_volume(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["raw"] = np.repeat(VOLUME[0][:, :, None], 3, axis=2)
    with pytest.raises(StepError, match="whose last axis is one of colours"):
        describe(str(tmp_path / "v.h5"))


def test_two_volumes_in_one_ome_tiff_are_refused(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "v.tif", ome=True) as file:
        for volume in (VOLUME, VOLUME[::-1]):
            file.write(volume, metadata={"axes": "ZYX"})
    with pytest.raises(StepError, match="found 2 pictures of 64 x 48 px"):
        describe(str(tmp_path / "v.tif"))
