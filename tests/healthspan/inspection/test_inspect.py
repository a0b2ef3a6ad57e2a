"""What a folder of raw images looks like, and the row and settings that are written for it."""

import argparse
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest
import tifffile
import yaml
from numpy.typing import NDArray
from openpyxl.styles import Font
from PIL import Image

from snakescope.healthspan.inspection import naming_of_folder
from snakescope.healthspan.inspection.inspect import inspect_folder
from snakescope.healthspan.own_settings import settings_of_plate
from snakescope.healthspan.plates.manifest import PlateFrames
from snakescope.healthspan.plates.scan import PlateScanner
from snakescope.healthspan.plates.sheet import Plate
from snakescope.healthspan.settings import HealthspanSettings
from snakescope.healthspan.trial.options import add_options
from snakescope.settings.sheet import read_rows
from snakescope.step.errors import StepError

SIZE, RADIUS, LENGTH, WIDTH = 700, 300, 48, 4


def draw(day: int, bright: bool = False) -> NDArray[np.uint8]:
    """A dish with debris that stays and eight worms that lie elsewhere every day."""
    still, random = np.random.default_rng(3), np.random.default_rng(100 + day)
    image = np.full((SIZE, SIZE), 120, np.float32)
    cv2.circle(image, (350, 350), RADIUS + 20, 60.0, -1)
    cv2.circle(image, (350, 350), RADIUS, 110.0, -1)
    image += cv2.GaussianBlur(still.normal(0, 8, image.shape).astype(np.float32), (0, 0), 2.0)
    for _ in range(60):
        y, x = 350 + still.uniform(-180, 180, 2)
        cv2.circle(image, (int(x), int(y)), 2, 80.0, -1)
    for k in range(8):
        y, x = 350 + random.uniform(-170, 170, 2)
        along, angle = np.linspace(-0.5, 0.5, 24), random.uniform(0, 6)
        bend = 5 * np.sin(along * 5 + k)
        points = np.stack(
            [
                x + LENGTH * along * np.cos(angle) - bend * np.sin(angle),
                y + LENGTH * along * np.sin(angle) + bend * np.cos(angle),
            ],
            axis=1,
        )
        grey = 180.0 if bright else 60.0
        cv2.polylines(image, [np.round(points).astype(np.int32)], False, grey, WIDTH)
    image += random.normal(0, 1.0, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_options(parser)
    return parser.parse_args(words)


def write(folder: Path, form: str, days: tuple[int, ...] = (1, 2, 3, 6, 7, 8, 9, 10)) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for day in days:
        path = folder / form.format(d=day)
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = draw(day)
        if path.suffix == ".tif":
            tifffile.imwrite(path, picture.astype(np.uint16) * 16)
        else:
            Image.fromarray(picture).save(path)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_plate_of_a_camera_is_understood_and_written(here: Path) -> None:
    write(here / "data/N2 plate 3", "Plate 3 day {d}.png")
    (here / "data/N2 plate 3/notes.docx").write_bytes(b"x")
    lines = inspect_folder(
        "data/N2 plate 3", options("--dish-mm", "35", "--worms", "8"), HealthspanSettings()
    )
    text = " ".join("\n".join(lines).split())
    assert "8 of 8 names" in text and "every 24 h; no" in text and "at day 4 to 5" in text
    (row,) = read_rows("config/plates.tsv", Plate)
    assert (row.name, row.worms, row.age_at_first_frame_d) == ("N2_plate_3", 8, 1)
    assert row.settings == "config/N2_plate_3.yaml"
    stated = yaml.safe_load(Path(row.settings).read_text())["healthspan"]
    assert stated["plates"]["pattern"] == "Plate 3 day {days}"
    # A dish of 35 mm is 33.5 mm wide inside, and 600 px here.
    assert stated["plates"]["pixel_size_um"] == pytest.approx(33500 / (2 * RADIUS), rel=0.02)
    assert "interval_h" not in stated["plates"]
    assert stated["states"]["composite"]["max_gap_h"] == pytest.approx(80, abs=1)
    worms = next(line for line in lines if line.startswith("worms"))
    length = float(worms.split()[1])
    assert length == pytest.approx(LENGTH + WIDTH + 3, rel=0.1)
    # A second look changes nothing, and a person's own file is left alone.
    before = Path("config/plates.tsv").read_text()
    inspect_folder("data/N2 plate 3", options("--dish-mm", "35"), HealthspanSettings())
    assert Path("config/plates.tsv").read_text() == before
    Path(row.settings).write_text("healthspan:\n")
    lines = inspect_folder("data/N2 plate 3", options("--dish-mm", "60"), HealthspanSettings())
    assert Path(row.settings).read_text() == "healthspan:\n"
    assert any("was not written" in line for line in lines)


def test_without_the_width_of_the_dish_the_worms_tell_the_likely_one(here: Path) -> None:
    write(here / "p", "t{d:03d}_day{d}.png")
    text = "\n".join(inspect_folder("p", options(), HealthspanSettings()))
    assert "give --dish-mm" in " ".join(text.split()) and "unsure" in text


def test_numbers_without_a_unit_are_asked_for_and_nothing_is_written(here: Path) -> None:
    write(here / "p", "IMG_{d:04d}.png", (11, 12, 13, 14))
    lines = inspect_folder("p", options(), HealthspanSettings())
    assert any("--interval-h" in line for line in lines)
    assert not Path("config").exists()
    inspect_folder("p", options("--interval-h", "12"), HealthspanSettings())
    stated = yaml.safe_load(Path("config/p.yaml").read_text())["healthspan"]["plates"]
    assert stated["interval_h"] == 12 and stated["pattern"] == "IMG_{timepoint}"


def test_dates_in_the_images_become_a_table_of_times(here: Path) -> None:
    (here / "p").mkdir()
    for k, day in enumerate((3, 4, 7)):
        tifffile.imwrite(f"p/IMG_{k:03d}.tif", draw(day), datetime=f"2024:05:{day:02d} 08:30:00")
    inspect_folder("p", options(), HealthspanSettings())
    rows = [line.split("\t") for line in Path("config/p_times.tsv").read_text().splitlines()[2:]]
    assert [float(row[1]) for row in rows] == [0, 24, 96]
    stated = yaml.safe_load(Path("config/p.yaml").read_text())["healthspan"]["plates"]
    assert stated["times"] == "config/p_times.tsv"


def test_a_table_of_times_in_the_folder_is_found(here: Path) -> None:
    write(here / "p", "DSC{d:05d}.png", (101, 102, 103, 104))
    rows = [f"DSC{101 + k:05d}.png;{day}" for k, day in enumerate((0, 1.5, 2, 5))]
    (here / "p/log.csv").write_text("image;day\n" + "\n".join(rows) + "\n")
    text = "\n".join(inspect_folder("p", options(), HealthspanSettings()))
    assert "log.csv" in text
    assert "36.0000" in Path("config/p_times.tsv").read_text()


def test_every_plate_of_a_folder_has_a_row(here: Path) -> None:
    for plate in ("N2", "daf-16"):
        write(here / "p", plate + "_day{d}.png", (1, 2, 3))
    inspect_folder("p", options(), HealthspanSettings())
    assert [row.name for row in read_rows("config/plates.tsv", Plate)] == ["N2", "daf-16"]
    for well in ("A1", "B2"):
        write(here / "w", "x_Phase_" + well + "_1_{d:02d}d00h00m.tif", (0, 1, 2))
    inspect_folder("w", options(), HealthspanSettings())
    found = {row.name: row.well for row in read_rows("config/plates.tsv", Plate)}
    assert found["w_A1_1"] == "A1_1" and found["w_B2_1"] == "B2_1"


def test_bright_worms_are_proposed_as_dark_field(here: Path) -> None:
    (here / "p").mkdir()
    for day in (1, 2, 3):
        Image.fromarray(draw(day, bright=True)).save(f"p/day{day}.png")
    inspect_folder("p", options("--pixel-size-um", "25"), HealthspanSettings())
    stated = yaml.safe_load(Path("config/p.yaml").read_text())["healthspan"]["plates"]
    assert stated["default_channel"] == "dark_field" and stated["pixel_size_um"] == 25


def test_what_cannot_be_used_is_said(here: Path) -> None:
    with pytest.raises(StepError, match="nowhere: expected a folder of images, found no such"):
        inspect_folder("nowhere", options(), HealthspanSettings())
    (here / "empty").mkdir()
    assert inspect_folder("empty", options(), HealthspanSettings()) == []
    write(here / "p", "day{d}.png", (1, 2))
    with pytest.raises(StepError, match="fits none"):
        inspect_folder("p", options("--pattern", "x{days}"), HealthspanSettings())


def test_another_plate_of_the_same_name_is_refused_and_nothing_changes(here: Path) -> None:
    for number, first in (("1", 3), ("2", 10)):
        (here / f"exp{number}/A1").mkdir(parents=True)
        for k in range(3):
            when = f"2024:05:{first + k * int(number):02d} 08:30:00"
            tifffile.imwrite(f"exp{number}/A1/IMG_{k:03d}.tif", draw(k), datetime=when)
    inspect_folder("exp1/A1", options("--pixel-size-um", "25"), HealthspanSettings())
    before = {path: path.read_bytes() for path in Path("config").iterdir()}
    with pytest.raises(StepError, match=r"A1 to be that of exp2/A1, found it with .*exp1/A1"):
        inspect_folder("exp2/A1", options("--pixel-size-um", "15"), HealthspanSettings())
    assert {path: path.read_bytes() for path in Path("config").iterdir()} == before
    given = options("--pixel-size-um", "15", "--plate", "A1b")
    inspect_folder("exp2/A1", given, HealthspanSettings())
    assert {path: path.read_bytes() for path in before if path.suffix == ".yaml"} == {
        path: text for path, text in before.items() if path.suffix == ".yaml"
    }
    assert "48.0000" in Path("config/A1b_times.tsv").read_text()


def test_corrections_in_proposed_files_stay(here: Path) -> None:
    (here / "p").mkdir()
    for k, day in enumerate((3, 4, 7)):
        tifffile.imwrite(f"p/IMG_{k:03d}.tif", draw(day), datetime=f"2024:05:{day:02d} 08:30:00")
    inspect_folder("p", options("--pixel-size-um", "25"), HealthspanSettings())
    own, times = Path("config/p.yaml"), Path("config/p_times.tsv")
    own.write_text(own.read_text().replace("25", "31"))
    times.write_text(times.read_text().replace("24.0000", "25.0000"))
    before = own.read_text(), times.read_text()
    lines = inspect_folder("p", options("--pixel-size-um", "20"), HealthspanSettings())
    assert (own.read_text(), times.read_text()) == before
    assert sum("was not written" in line for line in lines) == 2


def test_dated_images_of_subfolders_are_plates_with_their_own_times(here: Path) -> None:
    for plate, days in (("1", (3, 4, 7)), ("2", (3, 5, 6))):
        (here / "p" / plate).mkdir(parents=True)
        for k, day in enumerate(days):
            when = f"2024:05:{day:02d} 08:30:00"
            tifffile.imwrite(f"p/{plate}/IMG_{k:04d}.tif", draw(day), datetime=when)
    lines = inspect_folder("p", options("--pixel-size-um", "25"), HealthspanSettings())
    found = {}
    for row in read_rows("config/plates.tsv", Plate):
        own = settings_of_plate(HealthspanSettings(), row.settings)
        scanned = PlateScanner(own.plates).scan(row)
        assert isinstance(scanned, PlateFrames), (scanned, lines)
        found[row.name] = [frame.time_h for frame in scanned.frames]
    assert found == {"p_1": [0, 24, 96], "p_2": [0, 48, 72]}


def test_all_dated_images_have_their_times(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming_of_folder, "FIRST_READ", 2)
    (here / "p").mkdir()
    for k, day in enumerate((3, 4, 5, 6, 7)):
        tifffile.imwrite(f"p/IMG_{k:03d}.tif", draw(day), datetime=f"2024:05:{day:02d} 08:30:00")
    inspect_folder("p", options("--pixel-size-um", "25"), HealthspanSettings())
    assert len(Path("config/p_times.tsv").read_text().splitlines()) == 2 + 5


def test_a_plate_called_config_leaves_the_configuration_alone(here: Path) -> None:
    write(here / "config", "day{d}.png", (1, 2, 3))
    inspect_folder("config", options("--pixel-size-um", "25"), HealthspanSettings())
    assert not Path("config/config.yaml").exists()
    assert Path("config/plate_config.yaml").exists()


@pytest.mark.parametrize("form", ["2024-05-{:02d}/A{:02d}.tif", "day_{:02d}/A{:02d}.tif"])
def test_folders_of_days_hold_every_well(here: Path, form: str) -> None:
    frame = np.random.default_rng(0).integers(60, 200, (64, 64)).astype(np.uint8)
    for day in (1, 2, 3, 4):
        for well in (1, 2, 3):
            path = here / "raw" / form.format(day, well)
            path.parent.mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(path, frame)
    found = inspect_folder("raw", options("--print-only"), HealthspanSettings())
    lines = "\n".join(found)
    assert "4 timepoints, days" in lines
    assert "raw_A01" in lines and "raw_A02" in lines


def test_a_workbook_of_times_is_read_as_it_shows(here: Path) -> None:
    write(here / "p", "IMG_{d}.png", (1, 2, 3))
    book = openpyxl.Workbook()
    for cells in (("file", "taken"), *((f"IMG_{d}.png", datetime(2024, 5, d)) for d in (1, 2, 3))):
        book.active.append(cells)
    book.save("times.xlsx")
    given = ("--print-only", "--pixel-size-um", "25", "--times", "times.xlsx")
    assert "every 24 h" in "\n".join(inspect_folder("p", options(*given), HealthspanSettings()))
    book.active["A3"].font = Font(strike=True)
    book.save("times.xlsx")
    with pytest.raises(StepError, match=r"times.xlsx: line 3: .*'IMG_2.png' in A3 struck out"):
        inspect_folder("p", options(*given), HealthspanSettings())


def microscope(folder: Path, form: str, names: tuple[str, str]) -> None:
    random = np.random.default_rng(0)
    for number in range(1, 6):
        for channel, name in enumerate(names, start=1):
            path = folder / form.format(t=number, c=channel, name=name)
            path.parent.mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(path, random.integers(60, 200, (64, 64)).astype(np.uint8))


OPERA = "r01c01f01p01-ch{c}sk{t}fk1fl1.tiff"
METAMORPH = "exp1_w{c}{name}_s1_t{t}.TIF"


@pytest.mark.parametrize(
    ("form", "names", "word"),
    [
        (OPERA, ("", ""), "ch1"),
        ("AssayPlate_A01_T{t:04d}F001L01A01Z01C{c:02d}.tif", ("", ""), "C01"),
        ("Position001--t{t:02d}--C{c:02d}--Stage00.ome.tif", ("", ""), "C01"),
        ("exp001t{t:02d}xy01c{c}.tif", ("", ""), "c1 and c2 are both names of dark_field"),
        (METAMORPH, ("Brightfield", "FITC"), "2FITC"),
    ],
)
def test_channels_that_nobody_knows_are_asked_for_and_nothing_is_written(
    here: Path, form: str, names: tuple[str, str], word: str
) -> None:
    microscope(here / "raw", form, names)
    lines = inspect_folder("raw", options("--interval-h", "12"), HealthspanSettings())
    (asked,) = (line for line in lines if line.startswith("STILL NEEDED"))
    assert word in asked and "plates.channel_names" in asked and "did you mean" not in asked
    assert not Path("config").exists()


@pytest.mark.parametrize(
    ("form", "channel_names"),
    [
        (OPERA, {"bright_field": ("ch1",), "dark_field": ("ch2",)}),
        (METAMORPH, {}),
    ],
)
def test_the_run_takes_two_channels_as_they_were_proposed(
    here: Path, form: str, channel_names: dict[str, tuple[str, ...]]
) -> None:
    microscope(here / "raw", form, ("BF", "GFP"))
    settings = HealthspanSettings.model_validate({"plates": {"channel_names": channel_names}})
    inspect_folder("raw", options("--interval-h", "12"), settings)
    (row,) = read_rows("config/plates.tsv", Plate)
    scanned = PlateScanner(settings_of_plate(settings, row.settings).plates).scan(row)
    assert isinstance(scanned, PlateFrames), scanned
    assert scanned.channels == ("bright_field", "dark_field")
    assert sorted({frame.time_h for frame in scanned.frames}) == [0, 12, 24, 36, 48]


def test_a_frame_that_cannot_be_read_is_told(here: Path) -> None:
    write(here / "p", "day{d}.png", (1, 2, 3))
    whole = Path("p/day1.png").read_bytes()
    Path("p/day1.png").write_bytes(whole[: len(whole) // 2])
    lines = inspect_folder("p", options("--pixel-size-um", "25"), HealthspanSettings())
    assert any(line.startswith("UNREADABLE") and "day1.png" in line for line in lines)
