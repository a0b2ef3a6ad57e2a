"""Stacks come back as they were written, and the same pages give the same file."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from snakescope.imaging.stacks import Stack, read_stack, write_stack
from snakescope.step.errors import StepError

CHANNELS = ["bright_field", "dark_field"]


@pytest.fixture
def pages() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 60000, (3, 2, 40, 50)).astype(np.uint16)


def test_a_stack_comes_back_page_by_page(tmp_path: Path, pages: np.ndarray) -> None:
    path = tmp_path / "s.ome.tif"
    write_stack(path, iter(pages), 3, CHANNELS, 40, 50, np.uint16, pixel_size_um=9.74)
    np.testing.assert_array_equal(read_stack(path), pages)
    with Stack(path) as stack:
        assert (len(stack), stack.channels, stack.height, stack.width) == (
            3,
            tuple(CHANNELS),
            40,
            50,
        )
        assert stack.pixel_size_um == pytest.approx(9.74)
        np.testing.assert_array_equal(stack.plane(2, "dark_field"), pages[2, 1])
        with pytest.raises(StepError, match="expected the page 3, found 3 pages"):
            stack.plane(3, "dark_field")
    with tifffile.TiffFile(path) as file:
        assert file.series[0].axes == "TCYX"
        assert file.series[0].shape == (3, 2, 40, 50)


@pytest.mark.parametrize("compression", ["zlib", "zstd"])
def test_the_same_pages_give_the_same_bytes(
    tmp_path: Path, pages: np.ndarray, compression: str
) -> None:
    for name in ("a.tif", "b.tif"):
        write_stack(tmp_path / name, iter(pages), 3, CHANNELS, 40, 50, np.uint16, compression)  # type: ignore[arg-type]
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


def test_one_channel_and_no_pages(tmp_path: Path, pages: np.ndarray) -> None:
    path = tmp_path / "s.tif"
    write_stack(path, pages[:, 0], 3, ["overlay"], 40, 50, np.uint16)
    np.testing.assert_array_equal(read_stack(path), pages[:, :1])
    write_stack(path, [], 0, CHANNELS, 40, 50, np.uint16)
    assert read_stack(path).shape == (0, 2, 0, 0)
    with Stack(path) as stack:
        assert (len(stack), stack.channels) == (0, tuple(CHANNELS))


def test_bytes_are_widened_and_wrong_pages_leave_no_file(tmp_path: Path, pages: np.ndarray) -> None:
    small = (pages[:1] >> 8).astype(np.uint8)
    write_stack(tmp_path / "s.tif", small, 1, CHANNELS, 40, 50, np.uint16)
    np.testing.assert_array_equal(read_stack(tmp_path / "s.tif"), small)
    for bad in (pages[:2], pages[:, :, :30]):
        with pytest.raises(ValueError):
            write_stack(tmp_path / "bad.tif", bad, 3, CHANNELS, 40, 50, np.uint16)
    assert [one.name for one in tmp_path.iterdir()] == ["s.tif"]


def test_a_damaged_stack_is_told(tmp_path: Path, pages: np.ndarray) -> None:
    tifffile.imwrite(tmp_path / "other.tif", pages[0, 0])
    (tmp_path / "text.tif").write_text("nothing")
    for name in ("other.tif", "text.tif"):
        with pytest.raises(StepError, match="expected an OME-TIFF stack of this workflow"):
            Stack(tmp_path / name)
    with pytest.raises(StepError, match="no such file"):
        Stack(tmp_path / "absent.tif")
