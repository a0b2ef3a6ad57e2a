"""From tracks and counts to individuals."""

import numpy as np

from snakescope.healthspan.tracking.individuals import (
    ALIVE,
    LOST,
    MOVED_ON,
    STATIC,
    TrackHistory,
    estimated_worms,
    individuals_table,
    lost_frames,
    missing_among_static,
    reason_not_counted,
)
from snakescope.healthspan.tracking.settings import TrackSettings

TIME_H = np.arange(20) * 12.0
SETTINGS = TrackSettings()


def course(first: int, last: int, stopped: int, dead: int, seen_dead: int = 5) -> TrackHistory:
    return TrackHistory(1, first, last, stopped, dead, seen_dead, 10.0, 20.0)


def test_reasons_not_to_count_a_track() -> None:
    assert reason_not_counted(course(0, 19, 0, 0), TIME_H, SETTINGS) == STATIC
    assert reason_not_counted(course(2, 19, 2, 2), TIME_H, SETTINGS) == STATIC
    assert reason_not_counted(course(3, 19, 3, 3), TIME_H, SETTINGS) == ""
    assert reason_not_counted(course(0, 19, 0, 4), TIME_H, SETTINGS) == ""
    assert reason_not_counted(course(5, 9, 5, 10, 0), TIME_H, SETTINGS) == MOVED_ON
    assert reason_not_counted(course(5, 9, 5, 8, 2), TIME_H, SETTINGS) == MOVED_ON
    assert reason_not_counted(course(5, 12, 5, 8, 5), TIME_H, SETTINGS) == ""
    assert reason_not_counted(course(15, 19, 15, 20, 0), TIME_H, SETTINGS) == ""


def test_number_of_worms_is_not_carried_by_one_crowded_frame() -> None:
    movers = np.array([9.0, 10, 10, 10, 9, 10, 10, 17])
    assert estimated_worms(movers, np.zeros(8, np.int64), 0.8) == 10
    assert estimated_worms(np.zeros(4), np.array([0, 5, 8, 12]), 0.8) == 12


def test_a_steady_undercount_is_not_a_loss() -> None:
    alive, lost = lost_frames(np.full(12, 90.0), np.zeros(12, np.int64), 100, 5)
    assert alive == 100 and len(lost) == 0


def test_lost_worms_are_censored_when_the_count_falls() -> None:
    movers = np.array([10.0] * 8 + [7.0] * 8)
    alive, lost = lost_frames(movers, np.zeros(16, np.int64), 10, 3)
    assert alive == 7
    assert lost.tolist() == [7, 7, 7]


def test_rows_add_up_to_the_worms_put_on() -> None:
    day = np.arange(16) * 0.5
    courses = [course(4, 15, 4, 7), course(13, 15, 13, 16, 0)]
    stopped = (np.arange(16) >= 4).astype(float) + (np.arange(16) >= 13)
    movers = 6 - stopped - np.where(np.arange(16) >= 10, 2, 0)
    table = individuals_table(courses, movers, np.arange(16), day, 6, 3)
    assert len(table) == 6 and table["individual"].tolist() == [1, 2, 3, 4, 5, 6]
    assert table["censor_reason"].tolist() == ["", ALIVE, ALIVE, ALIVE, LOST, LOST]
    assert table["health_censored"].tolist() == [0, 0, 1, 1, 1, 1]
    assert table["seen_moving"].tolist() == [1] * 6
    assert table["death_after_d"].tolist() == [3.0, 7.5, 7.5, 7.5, 4.5, 4.5]


def test_stopped_in_the_first_frame_is_bounded_by_day_0() -> None:
    table = individuals_table(
        [course(0, 15, 0, 4)], np.zeros(16), np.arange(16), 5 + np.arange(16) * 0.5, 1, 3
    )
    row = table.iloc[0]
    assert (row["healthspan_end_after_d"], row["healthspan_end_before_d"]) == (0.0, 5.0)
    assert (row["death_after_d"], row["death_before_d"]) == (6.5, 7.0)
    assert row["seen_moving"] == 0


def test_a_worm_that_lay_dead_at_first_and_crawled_on_is_no_death() -> None:
    """Dead in the first two frames and then gone: it rested, and is among the movers."""
    rested, corpse = course(0, 1, 0, 0, 2), course(0, 19, 0, 0, 20)
    none = np.zeros(20, np.int64)
    both, area, movers = [rested, corpse], np.ones(2), np.full(20, 4.0)
    found = missing_among_static(both, area, movers, none, 9, SETTINGS)
    assert [(one.last, one.at_start) for one in found] == [(19, True)]


def test_a_worm_seen_immobile_before_it_lay_dead_died_between_two_frames() -> None:
    """Within the first day it is static as debris is; a worm is missing, so it is one."""
    dying, none = course(0, 19, 0, 1), np.zeros(20, np.int64)
    (found,) = missing_among_static([dying], np.ones(1), np.zeros(20), none, 1, SETTINGS)
    day = 5 + np.arange(20) * 0.5
    row = individuals_table([found], np.zeros(20), np.arange(20), day, 1, 3).iloc[0]
    assert (row["healthspan_end_after_d"], row["healthspan_end_before_d"]) == (0.0, 5.0)
    assert (row["death_after_d"], row["death_before_d"]) == (5.0, 5.5)


def test_a_worm_overlooked_in_the_first_frame_was_dead_before_as_well() -> None:
    later = TrackHistory(1, 2, 15, 2, 2, 14, 10.0, 20.0, at_start=True)
    day = 5 + np.arange(16) * 0.5
    row = individuals_table([later], np.zeros(16), np.arange(16), day, 1, 3).iloc[0]
    assert (row["healthspan_end_after_d"], row["healthspan_end_before_d"]) == (0.0, 6.0)
    assert (row["death_after_d"], row["death_before_d"]) == (0.0, 6.0)
    assert row["seen_moving"] == 0
