"""Survival estimates and the curves of a plate."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter

from snakescope.healthspan.plates.sheet import SINCE_FIRST_FRAME
from snakescope.healthspan.survival.curves import draw_curves, plate_curves, plate_summary
from snakescope.healthspan.survival.estimators import (
    Intervals,
    crossing,
    from_the_start,
    immobile_period,
    median_text,
    npmle,
    survival_curve,
)
from snakescope.healthspan.survival.settings import CurvesSettings
from snakescope.healthspan.tracking.individuals import ALIVE, INDIVIDUALS_COLUMNS
from snakescope.imaging.style import figure_style
from snakescope.step.tables import read_table, write_table
from tests.started import step


def worms(ends: np.ndarray, deaths: np.ndarray, step: float, last: float) -> pd.DataFrame:
    """Individuals whose true ends fall between frames ``step`` days apart until ``last``."""
    rows = []
    for i, (end, death) in enumerate(zip(ends, deaths, strict=True), start=1):
        row: dict[str, object] = {"individual": i, "track": i, "censor_reason": ""}
        row["seen_moving"] = 1
        for name, flag, day in (("healthspan_end", "health", end), ("death", "death", death)):
            after = min(np.ceil(day / step - 1) * step, last)
            censored = day > last
            row |= {f"{name}_after_d": after, f"{flag}_censored": int(censored)}
            row[f"{name}_before_d"] = np.nan if censored else after + step
            if censored:
                row["censor_reason"] = ALIVE
        rows.append(row)
    return pd.DataFrame(rows, columns=list(INDIVIDUALS_COLUMNS))


def counts(frames: int, age: float = 0.0) -> pd.DataFrame:
    time_h = np.arange(frames) * 12.0
    table = pd.DataFrame({"timepoint": range(frames), "time_h": time_h, "day": age + time_h / 24})
    return table.assign(usable=1, healthy=0, alive=0, total=0)


def test_neighbouring_intervals_keep_their_own_mass() -> None:
    found = Intervals(np.array([0.0, 1, 1, 2]), np.array([1.0, 2, 2, 3]))
    day, survival = npmle(found)
    assert day.tolist() == [0, 1, 2, 3]
    assert survival == pytest.approx([1, 0.75, 0.25, 0])


def test_censored_worms_leave_as_in_kaplan_meier() -> None:
    found = Intervals(np.array([0.0, 1, 1, 2]), np.array([1.0, np.inf, 2, 3]))
    assert npmle(found)[1] == pytest.approx([1, 0.75, 0.375, 0], abs=1e-4)


def test_the_estimate_is_that_of_the_table_of_worms_by_cells() -> None:
    """Turnbull's self-consistency written out, over intervals of plates with times of their own."""
    rng = np.random.default_rng(4)
    after = np.floor(13 * rng.weibull(5.8, 60) * 2) / 2 + rng.integers(0, 4, 60) / 100
    before = np.where(rng.random(60) < 0.2, np.inf, after + rng.choice([0.5, 1.5], 60))
    found = Intervals(np.repeat(after, 2), np.repeat(before, 2))
    grid = np.unique(np.concatenate(([0.0], after, before[np.isfinite(before)])))
    inside = (found.after[:, None] <= grid) & (np.append(grid[1:], np.inf) <= found.before[:, None])
    mass = np.diff(grid, append=grid[-1] + 1)
    mass /= mass.sum()
    for _ in range(50):
        share = inside * mass
        mass = (share / share.sum(axis=1, keepdims=True)).mean(axis=0)
    survival = 1 - np.concatenate(([0.0], np.cumsum(mass[:-1])))
    day, estimate = npmle(found, rounds=50, tolerance=0)
    assert day.tolist() == grid.tolist() and estimate == pytest.approx(survival, abs=1e-9)


def test_sixty_plates_with_times_of_their_own_take_no_minutes() -> None:
    """About 1500 ends and 6000 worms: a table of one by the other took 0.1 s a round, and 2000."""
    rng = np.random.default_rng(6)
    first = np.floor(13 * rng.weibull(5.8, 6000) * 2).astype(int)
    times = np.arange(60) / 2 + rng.uniform(0, 0.007, (60, 60))
    plate = np.arange(6000) // 100
    found = Intervals(times[plate, first], times[plate, first + 1])
    began = time.perf_counter()
    day, survival = npmle(found)
    assert time.perf_counter() - began < 5
    assert len(day) > 900 and (np.diff(survival) <= 0).all()


