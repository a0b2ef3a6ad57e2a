"""The table of all plates leaves none out."""

import re
import sys
from pathlib import Path

import pandas as pd
import pytest

from snakescope.healthspan.report import plates_table as step
from snakescope.healthspan.report.plates_table import page, plates_table
from snakescope.step.command import call
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table, write_table

STATUS = pd.DataFrame(
    [
        ("p1", "e", "N2", "included", None),
        ("p2", "e", "N2", "excluded", "mould"),
        ("p3", "e", "daf-16", "unusable", "raw/p3: expected images, found an empty folder"),
        ("p4", "e", "daf-16", "included", None),
        ("p5", "e", "daf-16", "included", "quality: raw/p5: expected"),
    ],
    columns=["plate", "experiment", "condition", "status", "reason"],
)


def row(plate: str, status: str, warnings: str | None) -> pd.DataFrame:
    return pd.DataFrame([{"plate": plate, "status": status, "warnings": warnings, "worms": 90}])


def test_every_plate_of_the_sheet_has_a_row_and_says_why() -> None:
    rows = [row("p4", "warning", "frames missing: 3 of 50"), row("p1", "ok", None)]
    table = plates_table(STATUS, rows)
    assert table["plate"].tolist() == ["p1", "p2", "p3", "p4", "p5"]
    assert table["status"].tolist() == ["ok", "excluded", "unusable", "warning", "not computed"]
    assert table["remarks"].tolist() == [
        "",
        "mould",
        "raw/p3: expected images, found an empty folder",
        "frames missing: 3 of 50",
        "quality: raw/p5: expected",
    ]
    assert table["worms"].tolist()[0] == 90 and pd.isna(table["worms"][1])


def test_a_sheet_without_any_computed_plate_has_a_table() -> None:
    assert plates_table(STATUS.iloc[1:3], [])["status"].tolist() == ["excluded", "unusable"]


def test_the_command_writes_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_table(tmp_path / "status.tsv", STATUS)
    write_table(tmp_path / "quality.tsv", row("p1", "ok", None))
    words = ["plates_table", "--status", str(tmp_path / "status.tsv")]
    words += ["--rows", str(tmp_path / "quality.tsv"), "--table", str(tmp_path / "plates.tsv")]
    words += ["--page", str(tmp_path / "plates.html")]
    monkeypatch.setattr(sys, "argv", words)
    call(step)
    assert len(read_table(tmp_path / "plates.tsv", ["plate", "status", "remarks"])) == 5
    page = (tmp_path / "plates.html").read_text(encoding="utf-8")
    assert page.count("<tr>") == 6
    assert "<h1>Plates: 2 not computed, 1 ok, 1 excluded, 1 unusable</h1>" in page
    assert "raw/p3: expected images" in page and '<td class="number">90</td>' in page


def test_names_and_remarks_are_text_on_the_page() -> None:
    rows = [row("p1", "warning", "a <b> & c").assign(usable=23, frames=24, lost_share=0.125)]
    shown = page(plates_table(STATUS.assign(condition="50 <uM>"), rows))
    assert "a &lt;b&gt; &amp; c" in shown and "50 &lt;uM&gt;" in shown
    assert '<td class="number">23 of 24</td>' in shown and '<td class="number">12%</td>' in shown
    assert "nan" not in shown
    # A computed plate has pages, others have none.
    assert set(re.findall(r'href="([^"]+)"', shown)) == {
        "p1/contact_sheet.html", "p1/quality.html", "experiments/e/curves.png",
    }  # fmt: skip


def test_a_table_that_is_no_quality_row_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_table(tmp_path / "status.tsv", STATUS)
    words = ["plates_table", "--status", str(tmp_path / "status.tsv")]
    words += ["--rows", str(tmp_path / "status.tsv"), "--table", str(tmp_path / "plates.tsv")]
    words += ["--page", str(tmp_path / "plates.html")]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(StepError, match="found no warnings"):
        call(step)
    assert not (tmp_path / "plates.tsv").exists()
