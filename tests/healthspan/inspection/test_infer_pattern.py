"""Naming patterns inferred from names as people give them."""

from pathlib import Path

import pytest

from snakescope.healthspan.inspection.infer_pattern import infer_pattern
from snakescope.healthspan.inspection.naming_of_folder import Given, name_folder
from snakescope.healthspan.plates.naming import compile_pattern, read_name
from snakescope.healthspan.plates.settings import ChannelNames

ALIASES = {name: channel for channel, names in ChannelNames() for name in names}
WORKDAYS = (4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 18, 19)


def days(form: str, *others: object) -> list[str]:
    return [form.format(*others, d=d) for d in WORKDAYS]


CASES = [
    (days("plate_day{d:02d}.png"), "plate_day{days}", "elapsed", "sure"),
    (days("Plate 9 - day {d}.PNG"), "Plate 9 - day {days}", "elapsed", "sure"),
    (days("N2_LS14V1_{d}d.tif"), "N2_LS14V1_{days}d", "elapsed", "sure"),
    (days("Day {d}/plate.tif"), "Day {days}/plate", "elapsed", "sure"),
    (days("2021-05-{d:02d} plate9.jpg"), "{year}-{month}-{day} plate9", "date", "sure"),
    (days("p9_{d:02d}.05.2021.jpg"), "p9_{day}.{month}.{year}", "date", "sure"),
    (days("IMG_202105{d:02d}_083012.jpg"), "IMG_{year}{month}{day}_{hours}{minutes}{seconds}",
     "date", "sure"),
    (days("WhatsApp Image 2021-05-{d:02d} at 08.30.12.jpeg"),
     "WhatsApp Image {year}-{month}-{day} at {hours}.{minutes}.{seconds}", "date", "sure"),
    (days("{d}May2021 plateA.tif"), "{day}{monthname}{year} plateA", "date", "sure"),
    ([f"20210501_{h:02d}00.tif" for h in range(20)], "{year}{month}{day}_{hours}{minutes}",
     "date", "sure"),
    ([f"x_{k // 2:02d}d{12 * (k % 2):02d}h00m.tif" for k in range(9)],
     "x_{days}d{hours}h{minutes}m", "elapsed", "sure"),
    ([f"day{k / 2}.tif" for k in range(9)], "day{days}", "elapsed", "sure"),
    ([f"IMG_{k:04d}.JPG" for k in range(1203, 1220)], "IMG_{timepoint}", "timepoint", "unsure"),
    ([f"{c}/day {k}.tif" for k in range(9) for c in ("BF", "GFP")], "{channel}/day {days}",
     "elapsed", "sure"),
    ([f"{w}_{6 * k:03d}h.tif" for k in range(9) for w in ("A1", "A2", "B1")], "{well}_{hours}h",
     "elapsed", "sure"),
    ([f"p9_d{d}h00.png" for d in WORKDAYS], "p9_d{days}h{hours}", "elapsed", "sure"),
    ([f"Day{k // 2:02d}Hour{12 * (k % 2):02d}.png" for k in range(9)], "Day{days}Hour{hours}",
     "elapsed", "sure"),
    (days("P9-2105{d:02d}094712-00.jpg"),
     "P9-{year}{month}{day}{hours}{minutes}{seconds}-00", "date", "sure"),
    ([f"{k:03d}_2021-05-{k + 1:02d}_12-00-05.tif" for k in range(9)],
     "{any}_{year}-{month}-{day}_{hours}-{minutes}-{seconds}", "date", "sure"),
]  # fmt: skip


@pytest.mark.parametrize(("names", "pattern", "time", "sure"), CASES)
def test_inferred(names: list[str], pattern: str, time: str, sure: str) -> None:
    found = infer_pattern(names, ALIASES)
    assert found is not None
    assert found.time == time
    assert found.pattern == pattern
    assert found.sure == sure
    assert found.foreign == () and found.doubles == ()
    compiled = [compile_pattern(found.pattern, "")]
    parts = [read_name(name, compiled) for name in names]
    keys = {(p.position, p.channel, p.time_h, p.timepoint) for p in parts if p is not None}
    assert len(keys) == len(names)


def test_several_plates_in_one_folder() -> None:
    names = [f"{p}_day{d}.tif" for p in ("N2", "daf-16") for d in WORKDAYS]
    found = infer_pattern(names, ALIASES)
    assert found is not None and found.pattern == "{plate}_day{days}"
    assert found.plates == ("N2", "daf-16")


