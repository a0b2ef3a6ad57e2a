"""Readers of scans: DICOM of pydicom's wheel, and bad input in one sentence each."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    RLELossless,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
)

from snakescope.fibrosis.scans.ingest import ingest_all
from snakescope.fibrosis.scans.read import read_raw, windowed
from snakescope.fibrosis.scans.scan import check_classes, conflicts, look
from snakescope.fibrosis.scans.settings import IngestSettings
from snakescope.fibrosis.scans.sheet import Scan
from snakescope.imaging.dicom import pseudonym, read_header, read_salt, read_ultrasound
from snakescope.settings.sheet import read_rows
from snakescope.step.errors import StepError

FILES = Path(pydicom.__file__).parent / "data/test_files"


def scan(name="s", **cells) -> Scan:
    return Scan.model_validate({"scan": name, "image": "x.png", **cells})


def sector_image(path: Path, seed: int = 0, size=(240, 320)) -> Path:
    """A convex sector of noise with a line of text above it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : size[0], 0 : size[1]]
    radius, angle = np.hypot(x - 160, y + 60), np.arctan2(x - 160, y + 60)
    inside = (radius > 90) & (radius < 270) & (np.abs(angle) < np.radians(30))
    grey = np.where(inside, rng.integers(40, 160, size), 0).astype(np.uint8)
    grey[4:10, 4:60:2] = 255
    Image.fromarray(grey).save(path)
    return path


def dicom(path: Path, kind=UltrasoundImageStorage, syntax=ExplicitVRLittleEndian, **tags) -> Path:
    file = pydicom.Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = syntax
    file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID = kind
    file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID = "1.2.3"
    values = {"Rows": 4, "Columns": 4, "BitsAllocated": 8, "BitsStored": 8, "SamplesPerPixel": 1,
              "PixelRepresentation": 0, "PhotometricInterpretation": "MONOCHROME2",
              "PixelData": bytes(16), **tags}  # fmt: skip
    for name, value in values.items():
        setattr(file, name, value)
    if syntax.is_compressed:
        from pydicom.encaps import encapsulate

        file.PixelData = encapsulate([bytes(16)])
    file.save_as(path, enforce_file_format=True)
    return path


def test_colours_of_the_four_files():
    palette = read_ultrasound(FILES / "examples_palette.dcm").frames[0]
    bar = palette[3:40, 300:700].reshape(-1, 3).mean(axis=0)
    assert bar[2] > bar[0] + 40
    clip = read_ultrasound(FILES / "examples_ybr_color.dcm")
    assert clip.frames.shape == (30, 240, 320, 3)
    assert np.ptp(clip.frames.astype(int), axis=3).mean() < 6


@pytest.mark.parametrize("name", ["palette", "ybr_color"])
def test_regions_outside_the_pixels_are_refused(name):
    found = read_ultrasound(FILES / f"examples_{name}.dcm")
    assert not found.regions
    assert "expected a region inside" in found.refused[0]


def test_no_name_of_a_hospital_is_left_and_doppler_is_refused(tmp_path):
    names = ("jpeg2k", "palette", "rgb_color")
    rows = [scan(name, image=str(FILES / f"examples_{name}.dcm"), patient=name) for name in names]
    salt = IngestSettings(salt=str(tmp_path / "salt"))
    table, refused, _ = ingest_all(rows, salt, tmp_path, 3)
    assert list(refused["scan"]) == ["jpeg2k", "rgb_color"]
    assert refused["reason"].str.contains("Doppler").all()
    (row,) = table.to_dict("records")
    text = " ".join(str(value) for value in row.values())
    assert "Healthcare" not in text and "11-05-25" not in text and row["group"] != "palette"
    image = np.asarray(Image.open(row["path"]))
    assert image.shape == (512, 512)
    assert not image[:60].any()  # the bar with the hospital's name is above the sector


