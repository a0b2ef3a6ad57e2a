"""Names that look like times and are none, and times that look like something else."""

from pathlib import Path

import pytest

from snakescope.healthspan.inspection.infer_pattern import Naming, infer_pattern
from snakescope.healthspan.inspection.naming_of_folder import Given, Named, name_folder
from snakescope.healthspan.plates.naming import compile_pattern, read_name


def named(names: list[str], folder: Path) -> Named:
    return name_folder(str(folder), names, {}, Given())


def inferred(names: list[str]) -> Naming:
    found = infer_pattern(names, {})
    assert found is not None
    return found


def hours(names: list[str]) -> list[float]:
    """Times by the inferred pattern (h), the first at 0."""
    compiled = [compile_pattern(inferred(names).pattern, "")]
    parts = [read_name(name, compiled) for name in names]
    times = [one.time_h for one in parts if one is not None and one.time_h is not None]
    return [round(time - times[0], 4) for time in times]


@pytest.mark.parametrize(
    "form", ["20240501_{:04d}.tif", "IMG-20240501-WA{:04d}.jpg", "20240501_{:06d}.tif",
             "worm_{:06d}.png"],
)  # fmt: skip
@pytest.mark.parametrize("first", [1, 8, 101])
def test_counters_are_no_dates_and_no_times_of_day(form: str, first: int, tmp_path: Path) -> None:
    names = [form.format(k) for k in range(first, first + 10)]
    found = named(names, tmp_path)
    assert "{timepoint}" in (found.pattern or "")
    assert found.open and "--interval-h" in found.open[0]


def test_counters_of_several_days_are_no_times_of_day() -> None:
    names = [f"202405{1 + k // 2:02d}_{k + 1:04d}.tif" for k in range(10)]
    assert inferred(names).doubles


def test_times_of_day_stay_what_they_are() -> None:
    names = [f"20240501_{h:02d}{m:02d}.tif" for h in range(8, 12) for m in (0, 30)]
    assert hours(names) == [0.5 * k for k in range(8)]
    names = [f"202405{d:02d}_083{d % 3}.tif" for d in range(1, 11)]
    assert inferred(names).pattern == "{year}{month}{day}_{hours}{minutes}"


@pytest.mark.parametrize(
    "form",
    [
        "2024-05-{d:02d}_0830{half}.jpg", "2024-05-{d:02d}_8{half}.jpg",
        "Screenshot 2024-05-{d:02d} at 8.30.12\u202f{half}.png", "2024-05-{d:02d} 8 {half}.png",
    ],
)  # fmt: skip
def test_halves_of_days_are_times_and_no_plates(form: str) -> None:
    names = [form.format(d=d, half=half) for d in (1, 2, 3) for half in ("AM", "PM")]
    assert inferred(names).plates == ()
    assert hours(names) == [12 * k for k in range(6)]


def test_words_for_times_of_the_day_are_no_plates() -> None:
    names = [f"day{d}_{word}.tif" for d in range(1, 6) for word in ("morning", "evening")]
    found = inferred(names)
    assert found.plates == () and found.doubles


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("{d:02d}_{m}_2024.tif", ("April", "Mai")), ("{d} {m}.jpg", ("April", "May")),
        ("{m} {d}, 2024.jpg", ("April", "May")), ("{d:02d}-{m}.png", ("dez", "jan")),
        ("{d:02d}-{m}.png", ("juin", "juil")),
    ],
)  # fmt: skip
def test_months_that_no_pattern_reads_are_asked_for(
    form: str, words: tuple[str, str], tmp_path: Path
) -> None:
    names = [form.format(d=d, m=words[0]) for d in (28, 29, 30)]
    names += [form.format(d=d, m=words[1]) for d in (1, 2, 3, 4)]
    found = named(names, tmp_path)
    assert found.plates == ()
    assert found.open and "--times" in found.open[0]


def test_numbers_of_all_names_are_looked_at(tmp_path: Path) -> None:
    ends = ("A", "B", "C", "D", "1A", "2B", "E", "F", "3C", "4D")
    names = [f"TimePoint_{k + 1}/p_w1{end}.tif" for k, end in enumerate(ends)]
    found = named(names, tmp_path)
    assert found.open and "--interval-h" in found.open[0]


def test_fields_of_a_well_are_no_days(tmp_path: Path) -> None:
    names = [f"AS_09125_050118150001_A03f{k:02d}d0.TIF" for k in range(10)]
    assert "{days}" not in (named(names, tmp_path).pattern or "")


def test_minutes_behind_hours_and_decimal_commas_are_read() -> None:
    assert hours([f"{h}h{m:02d}.tif" for h in range(3) for m in (0, 30)]) == [
        0.5 * k for k in range(6)
    ]
    assert hours([f"{k // 2},{5 * (k % 2)}h.tif" for k in range(6)]) == [0.5 * k for k in range(6)]
