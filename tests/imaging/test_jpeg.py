"""JPEGs that were cut off, with an end marker behind them, and whole ones of every kind."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import encapsulate, generate_frames

from snakescope.fibrosis.scans.read import read_raw
from snakescope.imaging.dicom import read_ultrasound
from snakescope.imaging.frames import UnreadableFrame, read_frame
from snakescope.imaging.jpeg import END, check_whole
from snakescope.imaging.videos.video import Video
from snakescope.step.errors import StepError

FILES = Path(pydicom.__file__).parent / "data/test_files"
KINDS = [
    {"quality": quality, "progressive": progressive, **restart}
    for quality in (5, 75, 100)
    for progressive in (False, True)
    for restart in ({}, {"restart_marker_rows": 2}, {"restart_marker_blocks": 5})
]


def picture(colour: bool = False, shape: tuple[int, int] = (203, 301)) -> NDArray[np.uint8]:
    y, x = np.mgrid[: shape[0], : shape[1]]
    grey = 128 + 60 * np.sin(x / 9) * np.cos(y / 13)
    grey = grey + np.random.default_rng(0).normal(0, 8, shape)
    image = np.clip(grey, 0, 255).astype(np.uint8)
    return np.stack([image, image, image], -1) if colour else image


def encoded(image: NDArray[np.uint8], **how: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", **how)
    return stream.getvalue()


def cut(data: bytes, share: float) -> bytes:
    """The data up to a share of their picture, and an end marker."""
    start = data.find(b"\xff\xda") + 14
    return data[: start + int((len(data) - start) * share)] + END


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("how", KINDS)
def test_whole_ones_pass_and_those_cut_off_do_not(how: dict[str, Any], colour: bool) -> None:
    samplings = [{"subsampling": one} for one in ("4:4:4", "4:2:2", "4:2:0")] if colour else [{}]
    for sampling in samplings:
        data = encoded(picture(colour), **how, **sampling)
        check_whole(data)
        check_whole(data + b"behind it")
        for share in (0.1, 0.5, 0.9, 0.98):
            with pytest.raises(ValueError, match="cut off"):
                check_whole(cut(data, share))


@pytest.mark.parametrize("factor", ["411", "420", "422", "440", "444"])
def test_every_sampling_of_opencv_passes(factor: str) -> None:
    flag = getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{factor}")
    how = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, flag]
    _, data = cv2.imencode(".jpg", picture(True), how)
    check_whole(data.tobytes())
    with pytest.raises(ValueError, match="cut off"):
        check_whole(cut(data.tobytes(), 0.6))


@pytest.mark.parametrize("shape", [(8, 8), (1, 300), (300, 1), (17, 17), (16, 16)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_small_and_flat_ones_pass(shape: tuple[int, int], value: int) -> None:
    for progressive in (False, True):
        check_whole(encoded(np.full(shape, value, np.uint8), progressive=progressive))


def test_progressive_ones_cut_between_scans_are_refused() -> None:
    data = encoded(picture(True), progressive=True)
    scans = [at for at in range(len(data)) if data.startswith(b"\xff\xda", at)]
    assert len(scans) > 3
    for at in scans[1:]:
        with pytest.raises(ValueError, match="scans are missing"):
            # The tables of the next scan stand before it.
            check_whole(data[: data.rfind(b"\xff\xc4", 0, at)] + END)


def test_a_thumbnail_in_the_file_is_no_picture(tmp_path: Path) -> None:
    small = encoded(picture(shape=(60, 80)))
    exif = b"Exif\0\0" + small
    check_whole(encoded(picture(), exif=exif))
    with pytest.raises(ValueError, match="cut off"):
        check_whole(cut_behind(encoded(picture(), exif=exif), small))


def cut_behind(data: bytes, thumbnail: bytes) -> bytes:
    begin = data.find(thumbnail) + len(thumbnail)
    return data[:begin] + cut(data[begin:], 0.7)


def test_every_reader_refuses_one_by_its_name(tmp_path: Path) -> None:
    data = encoded(picture(), quality=90)
    for name, content in (("good.jpg", data), ("bad.jpg", cut(data, 0.6))):
        (tmp_path / name).write_bytes(content)
    assert read_frame(tmp_path / "good.jpg").shape == (203, 301)
    with pytest.raises(UnreadableFrame, match=r"bad\.jpg: .*damaged or truncated.*cut off"):
        read_frame(tmp_path / "bad.jpg")
    read_raw(str(tmp_path / "good.jpg"))
    with pytest.raises(StepError, match=r"bad\.jpg: .*cut off"):
        read_raw(str(tmp_path / "bad.jpg"))
    (tmp_path / "v").mkdir()
    for number, content in enumerate((data, data, cut(data, 0.6))):
        (tmp_path / f"v/{number}.jpg").write_bytes(content)
    with pytest.raises(StepError, match=r"2\.jpg: .*cut off"):
        list(Video(tmp_path / "v", 50).frames())


def test_a_frame_of_a_dicom_is_refused(tmp_path: Path) -> None:
    read = pydicom.dcmread(FILES / "SC_rgb_jpeg_dcmtk.dcm")
    read.SOPClassUID = read.file_meta.MediaStorageSOPClassUID = pydicom.uid.UltrasoundImageStorage
    read.save_as(tmp_path / "good.dcm")
    read_ultrasound(tmp_path / "good.dcm")
    (frame,) = generate_frames(read.PixelData, number_of_frames=1)
    read.PixelData = encapsulate([cut(frame, 0.5)])
    read.save_as(tmp_path / "bad.dcm")
    with pytest.raises(StepError, match=r"bad\.dcm: expected whole pixels, found damaged ones"):
        read_ultrasound(tmp_path / "bad.dcm")
