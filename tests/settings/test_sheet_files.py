"""Sheets and configurations as people and programs write them, and mutated ones."""

import datetime
import random
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet
from pydantic import TypeAdapter, ValidationError

from snakescope.healthspan.plates.sheet import Plate
from snakescope.healthspan.settings import HealthspanSettings
from snakescope.run.settings import ClusterSettings
from snakescope.settings.files import read_config
from snakescope.settings.load import load_sections
from snakescope.settings.sheet import VoxelCell, read_sheet
from snakescope.settings.workbook import workbook_rows
from snakescope.step.errors import StepError

HEADER = "plate\texperiment\tcondition\tfolder\tworms\texclusion\n"
ROW = "p1\te\tN2\traw\t8\t\n"


def rows_of(path: Path, text: str) -> tuple[list[Plate], list[str]]:
    path.write_text(text, encoding="utf-8")
    sheet = read_sheet(path, Plate)
    return list(sheet.rows), [one.reason for one in sheet.refused]


def test_one_bad_row_does_not_stop_the_others(tmp_path: Path) -> None:
    bad = ["a b\te\tN2\traw\t8\t", "status.tsv\te\tN2\traw\t8\t", "CON\te\tN2\traw\t8\t"]
    bad += ["p2\te\tN2\traw\tmany\t", "p3\te\tN2\traw\t8\t\t\ttoo many", "x" * 101 + "\te\tN2\tr"]
    text = HEADER + ROW + "\n".join(bad) + "\n"
    rows, refused = rows_of(tmp_path / "plates.tsv", text)
    assert [row.name for row in rows] == ["p1"]
    assert len(refused) == len(bad)
    for number, reason in enumerate(refused, start=3):
        assert f"plates.tsv, line {number}" in reason and "\n" not in reason


def test_of_a_name_that_stands_twice_neither_row_is_used(tmp_path: Path) -> None:
    rows, refused = rows_of(
        tmp_path / "p.tsv", HEADER + ROW + ROW.replace("p1", "P1") + "p2\te\tN2\traw\n"
    )
    assert [row.name for row in rows] == ["p2"]
    assert ["line 3" in refused[0], "line 2" in refused[1]] == [True, True]


@pytest.mark.parametrize("word", ["FALSE", "no", "0", "-", "n/a", "None", "\u2013", " No "])
def test_words_of_refusal_are_no_reason(tmp_path: Path, word: str) -> None:
    (row,), _ = rows_of(tmp_path / "p.tsv", HEADER + f"p1\te\tN2\traw\t8\t{word}\n")
    assert not row.excluded
    (row,), _ = rows_of(tmp_path / "p.tsv", HEADER + "p1\te\tN2\traw\t8\tfogged\n")
    assert row.exclusion == "fogged"


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ('"N2', "every quotation mark to be closed"),
        ("N2\u2028drug", "U+2028"),
        ("N2\x0bdrug", "U+000B"),
        ("N\x002", "U+0000"),
    ],
)
def test_what_cannot_be_seen_in_a_cell_is_refused_by_its_line(
    tmp_path: Path, cell: str, said: str
) -> None:
    rows, (reason,) = rows_of(
        tmp_path / "p.tsv", HEADER + ROW + ROW.replace("p1", "p2").replace("N2", cell)
    )
    assert [row.name for row in rows] == ["p1"]
    assert said in reason and "line 3" in reason


def test_letters_that_look_alike_are_alike(tmp_path: Path) -> None:
    spelt = "Ko\u0308ln\u00a0\u200b1"
    rows, _ = rows_of(tmp_path / "p.tsv", HEADER + ROW.replace("N2", spelt))
    assert rows[0].condition == "K\u00f6ln 1"
    (tmp_path / "Ko\u0308ln").mkdir()
    folder = tmp_path / "K\u00f6ln"
    rows, _ = rows_of(tmp_path / "p.tsv", HEADER + ROW.replace("raw", str(folder)))
    assert Path(rows[0].folder).is_dir()


@pytest.mark.parametrize("mark", [",", ";"])
def test_csv_and_xlsx_give_the_rows_of_the_tsv(tmp_path: Path, mark: str) -> None:
    text = HEADER + 'p1\te\t"N2, ""high"""\traw\t8\t\n007\te\tNA\traw\t\t\n'
    wanted, _ = rows_of(tmp_path / "p.tsv", text)
    assert [row.condition for row in wanted] == ['N2, "high"', "NA"]
    assert rows_of(tmp_path / "p.csv", text.replace("\t", mark))[0] == wanted
    book = openpyxl.Workbook()
    for line in (HEADER.split(), ["p1", "e", 'N2, "high"', "raw", 8.0], ["007", "e", "NA", "raw"]):
        book.active.append(line)
    book.save(tmp_path / "p.xlsx")
    assert list(read_sheet(tmp_path / "p.xlsx", Plate).rows) == wanted


def test_a_date_that_excel_made_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(HEADER.split())
    book.active.append(["p1", "e", datetime.datetime(2026, 1, 2), "raw", 8])
    book.save(tmp_path / "p.xlsx")
    (refused,) = read_sheet(tmp_path / "p.xlsx", Plate).refused
    assert "in column condition, found the date 2026-01-02" in refused.reason


