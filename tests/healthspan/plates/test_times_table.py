"""Tables of times: every image has the time of its own row, or the run says why not."""

from pathlib import Path

import pytest

from snakescope.healthspan.plates.scan import PlateScanner
from snakescope.healthspan.plates.settings import IngestSettings
from snakescope.healthspan.plates.sheet import Plate
from snakescope.healthspan.plates.times_table import Times, read_times, times_of
from snakescope.step.errors import StepError, SystemFault


def read(folder: Path, text: str, plate: str | None = None) -> Times:
    path = folder / "times.tsv"
    path.write_text(text, encoding="utf-8")
    return read_times(path, plate)


def test_a_blank_cell_is_no_time_and_no_end_of_the_column(tmp_path: Path) -> None:
    times = read(tmp_path, "file\thours\tdate\na.png\t0\t\nb.png\t\t2024-05-31\nc.png\t5,5\t\n")
    assert (times.hours, times.column) == ({"a.png": 0.0, "c.png": 5.5}, "hours")
    assert times.of("b.png") is None and times.of("sub/c.png") == 5.5


def test_a_column_without_a_time_is_passed_over(tmp_path: Path) -> None:
    times = read(tmp_path, "file,age,days\na.png,adult,1\nb.png,adult,2\n")
    assert times.hours == {"a.png": 24.0, "b.png": 48.0}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("file\thours\n#\na\t0\nb\tnoon\n", "line 4: expected a number with a decimal point"),
        ("file\thours\na\t0\nb\tnan\n", "in the column hours, found 'nan'"),
        ("file\thours\na\t0\nb\tinf\n", "in the column hours, found 'inf'"),
        ("file\tdate\na\t2024-05-31\nb\t31/5\n", "line 3: expected a date as 2024-05-31"),
        ("file\thours\na.png\t0\nA.png\t3\n", "lines 2 and 3: expected one time for A.png"),
        ("file,hours\na,0,5\nb,12,5\n", "line 2: expected 2 cells as in the header, found 3"),
        ("file;hours\na;999,5\nb;1.500\n", "line 3: expected a number with a decimal point"),
        ("file,year,month,day,hour\na,2026,5,31,8\nb,2026,6,1,8\n", "the column day beside one"),
        ("file,date\na,2026-05-31 08:30\nb,2026-05-31T08:30+02:00\n", "in the column date, found"),
        ("file,date,hour\na,2026-05-31,8\nb,2026-05-31,24\n", "hours of the day in the column"),
        ("file\tname_of_it\na\tb\n", "found the header 'file, name_of_it'"),
        ("", "found the header ''"),
    ],
)
def test_cells_that_are_no_times_are_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(StepError) as error:
        read(tmp_path, text)
    assert sentence in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "file,date,hour\na,2026-05-31,8\nb,2026-06-01,20\n",
        "file,day,time\na,1,08:30\nb,2,8:30 PM\n",
        "file,day,clock\na,1,8:30 AM\nb,2,20:30\n",
    ],
)
def test_the_hour_and_the_time_of_day_beside_days_count(tmp_path: Path, text: str) -> None:
    hours = read(tmp_path, text).hours
    assert hours["b"] - hours["a"] == 36.0


def test_rows_of_other_plates_do_not_count(tmp_path: Path) -> None:
    text = "plate;file;hours\np1;a.png;0\np1;b.png;4\nP2;a.png;1\nP2;b.png;9\n;c.png;20\n"
    assert read(tmp_path, text, "p1").hours == {"a.png": 0.0, "b.png": 4.0, "c.png": 20.0}
    assert read(tmp_path, text, "p2").hours == {"a.png": 1.0, "b.png": 9.0, "c.png": 20.0}
    with pytest.raises(StepError, match=r"expected one time for a\.png"):
        read(tmp_path, text)
    with pytest.raises(StepError, match="expected rows of p3 in the column plate, found those of"):
        read(tmp_path, text.replace("\n;c.png;20", ""), "p3")


def test_the_same_time_twice_is_one(tmp_path: Path) -> None:
    assert read(tmp_path, "file\tdays\na\t0.1\na\t0.1\n").hours == {"a": pytest.approx(2.4)}


