import numpy as np
import pytest

from snakescope.healthspan.simulation.life_course import LifeCourse, draw_courses, live

DAYS = np.arange(0, 12, 0.5)
COURSE = LifeCourse(healthspan_end_d=5.0, death_d=7.0, length=115, width=8, restlessness=1.0)


def path(seed: int, nudge_rate: float = 0.0):  # type: ignore[no-untyped-def]
    return live(np.random.default_rng(seed), COURSE, DAYS, 1400, nudge_rate)


def steps(worms):  # type: ignore[no-untyped-def]
    places = np.array([(one.y, one.x) for one in worms])
    return np.hypot(*np.diff(places, axis=0).T)


@pytest.mark.parametrize("seed", range(8))
def test_the_healthy_leave_the_immobile_stay_the_dead_lie_still(seed: int) -> None:
    worms = path(seed)
    moved = steps(worms)
    assert np.median(moved[: int(4.5 / 0.5)]) > 100
    assert (moved[int(5.0 / 0.5) + 1 : int(7.0 / 0.5)] < 60).all()
    assert (moved[int(7.0 / 0.5) + 1 :] == 0).all()
    dead = worms[int(7.0 / 0.5) + 1 :]
    assert all(np.array_equal(one.amplitudes, dead[0].amplitudes) for one in dead)


def test_a_corpse_shrinks_and_swells_again() -> None:
    lengths = [one.length for one in path(0)]
    at_death, later, last = lengths[14], min(lengths[14:]), lengths[-1]
    assert later == pytest.approx(0.93 * at_death, rel=0.03)
    assert later < last < at_death


def test_corpses_can_be_nudged() -> None:
    assert (steps(path(0, nudge_rate=5.0))[15:] > 0).any()


def test_lives_have_the_measured_distribution() -> None:
    courses = draw_courses(np.random.default_rng(0), 4000, 13.0, 5.8)
    deaths = np.array([one.death_d for one in courses])
    immobile = deaths - np.array([one.healthspan_end_d for one in courses])
    assert np.median(deaths) == pytest.approx(12.2, abs=0.15)
    assert np.mean(immobile) == pytest.approx(1.46, abs=0.08)
    assert np.mean(immobile < 1.0) == pytest.approx(0.41, abs=0.04)
