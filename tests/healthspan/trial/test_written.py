"""Rows and settings written beside what a person wrote."""

from pathlib import Path

import yaml

from snakescope.healthspan.trial.written import set_keys, set_settings_of_row, write_row


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
