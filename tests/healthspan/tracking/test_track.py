"""Tracking of stopped worms: the integer programme, the course of states, the counts."""

import numpy as np
import pandas as pd
import pulp
import pytest

from snakescope.healthspan.survival.curves import plate_curves
from snakescope.healthspan.tracking.individuals import DEAD_AT_START, STATIC
from snakescope.healthspan.tracking.linking import (
    Candidates,
    independent_parts,
    link_candidates,
    possible_links,
)
from snakescope.healthspan.tracking.settings import TrackSettings
from snakescope.healthspan.tracking.state_path import log_emissions, most_probable_path, path_states
from snakescope.healthspan.tracking.track import TRACKS_COLUMNS, track_plate
from snakescope.step.errors import StepError

SETTINGS = TrackSettings()
STOPPED = (0.02, 0.9, 0.08)
DEAD = (0.02, 0.06, 0.92)
HEALTHY = (0.96, 0.03, 0.01)


def candidates(rows: list[tuple[int, float, float]], probability=STOPPED) -> Candidates:
    frame, y, x = (np.array(column) for column in zip(*rows, strict=True))
    shown = np.tile(np.array(probability, float), (len(rows), 1))
    return Candidates(frame.astype(np.int64), np.column_stack([y, x]).astype(float), shown)


def frames_table(count: int, missing: tuple[int, ...] = ()) -> pd.DataFrame:
    status = ["missing" if t in missing else "registered" for t in range(count)]
    return pd.DataFrame(
        {"timepoint": range(count), "time_h": np.arange(count) * 12.0, "status": status}
    )


def states_table(rows: list[tuple[int, float, float, tuple[float, float, float]]]) -> pd.DataFrame:
    names = np.array(["healthy", "immobile", "dead"])
    return pd.DataFrame(
        [
            {
                "timepoint": t,
                "time_h": 12.0 * t,
                "instance": t * 100_000 + i,
                "y_px": y,
                "x_px": x,
                "area_px": 900,
                "p_healthy": p[0],
                "p_immobile": p[1],
                "p_dead": p[2],
                "state": names[int(np.argmax(p))],
            }
            for i, (t, y, x, p) in enumerate(rows)
        ],
        columns=[
            *("timepoint", "time_h", "instance", "y_px", "x_px", "area_px"),
            *("p_healthy", "p_immobile", "p_dead", "state"),
        ],
    )


@pytest.mark.parametrize("solver", ["highs", "cbc"])
def test_two_corpses_side_by_side_stay_two_tracks(solver: str) -> None:
    rows = [(t, 100.0 + 3 * t, 100.0) for t in range(8)] + [(t, 100.0, 130.0) for t in range(8)]
    tracks = link_candidates(candidates(rows), 8, TrackSettings(solver=solver))
    assert sorted(map(sorted, tracks)) == [list(range(8)), list(range(8, 16))]


def test_a_gap_is_bridged_and_a_far_detection_is_not() -> None:
    rows = [(t, 50.0, 50.0) for t in (0, 1, 2, 5, 6, 7)] + [(t, 50.0, 200.0) for t in range(8, 16)]
    assert link_candidates(candidates(rows), 16, SETTINGS) == [
        [0, 1, 2, 3, 4, 5],
        list(range(6, 14)),
    ]


def test_a_single_stopped_detection_in_mid_series_is_no_track() -> None:
    assert link_candidates(candidates([(5, 10.0, 10.0)]), 20, SETTINGS) == []
    assert link_candidates(candidates([(19, 10.0, 10.0)]), 20, SETTINGS) == [[0]]


def test_parts_are_independent_and_complete() -> None:
    rows = [(t, 0.0, 0.0) for t in range(3)] + [(t, 900.0, 0.0) for t in range(3)]
    found = candidates(rows)
    parts = independent_parts(found, possible_links(found, SETTINGS))
    assert [sorted(members.tolist()) for members, _ in parts] == [[0, 1, 2], [3, 4, 5]]


def test_no_solution_in_time_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pulp.LpProblem.solve", lambda self, solver: None)
    with pytest.raises(StepError, match="time_limit_s"):
        link_candidates(candidates([(0, 0.0, 0.0), (1, 0.0, 0.0)]), 9, SETTINGS)


