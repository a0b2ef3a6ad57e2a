"""A raw folder becomes the frames of its plate, or one sentence that says why not."""

from pathlib import Path

import pytest

from snakescope.healthspan.plates import scan as scan_module
from snakescope.healthspan.plates.manifest import PlateFrames
from snakescope.healthspan.plates.raw_folder import ImageFile
from snakescope.healthspan.plates.scan import PlateScanner
from snakescope.healthspan.plates.settings import IngestSettings
from snakescope.healthspan.plates.sheet import Plate
from snakescope.step.errors import StepError


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"image")
    return folder


def plate_at(folder: Path, well: str = "", name: str = "p1") -> Plate:
    return Plate(name=name, experiment="e1", condition="N2", folder=str(folder), well=well)


def scan(folder: Path, well: str = "", name: str = "p1", **settings: object) -> PlateFrames:
    return PlateScanner(IngestSettings.model_validate(settings)).scan(plate_at(folder, well, name))


def problem(folder: Path, well: str = "", **settings: object) -> str:
    with pytest.raises(StepError) as error:
        scan(folder, well, **settings)
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix(f"{folder}: ")


def table(frames: PlateFrames, folder: Path) -> list[tuple]:
    return [
        (f.timepoint, round(f.time_h, 4), f.channel, f.path.removeprefix(f"{folder}/"))
        for f in frames.frames
    ]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["VID1957_phase_E11_5_06d12h05m.tif", "VID1957_phase_E11_5_07d00h00m.tif"],
            [(0, 0.0, "bright_field"), (1, 11.9167, "bright_field")],
        ),
        (
            ["VID9955_Green_B2_1_00d00h00m.tif", "VID9955_Green_B2_1_01d00h30m.tif"],
            [(0, 0.0, "dark_field"), (1, 24.5, "dark_field")],
        ),
        (
            ["Phase/well_B1_2_2022y05m08d_08h46m.tif", "Phase/well_B1_2_2022y06m01d_08h46m.tif"],
            [(0, 0.0, "bright_field"), (1, 576.0, "bright_field")],
        ),
        (
            ["E2_1_00d00h00m.tif", "E2_1_00d12h00m.tif"],
            [(0, 0.0, "bright_field"), (1, 12.0, "bright_field")],
        ),
        (
            ["A172_Phase_A7_1_00d00h00m_1.tif", "A172_Phase_A7_1_00d04h00m_1.tif"],
            [(0, 0.0, "bright_field"), (1, 4.0, "bright_field")],
        ),
        (
            [
                "EssenFiles/ScanData/2112/31/2300/1957/A1-1-C1.tif",
                "EssenFiles/ScanData/2201/01/1100/1957/A1-1-C1.tif",
            ],
            [(0, 0.0, "dark_field"), (1, 12.0, "dark_field")],
        ),
        (
            ["2205/08/0846/1957/A1-1-Ph.tif", "2205/08/2046/1957/A1-1-P.tif"],
            [(0, 0.0, "bright_field"), (1, 12.0, "bright_field")],
        ),
    ],
)
def test_names_of_the_incucyte(tmp_path: Path, names: list[str], expected: list[tuple]) -> None:
    frames = scan(touch(tmp_path, *names))
    assert table(frames, tmp_path) == [
        (*row, name) for row, name in zip(expected, names, strict=True)
    ]
    assert all(frame.status == "present" and not frame.reason for frame in frames.frames)


@pytest.mark.parametrize("other", ["VID1957_phase", "VID2001"])
def test_channel_folders_with_the_same_or_other_names(tmp_path: Path, other: str) -> None:
    touch(tmp_path, "Phase/VID1957_phase_E11_5_00d00h00m.tif", f"Green/{other}_E11_5_00d00h00m.tif")
    if other == "VID1957_phase":  # a name's own channel goes before its folder's
        assert "two for t000" in problem(tmp_path)
    else:
        frames = scan(tmp_path)
        assert frames.channels == ("bright_field", "dark_field")
        assert [Path(f.path).parent.name for f in frames.frames] == ["Phase", "Green"]


