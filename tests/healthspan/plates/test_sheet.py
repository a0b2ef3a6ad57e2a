"""The sample sheet is read, or refused in one sentence that names the line."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from snakescope import REPOSITORY
from snakescope.healthspan.plates.sheet import (
    OF_ADULTHOOD,
    SINCE_FIRST_FRAME,
    Plate,
    note_of_mixed_days,
    warnings_of_alike_conditions,
    warnings_of_mixed_days,
)
from snakescope.healthspan.plates.status import write_sheets
from snakescope.healthspan.report.plates_table import ROW_COLUMNS, STATUS_COLUMNS, plates_table
from snakescope.healthspan.report.quality_measures import Measures
from snakescope.healthspan.survival.experiment import SURVIVAL_COLUMNS
from snakescope.settings.sheet import extra_columns, read_rows
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table

HEADER = "plate\texperiment\tcondition\tfolder"
ROOT = REPOSITORY


def sheet(folder: Path, *lines: str) -> Path:
    path = folder / "plates.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(StepError) as refused:
        read_rows(path, Plate, needed=True)
    sentence = str(refused.value)
    assert sentence.startswith(str(path)) and "\n" not in sentence
    return sentence.removeprefix(str(path))


def test_required_columns_are_enough(tmp_path: Path) -> None:
    path = sheet(tmp_path, "# a comment", HEADER, "", "p1\te1\tN2, 25 C\traw/p1", " # another")
    (plate,) = read_rows(path, Plate, needed=True)
    assert plate == Plate(name="p1", experiment="e1", condition="N2, 25 C", folder="raw/p1")
    assert (plate.age_at_first_frame_d, plate.worms, plate.excluded) == (None, None, False)


def test_optional_columns_in_any_order(tmp_path: Path) -> None:
    header = "worms\tfolder\tplate\texclusion\texperiment\tcondition\tage_at_first_frame_d"
    path = sheet(
        tmp_path,
        f"{header}\tpixel_size_um\twell",
        "80\traw\tp1\tfogged\te1\tN2\t2.5\t11.28\tE11_5",
        "\traw\tp2\t\te1\tN2",
    )
    first, second = read_rows(path, Plate, needed=True)
    assert first == Plate(
        name="p1",
        experiment="e1",
        condition="N2",
        folder="raw",
        age_at_first_frame_d=2.5,
        worms=80,
        exclusion="fogged",
        pixel_size_um=11.28,
        well="E11_5",
    )
    assert first.excluded and not second.excluded
    assert second.pixel_size_um is None


def test_an_age_of_0_is_an_age_and_an_empty_cell_is_none(tmp_path: Path) -> None:
    rows = [f"p{i}\te{i // 3}\tN2\traw\t{age}" for i, age in enumerate(("0", "", "3", "", ""))]
    plates = read_rows(
        sheet(tmp_path, HEADER + "\tage_at_first_frame_d", *rows), Plate, needed=True
    )
    assert [plate.first_d for plate in plates] == [0, 0, 3, 0, 0]
    assert [plate.time_axis for plate in plates[:2]] == [OF_ADULTHOOD, SINCE_FIRST_FRAME]
    (warning,) = warnings_of_mixed_days(plates)
    assert warning.startswith(
        "experiment e0: days of p1 count from the first frame, those of other plates from adulthood"
    )


def test_many_plates_without_an_age_are_not_all_named() -> None:
    axes = {f"p{i}": SINCE_FIRST_FRAME for i in range(5)}
    assert note_of_mixed_days(axes) == ""
    assert "days of p0, p1, p2 and 2 more count" in note_of_mixed_days(axes | {"q": OF_ADULTHOOD})


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_sheet_of_a_spreadsheet_program(tmp_path: Path, newline: str) -> None:
    path = tmp_path / "plates.tsv"
    text = newline.join([HEADER, '"p1"\te1\t"a ""b"""\tmy folder', ""])
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_rows(path, Plate, needed=True) == (
        Plate(name="p1", experiment="e1", condition='a "b"', folder="my folder"),
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_columns_and_rows_left_empty_by_a_spreadsheet_program(
    tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "plates.tsv"
    lines = [HEADER + "\tworms\t\t", "p1\te1\tGröße\traw\t\t\t", "\t\t\t\t\t\t", ""]
    path.write_bytes("\r\n".join(lines).encode(encoding))
    assert read_rows(path, Plate, needed=True) == (
        Plate(name="p1", experiment="e1", condition="Größe", folder="raw"),
    )


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (
            ["plate\texperiment\tconditon\tfolder"],
            ", line 1: expected the columns plate, experiment, condition, folder, "
            "age_at_first_frame_d, worms, exclusion, pixel_size_um, pattern, settings, well, "
            "found 'conditon'; did you mean condition? Rename the column, or call one of your own"
            " less alike",
        ),
        (
            ["#", HEADER + "\tplate"],
            ", line 2: expected every column once and named, found 'plate' 2 times; rename or "
            "remove it",
        ),
        (
            ["plate\tfolder"],
            ", line 1: expected the columns plate, experiment, condition, folder, "
            "found no experiment, condition; add it",
        ),
        (
            [HEADER + "\t\tworms"],
            ", line 1: expected every column once and named, found '' 1 times; rename or remove it",
        ),
        (
            ["plate experiment condition folder", "p1 e1 N2 raw"],
            ", line 1: expected columns separated by tabs, found "
            "'plate experiment condition folder'; save the sheet as tab-separated text",
        ),
        (
            ["plate,experiment,condition,folder", "p1,e1,N2,raw"],
            ", line 1: expected columns separated by tabs, found "
            "'plate,experiment,condition,folder'; save the sheet as tab-separated text",
        ),
        (
            [HEADER, "p1\te\tc\tf", "p2\te\tc\tf", "p1\te\tc\tg"],
            ", line 4: expected every plate once, found plate 'p1' again (first on line 2); "
            "rename or remove one",
        ),
        (
            [HEADER, "p1\te\tc\tf", "P1\te\tc\tf"],
            ", line 3: expected every plate once, found plate 'P1' again (first on line 2); "
            "rename or remove one",
        ),
        (
            [HEADER, "p1\te\t\tf"],
            ", line 2, column condition: expected a value, found an empty cell; fill it in",
        ),
        (
            [HEADER, "p1\te\tc"],
            ", line 2, column folder: expected a value, found an empty cell; fill it in",
        ),
        (
            [HEADER, "p 1/2\te\tc\tf"],
            ", line 2, column plate: expected a name of letters, digits, '.', '_' and "
            "'-', the first a letter, digit or '_', found 'p 1/2'; write for example p_1_2",
        ),
        (
            [HEADER, "-80C\te\tc\tf"],
            ", line 2, column plate: expected a name of letters, digits, '.', '_' and "
            "'-', the first a letter, digit or '_', found '-80C'; write for example 80C",
        ),
        (
            [HEADER, "..\te\tc\tf"],
            ", line 2, column plate: expected a name of letters, digits, '.', '_' and "
            "'-', the first a letter, digit or '_', found '..'; write for example name1",
        ),
        (
            [HEADER, "experiments\te\tc\tf"],
            ", line 2, column plate: expected a name other than experiments, models, training,"
            " paper, status.tsv,"
            " plates.tsv, plates.html, failures.tsv, configuration.yaml, as other results are"
            " called, found 'experiments'; choose another name",
        ),
        (
            [HEADER + "\tage_at_first_frame_d", "p1\te\tc\tf\t5,5"],
            ", line 2, column age_at_first_frame_d: expected a valid number, found '5,5'; "
            "write 5.5, with a point",
        ),
        (
            [HEADER + "\tage_at_first_frame_d", "p1\te\tc\tf\tyoung"],
            ", line 2, column age_at_first_frame_d: expected a valid number, found 'young'; "
            "correct the cell or leave it empty",
        ),
        (
            [HEADER + "\tworms", "p1\te\tc\tf\t9.5"],
            ", line 2, column worms: expected a valid integer, found '9.5'; correct the cell or "
            "leave it empty",
        ),
        (
            [HEADER + "\tpixel_size_um", "p1\te\tc\tf\tnan"],
            ", line 2, column pixel_size_um: expected a finite number, found 'nan'; "
            "correct the cell or leave it empty",
        ),
        (
            [HEADER + "\tpixel_size_um", "p1\te\tc\tf\t0"],
            ", line 2, column pixel_size_um: expected greater than or equal to 0.05, found '0'; "
            "correct the cell or leave it empty",
        ),
        (
            [HEADER, "p1\te\tc\tf\tx\ty"],
            ", line 2: expected 4 cells as in the header, found 6; remove a tab",
        ),
        (
            [HEADER],
            ": expected a header and one row a plate, found no row; add a plate "
            "(columns: config/README.md)",
        ),
        (
            ["# all"],
            ": expected a header and one row a plate, found no row; add a plate "
            "(columns: config/README.md)",
        ),
    ],
)
def test_refused_sheet(tmp_path: Path, lines: list[str], sentence: str) -> None:
    assert refusal(sheet(tmp_path, *lines)) == sentence


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ("Worms", "found 'Worms'; did you mean worms"),
        ("worm_count", "did you mean worms"),
        ("exclude", "did you mean exclusion"),
        ("pixel_size", "did you mean pixel_size_um"),
        ("status", "found 'status', which tables of results have as well"),
        ("Plate", "once and named, found 'plate' 2 times"),
    ],
)
def test_columns_of_the_user_that_may_be_taken_for_ours(
    tmp_path: Path, column: str, sentence: str
) -> None:
    assert sentence in refusal(sheet(tmp_path, f"{HEADER}\t{column}", "p1\te\tc\tf\t1"))


