"""Videos that are stacks or folders of pictures: frames as the files mean them, or a sentence."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from snakescope.imaging.videos.video import Video
from snakescope.step.errors import StepError

FRAMES = np.random.default_rng(0).integers(40, 200, (20, 24, 32)).astype(np.uint8)


def read(path: Path, fps: float | None = 20) -> np.ndarray:
    return np.stack(list(Video(path, fps).frames()))


def folder(path: Path, numbers=range(20), ending: str = "png") -> Path:
    path.mkdir(exist_ok=True)
    for at in numbers:
        cv2.imwrite(str(path / f"f{at}.{ending}"), FRAMES[at])
    return path


def test_white_is_zero_is_inverted(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "v.tif", 255 - FRAMES, photometric="miniswhite")
    (tmp_path / "v").mkdir()
    for at, frame in enumerate(FRAMES):
        tifffile.imwrite(tmp_path / f"v/{at}.tif", 255 - frame, photometric="miniswhite")
    assert np.array_equal(read(tmp_path / "v.tif"), FRAMES)
    assert np.array_equal(read(tmp_path / "v"), FRAMES)


def test_a_stack_that_was_written_page_by_page_is_read(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "v.tif") as file:
        for frame in FRAMES:
            file.write(frame, photometric="minisblack")
    assert np.array_equal(read(tmp_path / "v.tif"), FRAMES)


def test_a_stack_in_colour_is_read_in_grey(tmp_path: Path) -> None:
    colours = np.repeat(FRAMES[..., None], 3, axis=3)
    tifffile.imwrite(tmp_path / "v.tif", colours, photometric="rgb")
    assert np.array_equal(read(tmp_path / "v.tif"), FRAMES)


@pytest.mark.parametrize(("unit", "interval"), [("sec", 0.05), ("ms", 50), ("min", 0.05 / 60)])
def test_the_unit_of_the_interval_is_obeyed(tmp_path: Path, unit: str, interval: float) -> None:
    metadata = {"axes": "TYX", "finterval": interval, "tunit": unit}
    tifffile.imwrite(tmp_path / "v.tif", FRAMES, imagej=True, metadata=metadata)
    assert Video(tmp_path / "v.tif").fps == pytest.approx(20)


def test_channels_are_no_times(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "v.tif", FRAMES[:3], imagej=True, metadata={"axes": "CYX"})
    with pytest.raises(StepError, match="expected one channel, found 3"):
        Video(tmp_path / "v.tif", 20)


@pytest.mark.parametrize("ending", ["tif", "npy"])
def test_a_copy_that_was_broken_off_is_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"v.{ending}"
    tifffile.imwrite(path, FRAMES) if ending == "tif" else np.save(path, FRAMES)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    path.write_bytes(content)
    with pytest.raises(StepError, match="found zeros to the end of its last frame"):
        Video(path, 20)


@pytest.mark.parametrize("dtype", [bool, complex, "U1", [("a", "u1")]])
def test_arrays_of_other_things_are_refused(tmp_path: Path, dtype) -> None:
    np.save(tmp_path / "v.npy", np.ones((20, 8, 8)).astype(dtype))
    with pytest.raises(StepError, match="expected frames of grey values"):
        Video(tmp_path / "v.npy", 20)


def test_what_is_no_number_is_refused(tmp_path: Path) -> None:
    values = FRAMES.astype(np.float32)
    values[3, 2, 2] = np.nan
    np.save(tmp_path / "v.npy", values)
    with pytest.raises(StepError, match="NaN or infinity in a frame"):
        read(tmp_path / "v.npy")


def test_a_folder_holds_every_frame_once(tmp_path: Path) -> None:
    assert np.array_equal(read(folder(tmp_path / "v")), FRAMES)
    (tmp_path / "v/._f1.png").write_bytes(b"\0\5\x16\7")
    (tmp_path / "v/f20.png").mkdir()
    assert np.array_equal(read(tmp_path / "v"), FRAMES)
    folder(tmp_path / "v", range(20), "tif")
    with pytest.raises(StepError, match=r"expected frames named alike .* f#.png \(20\), f#.tif"):
        Video(tmp_path / "v", 20)


def test_missing_frames_are_refused_as_they_shift_the_times(tmp_path: Path) -> None:
    folder(tmp_path / "v", [*range(5), *range(8, 20)])
    with pytest.raises(StepError, match="no gap, found none between 4 and 8"):
        Video(tmp_path / "v", 20)
    # Numbers that are times of equal steps are no gap.
    for at in range(20):
        path = tmp_path / f"t/{at * 50 + at % 2}.png"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), FRAMES[at])
    assert np.array_equal(read(tmp_path / "t"), FRAMES)


def test_names_of_other_kinds_are_refused_in_a_sentence(tmp_path: Path) -> None:
    folder(tmp_path / "v")
    cv2.imwrite(str(tmp_path / "v/\u00b21.png"), FRAMES[0])
    with pytest.raises(StepError, match="expected frames named alike"):
        Video(tmp_path / "v", 20)


def test_several_pictures_in_a_frame_are_refused(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    for at in range(18):
        tifffile.imwrite(tmp_path / f"v/{at}.tif", FRAMES[at : at + 2], photometric="minisblack")
    with pytest.raises(StepError, match="expected one picture a file, found 2 pictures"):
        Video(tmp_path / "v", 20)


def test_frames_of_another_depth_are_refused(tmp_path: Path) -> None:
    folder(tmp_path / "v")
    cv2.imwrite(str(tmp_path / "v/f9.png"), FRAMES[9].astype(np.uint16) * 256)
    with pytest.raises(StepError, match="expected a frame of uint8 as the first, found uint16"):
        read(tmp_path / "v")


def test_a_frame_once_more_is_told(tmp_path: Path) -> None:
    folder(tmp_path / "v")
    (tmp_path / "v/f4.png").write_bytes((tmp_path / "v/f3.png").read_bytes())
    assert "f4.png is the frame before it once more" in Video(tmp_path / "v", 20).notes[0]


def test_frames_are_turned_as_viewers_turn_them(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "v").mkdir()
    for at in range(20):
        Image.fromarray(FRAMES[at]).save(tmp_path / f"v/{at}.jpg", exif=exif)
    assert read(tmp_path / "v").shape == (20, 32, 24)