def test_same_names_in_a_folder_per_channel(tmp_path: Path) -> None:
    name = "well_B1_2_2022y05m08d_08h46m.tif"
    frames = scan(touch(tmp_path, f"Phase/{name}", f"Red/{name}"))
    assert [(f.channel, Path(f.path).parent.name) for f in frames.frames] == [
        ("bright_field", "Phase"),
        ("dark_field", "Red"),
    ]


def test_plate_folder_named_by_its_channel(tmp_path: Path) -> None:
    frames = scan(touch(tmp_path / "GFP", "E2_1_00d00h00m.tif"))
    assert frames.channels == ("dark_field",)


def test_paths_stay_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "raw", "E2_1_00d00h00m.tif")
    monkeypatch.chdir(tmp_path)
    (frame,) = scan(Path("raw")).frames
    assert frame.path == "raw/E2_1_00d00h00m.tif"


@pytest.mark.parametrize(
    ("pattern", "name", "time_h"),
    [
        ("plate_day{days}.png", "plate_day08.png", 24.0),
        ("plate_day{days}", "plate_day08.JPG", 24.0),
        ("{any}_d{days}_{any}", "x_y_d8_z.tiff", 24.0),
        ("{hours}h{minutes}", "174h30.tif", 6.5),
        ("{year}-{month}-{day}_{hours}-{minutes}", "2022-05-09_07-30.tif", 6.5),
        ("{year}{month}{day}", "20220509.tif", 24.0),
        ("d{days}/img", "sub/d8/img.png", None),
        ("sub/d{days}/img", "sub/d8/img.png", 24.0),
        ("{plate}_{timepoint}", "p1_0004.tif", 12.0),
        ("{channel}/t{timepoint}", "gfp/t4.tif", 12.0),
    ],
)
def test_pattern_of_the_user(tmp_path: Path, pattern: str, name: str, time_h: float | None) -> None:
    first = {
        "174h30": "168h00",
        "2022-05-09_07-30": "2022-05-09_01-00",
        "20220509": "20220508",
        "p1_0004": "p1_0003",
        "t4": "t3",
    }.get(Path(name).stem, "")
    other = str(Path(name).with_name(first + Path(name).suffix)) if first else ""
    other = other or name.replace("8", "7")
    interval_h = 12 if "timepoint" in pattern else None
    touch(tmp_path, name, other)
    if time_h is None:
        assert f"expected the pattern {pattern}" in problem(tmp_path, pattern=pattern)
        return
    frames = scan(tmp_path, pattern=pattern, interval_h=interval_h)
    assert [round(frame.time_h, 6) for frame in frames.frames] == [0.0, time_h]
    assert Path(frames.frames[-1].path) == tmp_path / name


def test_gaps_of_a_schedule_are_missing_with_a_reason(tmp_path: Path) -> None:
    touch(tmp_path, *(f"plate_day{day:02d}.png" for day in (4, 5, 8, 9, 10)))
    frames = scan(tmp_path, pattern="plate_day{days}", interval_h=24, max_missing_fraction=0.5)
    assert frames.timepoint_count == 7
    missing = [(f.timepoint, f.time_h, f.path, f.reason) for f in frames.frames if f.reason]
    assert missing == [(2, 48.0, "", "no image at about 48 h"), (3, 72.0, "", missing[1][3])]
    assert all((f.status == "missing") == bool(f.reason) for f in frames.frames)


def test_gaps_without_a_schedule_are_told(tmp_path: Path) -> None:
    days = (0, 1, 2, 3, 5, 6, 9)
    touch(tmp_path, *(f"E2_1_0{day}d00h00m.tif" for day in days))
    found = scan(tmp_path)
    assert found.timepoint_count == len(days)
    assert found.notes == (
        f"{tmp_path}: no image for 72 h after the one at 144 h, where 24 h are usual (the widest "
        "of 2 such gaps); set plates.interval_h to have missing ones listed",
    )
    scheduled = scan(tmp_path, interval_h=24)
    assert (scheduled.notes, scheduled.timepoint_count) == ((), 10)