@pytest.mark.parametrize("before", [2.0, np.inf])
def test_a_single_interval_is_no_special_case(before: float) -> None:
    found = Intervals(np.array([1.0, 1.0]), np.array([before, before]))
    curve = survival_curve(found, np.array([0.0, 1.0, 2.0]), 0.95)
    assert curve.share == pytest.approx([1, 1, 0 if before == 2 else np.nan], nan_ok=True)
    assert np.isfinite(curve.low[:2]).all() and np.isfinite(curve.high[:2]).all()


def test_bounds_enclose_the_estimate_and_the_band_widens_with_confidence() -> None:
    deaths = 13 * np.random.default_rng(1).weibull(5.8, 80)
    after = np.floor(deaths)
    found, day = Intervals(after, after + 1), np.arange(0, 20, 0.5)
    curve = survival_curve(found, day, 0.95)
    assert (curve.earliest <= curve.share + 1e-9).all()
    assert (curve.share <= curve.latest + 1e-9).all()
    narrow = survival_curve(found, day, 0.6)
    middle = (curve.share > 0.1) & (curve.share < 0.9)
    assert (curve.low[middle] < narrow.low[middle]).all()
    assert (narrow.high[middle] < curve.high[middle]).all()
    assert (np.diff(curve.high) < 1e-3).all()
    assert curve.high[-1] == 0
    median, low, high = curve.median()
    assert low < median < high and median == pytest.approx(np.median(deaths), abs=0.3)


def test_the_band_is_as_wide_within_a_long_interval_as_at_its_end() -> None:
    """Six worms end while frames are lost, three later; then the same with a frame every day."""
    coarse = Intervals(np.array([4.0] * 6 + [7.0] * 3), np.array([7.0] * 6 + [8.0] * 3))
    after = np.array([4.0, 4, 5, 5, 6, 6, 7, 7, 7])
    fine, day = Intervals(after, after + 1), np.array([5.0, 6.0, 7.0])
    greenwood = KaplanMeierFitter().fit(fine.before, fine.observed)
    band = greenwood.confidence_interval_survival_function_.loc[day].to_numpy()
    for found in (coarse, fine):
        curve = survival_curve(found, day, 0.95)
        assert curve.share == pytest.approx([7 / 9, 5 / 9, 3 / 9], abs=1e-3)
        assert np.stack([curve.low, curve.high], axis=1) == pytest.approx(band, abs=5e-3)


def test_a_curve_ends_where_no_worm_is_watched_any_longer() -> None:
    day = np.arange(6.0)
    lost = Intervals(np.array([0.0, 1, 2]), np.array([1.0, np.inf, np.inf]))
    curve = survival_curve(lost, day, 0.95)
    assert np.isfinite(curve.share).tolist() == [True, True, True, False, False, False]
    for one in (curve.low, curve.high, curve.earliest, curve.latest):
        assert np.isnan(one[3:]).all() and np.isfinite(one[:3]).all()
    dead = survival_curve(Intervals(np.array([0.0, 1]), np.array([1.0, 2])), day, 0.95)
    assert dead.share.tolist() == [1, 0.5, 0, 0, 0, 0]


def test_a_plate_on_which_no_worm_was_found_has_no_curve() -> None:
    lost = worms(np.full(6, 9.0), np.full(6, 9.0), 0.5, 0.0)
    table, alive, healthy = plate_curves(lost, counts(4), 0.95)
    note = str(plate_summary(lost, counts(4), alive, healthy, SINCE_FIRST_FRAME)["note"])
    assert note == "no worm was found in any frame"
    figure = draw_curves(table, alive, healthy, "p", "day", CurvesSettings(), note)
    assert not figure.axes[0].get_lines() and note in figure.axes[0].texts[0].get_text()


def test_crossing_is_linear_between_frames() -> None:
    assert crossing(np.array([0.0, 1, 2]), np.array([1.0, 0.75, 0.25])) == 1.5
    assert np.isnan(crossing(np.array([0.0, 1]), np.array([1.0, 0.6])))