def test_further_columns_are_carried_as_they_are_written(tmp_path: Path) -> None:
    header = f"barcode\t{HEADER}\tworms\tDose (uM)\tresolution"
    path = sheet(tmp_path, header, "007\tp1\te\tNA\tf\t\t1.50\tNA", "\tp2\te\tc\tf")
    first, second = read_rows(path, Plate, needed=True)
    assert first.extra == {"barcode": "007", "Dose (uM)": "1.50", "resolution": "NA"}
    assert second.extra == {"barcode": "", "Dose (uM)": "", "resolution": ""}
    assert extra_columns([first, second]) == ["barcode", "Dose (uM)", "resolution"]
    status = {"p1": ("included", ""), "p2": ("excluded", "fogged")}
    write_sheets(str(tmp_path), {plate.name: plate for plate in (first, second)}, status)
    written = [
        (tmp_path / name).read_text().splitlines()
        for name in ("status.tsv", "experiments/e/plates.tsv")
    ]
    assert [lines[0].split("\t")[-4:] for lines in written] == [
        ["reason", "barcode", "Dose (uM)", "resolution"],
        ["worms", "barcode", "Dose (uM)", "resolution"],
    ]
    assert [lines[1].split("\t")[-3:] for lines in written] == [["007", "1.50", "NA"]] * 2
    table = plates_table(read_table(tmp_path / "status.tsv", text="all"), [])
    assert table.columns[-3:].tolist() == ["barcode", "Dose (uM)", "resolution"]
    assert table["barcode"].tolist() == ["007", ""] and table["condition"].tolist() == ["NA", "c"]