@pytest.mark.parametrize("above", [" # mine", "\u00a0# mine", "\ufeff# mine", " ", "\u200b"])
def test_the_header_above_a_date_is_that_of_the_sheet(tmp_path: Path, above: str) -> None:
    book = openpyxl.Workbook()
    book.active.append([above])
    book.active.append([f"\u200b{name}" for name in HEADER.split()])
    book.active.append(["p1", "e", datetime.datetime(2026, 1, 2), "raw", 8])
    book.save(tmp_path / "p.xlsx")
    (refused,) = read_sheet(tmp_path / "p.xlsx", Plate).refused
    assert "in column condition, found the date 2026-01-02" in refused.reason


def test_a_date_in_a_column_of_ones_own_is_carried_along(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    cells = dict(zip(HEADER.split(), ["p1", "e", "N2", "raw", 8], strict=False))
    book.active.append([*cells, "thawed"])
    book.active.append([*cells.values(), datetime.datetime(2026, 1, 2)])
    book.save(tmp_path / "p.xlsx")
    (row,) = read_sheet(tmp_path / "p.xlsx", Plate).rows
    assert row.extra["thawed"] == "2026-01-02"


def test_a_row_that_a_filter_hides_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for line in (HEADER.split(), ["p1", "e", "N2", "raw", 8], ["p2", "e", "N2", "raw2", 8]):
        book.active.append(line)
    book.active.row_dimensions[3].hidden = True
    book.save(tmp_path / "p.xlsx")
    sheet = read_sheet(tmp_path / "p.xlsx", Plate)
    assert [row.name for row in sheet.rows] == ["p1"]
    assert "found one that is hidden" in sheet.refused[0].reason


def _struck_name(sheet: Worksheet) -> None:
    sheet["A3"].font = Font(strike=True)


def _struck_in_part(sheet: Worksheet) -> None:
    struck = TextBlock(InlineFont(strike=True), "N2")
    sheet["C3"] = CellRichText(struck, " daf-16")


def _struck_whole(sheet: Worksheet) -> None:
    for cell in sheet[3]:
        cell.font = Font(strike=True)


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        (_struck_name, "'p2' in A3 struck out; delete the row"),
        (_struck_in_part, "'N2 daf-16' in C3 struck out"),
        (_struck_whole, "struck out"),
    ],
)
def test_a_row_that_is_struck_out_is_refused_and_the_others_are_read(
    tmp_path: Path, mark: Callable[[Worksheet], None], said: str
) -> None:
    book = openpyxl.Workbook()
    for line in (HEADER.split(), ["p1", "e", "N2", "raw", 8], ["p2", "e", "N2", "raw2", 8]):
        book.active.append(line)
    # Bold, or a line through an empty cell, means nothing.
    book.active["A2"].font = Font(bold=True)
    book.active["F2"].font = Font(strike=True)
    mark(book.active)
    book.save(tmp_path / "p.xlsx")
    sheet = read_sheet(tmp_path / "p.xlsx", Plate)
    assert [row.name for row in sheet.rows] == ["p1"]
    (refused,) = sheet.refused
    assert "p.xlsx, line 3" in refused.reason and said in refused.reason


@pytest.mark.parametrize(("first", "last"), [("E", "E"), ("D", "E")])
def test_hidden_columns_are_refused(tmp_path: Path, first: str, last: str) -> None:
    book = openpyxl.Workbook()
    for line in (HEADER.split(), ["p1", "e", "N2", "raw", 8]):
        book.active.append(line)
    book.active.column_dimensions.group(first, last, hidden=True)
    book.save(tmp_path / "p.xlsx")
    with pytest.raises(StepError, match=f"p.xlsx, line 1: .*hidden column {first}; show"):
        read_sheet(tmp_path / "p.xlsx", Plate)


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_hidden_sheets_are_not_read(tmp_path: Path, state: str) -> None:
    book = openpyxl.Workbook()
    for line in (HEADER.split(), ["p1", "e", "N2", "raw", 8]):
        book.active.append(line)
    lists = book.create_sheet("lists")
    lists.append(["N2", "daf-16"])
    lists.sheet_state = state
    book.save(tmp_path / "p.xlsx")
    assert [row.name for row in read_sheet(tmp_path / "p.xlsx", Plate).rows] == ["p1"]
    lists.title = "plates"
    book.save(tmp_path / "p.xlsx")
    with pytest.raises(StepError, match="found that plates is hidden; show it"):
        read_sheet(tmp_path / "p.xlsx", Plate)


