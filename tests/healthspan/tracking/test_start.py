"""A lump of debris that the detector takes for a worm late in the series is no death."""

import numpy as np
import pandas as pd
import pytest

from snakescope.healthspan.review.corrected_tables import usable_frames
from snakescope.healthspan.review.histories import machine_courses
from snakescope.healthspan.tracking.settings import TrackSettings
from snakescope.healthspan.tracking.track import track_plate

FRAMES, INTERVAL_H, WORMS = 12, 24.0, 4


def plate(first: int, contrast: float, correlation: float = 0.9) -> tuple[pd.DataFrame, ...]:
    """Four movers in every frame, and from ``first`` on something that lies still, dead."""
    rng = np.random.default_rng(0)
    rows = []
    for timepoint in range(FRAMES):
        for worm in range(WORMS):
            y, x = rng.uniform(1000, 3000, 2)
            rows.append((timepoint, 1000 * timepoint + worm, y, x, 0.96, 0.03, 0.01, "healthy",
                         0.0, 0.0))  # fmt: skip
        if timepoint >= first:
            rows.append((timepoint, 1000 * timepoint + WORMS, 200.0, 200.0, 0.01, 0.09, 0.9, "dead",
                         correlation, contrast))  # fmt: skip
    columns = ["timepoint", "instance", "y_px", "x_px", "p_healthy", "p_immobile", "p_dead",
               "state", "start_correlation", "start_contrast"]  # fmt: skip
    states = pd.DataFrame(rows, columns=columns).assign(area_px=800.0)
    frames = pd.DataFrame(
        {"timepoint": range(FRAMES), "time_h": np.arange(FRAMES) * INTERVAL_H,
         "status": "registered"}
    )  # fmt: skip
    return states, frames


def deaths(found) -> int:
    return int((found.individuals["death_censored"] == 0).sum())


def test_what_looked_the_same_in_the_first_frames_is_static_from_the_start():
    found = track_plate(*plate(5, contrast=0.8), 0.0, WORMS, TrackSettings())
    assert deaths(found) == 0
    assert found.tracks["reason"].unique().tolist() == ["static from the start"]
    assert found.counts["alive"].tolist() == [WORMS] * FRAMES


@pytest.mark.parametrize(("contrast", "correlation"), [(0.03, 0.9), (0.8, 0.2)])
def test_a_worm_that_came_and_died_is_a_death(contrast, correlation):
    found = track_plate(*plate(5, contrast, correlation), 0.0, WORMS + 1, TrackSettings())
    assert deaths(found) == 1


def test_without_the_comparison_it_is_a_death():
    states, frames = plate(5, contrast=0.8)
    bare = states.drop(columns=["start_correlation", "start_contrast"])
    assert deaths(track_plate(bare, frames, 0.0, None, TrackSettings())) == 1


def test_a_missing_worm_that_lay_there_from_the_start_was_dead_then():
    found = track_plate(*plate(5, contrast=0.8), 0.0, WORMS + 1, TrackSettings())
    assert deaths(found) == 1
    assert found.tracks["reason"].unique().tolist() == ["dead from the start"]
    one = found.individuals.query("death_censored == 0").iloc[0]
    assert one["death_before_d"] == 0


def test_a_plate_that_was_started_with_dead_worms_counts_them():
    settings = TrackSettings(count_dead_at_start=True)
    assert deaths(track_plate(*plate(5, contrast=0.8), 0.0, None, settings)) == 1


@pytest.mark.parametrize("number", [None, WORMS + 1])
def test_a_paralysed_worm_that_moved_on_the_spot_lives_until_it_dies(number):
    states, frames = plate(0, contrast=0.8)
    own, moving = states["y_px"] == 200, states["timepoint"] < 6
    states.loc[own & moving, ["p_healthy", "p_immobile", "p_dead"]] = 0.96, 0.03, 0.01
    states.loc[own & (states["timepoint"] < 2), ["start_correlation", "start_contrast"]] = np.nan
    found = track_plate(states, frames, 0.0, number, TrackSettings())
    death = found.individuals.query("death_censored == 0")
    assert death[["death_after_d", "death_before_d"]].to_numpy().tolist() == [[5.0, 6.0]]
    assert found.counts["alive"].tolist() == [WORMS + 1] * 6 + [WORMS] * (FRAMES - 6)


def test_debris_that_is_seen_for_some_days_only_is_static_and_no_worm_that_moved_on():
    states, frames = plate(3, contrast=0.8)
    some = states[(states["y_px"] != 200) | (states["timepoint"] < 7)].copy()
    dead = some["y_px"] == 200
    some.loc[dead, ["p_healthy", "p_immobile", "p_dead"]] = 0.01, 0.9, 0.09
    found = track_plate(some, frames, 0.0, WORMS, TrackSettings())
    assert found.tracks["reason"].unique().tolist() == ["static from the start"]
    assert found.counts["alive"].tolist() == [WORMS] * FRAMES


def test_the_movers_of_a_plate_stay_where_a_person_says_that_such_debris_is_no_worm():
    states, frames = plate(3, contrast=0.8)
    some = states[(states["y_px"] != 200) | (states["timepoint"] < 7)].copy()
    dead = some["y_px"] == 200
    some.loc[dead, ["p_healthy", "p_immobile", "p_dead"]] = 0.01, 0.9, 0.09
    found = track_plate(some, frames, 0.0, None, TrackSettings())
    own = usable_frames(found.counts)
    (course,) = machine_courses(found.tracks, found.individuals, own).values()
    assert not course.is_mover(np.arange(3, 7)).any()


def test_a_single_sighting_of_it_is_no_mover():
    states, frames = plate(5, contrast=0.8)
    once = states[(states["area_px"] > 0) & ((states["y_px"] != 200) | (states["timepoint"] == 7))]
    once = once.assign(p_healthy=0.96, p_immobile=0.03, p_dead=0.01, state="healthy")
    found = track_plate(once, frames, 0.0, None, TrackSettings())
    assert found.counts["healthy"].tolist() == [WORMS] * FRAMES
