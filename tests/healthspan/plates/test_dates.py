"""Dates as people write them, and those that nobody can know."""

from datetime import datetime
from pathlib import Path

import pytest

from snakescope.healthspan.plates.dates import day_first_of, parse_date
from snakescope.healthspan.plates.times_table import read_times
from snakescope.step.errors import StepError

DAY = datetime(2026, 11, 3)
ONE_DAY = (
    "2026-11-03", "03.11.2026", "3.11.2026", "2026/11/03", "3 Nov 2026", "3. November 2026",
    "Nov 3, 2026", "November 3rd, 2026", "3-Nov-2026", "03Nov2026", "2026-Nov-03", "2026 Nov 3",
    "Tue Nov 3 2026", "Tuesday, 3 November 2026", "3 novembre 2026", "3 de noviembre de 2026",
    "2026年11月3日", "2026년 11월 3일", "2026. 11. 3.", "Di, 3. Nov. 2026", "NOV 3 2026",
    "\uff12\uff10\uff12\uff16年11月3日", "3rd of November 2026", "Nov. 3 2026",
)  # fmt: skip
EVENING = datetime(2026, 11, 3, 20, 30)
ONE_EVENING = (
    "2026-11-03 20:30", "3 Nov 2026 20:30", "Nov 3, 2026 8:30 PM", "Nov 3, 2026, 8:30:00 p.m.",
    "Tue Nov  3 20:30:00 2026", "2026年11月3日 20:30", "2026년 11월 3일 오후 8:30",
    "2026年11月3日 午後8:30",
    "3. November 2026 20:30", "2026. 11. 3. 오후 8:30:00", "2026-11-03 8:30 PM",
)  # fmt: skip
UNKNOWN = (
    "11/03/2026", "3-11-2026", "11/03/26", "3-Nov-26", "Nov 2026", "3 Nov", "November",
    "31 Nov 2026",
    "Nov 3, 2026 25:30", "Nov 3, 2026 13:30 PM", "3 Foo 2026", "sample 3 Nov 2026 x", "0/0/2026",
    "32/13/2026", "3 Nov 20266", "2026", "",
)  # fmt: skip


@pytest.mark.parametrize("text", ONE_DAY)
def test_one_day_in_many_forms(text: str) -> None:
    assert parse_date(text) == DAY


@pytest.mark.parametrize("text", ONE_EVENING)
def test_one_time_in_many_forms(text: str) -> None:
    assert parse_date(text) == EVENING


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_is_no_date_or_may_be_two(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(("word", "month"), [
    ("März", 3), ("Mai", 5), ("Okt.", 10), ("Dez", 12), ("Jänner", 1), ("févr.", 2), ("août", 8),
    ("juin", 6), ("juillet", 7), ("déc.", 12), ("Sept.", 9), ("enero", 1), ("luglio", 7),
])  # fmt: skip
def test_months_of_other_languages(word: str, month: int) -> None:
    assert parse_date(f"3. {word} 2026") == datetime(2026, month, 3)
    assert parse_date(f"{word} 3, 2026 08:30:20") == datetime(2026, month, 3, 8, 30, 20)


def test_numbers_alone_where_they_or_others_tell() -> None:
    assert parse_date("3/31/2026") == parse_date("31/3/2026") == datetime(2026, 3, 31)
    assert parse_date("4/4/2026 8:30 am") == datetime(2026, 4, 4, 8, 30)
    assert parse_date("11/03/2026", day_first=True) == datetime(2026, 3, 11)
    assert parse_date("11/03/2026", day_first=False) == DAY
    assert day_first_of(["11/03/2026", "31/03/2026"]) is True
    assert day_first_of(["11/03/2026 20:30", "3/31/2026 8:30 PM"]) is False
    assert day_first_of(["2026-03-11", "4/4/2026", ""]) is None


def table(path: Path, *cells: str, header: str = "date") -> Path:
    rows = "".join(f"{k}.tif\t{cell}\n" for k, cell in enumerate(cells))
    path.write_text(f"file\t{header}\n{rows}", encoding="utf-8")
    return path


def apart(path: Path) -> list[float]:
    hours = list(read_times(path).hours.values())
    return [one - hours[0] for one in hours]


def test_a_row_of_a_table_tells_for_all(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    assert apart(table(path, "3/11/2026", "3/12/2026", "3/13/2026")) == [0, 24, 48]
    assert apart(table(path, "11/3/2026", "12/3/2026", "13/3/2026")) == [0, 24, 48]
    assert apart(table(path, "Nov 3, 2026", "4 Nov 2026", "2026-11-05 12:00")) == [0, 24, 60]
    plates = [f"{day}\t{plate}" for day, plate in (("3/1/2026", "a"), ("3/2/2026", "a"),
                                                   ("3/20/2026", "b"))]  # fmt: skip
    hours = read_times(table(path, *plates, header="date\tplate"), "a").hours
    assert hours["1.tif"] - hours["0.tif"] == 24


def test_a_table_that_does_not_tell_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    with pytest.raises(StepError, match=r"t\.tsv: column date: .*found '3/1/2026', of which no"):
        read_times(table(path, "3/1/2026", "3/2/2026", "3/3/2026"))
    with pytest.raises(StepError, match=r"'31/3/2026', which begins with the day, and '3/30/2026'"):
        read_times(table(path, "3/30/2026", "31/3/2026"))
    # A column of days beside it tells the times.
    assert apart(table(path, "3/1/2026\t1", "3/2/2026\t2", header="date\tday")) == [0, 24]


def test_the_time_of_day_in_a_column_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    head = "date\ttime"
    days = ("Nov 3, 2026\t8:30 AM", "Nov 3, 2026\t8:30 PM", "Nov 4, 2026\t12:30 AM")
    assert apart(table(path, *days, header=head)) == [0, 12, 16]
    for wrong, said in (("half eight", "found 'half eight'"), ("", "found ''"), ("25:30", "25:30")):
        with pytest.raises(StepError, match=f"time of day as 08:30 .*{said}"):
            read_times(table(path, "2026-11-03\t08:30", f"2026-11-04\t{wrong}", header=head))