def test_what_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StepError, match=r"expected the table of times .*; name a file"):
        read_times(tmp_path)
    read(tmp_path, "file\thours\na\t1\n")

    def locked(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", locked)
    with pytest.raises(SystemFault, match="give this account leave"):
        read_times(tmp_path / "times.tsv")


def test_a_field_that_is_too_long_is_told(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="found text that is none"):
        read(tmp_path, "file\thours\n" + "a" * 200_000 + "\t1\n")


def images(folder: Path) -> Path:
    folder.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        (folder / name).write_bytes(b"image")
    return folder


def plate(folder: Path, **more: str) -> Plate:
    row = {"plate": "p1", "experiment": "e", "condition": "N2", "folder": str(folder), **more}
    return Plate.model_validate(row)


def test_an_image_without_a_time_is_left_out_with_a_note(tmp_path: Path) -> None:
    table = tmp_path / "times.tsv"
    table.write_text("file\thours\na.png\t0\nb.png\t\nc.png\t4\n")
    settings = IngestSettings.model_validate({"times": str(table)})
    found = PlateScanner(settings).scan(plate(images(tmp_path / "raw")))
    assert [frame.time_h for frame in found.frames] == [0.0, 4.0]
    assert any(f"or no time in {table}, and are left out" in note for note in found.notes)


def test_a_pattern_of_the_sheet_without_a_time_stops_its_plate_alone(tmp_path: Path) -> None:
    raw = images(tmp_path / "raw")
    own = plate(raw, pattern="{any}", settings="own.yaml")
    with pytest.raises(StepError) as error:
        PlateScanner(IngestSettings()).scan(own)
    assert "expected a field of time in the pattern '{any}'" in str(error.value)
    assert "column pattern of the sample sheet" in str(error.value)
    assert "plates.pattern" not in str(error.value)


def test_a_problem_with_a_plate_of_own_settings_names_their_file(tmp_path: Path) -> None:
    raw = images(tmp_path / "raw")
    with pytest.raises(StepError) as error:
        PlateScanner(IngestSettings()).scan(plate(raw, settings="own.yaml"))
    end = "in plates.pattern (own.yaml has settings of this plate)"
    assert str(error.value).endswith(end)


def test_tables_that_spreadsheets_write(tmp_path: Path) -> None:
    path = tmp_path / "times.tsv"
    path.write_text("file\tdays\na.png\t1,5\n", encoding="utf-16")
    assert read_times(path).hours == {"a.png": 36.0}
    path.write_bytes(b"PK\3\4" + bytes(60))
    with pytest.raises(StepError, match="found a workbook; save its sheet as text"):
        read_times(path)


@pytest.mark.parametrize("cell", ["3/31/24", "31.3.24", "45382", "0:00"])
def test_a_column_of_dates_of_which_none_is_clear(tmp_path: Path, cell: str) -> None:
    with pytest.raises(StepError, match=f"found {cell!r} in the column date"):
        read(tmp_path, f"file\tdate\na.png\t{cell}\n")


def test_summer_time_is_no_step_where_the_zone_is_told(tmp_path: Path) -> None:
    times = read(
        tmp_path,
        "file\tdate\na\t2024-03-30T12:00:00+01:00\nb\t2024-03-31T12:00:00+02:00\nc\t2024-03-31"
        " 10:00:00Z\n",
    )
    assert times.hours["b"] - times.hours["a"] == 23
    assert times.hours["b"] == times.hours["c"]


def test_files_in_folders_of_another_machine(tmp_path: Path) -> None:
    text = "file\thours\nC:\\data\\a.png\t1\n/mnt/b.png\t2\nD:\\x\\c.png\t3\nD:\\y\\c.png\t4\n"
    times = read(tmp_path, text)
    assert [times.of(name) for name in ("a.png", "b.png", "c.png")] == [1, 2, None]


def hours_in(header: str, *rows: str) -> list[float]:
    cells = [line.split("|") for line in (header, *rows)]
    found = times_of(cells)
    assert found is not None
    times = list(found.hours.values())
    return [round(time - times[0], 4) for time in times]


def test_a_column_of_the_time_of_day_adds_to_the_date() -> None:
    rows = ("a.tif|2024-05-01|08:30", "b.tif|2024-05-01|20:30", "c.tif|2024-05-02|9:00")
    assert hours_in("file|date|time", *rows) == [0, 12, 24.5]


def test_columns_of_two_units_are_summed_or_the_same() -> None:
    assert hours_in("file|day|hour", "a.tif|1|0", "b.tif|1|12", "c.tif|2|0") == [0, 12, 24]
    assert hours_in("file|hours|minutes", "a.tif|0|0", "b.tif|0|30", "c.tif|1|0") == [0, 0.5, 1]
    assert hours_in("file|days|hours", "a.tif|0|0", "b.tif|0.5|12", "c.tif|1|24") == [0, 12, 24]
    with pytest.raises(ValueError, match="columns days and hours to tell the same times"):
        hours_in("file|days|hours", "a.tif|0|0", "b.tif|0.5|13", "c.tif|1|30")


def test_times_at_which_files_were_changed_are_not_read() -> None:
    rows = ("a.tif|2024-06-01 10:00|2024-05-01", "b.tif|2024-06-01 10:01|2024-05-02")
    assert hours_in("file|date modified|taken", *rows) == [0, 24]


@pytest.mark.parametrize("header", ["image\thours\tdays", "image\tdays\thours"])
def test_columns_that_contradict_are_refused_in_any_order(tmp_path: Path, header: str) -> None:
    swap = slice(None, None, -1 if header.endswith("days") else 1)

    def text(rows: list[tuple[str, str]]) -> str:
        lines = ["\t".join((f"{k}.tif", *row[swap])) for k, row in enumerate(rows)]
        return "\n".join([header, *lines]) + "\n"

    with pytest.raises(StepError, match="expected the columns days and hours to tell the same"):
        read(tmp_path, text([("0", "0"), ("2", "24"), ("4", "48")]))
    parts = read(tmp_path, text([("0", "6"), ("0", "18"), ("1", "6")]))
    assert list(parts.hours.values()) == [6, 18, 30]


def test_letters_of_files_are_composed_or_not(tmp_path: Path) -> None:
    times = read(tmp_path, "file\thours\nTag\u00e91.tif\t0\nTage\u03012.tif\t24\n")
    assert times.of("Tage\u03011.tif") == 0 and times.of("Tag\u00e92.tif") == 24
