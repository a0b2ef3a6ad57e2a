"""Volumes as programs write them: whole stacks behind one page, thumbnails, mixed sections."""

import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from snakescope.imaging.volume_tiff import write_stack
from snakescope.imaging.volumes import describe, read
from snakescope.step.errors import StepError


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, (64, 256, 256), dtype=np.uint8)


@pytest.mark.parametrize(
    "how", [{"imagej": True}, {"truncate": True}, {"bigtiff": True, "metadata": None}]
)
def test_only_the_sections_asked_for_are_read(tmp_path: Path, image: np.ndarray, how: dict) -> None:
    tifffile.imwrite(tmp_path / "s.tif", image, **how)
    source = describe(str(tmp_path / "s.tif"))
    assert source.shape == image.shape
    read(source, 0, 1)  # Imports are none of it.
    tracemalloc.start()
    found = read(source, 8, 12)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(found, image[8:12])
    assert peak < 4 * found.nbytes < image.nbytes / 2


def test_values_are_in_the_order_of_this_machine(tmp_path: Path) -> None:
    image = np.arange(5 * 8 * 9).reshape(5, 8, 9).astype(np.uint16)
    tifffile.imwrite(tmp_path / "s.tif", image, byteorder=">")
    found = read(describe(str(tmp_path / "s.tif")), 1, 4)
    assert found.dtype == np.uint16 and found.dtype.isnative
    assert np.array_equal(found, image[1:4])


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_thumbnail_is_no_section(
    tmp_path: Path, image: np.ndarray, compression: str, first: bool
) -> None:
    pages: list[tuple[np.ndarray, dict]] = [(image[:5], {"compression": compression})]
    pages.insert(0 if first else 1, (image[0, ::8, ::8], {"subfiletype": 1}))
    with tifffile.TiffWriter(tmp_path / "s.tif") as file:
        for page, how in pages:
            file.write(page, **how)
    source = describe(str(tmp_path / "s.tif"))
    assert source.shape == (5, 256, 256)
    assert np.array_equal(read(source, 2, 5), image[2:5])


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("other", ["uint16", "smaller"])
def test_a_page_unlike_the_others_is_refused_and_not_dropped(
    tmp_path: Path, image: np.ndarray, compression: str, other: str
) -> None:
    with tifffile.TiffWriter(tmp_path / "s.tif") as file:
        for z in range(5):
            page = image[z]
            if z == 2:
                page = page[:100] if other == "smaller" else page.astype(np.uint16)
            file.write(page, compression=compression, metadata=None)
    with pytest.raises(StepError, match="of another size or bit depth; export the stack again"):
        describe(str(tmp_path / "s.tif"))


def test_sections_of_mixed_bit_depth_are_refused(tmp_path: Path, image: np.ndarray) -> None:
    for z in range(4):
        tifffile.imwrite(tmp_path / f"s{z}.tif", image[z].astype("uint16" if z == 2 else "uint8"))
    source = describe(str(tmp_path))
    assert np.array_equal(read(source, 0, 2), image[:2])
    with pytest.raises(StepError, match=r"s2\.tif: expected a section of uint8 .* found uint16"):
        read(source, 1, 4)


def test_a_colon_in_a_folder_is_no_dataset(tmp_path: Path, image: np.ndarray) -> None:
    folder = tmp_path / "run_10:30"
    folder.mkdir()
    with h5py.File(folder / "v.h5", "w") as file:
        file["raw"], file["other"] = image[:3], image[:2]
    source = describe(f"{folder}/v.h5:/raw")
    assert source.shape == (3, 256, 256)
    assert np.array_equal(read(source, 0, 3), image[:3])
    with pytest.raises(StepError, match="found nothing there"):
        describe(f"{folder}/w.h5:/raw")


@pytest.mark.parametrize("shape", [(1, 20, 24), (3, 20, 24), (4, 20, 24), (7, 20, 4)])
def test_a_stack_of_few_sections_is_no_colours(tmp_path: Path, shape: tuple[int, ...]) -> None:
    stack = np.random.default_rng(2).integers(0, 99, shape).astype(np.uint32)
    write_stack(tmp_path / "new/s.tif", stack)
    with tifffile.TiffFile(tmp_path / "new/s.tif") as file:
        assert len(file.pages) == shape[0] and file.series[0].axes == "ZYX"
        assert file.pages.first.photometric == tifffile.PHOTOMETRIC.MINISBLACK
    source = describe(str(tmp_path / "new/s.tif"), "labels")
    assert source.shape == shape and np.array_equal(read(source, 0, shape[0]), stack)