def test_uneven_times_keep_their_hours(tmp_path: Path) -> None:
    touch(tmp_path, "E2_1_00d00h00m.tif", "E2_1_00d13h10m.tif", "E2_1_01d00h00m.tif")
    by_schedule = scan(tmp_path, interval_h=12)
    assert [(f.timepoint, f.time_h) for f in by_schedule.frames] == [
        (0, 0.0),
        (1, pytest.approx(13 + 1 / 6)),
        (2, 24.0),
    ]
    touch(tmp_path, "E2_1_09d00h00m.tif")
    assert scan(tmp_path).timepoint_count == 4


def test_image_off_schedule(tmp_path: Path) -> None:
    touch(tmp_path, "E2_1_00d00h00m.tif", "E2_1_00d17h00m.tif")
    assert problem(tmp_path, interval_h=12) == (
        "expected an image every 12 h (plates.interval_h), found E2_1_00d17h00m.tif at 17 h; "
        "remove it, raise plates.interval_tolerance, or set plates.interval_h to null"
    )
    assert scan(tmp_path, interval_h=12, interval_tolerance=0.45).timepoint_count == 2


def test_duplicate_timepoint(tmp_path: Path) -> None:
    names = ("a_phase_E2_1_00d00h00m.tif", "b_phase_E2_1_00d00h00m.tif")
    touch(tmp_path, *names)
    assert problem(tmp_path) == (
        "expected one bright_field image a timepoint, found two for t000: "
        f"{names[0]} and {names[1]}; remove one, or set plates.duplicates to first or last"
    )
    for choice, name in zip(("first", "last"), names, strict=True):
        assert Path(scan(tmp_path, duplicates=choice).frames[0].path).name == name