def test_immobile_period_is_recovered_from_half_day_intervals() -> None:
    rng = np.random.default_rng(2)
    ends = rng.uniform(3, 12, 400)
    table = worms(ends, ends + rng.gamma(1.81, 0.81, 400), 0.5, 40)
    period = immobile_period(table)
    assert period.mean_d == pytest.approx(1.46, abs=0.15)
    assert period.median_d == pytest.approx(1.22, abs=0.2)
    assert period.worms == 400


def test_summary_says_what_cannot_be_given() -> None:
    none = pd.DataFrame(columns=list(INDIVIDUALS_COLUMNS))
    _, alive, healthy = plate_curves(none, counts(4), 0.95)
    assert (
        plate_summary(none, counts(4), alive, healthy, SINCE_FIRST_FRAME)["note"]
        == "no worm on the plate"
    )
    young = worms(np.full(5, 9.0), np.full(5, 10.0), 0.5, 1.5)
    seen = counts(4).assign(healthy=5, alive=5, total=5)
    table, alive, healthy = plate_curves(young, seen, 0.95)
    assert plate_summary(young, seen, alive, healthy, SINCE_FIRST_FRAME)["note"] == "no worm died"
    assert table["alive"].tolist() == [1.0] * 4


def test_the_figure_has_the_bounds_and_a_legend_that_lies_on_no_curve() -> None:
    ends = np.linspace(1, 6, 12)
    table, alive, healthy = plate_curves(worms(ends, ends + 1, 0.5, 6.5), counts(14), 0.95)
    with figure_style():
        figure = draw_curves(table, alive, healthy, "p", "day", CurvesSettings())
        figure.draw_without_rendering()
    (axes,), (legend,) = figure.axes, figure.legends
    drawn = [list(line.get_ydata()) for line in axes.get_lines()]
    for curve in (alive, healthy):
        assert list(curve.earliest) in drawn and list(curve.latest) in drawn
    box = legend.get_window_extent()
    assert not box.overlaps(axes.get_window_extent())
    assert box.x1 <= figure.bbox.x1 and box.y0 >= figure.bbox.y0