def test_text_outside_the_sector_is_zero(tmp_path):
    path = sector_image(tmp_path / "a.png")
    settings = IngestSettings(salt=str(tmp_path / "salt"))
    table, _, sectors = ingest_all([scan(image=str(path), patient="p")], settings, tmp_path, 3)
    image = np.asarray(Image.open(table["path"][0]))
    assert (image == 255).sum() == 0 and (image > 0).mean() > 0.3
    assert sectors["half_angle_deg"][0] == pytest.approx(30, abs=1)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda p: dicom(p, kind="1.2.840.10008.5.1.4.1.1.2"), "expected an ultrasound image"),
        (lambda p: dicom(p, syntax=pydicom.uid.UID("1.2.840.10008.1.2.4.100")), "compression"),
        (lambda p: dicom(p, kind=UltrasoundMultiFrameImageStorage), "cine clip with frames"),
        (lambda p: dicom(p, NumberOfFrames=0), "cine clip with frames"),
        (lambda p: dicom(p, BitsAllocated=16, BitsStored=12, PixelData=bytes(32)), "window"),
    ],
)
def test_headers_that_cannot_be_used(make, sentence, tmp_path):
    path = make(tmp_path / "a.dcm")
    with pytest.raises(StepError, match=sentence):
        look(scan(image=str(path)))


def test_a_compression_with_a_decoder_is_read(tmp_path):
    assert read_header(dicom(tmp_path / "a.dcm", syntax=RLELossless)).Rows == 4


def test_a_window_is_linear_and_wanted(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.full((8, 8), 1000, np.uint16)).save(path)
    with pytest.raises(StepError, match="window"):
        read_raw(str(path))
    assert read_raw(str(path), window=(1000, 2000)).grey[0, 0] == 128
    values = np.array([[0, 500, 1000, 2000]], np.uint16)
    assert windowed(values, (1000, 1000), "x").tolist() == [[0, 0, 128, 255]]


def test_masks_that_cannot_be_used(tmp_path):
    image = sector_image(tmp_path / "a.png")
    Image.fromarray(np.ones((10, 10), np.uint8)).save(tmp_path / "small.png")
    Image.fromarray(np.zeros((240, 320), np.uint8)).save(tmp_path / "empty.png")
    with pytest.raises(StepError, match="a mask of 320 x 240 px"):
        look(scan(image=str(image), mask=str(tmp_path / "small.png")))
    settings = IngestSettings(salt=str(tmp_path / "salt"))
    rows = [scan("good", image=str(image), patient="p"),
            scan("bad", image=str(sector_image(tmp_path / "b.png", 1)), patient="q",
                 mask=str(tmp_path / "empty.png"))]  # fmt: skip
    table, refused, _ = ingest_all(rows, settings, tmp_path, 3)
    assert list(table["item"]) == ["good"] and list(refused["scan"]) == ["bad"]
    assert "empty mask" in refused["reason"][0]


def test_two_sectors_in_a_frame_are_refused(tmp_path):
    one = np.asarray(Image.open(sector_image(tmp_path / "a.png")))
    Image.fromarray(np.hstack([one, one])).save(tmp_path / "b.png")
    settings = IngestSettings(salt=str(tmp_path / "salt"))
    _, refused, _ = ingest_all(
        [scan(image=str(tmp_path / "b.png")), scan("t", image=str(tmp_path / "a.png"))],
        settings, tmp_path, 3,
    )  # fmt: skip
    assert list(refused["scan"]) == ["s"] and "found several" in refused["reason"][0]


@pytest.mark.parametrize("value", [0, 7, 255])
def test_a_frame_of_one_grey_value_is_refused_and_the_others_are_taken(tmp_path, value):
    Image.fromarray(np.full((240, 320), value, np.uint8)).save(tmp_path / "b.png")
    rows = [scan("a", image=str(sector_image(tmp_path / "a.png")), patient="p"),
            scan("b", image=str(tmp_path / "b.png"), patient="q")]  # fmt: skip
    settings = IngestSettings(salt=str(tmp_path / "salt"))
    table, refused, _ = ingest_all(rows, settings, tmp_path, 3)
    assert list(table["item"]) == ["a"] and list(refused["scan"]) == ["b"]
    assert (
        f"b.png: expected an image with contrast, found the one value {value}"
        in (refused["reason"][0])
    )


def test_an_image_that_viewers_turn_is_refused(tmp_path):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 200, (60, 80), np.uint8))
    exif = Image.Exif()
    for orientation in (1, 6):
        exif[0x0112] = orientation
        image.save(tmp_path / f"{orientation}.jpg", exif=exif)
    assert read_raw(str(tmp_path / "1.jpg")).grey.shape == (60, 80)
    with pytest.raises(StepError, match=r"6\.jpg: .*orientation 6"):
        read_raw(str(tmp_path / "6.jpg"))


