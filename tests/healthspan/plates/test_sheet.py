"""The sample sheet is read, or refused in one sentence that names the line."""

import subprocess
import sys
from pathlib import Path

import pytest

from snakescope import REPOSITORY
from snakescope.healthspan.plates.sheet import (
    OF_ADULTHOOD,
    SINCE_FIRST_FRAME,
    Plate,
    note_of_mixed_days,
    read_plates,
    warnings_of_mixed_days,
)
from snakescope.step.errors import StepError

HEADER = "plate\texperiment\tcondition\tfolder"
ROOT = REPOSITORY


def sheet(folder: Path, *lines: str) -> Path:
    path = folder / "plates.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(StepError) as refused:
        read_plates(path)
    sentence = str(refused.value)
    assert sentence.startswith(str(path)) and "\n" not in sentence
    return sentence.removeprefix(str(path))


def test_required_columns_are_enough(tmp_path: Path) -> None:
    path = sheet(tmp_path, "# a comment", HEADER, "", "p1\te1\tN2, 25 C\traw/p1", " # another")
    (plate,) = read_plates(path)
    assert plate == Plate("p1", "e1", "N2, 25 C", "raw/p1")
    assert (plate.age_at_first_frame_d, plate.worms, plate.excluded) == (None, None, False)


def test_optional_columns_in_any_order(tmp_path: Path) -> None:
    header = "worms\tfolder\tplate\texclusion\texperiment\tcondition\tage_at_first_frame_d"
    path = sheet(
        tmp_path,
        f"{header}\tpixel_size_um\twell",
        "80\traw\tp1\tfogged\te1\tN2\t2.5\t11.28\tE11_5",
        "\traw\tp2\t\te1\tN2",
    )
    first, second = read_plates(path)
    assert first == Plate("p1", "e1", "N2", "raw", 2.5, 80, "fogged", 11.28, "E11_5")
    assert first.excluded and not second.excluded
    assert second.pixel_size_um is None


def test_an_age_of_0_is_an_age_and_an_empty_cell_is_none(tmp_path: Path) -> None:
    rows = [f"p{i}\te{i // 3}\tN2\traw\t{age}" for i, age in enumerate(("0", "", "3", "", ""))]
    plates = read_plates(sheet(tmp_path, HEADER + "\tage_at_first_frame_d", *rows))
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
    assert read_plates(path) == (Plate("p1", "e1", 'a "b"', "my folder"),)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_columns_and_rows_left_empty_by_a_spreadsheet_program(
    tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "plates.tsv"
    lines = [HEADER + "\tworms\t\t", "p1\te1\tGröße\traw\t\t\t", "\t\t\t\t\t\t", ""]
    path.write_bytes("\r\n".join(lines).encode(encoding))
    assert read_plates(path) == (Plate("p1", "e1", "Größe", "raw"),)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (
            [HEADER + "\tconditon"],
            ", line 1: expected the columns plate, experiment, condition, folder, "
            "age_at_first_frame_d, worms, exclusion, pixel_size_um, well, found 'conditon'; "
            "did you mean condition?",
        ),
        (
            ["#", HEADER + "\tplate"],
            ", line 2: expected every column once, found 'plate' 2 times; remove one",
        ),
        (
            ["plate\tfolder"],
            ", line 1: expected the columns plate, experiment, condition, folder, "
            "found no experiment, condition; add it",
        ),
        (
            [HEADER + "\t\tworms"],
            ", line 1: expected the columns plate, experiment, condition, folder, "
            "age_at_first_frame_d, worms, exclusion, pixel_size_um, well, found ''; "
            "correct or remove it",
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
            ", line 2: expected a condition, found an empty cell; fill it in",
        ),
        ([HEADER, "p1\te\tc"], ", line 2: expected a folder, found an empty cell; fill it in"),
        (
            [HEADER, "p 1/2\te\tc\tf"],
            ", line 2: expected a plate name of letters, digits, '.', '_' and '-', the first a "
            "letter, digit or '_', found 'p 1/2'; write for example p_1_2",
        ),
        (
            [HEADER, "-80C\te\tc\tf"],
            ", line 2: expected a plate name of letters, digits, '.', '_' and '-', the first a "
            "letter, digit or '_', found '-80C'; write for example 80C",
        ),
        (
            [HEADER, "..\te\tc\tf"],
            ", line 2: expected a plate name of letters, digits, '.', '_' and '-', the first a "
            "letter, digit or '_', found '..'; write for example plate1",
        ),
        (
            [HEADER, "experiments\te\tc\tf"],
            ", line 2: expected a plate name other than 'experiments', which names the folder "
            "of the experiments' results; rename the plate",
        ),
        (
            [HEADER + "\tage_at_first_frame_d", "p1\te\tc\tf\t5,5"],
            ", line 2: expected age_at_first_frame_d as a number not below 0, found '5,5'; "
            "write 5.5, with a point",
        ),
        (
            [HEADER + "\tage_at_first_frame_d", "p1\te\tc\tf\tyoung"],
            ", line 2: expected age_at_first_frame_d as a number not below 0, found 'young'; "
            "correct the cell or leave it empty",
        ),
        (
            [HEADER + "\tworms", "p1\te\tc\tf\t9.5"],
            ", line 2: expected worms as a whole number, found '9.5'; correct the cell or leave "
            "it empty",
        ),
        (
            [HEADER + "\tpixel_size_um", "p1\te\tc\tf\tnan"],
            ", line 2: expected pixel_size_um as a number not below 0, found 'nan'; "
            "correct the cell or leave it empty",
        ),
        (
            [HEADER + "\tpixel_size_um", "p1\te\tc\tf\t0"],
            ", line 2: expected pixel_size_um above 0, found '0'; correct the cell or leave it "
            "empty",
        ),
        (
            [HEADER, "p1\te\tc\tf\tx\ty"],
            ", line 2: expected 4 cells as in the header, found 6; remove a tab",
        ),
        ([HEADER], ": expected a header and one row a plate, found no row; add a plate"),
        (["# all"], ": expected a header and one row a plate, found no row; add a plate"),
    ],
)
def test_refused_sheet(tmp_path: Path, lines: list[str], sentence: str) -> None:
    assert refusal(sheet(tmp_path, *lines)) == sentence


def test_absent_sheet(tmp_path: Path) -> None:
    assert refusal(tmp_path / "no.tsv").startswith(": expected the sample sheet, found no such")


def test_sheet_in_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "plates.tsv"
    path.write_bytes(HEADER.encode() + b"\np1\te1\t37\xb0\tf\n")
    assert refusal(path).startswith(": expected text in UTF-8, found byte 0xb0")


def test_shipped_sheet_is_valid() -> None:
    plates = read_plates(ROOT / "config/plates.tsv")
    assert len({plate.condition for plate in plates}) == 2


def test_what_the_snakefile_imports_is_light() -> None:
    code = (
        "import sys, snakescope.healthspan.plates.sheet, snakescope.healthspan.plates.ingest, snakescope.settings.load, "
        "snakescope.settings.versions, snakescope.healthspan.settings\n"
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