@pytest.mark.parametrize("number", [0, 12])
def test_command_writes_the_same_pictures_twice(tmp_path: Path, number: int) -> None:
    ends = np.linspace(1, 6, number)
    write_table(tmp_path / "individuals.tsv", worms(ends, ends + 1, 0.5, 6.5))
    write_table(tmp_path / "counts.tsv", counts(14))
    for name in ("a", "b"):
        command = ["healthspan", "curves", "--plate", "p"]
        command += ["--experiment", "e", "--condition", "N2", "--settings", "{}"]
        command += ["--time-axis", SINCE_FIRST_FRAME]
        command += ["--individuals", "individuals.tsv", "--counts", "counts.tsv"]
        command += ["--curves", f"{name}.tsv", "--summary", f"{name}.summary.tsv"]
        command += ["--figures", f"{name}.svg", f"{name}.png"]
        ended = step(tmp_path, *command)
        assert ended.returncode == 0, ended.stderr
    for suffix in ("svg", "png", "tsv"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
    assert "share of worms" in (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert read_table(tmp_path / "a.summary.tsv")["worms"].tolist() == [number]


def test_ends_at_day_0_are_a_fall_at_day_0() -> None:
    day, survival = npmle(Intervals(np.array([0.0, 0, 1, 2]), np.array([0.0, 0, 2, np.inf])))
    assert day.tolist() == [0, 1, 2]
    assert survival == pytest.approx([0.5, 0.5, 0.25])
    assert npmle(Intervals(np.zeros(2), np.zeros(2)))[1].tolist() == [0]


LATE = Intervals(np.array([0.0] * 6 + [5, 6, 7, 8]), np.array([5.0] * 6 + [6, 7, 8, 9]))
"""Ten worms, six of them dead in the first picture, of day 5."""


def test_a_series_that_begins_late_is_drawn_as_a_fall_at_its_first_picture() -> None:
    day = np.arange(5.0, 10)
    curve = survival_curve(LATE, day, 0.95)
    drawn = from_the_start(curve, LATE, 5.0, 0.95)
    assert drawn.day.tolist() == [0, 5, *day]
    assert drawn.share[:3] == pytest.approx([1, 1, 0.4])
    assert drawn.latest[:2].tolist() == [1, 1] and drawn.earliest[:2] == pytest.approx([0.4, 0.4])
    # A grid that holds day 0, as that of the experiment's figure does, is drawn in the same way.
    whole = survival_curve(LATE, np.array([0.0, *day]), 0.95)
    again = from_the_start(whole, LATE, 5.0, 0.95)
    assert again.day.tolist() == drawn.day.tolist() and (again.share == drawn.share).all()


def test_a_series_that_begins_on_time_is_drawn_as_it_is() -> None:
    found = Intervals(np.array([5.0, 6, 7]), np.array([6.0, 7, 8]))
    curve = survival_curve(found, np.array([0.0, 5, 6, 7, 8]), 0.95)
    assert from_the_start(curve, found, 5.0, 0.95) is curve


def test_a_median_before_the_first_picture_is_said_to_be_a_bound() -> None:
    drawn = from_the_start(survival_curve(LATE, np.arange(5.0, 10), 0.95), LATE, 5.0, 0.95)
    assert median_text(drawn, 5.0) == "median \N{LESS-THAN OR EQUAL TO} 5.0 d"
    table = worms(np.full(4, 1.0), np.full(4, 1.5), 0.5, 9.0)
    before = table.assign(death_after_d=0.0, death_before_d=5.0)
    seen = counts(9, age=5.0).assign(total=4)
    _, alive, healthy = plate_curves(before, seen, 0.95)
    note = str(plate_summary(before, seen, alive, healthy, SINCE_FIRST_FRAME)["note"])
    assert (
        note == "half were dead at the first usable frame: the median lifespan is its day at most"
    )


def test_a_median_before_the_first_usable_picture_is_bounded_by_its_day() -> None:
    """The picture of day 10 is fogged; 11 of 20 worms are dead in the next, of day 10.5."""
    table = worms(np.array([9.8] * 11 + [12.0] * 9), np.array([10.2] * 11 + [13.2] * 9), 0.5, 40)
    early = table.index[:11]
    for name in ("healthspan_end", "death"):
        table.loc[early, f"{name}_after_d"], table.loc[early, f"{name}_before_d"] = 0.0, 10.5
    seen = counts(9, age=10.0).assign(total=20)
    seen.loc[0, ["usable", "total"]] = 0
    shown, alive, healthy = plate_curves(table, seen, 0.95)
    row = plate_summary(table, seen, alive, healthy, SINCE_FIRST_FRAME)
    assert row["median_lifespan_d"] == row["median_healthspan_d"] == row["first_usable_day"] == 10.5
    assert row["first_day"] == 10 and "is its day at most" in str(row["note"])
    figure = draw_curves(shown, alive, healthy, "p", "day", CurvesSettings())
    told = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert "alive, median \N{LESS-THAN OR EQUAL TO} 10.5 d" in told


def test_a_worm_stopped_before_the_first_picture_tells_nothing_of_the_immobile_period() -> None:
    """Its healthspan ended on some day before; three of them made 5 d of a mean of 1.5 d."""
    table = worms(np.array([10.7, 11.2]), np.array([12.2, 12.7]), 0.5, 40)
    early = worms(np.full(3, 9.8), np.full(3, 12.2), 0.5, 40)
    early = early.assign(healthspan_end_after_d=0.0, healthspan_end_before_d=10.0, seen_moving=0)
    period, alone = immobile_period(pd.concat([table, early])), immobile_period(table)
    assert (period.mean_d, period.median_d) == (alone.mean_d, alone.median_d)
    assert (period.worms, period.left_out, alone.left_out) == (2, 3, 0)
    assert period.mean_d == pytest.approx(1.5, abs=0.05)


def test_a_worm_that_moved_in_the_first_picture_counts_where_no_age_is_given() -> None:
    """Dead in the second: its intervals begin at day 0, as those of one dead at the first."""
    table = worms(np.array([0.2, 1.2]), np.array([0.4, 2.7]), 0.5, 40)
    assert table["death_after_d"].tolist() == [0, 2.5]
    assert immobile_period(table).worms == 2
