"""Folders and times as disks, cameras and clocks leave them: the frames, or one sentence."""

import os
from pathlib import Path

import pytest

from snakescope.healthspan.plates.naming import compile_pattern, read_name
from snakescope.healthspan.plates.raw_folder import list_folder
from snakescope.healthspan.plates.scan import PlateScanner
from snakescope.healthspan.plates.settings import IngestSettings
from snakescope.healthspan.plates.sheet import Plate, warnings_of_alike_experiments
from snakescope.step.errors import StepError


def filled(folder: Path, count: int = 4) -> Path:
    folder.mkdir()
    for k in range(count):
        (folder / f"day{k}.tif").write_bytes(b"image")
    return folder


def names(folder: Path) -> list[str]:
    return [file.relative_path for file in list_folder(str(folder)).images]


def test_a_pipe_among_images_is_told_and_never_read(tmp_path: Path) -> None:
    folder = filled(tmp_path / "raw")
    os.mkfifo(folder / "day4.tif")
    listing = list_folder(str(folder))
    assert len(listing.images) == 4
    assert "pipes (1)" in listing.other_endings()


def test_a_name_that_is_no_text_is_left_out_and_told(tmp_path: Path) -> None:
    folder = filled(tmp_path / "raw")
    Path(os.fsdecode(os.fsencode(folder) + b"/day\xff5.tif")).write_bytes(b"image")
    listing = list_folder(str(folder))
    assert len(listing.images) == 4
    assert "no UTF-8 (1)" in listing.other_endings()


@pytest.mark.parametrize("target", ["..", ".", "../raw"])
def test_a_link_back_to_its_folder_is_not_followed(tmp_path: Path, target: str) -> None:
    folder = filled(tmp_path / "raw")
    (folder / "again").symlink_to(target)
    assert names(folder) == [f"day{k}.tif" for k in range(4)]


def test_a_link_to_another_folder_is_followed(tmp_path: Path) -> None:
    folder = filled(tmp_path / "raw")
    (folder / "more").symlink_to(filled(tmp_path / "more", 1))
    assert "more/day0.tif" in names(folder)


def test_a_link_to_itself_is_one_missing_frame(tmp_path: Path) -> None:
    folder = filled(tmp_path / "raw")
    (folder / "day4.tif").symlink_to("day4.tif")
    sizes = {file.relative_path: file.size for file in list_folder(str(folder)).images}
    assert sizes["day4.tif"] == -1


@pytest.mark.parametrize(
    ("pattern", "files", "interval_h"),
    [
        ("img_{timepoint}", [f"img_{1714550400 + 43200 * k}.tif" for k in range(4)], 12.0),
        ("{year}-{month}-{day}", ["2024-05-01.tif", "2024-05-02.tif", "2924-05-03.tif"], 1.0),
        ("day{days}", ["day0.tif", "day1.tif", "day2.tif"], 1e-7),
    ],
)
def test_a_time_far_off_is_refused_and_no_frame_is_listed(
    tmp_path: Path, pattern: str, files: list[str], interval_h: float
) -> None:
    for name in files:
        (tmp_path / name).write_bytes(b"image")
    plate = Plate(name="p1", experiment="e", condition="N2", folder=str(tmp_path))
    settings = IngestSettings(pattern=pattern, interval_h=interval_h, max_missing_fraction=1)
    with pytest.raises(StepError, match="expected at most 100000 timepoints") as error:
        PlateScanner(settings).scan(plate)
    assert any(name in str(error.value) for name in (files[-1], files[0], files[1]))


def hours(pattern: str, name: str) -> float | None:
    parts = read_name(name, [compile_pattern(pattern, "")])
    return None if parts is None or parts.time_h is None else parts.time_h % 24


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("img_{minutes}min", "img_30min.tif", 0.5),
        ("img_{minutes}m{seconds}s", "img_30m36s.tif", 0.51),
        ("img_{days}d{minutes}m", "img_2d30m.tif", 0.5),
    ],
)
def test_times_without_hours_are_read(pattern: str, name: str, expected: float) -> None:
    assert hours(pattern, name) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8.30\u202fPM", 20.5), ("8.30\u00a0PM", 20.5), ("8.30 p. m.", 20.5), ("8.30 AM", 8.5),
        ("12.30 AM", 0.5), ("0.30 AM", 0.5), ("20.30 PM", 20.5), ("20.30 AM", None),
        ("0.30 PM", None),
    ],
)  # fmt: skip
def test_clocks_of_12_hours_are_read_as_programs_write_them(
    text: str, expected: float | None
) -> None:
    pattern = "Screenshot {year}-{month}-{day} at {hours}.{minutes}{any}"
    assert hours(pattern, f"Screenshot 2024-05-01 at {text}.png") == expected


def test_experiments_that_are_spelt_in_two_ways_are_told() -> None:
    plates = [
        Plate(name=f"p{k}", experiment=one, condition="N2", folder="raw")
        for k, one in enumerate(("rnai-1", "RNAi_1", "rnai-11"))
    ]
    (note,) = warnings_of_alike_experiments(plates)
    assert "'rnai-1' and 'RNAi_1' are different ones" in note
