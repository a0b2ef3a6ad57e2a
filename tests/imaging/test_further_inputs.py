"""Further pictures and volumes as programs write them: the right value, or one sentence."""

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import imagecodecs
import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

from snakescope.imaging.frames import UnreadableFrame, read_frame, read_header
from snakescope.imaging.volumes import describe, read
from snakescope.step.errors import StepError


@pytest.mark.parametrize(
    "options",
    [
        {"byteorder": ">"}, {"bigtiff": True}, {"tile": (32, 32)}, {"rowsperstrip": 7},
        {"tile": (32, 32), "compression": "zlib", "predictor": True},
        {"compression": "lzw", "predictor": True}, {"compression": "zstd"},
        {"ome": True, "metadata": {"axes": "YX"}}, {"bitspersample": 12},
    ],
)  # fmt: skip
def test_tiffs_of_many_programs_are_read_alike(
    tmp_path: Path, picture: np.ndarray, options: dict
) -> None:
    light = picture.astype(np.uint16) * 16
    tifffile.imwrite(tmp_path / "a.tif", light, **options)
    np.testing.assert_array_equal(read_frame(tmp_path / "a.tif"), light)


def _ramp(down: bool) -> np.ndarray:
    ramp = np.arange(256, dtype=np.uint16) * 257
    return np.tile(ramp[::-1] if down else ramp, (3, 1))


@pytest.mark.parametrize("down", [False, True])
def test_a_grey_palette_is_light(tmp_path: Path, picture: np.ndarray, down: bool) -> None:
    stored = 255 - picture if down else picture
    palette = _ramp(down)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="palette", colormap=palette)
    np.testing.assert_array_equal(read_frame(tmp_path / "a.tif"), picture)
    image = Image.fromarray(stored).convert("P")
    image.putpalette([int(one) for one in (palette.T // 257).ravel()])
    image.save(tmp_path / "a.png", transparency=5)
    np.testing.assert_array_equal(read_frame(tmp_path / "a.png"), picture)


def _saved(path: Path, image: Image.Image) -> Path:
    image.save(path)
    return path


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (lambda f, p: _saved(f / "a.png", Image.fromarray(np.stack([p, 255 - p], -1))),
         "partly transparent"),
        (lambda f, p: _saved(f / "a.png", Image.fromarray(np.stack([p, p, p, 255 - p], -1))),
         "partly transparent"),
        (lambda f, p: _saved(f / "a.jpg", Image.merge("CMYK", [Image.fromarray(p)] * 4)),
         "found one in CMYK"),
        (lambda f, p: _saved(f / "a.png", Image.fromarray(p > 128)), "found bool"),
        (lambda f, p: _saved(f / "a.tif", Image.fromarray(p > 128)), "found bool"),
        (lambda f, p: _saved(f / "a.png", Image.fromarray(p[:1, :1])), "the shape 1 x 1"),
    ],
)  # fmt: skip
def test_pictures_that_programs_show_differently_are_refused(
    tmp_path: Path, picture: np.ndarray, write: Callable, sentence: str
) -> None:
    with pytest.raises(UnreadableFrame, match=sentence):
        read_frame(write(tmp_path, picture))


def test_what_is_transparent_may_hold_one_value(tmp_path: Path, picture: np.ndarray) -> None:
    alpha = np.full_like(picture, 255)
    alpha[:20], picture[:20] = 0, 9
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(np.stack([picture, alpha], -1)))
    np.testing.assert_array_equal(read_frame(tmp_path / "a.png"), picture)


def test_both_sides_of_a_pixel_are_told(tmp_path: Path, picture: np.ndarray) -> None:
    metadata = {"axes": "YX", "PhysicalSizeX": 2.5, "PhysicalSizeY": 5000}
    metadata |= {"PhysicalSizeYUnit": "nm"}
    tifffile.imwrite(tmp_path / "a.tif", picture, ome=True, metadata=metadata)
    header = read_header(tmp_path / "a.tif")
    assert (header.pixel_size_um, header.pixel_height_um) == (2.5, pytest.approx(5.0))


def _pages(path: Path, pages: list[np.ndarray], **options: object) -> str:
    with tifffile.TiffWriter(path) as file:
        for number, page in enumerate(pages):
            file.write(page, contiguous=False, **{k: v[number] for k, v in options.items()})
    return str(path)


