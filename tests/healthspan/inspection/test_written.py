"""Rows and settings written beside what a person wrote."""

from pathlib import Path

import pytest
import yaml

from snakescope.healthspan.inspection.written import set_keys, set_settings_of_row, write_row
from snakescope.healthspan.plates.sheet import Plate
from snakescope.settings.sheet import read_rows
from snakescope.step.errors import StepError


def test_settings_are_added_and_comments_stay(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(
        "# Settings of p\nhealthspan:\n  plates:\n    # from the names\n    pattern: 'day{days}'\n"
    )
    keys = {"detection.detect.rim_um": 90.0, "plates.pixel_size_um": 30}
    set_keys(path, "healthspan", keys, {"detection.detect.rim_um": "worms at the wall"}, "unused")
    text = path.read_text()
    assert text.startswith("# Settings of p\n")
    assert "# from the names" in text and "# worms at the wall" in text
    assert yaml.safe_load(text)["healthspan"] == {
        "plates": {"pattern": "day{days}", "pixel_size_um": 30},
        "detection": {"detect": {"rim_um": 90.0}},
    }


def test_rows_and_columns_are_added_to_a_sheet(tmp_path: Path) -> None:
    path = tmp_path / "plates.tsv"
    path.write_text("# mine\nplate\tcondition\tdose\na\tN2\t3\n")
    write_row(path, [{"plate": "b", "condition": "N2", "settings": "b.yaml"}, {"plate": "A"}])
    lines = path.read_text().splitlines()
    assert lines == ["# mine", "plate\tcondition\tdose\tsettings", "a\tN2\t3", "b\tN2\t\tb.yaml"]
    set_settings_of_row(path, "a", "a.yaml")
    assert path.read_text().splitlines()[2] == "a\tN2\t3\ta.yaml"


@pytest.mark.parametrize(
    ("name", "mark", "encoding"),
    [
        ("plates.csv", ";", "utf-8-sig"),
        ("plates.csv", ",", "utf-8"),
        ("plates.tsv", "\t", "utf-16"),
    ],
)
def test_sheets_of_spreadsheets_are_added_to_as_they_are(
    tmp_path: Path, name: str, mark: str, encoding: str
) -> None:
    path = tmp_path / name
    rows = [
        ["plate", "experiment", "condition", "folder"],
        ["a", "e", f'N2 {mark.strip()} "x"', "r"],
    ]
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in rows]
    path.write_bytes("".join(mark.join(row) + "\r\n" for row in quoted).encode(encoding))
    new = {"plate": "b", "experiment": "e", "condition": "N2", "folder": "s", "worms": "5"}
    write_row(path, [new, {**new, "plate": "A"}])
    set_settings_of_row(path, "a", "config/a.yaml")
    first, second = read_rows(path, Plate)
    assert (first.name, first.condition, first.settings) == (
        "a",
        rows[1][2].strip(),
        "config/a.yaml",
    )
    assert (second.name, second.worms, second.folder) == ("b", 5, "s")


def test_a_sheet_without_a_column_of_plates_stays(tmp_path: Path) -> None:
    path = tmp_path / "plates.csv"
    path.write_text("name;folder\na;r\n")
    said = write_row(path, [{"plate": "b", "folder": "s"}])
    assert path.read_text() == "name;folder\na;r\n"
    assert "expected a header with a column plate" in said[0] and "by hand" in said[1]


def test_other_sections_and_the_configuration_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config").mkdir()
    for name, text in (
        ("own.yaml", "healthspan: {}\nneurites:\n  # mine\n  a: 1\n"),
        ("config.yaml", "healthspan:\n  plates: {interval_h: 2}\n"),
    ):
        path = Path("config", name)
        path.write_text(text)
        with pytest.raises(StepError, match=r"neurites|configuration of all"):
            set_keys(path, "healthspan", {"plates.interval_h": 1}, {}, "x")
        assert path.read_text() == text


def test_comments_that_would_be_lost_are_kept_in_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    before = "# Mine\nhealthspan:\n  plates:\n    interval_h: 2  # by the camera's log\n"
    path.write_text(before)
    said = set_keys(path, "healthspan", {"plates.pixel_size_um": 5}, {}, "x")
    assert (tmp_path / "own_before.yaml").read_text() == before and "own_before" in said[1]