def test_two_fluorescence_channels_need_a_choice(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{c}/B2_1_00d00h00m.tif" for c in ("Phase", "Green", "Red")))
    assert problem(tmp_path) == (
        "expected one dark_field image a timepoint, found two for t000: "
        "Green/B2_1_00d00h00m.tif and Red/B2_1_00d00h00m.tif; green and red are both names of "
        "dark_field in plates.channel_names: move the one that is not to be used to its list "
        "ignored"
    )
    names = {"dark_field": ["green"], "ignored": ["red"]}
    assert scan(tmp_path, channel_names=names).channels == ("bright_field", "dark_field")


def test_channel_missing_at_one_timepoint(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{c}/E2_1_0{d}d00h00m.tif" for c in ("Phase", "Green") for d in range(4)))
    (tmp_path / "Green/E2_1_02d00h00m.tif").unlink()
    lost = [frame for frame in scan(tmp_path).frames if frame.status == "missing"]
    assert [(f.timepoint, f.channel, f.reason) for f in lost] == [
        (2, "dark_field", "no dark_field image at this timepoint")
    ]


def test_channel_missing_on_the_whole_plate(tmp_path: Path) -> None:
    touch(tmp_path, "Phase/E2_1_00d00h00m.tif")
    assert problem(tmp_path, channels=["bright_field", "dark_field"]) == (
        "expected the channels bright_field and dark_field (plates.channels), found no dark_field "
        "image; add its images, or set plates.channels to auto"
    )


def test_channels_not_asked_for_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "Phase/E2_1_00d00h00m.tif", "Green/E2_1_00d00h00m.tif")
    frames = scan(tmp_path, channels=["dark_field"])
    assert [frame.channel for frame in frames.frames] == ["dark_field"]


def test_ignored_channel(tmp_path: Path) -> None:
    touch(tmp_path, "v_phase_E2_1_00d00h00m.tif", "v_NIR_E2_1_00d00h00m.tif")
    assert problem(tmp_path) == (
        "expected a channel in every name or in none, found v_NIR_E2_1_00d00h00m.tif next to "
        "v_phase_E2_1_00d00h00m.tif; add its channel to plates.channel_names (under ignored to "
        "leave it unread)"
    )
    assert len(scan(tmp_path, channel_names={"ignored": ["nir"]}).frames) == 1


def test_unknown_channel_in_the_field_of_a_pattern(tmp_path: Path) -> None:
    touch(tmp_path, "t1_phse.tif")
    assert problem(tmp_path, pattern="t{hours}_{channel}") == (
        "expected a channel named in plates.channel_names, found 'phse' in t1_phse.tif; "
        "did you mean phase?"
    )


def test_name_under_two_channels_is_refused() -> None:
    with pytest.raises(ValueError, match="green is under two"):
        IngestSettings.model_validate({"channel_names": {"bright_field": ["Green"]}})


def test_several_wells_need_a_choice(tmp_path: Path) -> None:
    touch(tmp_path, *(f"v_phase_{well}_00d00h00m.tif" for well in ("A1_1", "A1_2", "B1_1")))
    assert problem(tmp_path) == (
        "expected the images of one well and one position in it, found 3: A1_1, A1_2, B1_1; "
        "say in the column well of the sample sheet which one is the plate"
    )
    assert "found 2: A1_1, A1_2;" in problem(tmp_path, well="A1")
    assert Path(scan(tmp_path, well="a1-2").frames[0].path).name == "v_phase_A1_2_00d00h00m.tif"
    assert len(scan(tmp_path, well="B1").frames) == 1
    assert problem(tmp_path, well="C1") == (
        "expected images of C1 (column well), found those of A1_1, A1_2, B1_1; "
        "correct the column well"
    )


def test_archive_of_several_vessels(tmp_path: Path) -> None:
    touch(tmp_path, "2205/08/0846/1957/A1-1-Ph.tif", "2205/08/0900/1958/A1-1-Ph.tif")
    assert "found 2: 1957/A1_1, 1958/A1_1;" in problem(tmp_path)
    assert "/1958/" in scan(tmp_path, name="1958").frames[0].path
    assert "/1957/" in scan(tmp_path, well="1957/A1").frames[0].path
    touch(tmp_path, "2205/08/0846/plate-7/A1-1-Ph.tif")
    for well in ("plate-7/A1", "plate-7/A1-1", "plate-7/A1_1", "plate_7/a1", "plate-7"):
        assert "/plate-7/" in scan(tmp_path, well=well).frames[0].path


def test_empty_file_is_missing(tmp_path: Path) -> None:
    touch(tmp_path, *(f"E2_1_0{day}d00h00m.tif" for day in range(4)))
    (tmp_path / "E2_1_01d00h00m.tif").write_bytes(b"")
    lost = [frame for frame in scan(tmp_path).frames if frame.status == "missing"]
    assert [(f.timepoint, f.reason) for f in lost] == [(1, "the file is empty")]


def test_more_missing_than_allowed(tmp_path: Path) -> None:
    touch(tmp_path, "E2_1_00d00h00m.tif", "E2_1_03d00h00m.tif")
    assert problem(tmp_path, interval_h=24, max_missing_fraction=0.4) == (
        "expected at most 40% of 4 timepoints missing (plates.max_missing_fraction), found 2 "
        "missing (t001, no image at about 24 h; t002, no image at about 48 h); "
        "add their images or raise the limit"
    )
    assert scan(tmp_path, interval_h=24, max_missing_fraction=0.5).timepoint_count == 4


def test_folder_that_cannot_be_used(tmp_path: Path) -> None:
    assert problem(tmp_path / "gone") == (
        "expected a folder of images, found no such folder; correct the column folder"
    )
    touch(tmp_path, "file.txt")
    assert problem(tmp_path / "file.txt").startswith("expected a folder of images, found a file")
    assert problem(tmp_path) == (
        "expected images (.tif, .tiff, .png, .jpg, .jpeg), found none; "
        "copy the raw images there or correct the column folder"
    )


def test_names_that_match_nothing(tmp_path: Path) -> None:
    touch(tmp_path, "plate_day04.png", "plate_day05.png")
    sentence = problem(tmp_path)
    assert sentence.startswith("expected names of the IncuCyte such as VID1957_phase_E11_5_")
    assert sentence.endswith(
        "found 2 images named otherwise, such as plate_day04.png; "
        "describe their naming in plates.pattern"
    )
    assert problem(tmp_path, pattern="dish{days}").startswith(
        "expected the pattern dish{days} (plates.pattern), found 2 images named otherwise"
    )


def test_dates_that_do_not_exist_match_nothing(tmp_path: Path) -> None:
    touch(tmp_path, "well_B1_2_2022y13m08d_08h46m.tif")
    assert "found 1 images named otherwise" in problem(tmp_path)


def test_dates_beside_elapsed_times(tmp_path: Path) -> None:
    touch(tmp_path, "B1_2_2022y05m08d_08h46m.tif", "B1_2_00d00h00m.tif")
    assert "found both: B1_2_2022y05m08d_08h46m.tif and B1_2_00d00h00m.tif" in problem(tmp_path)


def test_other_images_hidden_files_and_broken_links(tmp_path: Path) -> None:
    touch(tmp_path, "E2_1_00d00h00m.tif", "E2_1_01d00h00m.tif", "notes.png", ".hidden/x.tif")
    touch(tmp_path, "._E2_1_00d00h00m.tif", "log.txt")
    (tmp_path / "E2_1_02d00h00m.tif").symlink_to(tmp_path / "gone.tif")
    frames = scan(tmp_path, max_missing_fraction=0.5)
    assert [frame.status for frame in frames.frames] == ["present", "present", "missing"]
    assert frames.notes == (
        f"{tmp_path}: 1 of 4 images have other names and are left out, such as notes.png",
    )


def test_one_bad_plate_leaves_the_others(tmp_path: Path) -> None:
    touch(tmp_path / "good", "E2_1_00d00h00m.tif")
    plates = [plate_at(tmp_path / name, name=name) for name in ("gone", "good")]
    scanner = PlateScanner(IngestSettings())
    with pytest.raises(StepError):
        scanner.scan(plates[0])
    assert scanner.scan(plates[1]).frames


def test_shared_folder_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "A1_1_00d00h00m.tif", "B1_1_00d00h00m.tif")
    listed: list[str] = []
    original = scan_module.list_folder

    def listing(folder: str) -> list[ImageFile]:
        listed.append(folder)
        return original(folder)

    monkeypatch.setattr(scan_module, "list_folder", listing)
    plates = [plate_at(tmp_path, well, well) for well in ("A1", "B1")]
    scanner = PlateScanner(IngestSettings())
    assert [type(scanner.scan(plate)) for plate in plates] == [PlateFrames, PlateFrames]
    assert listed == [str(tmp_path)]