@pytest.mark.parametrize("kind", ["tsv", "csv", "xlsx"])
def test_mutated_sheets_are_read_or_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"p.{kind}"
    if kind == "xlsx":
        book = openpyxl.Workbook()
        for line in (HEADER.split(), ROW.split()):
            book.active.append(line)
        book.save(path)
    else:
        path.write_text((HEADER + ROW).replace("\t", "," if kind == "csv" else "\t"))
    whole = path.read_bytes()
    chance = random.Random(7)
    for _ in range(100):
        changed = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        if chance.random() < 0.3:
            del changed[chance.randrange(len(changed)) :]
        path.write_bytes(bytes(changed))
        try:
            sheet = read_sheet(path, Plate)
        except StepError as error:
            assert "\n" not in str(error)
            continue
        assert all("\n" not in one.reason for one in sheet.refused)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n", "found a list"),
        ("healthspan: &a\n  plates: *a\n", "holds itself"),
        ("healthspan: {plates: {ingest: 010}}\n", "found 010"),
        ("healthspan: {timepoints_per_block: 1_0}\n", "found 1_0"),
        ("healthspan: {timepoints_per_block: 1:30}\n", "found 1:30"),
        ("5\n", "a lone value"),
    ],
)
def test_configurations_that_yaml_reads_as_something_else(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(StepError, match=said):
        read_config(tmp_path / "c.yaml")


@pytest.mark.parametrize("value", ["true", ".inf", ".nan", "'x'", "[1]"])
def test_numbers_that_are_none_are_refused(tmp_path: Path, value: str) -> None:
    (tmp_path / "c.yaml").write_text(f"healthspan: {{plates: {{pixel_size_um: {value}}}}}\n")
    sections = {"healthspan": HealthspanSettings, "cluster": ClusterSettings}
    with pytest.raises(StepError, match=r"healthspan\.plates\.pixel_size_um"):
        load_sections(read_config(tmp_path / "c.yaml"), sections)


def test_mutated_configurations_are_read_or_refused(tmp_path: Path) -> None:
    whole = b"healthspan:\n  timepoints_per_block: 5\n  plates: {pixel_size_um: 9.74}\n"
    sections = {"healthspan": HealthspanSettings, "cluster": ClusterSettings}
    chance = random.Random(8)
    for _ in range(100):
        changed = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        (tmp_path / "c.yaml").write_bytes(bytes(changed))
        try:
            load_sections(read_config(tmp_path / "c.yaml"), sections)
        except StepError as error:
            assert len(str(error)) < 2000


@pytest.mark.parametrize("cell", ["30 6 6", "30,6,6", " 30,  6 6.0", (30, 6, 6)])
def test_the_size_of_a_voxel_is_three_numbers(cell: object) -> None:
    assert TypeAdapter(VoxelCell).validate_python(cell) == (30.0, 6.0, 6.0)


@pytest.mark.parametrize("cell", ["", "6 6", "30 6 6 6", "30 6 0", "30 6 nan", "30 6 inf", "a b c"])
def test_another_size_of_a_voxel_is_refused(cell: str) -> None:
    with pytest.raises(ValidationError, match="voxel along z, y and x in nm"):
        TypeAdapter(VoxelCell).validate_python(cell)


def test_merged_cells_leave_no_row_without_a_value_in_silence(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.append(["# day 1 of the strain"])
    sheet.append(["plate", "experiment", "condition", "folder", "worms"])
    for k in range(3):
        sheet.append([f"p{k}", "e", "N2", "raw", 30 if k == 0 else None])
    sheet.merge_cells("A1:E1")
    sheet.merge_cells("E3:E4")
    book.save(tmp_path / "p.xlsx")
    found = read_sheet(tmp_path / "p.xlsx", Plate)
    assert [(row.name, row.worms) for row in found.rows] == [("p0", 30), ("p2", None)]
    assert [("line 4" in one.reason, "E3:E4" in one.reason) for one in found.refused] == [
        (True, True)
    ]


def test_a_formula_of_several_cells_without_value_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.append(["plate", "experiment", "condition", "folder", "worms"])
    sheet.append(["p0", "e", "N2", "raw"])
    sheet["E2"] = ArrayFormula("E2", "=SUM(1,2)")
    book.save(tmp_path / "p.xlsx")
    found = read_sheet(tmp_path / "p.xlsx", Plate)
    assert not found.rows and "=SUM(1,2)" in found.refused[0].reason


def test_rows_of_a_sheet_that_hides_all_by_default_are_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.append(["plate", "experiment", "condition", "folder"])
    sheet.append(["p0", "e", "N2", "raw"])
    sheet.append(["p1", "e", "N2", "raw"])
    sheet.sheet_format.zeroHeight = True
    for shown in (1, 2):
        sheet.row_dimensions[shown].height = 15
    book.save(tmp_path / "p.xlsx")
    found = read_sheet(tmp_path / "p.xlsx", Plate)
    assert [row.name for row in found.rows] == ["p0"]
    assert "hidden" in found.refused[0].reason


def test_a_format_at_the_end_of_a_sheet_takes_no_time(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.append(["plate", "experiment", "condition", "folder"])
    sheet.append(["p0", "e", "N2", "raw"])
    sheet["XFD1048576"].font = Font(bold=True)
    sheet["A1048576"] = " "
    book.save(tmp_path / "p.xlsx")
    content = (tmp_path / "p.xlsx").read_bytes()
    assert [row[0] for row in workbook_rows(tmp_path / "p.xlsx", content, "plates")] == [1, 2]
