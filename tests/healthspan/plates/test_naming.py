"""What a name tells, and which patterns are refused."""

from datetime import datetime

import pytest

from snakescope.healthspan.plates.naming import INCUCYTE, compile_pattern, read_name
from snakescope.healthspan.plates.settings import IngestSettings


@pytest.mark.parametrize(
    ("name", "position", "head"),
    [
        ("VID1957_phase_E11_5_06d12h05m.tif", "E11_5", "VID1957_phase"),
        ("E2_1_00d00h00m.tif", "E2_1", ""),
        ("00d00h00m.tif", "", ""),
        ("A172_Phase_A7_1_00d00h00m_1.tif", "A7_1_1", "A172_Phase"),
        ("well_B1_2_2022y05m08d_08h46m.tif", "B1_2", "well"),
        ("x/2205/08/0846/1957/A1-1-C1.tif", "1957/A1_1", ""),
    ],
)
def test_well_and_position_in_a_name(name: str, position: str, head: str) -> None:
    parts = read_name(name, INCUCYTE)
    assert parts is not None
    assert (parts.position, parts.head) == (position, head)


@pytest.mark.parametrize(
    ("pattern", "name", "date", "hours"),
    [
        ("i_{year}{month}{day}_{hours}{minutes}", "i_20240115_0830", (2024, 1, 15), 8.5),
        ("i_{year}{month}{day}_{hours}{minutes}{any}", "i_20240115_083059", (2024, 1, 15), 8.5),
        ("i_{year}{month}{day}{hours}{minutes}", "i_202401150830", (2024, 1, 15), 8.5),
        ("i_{year}{month}{day}", "i_240115", (2024, 1, 15), 0),
        ("i_{day}{month}{year}", "i_15012024", (2024, 1, 15), 0),
        ("i_{year}-{month}-{day}_{hours}", "i_2024-1-5_8.5", (2024, 1, 5), 8.5),
        ("i_{year}{month}{day}_{hours}{minutes}", "i_20240115_2430", None, 0),
        ("i_{year}{month}{day}_{hours}{minutes}", "i_20240115_0860", None, 0),
        ("i_{year}-{month}-{day}_{hours}h", "i_2024-01-15_24h", None, 0),
        ("{hours}{minutes}", "17430", (), 174.5),
        ("f_{minutes}", "f_90", (), 1.5),
        ("d{days}{hours}", "d0312", (), 84),
        ("d{days}{hours}", "d312", (), 84),
        ("{hours}{any}{minutes}", "08h30", (), 8.5),
        ("{hours}{any}{minutes}", "0830", None, 0),
        ("d{days}00", "d0300", (), 72),
    ],
)
def test_numbers_without_separators(
    pattern: str, name: str, date: tuple[int, int, int] | tuple[()] | None, hours: float
) -> None:
    """0830 is half past eight; what can be read in no way is left out, and so told."""
    parts = read_name(f"{name}.tif", [compile_pattern(pattern, "p1")])
    if date is None:
        assert parts is None
        return
    assert parts is not None and parts.absolute == bool(date)
    assert parts.time_h == (datetime(*date).toordinal() * 24 if date else 0) + hours


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("day{houres}", "not {houres}; did you mean hours?"),
        ("{any}.png", "a field of time in the pattern"),
        ("{days}_{days}", "every field of the pattern once"),
        ("{year}_{hours}", "{month} and {day} in the pattern beside {year}"),
        ("day{days", "every brace of the pattern 'day{days' to be closed"),
        ("{timepoint}", "interval_h to be set, since {timepoint} in the pattern tells no time"),
        ("{days}{timepoint}", "something between {days} and {timepoint} in the pattern"),
        ("{well}{hours}", "something between {well} and {hours} in the pattern"),
        ("{image}{year}{month}{day}", "something between {image} and {year} in the pattern"),
    ],
)
def test_refused_pattern(pattern: str, message: str) -> None:
    with pytest.raises(ValueError) as refused:
        IngestSettings(pattern=pattern)
    assert message in str(refused.value)


def test_letters_are_read_composed_or_not() -> None:
    for name in ("Tag\u00e9_3.tif", "Tage\u0301_3.tif"):
        for pattern in ("Tag\u00e9_{days}", "Tage\u0301_{days}", "{plate}_{days}"):
            parts = read_name(name, (compile_pattern(pattern, "Tage\u0301"),))
            assert parts is not None and parts.time_h == 72
