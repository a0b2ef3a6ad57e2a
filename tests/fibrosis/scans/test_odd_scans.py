"""Scans and masks as people have them: pixels as the file means them, or one sentence."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from snakescope.fibrosis.scans.ingest import ingest_all, read_mask
from snakescope.fibrosis.scans.read import read_raw
from snakescope.fibrosis.scans.scan import conflicts, look
from snakescope.fibrosis.scans.settings import IngestSettings
from snakescope.fibrosis.scans.sheet import Scan
from snakescope.imaging.dicom import SECONDARY
from snakescope.step.errors import StepError, SystemFault

from .test_read import dicom, scan

GREY = np.random.default_rng(0).integers(20, 200, (60, 80)).astype(np.uint8)
DEEP = GREY.astype(np.uint16) * 16
WINDOW = (2047.5, 4096.0)
LIVER = np.zeros((60, 80), np.uint8)
LIVER[20:50, 20:60] = 255


def grey(path: Path, **options) -> np.ndarray:
    return read_raw(str(path), **options).grey


def near(found: np.ndarray, right: np.ndarray) -> bool:
    return found.shape == right.shape and np.abs(found.astype(int) - right).max() <= 1


def test_white_is_zero_is_inverted_at_every_depth(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "8.tif", 255 - GREY, photometric="miniswhite")
    tifffile.imwrite(tmp_path / "16.tif", 65535 - DEEP, photometric="miniswhite")
    assert near(grey(tmp_path / "8.tif"), GREY)
    assert near(grey(tmp_path / "16.tif", window=WINDOW), GREY)


def test_the_picture_is_read_and_not_its_thumbnail(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(GREY[::4, ::4], photometric="minisblack")
        file.write(GREY, photometric="minisblack")
    Image.fromarray(LIVER).save(tmp_path / "m.png")
    assert near(grey(tmp_path / "a.tif"), GREY)
    look(scan(image=str(tmp_path / "a.tif"), mask=str(tmp_path / "m.png")))


def test_the_frame_of_a_stack_is_read(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.stack([GREY, GREY // 2]), photometric="minisblack")
    assert near(grey(tmp_path / "a.tif", frame=1), GREY // 2)


def test_a_copy_that_was_broken_off_is_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", GREY, photometric="minisblack")
    content = bytearray((tmp_path / "a.tif").read_bytes())
    content[-2030:] = bytes(2030)
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(StepError, match="in one run of zeros"):
        grey(tmp_path / "a.tif")


def test_colours_of_16_bits_are_grey_or_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.dstack([DEEP] * 3), photometric="rgb")
    assert near(grey(tmp_path / "a.tif", window=WINDOW), GREY)
    tifffile.imwrite(tmp_path / "b.tif", np.dstack([DEEP, DEEP // 2, DEEP]), photometric="rgb")
    with pytest.raises(StepError, match="expected 8 bits a colour, found 16"):
        grey(tmp_path / "b.tif", window=WINDOW)


def test_what_is_partly_transparent_is_refused(tmp_path: Path) -> None:
    alpha = np.full(GREY.shape, 255, np.uint8)
    Image.fromarray(np.dstack([GREY, alpha])).save(tmp_path / "opaque.png")
    assert near(grey(tmp_path / "opaque.png"), GREY)
    black = GREY.copy()
    alpha[:9] = black[:9] = 0
    Image.fromarray(np.dstack([black, alpha])).save(tmp_path / "outside.png")
    assert near(grey(tmp_path / "outside.png"), black)
    palette = Image.fromarray(GREY).convert("P")
    palette.save(tmp_path / "palette.png", transparency=bytes([0] * 90))
    Image.fromarray(np.dstack([GREY, alpha // 2])).save(tmp_path / "half.png")
    Image.fromarray(np.dstack([*[GREY] * 3, alpha])).save(tmp_path / "colours.png")
    for name in ("palette", "half", "colours"):
        with pytest.raises(StepError, match=r"partly transparent.*save it without transparency"):
            grey(tmp_path / f"{name}.png")


def test_what_is_no_number_is_refused(tmp_path: Path) -> None:
    values = DEEP.astype(np.float32)
    values[3, 4] = np.nan
    tifffile.imwrite(tmp_path / "a.tif", values)
    with pytest.raises(StepError, match="found NaN or infinity"):
        grey(tmp_path / "a.tif", window=WINDOW)


def test_a_window_of_width_0_is_refused() -> None:
    with pytest.raises(ValueError, match="the width above 0"):
        Scan.model_validate({"scan": "a", "image": "a.png", "window": "100 0"})


@pytest.mark.parametrize(
    ("stored", "tags"),
    [
        (4095 - DEEP, {"PhotometricInterpretation": "MONOCHROME1"}),
        (DEEP // 2, {"RescaleSlope": "2", "RescaleIntercept": "0"}),
        (DEEP + 100, {"RescaleSlope": "1", "RescaleIntercept": "-100"}),
    ],
)
def test_dicom_of_12_bits_is_read_as_it_says(tmp_path: Path, stored, tags) -> None:
    path = dicom(
        tmp_path / "a.dcm", SECONDARY, Rows=60, Columns=80, BitsAllocated=16, BitsStored=12,
        HighBit=11, PixelData=stored.astype(np.uint16).tobytes(), WindowCenter=2047.5,
        WindowWidth=4096, **tags,
    )  # fmt: skip
    assert near(grey(path), GREY)


def masked(path: Path, pixels: np.ndarray, **options) -> np.ndarray:
    Image.fromarray(pixels).save(path, **options)
    return read_mask(str(path), (60, 80))


def test_masks_in_one_colour_are_read(tmp_path: Path) -> None:
    colours = np.zeros((60, 80, 3), np.uint8)
    colours[..., 2] = LIVER // 255
    assert np.array_equal(masked(tmp_path / "a.png", colours), LIVER)
    assert np.array_equal(masked(tmp_path / "a.gif", LIVER), LIVER)


def test_a_mask_that_viewers_turn_is_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    assert np.array_equal(masked(tmp_path / "a.png", LIVER[::-1, ::-1].copy(), exif=exif), LIVER)


@pytest.mark.parametrize(
    ("name", "pixels", "sentence"),
    [
        ("a.jpg", LIVER, "without loss, found JPEG"),
        ("a.png", 255 - LIVER, "none in the corners of the mask"),
        ("a.png", np.full_like(LIVER, 255), "none in the corners of the mask"),
        ("a.png", np.where(LIVER > 0, GREY, 0).astype(np.uint8), "grey values as in a picture"),
    ],
)
def test_masks_that_would_be_wrong_are_refused(tmp_path: Path, name, pixels, sentence) -> None:
    with pytest.raises(StepError, match=sentence):
        masked(tmp_path / name, pixels)


def test_a_line_around_the_liver_is_no_mask(tmp_path: Path) -> None:
    line = LIVER.copy()
    line[21:49, 21:59] = 0
    with pytest.raises(StepError, match="expected the liver filled, found a line"):
        masked(tmp_path / "a.png", line)


def test_one_file_in_two_rows_is_found_however_it_is_spelt(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "b.png").symlink_to(tmp_path / "a.png")
    rows = [
        scan("a", image=f"{tmp_path}/a.png", patient="p"),
        scan("b", image=f"{tmp_path}/./a.png", patient="q"),
        scan("c", image=f"{tmp_path}/b.png", patient="q"),
    ]
    assert set(conflicts(rows)) == {"b", "c"}


def test_a_patient_is_of_one_set_and_of_one_stage_a_day() -> None:
    rows = [
        scan("a", image="1.png", patient="p", stage="F0"),
        scan("b", image="2.png", patient="p", stage="F0", set="external"),
        scan("c", image="3.png", patient="q", stage="F0", date="2020"),
        scan("d", image="4.png", patient="q", stage="F4", date="2020"),
    ]
    found = conflicts(rows)
    assert set(found) == {"b", "c", "d"}
    assert "tested on whom they were trained on" in found["b"]


def test_a_fault_of_the_system_is_never_a_bad_scan(tmp_path: Path, monkeypatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    Image.fromarray(GREY).save(tmp_path / "a.png")
    monkeypatch.setattr("snakescope.fibrosis.scans.read.check_whole", denied)
    settings = IngestSettings(salt=str(tmp_path / "salt"))
    with pytest.raises(SystemFault, match="give this account leave"):
        ingest_all([scan(image=str(tmp_path / "a.png"))], settings, tmp_path, 3)


def test_a_mask_is_of_one_scan() -> None:
    rows = [scan(name, image=f"{name}.png", mask="m.png", patient=name) for name in "ab"]
    assert "expected a mask of one scan" in conflicts(rows)["b"]