@pytest.mark.parametrize("solver", ["highs", "cbc"])
def test_what_was_found_when_the_time_was_up_is_not_taken_for_the_best(
    monkeypatch: pytest.MonkeyPatch, solver: str
) -> None:
    solve = pulp.LpProblem.solve

    def interrupted(programme: pulp.LpProblem, by: pulp.LpSolver) -> None:
        solve(programme, by)
        assert programme.sol_status == pulp.LpSolutionOptimal
        # As PuLP sets them for both solvers.
        programme.assignStatus(pulp.LpStatusOptimal, pulp.LpSolutionIntegerFeasible)

    monkeypatch.setattr("pulp.LpProblem.solve", interrupted)
    settings = SETTINGS.model_copy(update={"solver": solver})
    with pytest.raises(StepError, match=r"says: Solution Found; raise .*time_limit_s"):
        link_candidates(candidates([(0, 0.0, 0.0), (1, 0.0, 0.0)]), 9, settings)


def course(probability: list[tuple[float, float, float]]) -> list[str]:
    day = np.arange(len(probability)) * 0.5
    a, b = most_probable_path(log_emissions(np.array(probability), 0.02), day, -0.5, 1.81, 0.81)
    return path_states(len(day), a, b)


def test_course_is_monotone_over_a_nudge_and_a_missed_frame() -> None:
    nan = (np.nan,) * 3
    seen = [STOPPED, STOPPED, nan, DEAD, HEALTHY, DEAD, DEAD, STOPPED, DEAD]
    assert course(seen) == ["immobile"] * 3 + ["dead"] * 6 or course(seen) == (
        ["immobile"] * 2 + ["dead"] * 7
    )


def test_course_may_begin_healthy_or_dead_and_may_not_end() -> None:
    assert course([HEALTHY, STOPPED, STOPPED]) == ["healthy", "immobile", "immobile"]
    assert course([DEAD] * 4) == ["dead"] * 4
    assert course([STOPPED] * 3) == ["immobile"] * 3


def test_prior_of_the_immobile_period_decides_where_the_classifier_cannot() -> None:
    torn = (0.02, 0.49, 0.49)
    states = course([STOPPED] + [torn] * 12 + [DEAD])
    assert 2 <= states.index("dead") <= 5


def worm_that_dies() -> list[tuple[int, float, float, tuple[float, float, float]]]:
    """Moves until 3, immobile 4 to 6, dead from 7, of 14 timepoints."""
    rows = [(t, 300.0 * t + 100, 500.0, HEALTHY) for t in range(4)]
    rows += [(t, 700.0 + 4 * t, 900.0, STOPPED) for t in range(4, 7)]
    return rows + [(t, 728.0, 900.0, DEAD) for t in range(7, 14)]


def test_intervals_of_a_worm_that_dies() -> None:
    found = track_plate(states_table(worm_that_dies()), frames_table(14), 3.0, 1, SETTINGS)
    worm = found.individuals.iloc[0]
    assert len(found.individuals) == 1
    assert (worm.healthspan_end_after_d, worm.healthspan_end_before_d) == (4.5, 5.0)
    assert (worm.death_after_d, worm.death_before_d) == (6.0, 6.5)
    assert (worm.health_censored, worm.death_censored, worm.censor_reason) == (0, 0, "")
    assert found.counts["healthy"].tolist() == [1] * 4 + [0] * 10
    assert found.counts["immobile"].tolist() == [0] * 4 + [1] * 3 + [0] * 7
    assert found.counts["dead"].tolist() == [0] * 7 + [1] * 7
    assert list(found.tracks.columns) == TRACKS_COLUMNS


def test_an_unusable_frame_widens_the_interval() -> None:
    rows = [row for row in worm_that_dies() if row[0] != 6]
    found = track_plate(states_table(rows), frames_table(14, missing=(6,)), 0.0, 1, SETTINGS)
    worm = found.individuals.iloc[0]
    assert (worm.death_after_d, worm.death_before_d) == (2.5, 3.5)
    at_6 = found.counts.set_index("timepoint").loc[6]
    assert at_6["usable"] == 0 and pd.isna(at_6["alive"])


def test_debris_is_listed_with_its_reason_and_not_counted() -> None:
    debris = [(t, 50.0, 50.0, DEAD) for t in range(14) if t % 3]
    states = states_table(worm_that_dies() + debris)
    found = track_plate(states, frames_table(14), 0.0, None, SETTINGS)
    reasons = found.tracks.groupby("track")["reason"].first().tolist()
    assert sorted(reasons) == ["", "static from the start"]
    assert len(found.individuals) == 1 and found.counts["total"].max() == 1
    dead_too = TrackSettings(count_dead_at_start=True)
    assert len(track_plate(states, frames_table(14), 0.0, None, dead_too).individuals) == 2


