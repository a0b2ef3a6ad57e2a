"""Sheets as spreadsheets write them: the cells that people meant, or one sentence."""

import codecs
from pathlib import Path

import openpyxl
import pytest

from snakescope.healthspan.plates.sheet import Plate, warnings_of_alike_conditions
from snakescope.settings.sheet import Sheet, read_sheet
from snakescope.step.errors import StepError

TEXT = "plate\texperiment\tcondition\tfolder\tworms\np1\te\tN2\traw\t8\n"


def sheet_of(path: Path, content: bytes) -> Sheet[Plate]:
    path.write_bytes(content)
    return read_sheet(path, Plate)


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode("utf-16-le"), TEXT.encode("utf-16-be"), codecs.BOM_UTF8 + TEXT.encode(),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), TEXT.replace("\n", "\r").encode(),
        TEXT.replace("\n", "\t\t\r\n").encode(), TEXT.replace("N2", "N2\u00a0").encode(),
        TEXT.replace("N2", '"N2"').encode(),
    ],
)  # fmt: skip
def test_text_of_any_encoding(tmp_path: Path, content: bytes) -> None:
    (row,) = sheet_of(tmp_path / "p.tsv", content).rows
    assert (row.name, row.condition, row.worms) == ("p1", "N2", 8)


@pytest.mark.parametrize("mark", [";", ",", "\t"])
def test_the_first_line_may_name_the_mark_between_cells(tmp_path: Path, mark: str) -> None:
    text = f"SEP={mark}\r\n" + TEXT.replace("\t", mark)
    (row,) = sheet_of(tmp_path / "p.csv", text.encode()).rows
    assert (row.name, row.worms) == ("p1", 8)


@pytest.mark.parametrize(
    ("name", "begin", "sentence"),
    [
        ("p.xls", b"\xd0\xcf\x11\xe0", r"an old workbook of Excel \(\.xls\); save it as \.xlsx"),
        ("p.ods", b"PK\3\4", r"found a workbook; save it as \.xlsx"),
        ("p.tsv", b"PK\3\4", r"found a workbook; save it as \.xlsx"),
    ],
)
def test_workbooks_that_are_no_text(tmp_path: Path, name: str, begin: bytes, sentence: str) -> None:
    with pytest.raises(StepError, match=sentence):
        sheet_of(tmp_path / name, begin + bytes(100))


def test_a_number_with_a_point_for_thousands_is_not_taken_for_one(tmp_path: Path) -> None:
    (refused,) = sheet_of(tmp_path / "p.tsv", TEXT.replace("\t8", "\t1.000").encode()).refused
    assert "which may be 1 or 1000" in refused.reason
    (row,) = sheet_of(tmp_path / "p.tsv", TEXT.replace("\t8", "\t8.0").encode()).rows
    assert row.worms == 8


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [("=1+0", "the formula =1+0 that was never calculated"), ("#REF!", "found the error #REF!")],
)
def test_cells_of_workbooks_without_a_value(tmp_path: Path, cell: str, sentence: str) -> None:
    book = openpyxl.Workbook()
    for cells in (["plate", "experiment", "condition", "folder", "worms"],
                  ["p1", "e", "N2", "raw", cell], ["p2", "e", "N2", "raw", 8]):  # fmt: skip
        book.active.append(cells)
    book.save(tmp_path / "p.xlsx")
    sheet = read_sheet(tmp_path / "p.xlsx", Plate)
    assert [row.name for row in sheet.rows] == ["p2"]
    assert "p.xlsx, line 2" in sheet.refused[0].reason and sentence in sheet.refused[0].reason


def test_a_line_above_the_header_of_a_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["My plates"])
    book.save(tmp_path / "p.xlsx")
    with pytest.raises(StepError, match="found 'My plates'; remove lines above the header"):
        read_sheet(tmp_path / "p.xlsx", Plate)


@pytest.mark.parametrize("other", ["\u0421B", "C\u0392", "cb", "C B", "\uff23B"])
def test_conditions_that_look_alike_are_told(other: str) -> None:
    plates = [
        Plate(name=f"p{k}", experiment="e", condition=name, folder="raw")
        for k, name in enumerate(("CB", other))
    ]
    (note,) = warnings_of_alike_conditions(plates)
    assert "are compared as different ones" in note
    assert not warnings_of_alike_conditions(plates[:1] * 2)


@pytest.mark.parametrize("column", ["age (d)", "age_d", "Age [days]", "pixel (um)"])
def test_columns_with_a_unit_are_asked_about(tmp_path: Path, column: str) -> None:
    text = TEXT.replace("worms", column).encode()
    with pytest.raises(StepError, match=f"did you mean {column[:3].lower()}"):
        sheet_of(tmp_path / "p.tsv", text)
    # A column of the user's own.
    assert sheet_of(tmp_path / "p.tsv", TEXT.replace("worms", "age_group").encode()).rows


@pytest.mark.parametrize("cell", ["no.", "No!", "keine", "aucun", "\u7121", "\uc5c6\uc74c", "0,0"])
def test_words_of_refusal_in_other_languages_are_no_reason(tmp_path: Path, cell: str) -> None:
    text = TEXT.replace("worms", "exclusion").replace("8", cell).encode()
    assert not sheet_of(tmp_path / "p.tsv", text).rows[0].exclusion