def test_hours_of_the_afternoon(tmp_path: Path) -> None:
    names = [f"2024-03-01_{hour}-00{half}.tif" for half in ("AM", "pm") for hour in ("12", "03")]
    found = scan(touch(tmp_path, *names), pattern="{year}-{month}-{day}_{hours}-{minutes}{any}")
    assert [name for *_, name in table(found, tmp_path)] == names
    assert [time_h for _, time_h, *_ in table(found, tmp_path)] == [0, 3, 12, 15]


def test_a_series_across_the_turn_of_a_century(tmp_path: Path) -> None:
    found = scan(touch(tmp_path, "991231.tif", "000101.tif"), pattern="{year}{month}{day}")
    assert [time_h for _, time_h, *_ in table(found, tmp_path)] == [0, 24]


def test_a_link_to_nothing_and_folders_that_are_too_deep_are_told(tmp_path: Path) -> None:
    names = [f"E2_1_0{day}d00h00m.tif" for day in range(4)]
    touch(tmp_path, *names[:3], "/".join("abcdefghij") + "/E2_1_09d00h00m.tif")
    (tmp_path / names[3]).symlink_to("nowhere.tif")
    found = scan(tmp_path)
    assert [(f.status, f.reason) for f in found.frames][2:] == [
        ("present", ""), ("missing", "a link to no file"),
    ]  # fmt: skip
    assert any("folders below 8 others (1)" in note for note in found.notes)
