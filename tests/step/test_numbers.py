"""Text that becomes a number: the obvious value, or a sentence."""

import argparse
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import Field, ValidationError

from snakescope.healthspan.plates.times_table import read_times
from snakescope.settings.files import check_config_files
from snakescope.settings.load import load_sections
from snakescope.settings.sheet import Row, VoxelCell, read_sheet
from snakescope.settings.strict import Settings
from snakescope.step.command import parser_of
from snakescope.step.errors import StepError
from snakescope.step.numbers import number_of, whole_number_of

VALUES = {
    "1.5": 1.5, "1e1": 10.0, ".5": 0.5, "+3": 3.0, " 10 ": 10.0, "10.": 10.0, "-0": 0.0,
    "\uff11\uff10": 10.0, "\uff11\uff0e\uff15": 1.5, "\u2212 2".replace(" ", ""): -2.0,
    "\u0661\u0662": 12.0,
}  # fmt: skip
REFUSED = ("1_0", "\uff11_0", "0x10", "nan", "inf", "-Infinity", "1 000", "1,5", "1e400", "1:30",
           "", "1.0.0", "NaN", "1e1_0", "1'000", "\u00bd", "1e", "10\u00b2", "8\u00b9",
           "1\u2082", "\u2460")  # fmt: skip


class Subject(Row):
    name: str = Field(alias="subject")
    age: float = Field(1.0, ge=0)
    worms: int | None = None
    voxel: VoxelCell = (1.0, 1.0, 1.0)


class Section(Settings):
    age: float = 1.0
    either: int | str = 1


@pytest.mark.parametrize(("text", "value"), VALUES.items())
def test_numbers_that_have_one_meaning_are_read(text: str, value: float) -> None:
    assert number_of(text) == value
    assert Section.model_validate({"age": text}).age == value


@pytest.mark.parametrize("text", REFUSED)
def test_other_text_is_no_number(text: str, tmp_path: Path) -> None:
    for read in (number_of, whole_number_of):
        with pytest.raises(ValueError, match="found"):
            read(text)
    with pytest.raises(ValidationError):
        Section.model_validate({"age": text})
    if text:
        (tmp_path / "s.tsv").write_text(f"subject\tage\ns1\t{text}\n", encoding="utf-8")
        (refused,) = read_sheet(tmp_path / "s.tsv", Subject).refused
        assert "s.tsv, line 2, column age" in refused.reason and "number" in refused.reason


@pytest.mark.parametrize(("cell", "age", "worms"), [("10", 10.0, 10), ("\uff11\uff10", 10.0, 10),
                                                     ("-0", 0.0, 0)])  # fmt: skip
def test_cells_of_numbers(tmp_path: Path, cell: str, age: float, worms: int) -> None:
    text = f"subject\tage\tworms\ns1\t{cell}\t{cell}\n"
    (tmp_path / "s.tsv").write_text(text, encoding="utf-8")
    (row,) = read_sheet(tmp_path / "s.tsv", Subject).rows
    assert (str(row.age), row.worms) == (str(age), worms)


def test_sizes_of_voxels_and_whole_numbers(tmp_path: Path) -> None:
    text = "subject\tworms\tvoxel\ns1\t1_0\t\ns2\t\t3_0 6 6\ns3\t8.0\t\uff13\uff10 6 6\n"
    (tmp_path / "s.tsv").write_text(text, encoding="utf-8")
    sheet = read_sheet(tmp_path / "s.tsv", Subject)
    assert [one.line for one in sheet.refused] == [2, 3]
    assert [(row.worms, row.voxel) for row in sheet.rows] == [(8, (30.0, 6.0, 6.0))]


def test_settings_of_quoted_numbers_and_names() -> None:
    with pytest.raises(StepError, match=r"s\.age: expected a number of digits"):
        load_sections({"s": {"age": "1_0"}}, {"s": Section})
    # A choice of a number or a name takes names as they are.
    assert Section.model_validate({"either": "unknown"}).either == "unknown"


@pytest.mark.parametrize(("words", "value"), [(["--size", "\uff11\uff10"], 10.0),
                                              (["--size", "1e1"], 10.0)])  # fmt: skip
def test_options_of_numbers(words: list[str], value: float) -> None:
    assert parser_of(_module(), "try").parse_args(words).size == value


@pytest.mark.parametrize("words", [["--size", "1_0"], ["--size", "nan"], ["--size=inf"],
                                   ["--count", "1_0"], ["--size", "1,5"]])  # fmt: skip
def test_options_that_python_alone_takes_for_numbers(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        parser_of(_module(), "try").parse_args(words)
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert "expected a" in said and "number" in said and "found" in said


def _module() -> ModuleType:
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--size", type=float)
        parser.add_argument_group("more").add_argument("--count", type=int)

    module = ModuleType("step")
    module.add_arguments = add_arguments  # type: ignore[attr-defined]
    return module


@pytest.mark.parametrize("cell", ["1_0", "nan", "0x10", "inf"])
def test_times_of_a_table(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "t.tsv"
    path.write_text(f"file\tdays\na.tif\t0\nb.tif\t{cell}\n", encoding="utf-8")
    with pytest.raises(StepError, match=f"line 3: expected a number .*found '{cell}'"):
        read_times(path)
    path.write_text("file\tdays\na.tif\t0\nb.tif\t\uff11,5\n", encoding="utf-8")
    assert read_times(path).hours["b.tif"] == 36.0


def test_a_comma_of_thousands_or_of_decimals(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("file\thours\na.tif\t500\nb.tif\t1,500\n", encoding="utf-8")
    with pytest.raises(StepError, match=r"line 3: .*found '1,500', which may be 1500 or 1\.500"):
        read_times(path)
    path.write_text("file\thours\na.tif\t0,125\nb.tif\t1,500\n", encoding="utf-8")
    assert read_times(path).hours["b.tif"] == 1.5


@pytest.mark.parametrize("number", ["1_0", "0x10", "0b11", "010", "1:30", "1_0.5"])
def test_numbers_that_yaml_reads_as_others(tmp_path: Path, number: str) -> None:
    (tmp_path / "c.yaml").write_text(f"healthspan:\n  plates:\n    pixel_size_um: {number}\n")
    with pytest.raises(StepError, match=f"c.yaml, line 3: .*found {number}, which YAML reads"):
        check_config_files([tmp_path / "c.yaml"])