def test_a_resting_worm_is_no_individual_of_its_own() -> None:
    rows = [(t, 10.0, 10.0, STOPPED) for t in range(3, 8)]
    rows += [(t, 200.0 * t, 800.0, HEALTHY) for t in range(14) if not 3 <= t < 8]
    found = track_plate(states_table(rows), frames_table(14), 0.0, 1, SETTINGS)
    assert found.tracks["reason"].unique().tolist() == ["moved on"]
    assert found.individuals["censor_reason"].tolist() == ["alive at last frame"]
    assert found.counts["healthy"].tolist() == [1] * 14


def test_unknown_states_are_neutral() -> None:
    rows = [r if r[0] not in (5, 9) else (*r[:3], (np.nan,) * 3) for r in worm_that_dies()]
    states = states_table(rows).assign(state="unknown")
    worm = track_plate(states, frames_table(14), 0.0, 1, SETTINGS).individuals.iloc[0]
    assert (worm.healthspan_end_before_d, worm.death_before_d) == (2.0, 3.5)


def test_more_stopped_than_put_on_raises_the_number_with_a_warning() -> None:
    twice = worm_that_dies() + [(t, y, x + 600, p) for t, y, x, p in worm_that_dies()]
    found = track_plate(states_table(twice), frames_table(14), 0.0, 1, SETTINGS)
    assert len(found.individuals) == 2 and "2 worms stopped" in found.warnings[0]


def test_empty_plate_gives_whole_tables_and_a_warning() -> None:
    found = track_plate(states_table([]), frames_table(5), 0.0, None, SETTINGS)
    assert len(found.tracks) == 0 and len(found.individuals) == 0
    assert found.counts["total"].tolist() == [0] * 5
    assert found.warnings == ("no worm was detected in any frame",)


def test_worms_put_on_but_never_seen_are_lost_at_the_first_frame() -> None:
    found = track_plate(states_table([]), frames_table(5), 1.0, 3, SETTINGS).individuals
    assert found["censor_reason"].tolist() == ["lost from view"] * 3
    assert found["death_after_d"].tolist() == [1.0] * 3


def test_a_detection_in_an_unregistered_frame_is_refused() -> None:
    with pytest.raises(StepError, match="timepoint 6"):
        track_plate(
            states_table(worm_that_dies()), frames_table(14, missing=(6,)), 0.0, 1, SETTINGS
        )


def late_plate(static: int, area: tuple[int, ...] = ()) -> pd.DataFrame:
    """States of 14 timepoints: 8 worms of 900 px that die one after the other, and static objects.

    ``area`` (px) is of the last static objects, where it is not that of the worms.
    """
    rows = []
    for worm in range(8):
        x, stops = 1000.0 * worm, 3 + worm
        rows += [(t, 300.0 * t, x, HEALTHY) for t in range(stops)]
        rows += [(t, 300.0 * stops, x, STOPPED) for t in range(stops, stops + 2)]
        rows += [(t, 300.0 * stops, x, DEAD) for t in range(stops + 2, 14)]
    rows += [(t, 9000.0 + 200 * i, 0.0, DEAD) for i in range(static) for t in range(14)]
    states = states_table(rows)
    for i, pixels in enumerate(reversed(area)):
        states.loc[states["y_px"] == 9000.0 + 200 * (static - 1 - i), "area_px"] = pixels
    return states


def test_worms_dead_when_the_pictures_began_are_deaths_of_an_unknown_day_before() -> None:
    found = track_plate(late_plate(6), frames_table(14), 5.0, 14, SETTINGS)
    dead = found.individuals[found.individuals["death_after_d"] == 0]
    assert len(found.individuals) == 14 and len(dead) == 6
    for name in ("healthspan_end", "death"):
        assert dead[f"{name}_after_d"].tolist() == [0.0] * 6
        assert dead[f"{name}_before_d"].tolist() == [5.0] * 6
    assert dead["death_censored"].eq(0).all() and dead["health_censored"].eq(0).all()
    # No phantom is left: without the six, as many would be lost from view in the end.
    assert "lost from view" not in set(found.individuals["censor_reason"])
    assert found.counts["total"].tolist() == [14] * 14
    assert found.counts["dead"].iloc[0] == 6 and found.counts["alive"].iloc[0] == 8
    theirs = found.tracks[found.tracks["reason"] == DEAD_AT_START]
    assert theirs["track"].nunique() == 6 and theirs["counted"].eq(1).all()
    assert any("6 were dead at the first picture" in warning for warning in found.warnings)
    table = plate_curves(found.individuals, found.counts, 0.95)[0]
    assert table["alive"].iloc[0] == pytest.approx(8 / 14, abs=1e-6)
    assert table["alive_counted"].iloc[0] == 8 / 14
    assert np.nanmax(np.abs(table["alive"] - table["alive_counted"].astype(float))) < 0.08