def test_rows_that_contradict_each_other():
    rows = [
        scan("a", image="1.png", patient="p", stage="F0"),
        scan("b", image="2.png", patient="p", stage="F3"),
        scan("c", image="1.png", patient="q", stage="F1"),
        scan("d", image="4.png", patient="r", stage="F0", date="2019"),
        scan("e", image="5.png", patient="r", stage="F1", date="2021"),
    ]
    found = conflicts(rows)
    assert set(found) == {"a", "b", "c"}
    assert "two rows" in found["c"] or "one row" in found["c"]
    assert "F0 and F3 without them" in found["a"]


def of_stages(**patients: int) -> list[Scan]:
    """So many patients of each stage, with a scan each."""
    return [scan(f"{stage}{at}", patient=f"{stage}{at}", stage=stage)
            for stage, count in patients.items() for at in range(count)]  # fmt: skip


@pytest.mark.parametrize(
    ("patients", "classes", "folds", "sentence"),
    [
        ({"F0": 3, "F3": 9, "F4": 2}, 3, 5, "as folds (5), found 3 of F0-F1, 2 of F4; lower"
         " fibrosis: splits: folds to 2 or add patients"),
        ({"F0": 1, "F3": 9, "F4": 9}, 3, 5, "found 1 of F0-F1; add patients (at least 2 of each"
         " class; fibrosis: splits: folds can be as many as the smallest class has)"),
        ({"F0": 9, "F3": 9}, 3, 5, "found none of F4; add patients (at least 2 of each class;"
         " fibrosis: splits: folds can be as many as the smallest class has): no class can be left"
         " out"),
        ({"F0": 9, "F2": 5, "F3": 1, "F4": 3}, 4, 3, "found 1 of F3; add patients (at least 2 of"
         " each class; fibrosis: splits: folds can be as many as the smallest class has) or merge"
         " classes (fibrosis: training: classes: 3)"),
        ({"F0": 9, "F2": 2, "F3": 2, "F4": 9}, 5, 3, "found none of F1, 2 of F2, 2 of F3; add"
         " patients (at least 2 of each class; fibrosis: splits: folds can be as many as the"
         " smallest class has) or merge classes (fibrosis: training: classes: 4 and splits: folds:"
         " 2)"),
    ],
)  # fmt: skip
def test_a_class_of_fewer_patients_than_folds(patients, classes, folds, sentence):
    with pytest.raises(StepError) as refused:
        check_classes(of_stages(**patients), classes, folds)
    assert str(refused.value).startswith("classes: expected at least as many patients of each")
    assert str(refused.value).endswith(sentence)


def test_what_is_said_of_classes_is_enough():
    check_classes(of_stages(F0=2, F3=2, F4=2), 3, 2)
    check_classes(of_stages(F0=9, F2=5, F3=1, F4=3), 3, 3)
    check_classes(of_stages(F0=9, F2=2, F3=2, F4=9), 4, 2)
    check_classes([], 3, 10)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("a\tp\ta.png\tF7\n", "column stage: expected"),
        ("a\tp\ta.png\tF1\na\tp\tb.png\tF1\n", "expected every scan once"),
    ],
)
def test_sheets_that_cannot_be_read(rows, sentence, tmp_path):
    (tmp_path / "scans.tsv").write_text("scan\tpatient\timage\tstage\n" + rows)
    with pytest.raises(StepError, match=sentence):
        read_rows(tmp_path / "scans.tsv", Scan)


def test_pseudonyms_need_the_salt(tmp_path):
    one, other = read_salt(tmp_path / "a"), read_salt(tmp_path / "b")
    assert read_salt(tmp_path / "a") == one != other
    assert pseudonym("17", one) == pseudonym("17", one) != pseudonym("17", other)
    assert (tmp_path / "a").stat().st_mode & 0o077 == 0


def test_the_secret_of_pseudonyms_is_never_committed():
    root = Path(__file__).parents[3]
    ignored = (root / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "/config/*.salt" in ignored
    assert Path(IngestSettings().salt).match("config/*.salt")