def test_no_column_of_the_user_is_called_as_one_of_the_tables() -> None:
    """The names are listed beside the sheet, as what writes the tables is heavy to import."""
    written = {*SURVIVAL_COLUMNS, *ROW_COLUMNS, *STATUS_COLUMNS, "remarks", "censored", "count"}
    written |= {field.name for field in fields(Measures)}
    assert written - set(Plate.columns()) <= Plate.taken


def test_absent_sheet(tmp_path: Path) -> None:
    assert refusal(tmp_path / "no.tsv").startswith(": expected a sample sheet, found no such")


def test_sheet_in_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "plates.tsv"
    path.write_bytes(HEADER.encode() + b"\np1\te1\t37\xb0\tf\n")
    assert refusal(path).startswith(": expected text in UTF-8, found byte 0xb0")


def test_shipped_sheet_is_valid() -> None:
    plates = read_rows(ROOT / "config/examples/demo/plates.tsv", Plate, needed=True)
    assert len({plate.condition for plate in plates}) == 2


def test_what_the_snakefile_imports_is_light() -> None:
    code = (
        "import sys, snakescope.healthspan.plates.sheet, snakescope.healthspan.plates.scan\n"
        "import snakescope.neurites.volumes.sheet, snakescope.neurites.settings\n"
        "import snakescope.settings.load, snakescope.healthspan.settings\n"
        "print([m for m in ('numpy', 'pandas', 'torch', 'scipy', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "scripts")},
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("10 uM", "10 \u00b5M", True),
        ("1 mM", "1.0 mM", True),
        ("0.5 mM", "0,5 mM", True),
        ("daf-2", "DAF 2", True),
        ("1.0 mM", "10 mM", False),
        ("1.5 mM", "15 mM", False),
        ("RNAi(+)", "RNAi(-)", False),
        ("+", "-", False),
    ],
)
def test_doses_that_are_spelt_in_two_ways_are_told(one: str, other: str, told: bool) -> None:
    cells = {"experiment": "e", "folder": "f"}
    plates = [
        Plate.model_validate({"plate": f"p{at}", "condition": condition, **cells})
        for at, condition in enumerate((one, other))
    ]
    assert bool(warnings_of_alike_conditions(plates)) == told


@pytest.mark.parametrize(
    ("column", "cell"),
    [("age_at_first_frame_d", "45413"), ("pixel_size_um", "0.00974"), ("pixel_size_um", "9740")],
)
def test_numbers_in_other_units_are_refused(column: str, cell: str) -> None:
    cells = {"plate": "p", "experiment": "e", "condition": "c", "folder": "f", column: cell}
    with pytest.raises(ValueError, match="or equal to"):
        Plate.model_validate(cells)
