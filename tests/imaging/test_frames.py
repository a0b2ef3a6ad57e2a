"""Raw frames as microscopes write them, and as they arrive when something went wrong."""

import errno
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile

from snakescope.imaging.frames import UnreadableFrame, read_frame, read_picture
from snakescope.imaging.tiff import zero_share
from snakescope.step.errors import SystemFault


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 4096, (120, 90)).astype(np.uint16)


def test_eight_and_sixteen_bit_keep_their_depth_and_values(
    tmp_path: Path, picture: np.ndarray
) -> None:
    for image in (picture, (picture >> 4).astype(np.uint8)):
        tifffile.imwrite(tmp_path / "a.tif", image, compression="zlib")
        cv2.imwrite(str(tmp_path / "a.png"), image)
        for name in ("a.tif", "a.png"):
            frame = read_frame(tmp_path / name)
            assert frame.dtype == image.dtype
            np.testing.assert_array_equal(frame, image)


def test_jpeg_and_grey_stored_as_colour(tmp_path: Path, picture: np.ndarray) -> None:
    grey = cv2.GaussianBlur((picture >> 4).astype(np.uint8), (0, 0), 3)
    cv2.imwrite(str(tmp_path / "a.jpg"), grey)
    assert np.abs(read_frame(tmp_path / "a.jpg").astype(int) - grey).max() < 12
    tifffile.imwrite(tmp_path / "rgb.tif", np.stack([grey] * 3, -1), photometric="rgb")
    np.testing.assert_array_equal(read_frame(tmp_path / "rgb.tif"), grey)


def test_pyramid_and_pages_give_the_largest_level(tmp_path: Path, picture: np.ndarray) -> None:
    with tifffile.TiffWriter(tmp_path / "sub.tif") as file:
        file.write(picture, subifds=1, tile=(64, 64))
        file.write(picture[::2, ::2], subfiletype=1, tile=(64, 64))
    with tifffile.TiffWriter(tmp_path / "pages.tif") as file:
        file.write(picture[::2, ::2])
        file.write(picture)
    for name in ("sub.tif", "pages.tif"):
        np.testing.assert_array_equal(read_frame(tmp_path / name), picture)


@pytest.mark.parametrize("kind", ["plain.tif", "packed.tif", "a.png", "a.jpg"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_file_is_refused(
    tmp_path: Path, picture: np.ndarray, kind: str, share: float
) -> None:
    path = tmp_path / kind
    if kind.endswith("tif"):
        tifffile.imwrite(path, picture, compression="zlib" if "packed" in kind else None)
    elif kind.endswith("png"):
        path.write_bytes(imagecodecs.png_encode(picture))
    else:
        path.write_bytes(imagecodecs.jpeg8_encode((picture >> 4).astype(np.uint8)))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    for read, remedy in ((read_frame, "export this frame again"), (read_picture, "copy it again")):
        with pytest.raises(UnreadableFrame, match=f"{kind}: expected a whole image, .*; {remedy}$"):
            read(path)


@pytest.mark.parametrize("read", [read_frame, read_picture])
def test_a_fault_of_the_system_is_no_damage(
    tmp_path: Path, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch, read: Any
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", picture)

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(SystemFault, match=r"a\.tif"):
        read(tmp_path / "a.tif")
    with pytest.raises(UnreadableFrame, match="found no such file"):
        monkeypatch.undo()
        read(tmp_path / "b.tif")


def test_what_is_no_picture_is_told_in_one_sentence(tmp_path: Path, picture: np.ndarray) -> None:
    (tmp_path / "text.tif").write_text("Well A1 was not scanned")
    (tmp_path / "empty.tif").write_bytes(b"")
    tifffile.imwrite(tmp_path / "black.tif", np.zeros((40, 40), np.uint16))
    tifffile.imwrite(tmp_path / "float.tif", picture.astype(np.float32) / 2)
    colour = np.stack([picture >> 4, picture >> 5, picture >> 6], -1).astype(np.uint8)
    tifffile.imwrite(tmp_path / "colour.tif", colour, photometric="rgb")
    expected = {
        "text.tif": "something else",
        "empty.tif": "an empty file",
        "black.tif": "one value 0 in every pixel",
        "float.tif": "float32",
        "colour.tif": "120 x 90 x 3",
        "absent.tif": "no such file",
    }
    for name, words in expected.items():
        with pytest.raises(UnreadableFrame, match=words) as caught:
            read_frame(tmp_path / name)
        assert "\n" not in str(caught.value) and str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize("shift", [(5, 3), (-40, -8), (12, 0), (0, -9)])
def test_a_black_border_of_an_aligned_frame_is_no_damage(shift: tuple[int, int]) -> None:
    whole = np.random.default_rng(1).integers(1, 255, (1000, 600)).astype(np.uint8)
    frame = np.roll(whole, shift, axis=(0, 1))
    down, right = shift
    frame[: max(down, 0)] = 0
    frame[1000 + min(down, 0) :] = 0
    frame[:, : max(right, 0)] = 0
    frame[:, 600 + min(right, 0) :] = 0
    assert zero_share(frame) == 0
    frame.ravel()[-70_001:] = 0
    assert zero_share(frame) > 0.1