def test_a_channel_beside_a_word_that_nobody_knows_is_no_plate() -> None:
    names = [f"t{k:03d}_{word}.tif" for k in range(9) for word in ("GFP", "Hellfeld")]
    found = infer_pattern(names, {"gfp": "dark_field"})
    assert found is not None and found.pattern == "t{timepoint}_{channel}" and not found.plates
    # Three words are conditions, of which one is called as a channel is.
    names = [f"{word}_day{k:02d}.png" for k in range(1, 9) for word in ("GFP", "control", "mutant")]
    found = infer_pattern(names, {"gfp": "dark_field"})
    assert found is not None and found.plates == ("GFP", "control", "mutant")
    # Not each image under each word: plates that differ in when they were imaged.
    names = [f"t{k:03d}_GFP.tif" for k in range(9)] + [f"t{k:03d}_wild.tif" for k in range(5, 20)]
    found = infer_pattern(names, {"gfp": "dark_field"})
    assert found is not None and found.plates == ("GFP", "wild")


def test_hours_that_are_words_are_asked_for(tmp_path: Path) -> None:
    names = [f"plate3_{d:02d}.03.2025_{word}.png" for d in range(3, 9) for word in ("am", "pm")]
    found = name_folder(str(tmp_path), names, {}, Given())
    (needed,) = found.open
    assert "the hours of am and pm" in needed and "--times TABLE" in needed


def test_one_series_named_in_two_ways_is_one_plate() -> None:
    names = [f"plate_day{d:02d}.png" for d in WORKDAYS[:6]]
    names += [f"Plate day {d:02d}.PNG" for d in WORKDAYS[6:]]
    found = infer_pattern(names, ALIASES)
    assert found is not None and found.plates == ()
    assert len(found.paths) == len(names) and found.pattern == "plate{any}day{any}{days}"


def test_foreign_names_and_doubles_are_told() -> None:
    names = [*days("plate_day{d}.png"), "overview.png", "plate_day05 copy.png", "plate_day04.png"]
    found = infer_pattern(names, ALIASES)
    assert found is not None
    assert found.foreign == ("overview.png", "plate_day05 copy.png")
    assert found.doubles == (("plate_day4.png", "plate_day04.png"),)


def test_day_and_month_are_told_apart_by_the_length_of_the_series() -> None:
    names = [f"{m:02d}-{d:02d}-2021 p.tif" for m, d in [(4, 28), (4, 29), (4, 30), (5, 1)]]
    found = infer_pattern(names, ALIASES)
    assert found is not None and found.pattern == "{month}-{day}-{year} p"
    names = [f"{d:02d}{m:02d}2021_p9.jpg" for d, m in [(4, 5), (5, 5), (6, 5), (10, 5)]]
    found = infer_pattern(names, ALIASES)
    assert found is not None and found.pattern == "{day}{month}{year}_p9"
    assert found.sure == "likely"


def test_names_without_a_difference_have_no_pattern() -> None:
    assert infer_pattern(["only.tif"], ALIASES) is None


@pytest.mark.parametrize("name", ["w{w}d{d}.png", "week {w} day {d}.png"])
def test_days_of_weeks_are_no_days(name: str, tmp_path: Path) -> None:
    names = [name.format(w=day // 7, d=day % 7) for day in WORKDAYS]
    found = name_folder(str(tmp_path), names, ALIASES, Given())
    assert found.open and "--interval-h" in found.open[0]


@pytest.mark.parametrize("unit", [1, 1000])
def test_times_of_unix_are_times(unit: int, tmp_path: Path) -> None:
    names = [f"img_{(1_615_000_000 + 86_400 * day) * unit}.png" for day in WORKDAYS]
    found = name_folder(str(tmp_path), names, ALIASES, Given())
    hours = sorted(found.times.values())
    assert [round(time - hours[0]) for time in hours] == [24 * (day - 4) for day in WORKDAYS]
    assert found.pattern == "img_{any}" and not found.open


def test_serial_numbers_that_are_far_apart_are_counted(tmp_path: Path) -> None:
    names = [f"img_{10**15 + k * 12_345_678}.png" for k in range(9)]
    found = name_folder(str(tmp_path), names, ALIASES, Given())
    (missing,) = [one.value for one in found.proposals if one.what == "numbers"]
    assert missing.startswith(f"{8 * 12_345_677} are missing: 1000000000000001, ")


def test_plates_are_called_by_whole_words_and_letters_composed_or_not() -> None:
    naming = infer_pattern([f"{one}_day{d}.tif" for one in ("N2", "daf2") for d in range(4)], {})
    assert naming is not None and naming.plates == ("N2", "daf2")
    assert naming.pattern == "{plate}_day{days}"
    spelt = ["Tag\u00e9_1.tif", "Tage\u0301_2.tif", "Tag\u00e9_3.tif"]
    naming = infer_pattern(spelt, {})
    assert naming is not None and list(naming.paths) == spelt