@pytest.mark.parametrize("packed", [None, "zlib"])
def test_a_stack_that_was_written_page_by_page_is_whole(
    tmp_path: Path, volume: np.ndarray, packed: str | None
) -> None:
    path = _pages(tmp_path / "v.tif", list(volume), compression=[packed] * len(volume))
    source = describe(path)
    assert source.shape == volume.shape
    np.testing.assert_array_equal(read(source, 3, 8), volume[3:])
    data = Path(path).read_bytes()
    Path(path).write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(StepError, match="damaged or truncated"):
        describe(path)


def test_a_page_of_another_size_or_kind_is_no_section(tmp_path: Path, volume: np.ndarray) -> None:
    own = list(volume)
    with pytest.raises(StepError, match="found 1 of another size or bit depth"):
        describe(_pages(tmp_path / "a.tif", [*own[:7], own[7][:20]]))
    kinds = ["miniswhite" if number == 5 else "minisblack" for number in range(8)]
    with pytest.raises(StepError, match=r"MINISBLACK and MINISWHITE \(page 5\)"):
        describe(_pages(tmp_path / "b.tif", own, photometric=kinds))
    turned = [[(274, "H", 1, 8 if number == 4 else 1, True)] for number in range(8)]
    with pytest.raises(StepError, match=r"Orientation 8 \(page 4\)"):
        describe(_pages(tmp_path / "c.tif", own, extratags=turned))


def test_hdf5_whose_voxels_lie_beside_it(
    tmp_path: Path, volume: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume.tofile(tmp_path / "raw.bin")
    with monkeypatch.context() as patched, h5py.File(tmp_path / "v.h5", "w") as file:
        patched.chdir(tmp_path)
        place = [("raw.bin", 0, h5py.h5f.UNLIMITED)]
        file.create_dataset("v", volume.shape, "u1", external=place)
    for name in ("v.h5", "v.h5:/v"):
        np.testing.assert_array_equal(read(describe(str(tmp_path / name)), 0, 8), volume)
    volume[:4].tofile(tmp_path / "raw.bin")
    with pytest.raises(StepError, match=r"15360 bytes of voxels in raw\.bin, found 7680"):
        describe(str(tmp_path / "v.h5"))


def test_a_view_of_less_than_the_whole_is_told(tmp_path: Path, volume: np.ndarray) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = volume
    for name, source in (("half", "x"), ("none", "y")):
        layout = h5py.VirtualLayout(volume.shape, "u1")
        layout[:4] = h5py.VirtualSource("a.h5", source, volume.shape)[:4]
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file.create_virtual_dataset("v", layout)
    (note,) = describe(str(tmp_path / "half.h5")).notes
    assert "50% of it is a view of nothing" in note
    with pytest.raises(StepError, match="expected y in the file"):
        describe(str(tmp_path / "none.h5"))


def test_what_matlab_wrote_is_told(tmp_path: Path, volume: np.ndarray) -> None:
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["v"] = volume
        file["v"].attrs["MATLAB_class"] = np.bytes_("uint8")
    (note,) = describe(str(tmp_path / "v.h5")).notes
    assert "its sections transposed" in note


def test_multiscales_that_name_no_array(tmp_path: Path, volume: np.ndarray) -> None:
    group = zarr.open_group(str(tmp_path / "v.zarr"), mode="w", zarr_format=2)
    group.create_array("1", data=volume)
    axes = [{"name": name, "type": "space"} for name in "zyx"]
    scales = [{"version": "0.4", "axes": axes, "datasets": [{"path": "0"}]}]
    (tmp_path / "v.zarr/.zattrs").write_text(json.dumps({"multiscales": scales}))
    with pytest.raises(StepError, match="expected the array 0, which its multiscales name"):
        describe(str(tmp_path / "v.zarr"))


def test_a_section_that_comes_twice_is_told(tmp_path: Path, volume: np.ndarray) -> None:
    for number in range(8):
        tifffile.imwrite(tmp_path / f"s{number}.tif", volume[number - (number == 6)])
    (note,) = describe(str(tmp_path)).notes
    assert "s6.tif is the section before it once more" in note


def test_a_description_that_was_shifted_out_of_the_file_is_missed(
    tmp_path: Path, picture: np.ndarray
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, picture, ome=True, metadata={"axes": "YX"})
    with tifffile.TiffFile(path) as file:
        begin = file.pages.first.aspage().dataoffsets[0]
    data = path.read_bytes()
    path.write_bytes(data[: begin - 2] + data[begin:])
    with pytest.raises(UnreadableFrame, match=r"tag 270 at byte \d+ is not in the file"):
        read_frame(path)