def test_without_an_age_they_are_dead_on_the_first_day() -> None:
    found = track_plate(late_plate(6), frames_table(14), 0.0, 14, SETTINGS)
    table, _, healthy = plate_curves(found.individuals, found.counts, 0.95)
    assert table["alive"].iloc[0] == pytest.approx(8 / 14)
    assert healthy.share[0] == pytest.approx(8 / 14) and np.isfinite(table["alive"]).all()


def test_debris_beyond_the_worms_put_on_is_no_death() -> None:
    """Nine objects and six worms missing: those of the size of a worm are taken."""
    states = late_plate(9, area=(300, 700, 5000))
    found = track_plate(states, frames_table(14), 5.0, 14, SETTINGS)
    assert (found.individuals["death_after_d"] == 0).sum() == 6
    debris = found.tracks[found.tracks["reason"] == STATIC]
    assert sorted(debris.merge(states)["area_px"].unique()) == [300, 700, 5000]
    assert debris["counted"].eq(0).all()


def test_what_has_not_the_size_of_a_worm_is_no_death_even_if_worms_are_missing() -> None:
    found = track_plate(late_plate(3, area=(300, 5000)), frames_table(14), 5.0, 14, SETTINGS)
    assert (found.individuals["death_after_d"] == 0).sum() == 1


@pytest.mark.parametrize("worms", [None, 8])
def test_a_plate_of_which_no_worm_is_missing_keeps_its_debris(worms: int | None) -> None:
    with_debris = track_plate(late_plate(6), frames_table(14), 5.0, worms, SETTINGS)
    clean = track_plate(late_plate(0), frames_table(14), 5.0, worms, SETTINGS)
    assert len(clean.individuals) == 8
    for name in ("individuals", "counts"):
        one, other = getattr(with_debris, name), getattr(clean, name)
        pd.testing.assert_frame_equal(one.drop(columns="track", errors="ignore"),
                                      other.drop(columns="track", errors="ignore"))  # fmt: skip
    assert set(with_debris.tracks["reason"]) == {"", STATIC}


def test_debris_of_a_plate_with_overlooked_worms_is_no_death() -> None:
    """Worms overlooked in most frames are not missing: the greatest count has them all."""
    states = late_plate(2)
    movers = states["p_healthy"] > 0.9
    overlooked = movers & (states["timepoint"] != 1) & (states["x_px"] < 1500)
    found = track_plate(states[~overlooked], frames_table(14), 5.0, 8, SETTINGS)
    assert not (found.individuals["death_after_d"] == 0).any()


def test_a_plate_on_which_all_were_dead_at_first_has_a_curve_of_one_fall() -> None:
    states = late_plate(6)
    corpses = states[states["y_px"] >= 9000]
    found = track_plate(corpses, frames_table(14), 5.0, 6, SETTINGS)
    table, alive, _ = plate_curves(found.individuals, found.counts, 0.95)
    assert len(found.individuals) == 6 and found.individuals["death_before_d"].eq(5).all()
    assert table["alive"].tolist() == [0.0] * 14 and alive.median()[0] == 5


def test_no_more_worms_are_counted_than_were_put_on() -> None:
    rows = [(t, 100.0 * k, 50.0, HEALTHY) for t in range(14) for k in range(1, 4 + (t % 2))]
    states = states_table([*worm_that_dies(), *rows])
    loose = track_plate(states, frames_table(14), 0.0, None, SETTINGS)
    found = track_plate(states, frames_table(14), 0.0, 4, SETTINGS)
    assert (loose.counts["surplus"] == 0).all() and loose.counts["total"].max() == 5
    assert found.counts["total"].max() == 4
    assert (found.counts["healthy"] + found.counts["surplus"] == loose.counts["healthy"]).all()
    assert "up to 1 more: counts are limited to 4" in " ".join(found.warnings)
