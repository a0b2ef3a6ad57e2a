"""Simulated composites look like their states, and no split sees what another sees."""

from dataclasses import replace

import numpy as np
import pytest

from snakescope.healthspan.simulation.life_course import DEAD, HEALTHY, IMMOBILE
from snakescope.healthspan.simulation.worm_body import Worm, midline
from snakescope.healthspan.training.composite_examples import (
    bend_end,
    coarse,
    draw_course,
    draw_examples,
    draw_scene,
    merge_touching,
    rough,
)
from snakescope.healthspan.training.example_ranges import HELD_OUT, TRAINING
from snakescope.imaging.masks import Instance

CALM = replace(
    TRAINING, missed=(0.0, 0.0), truncated=0.0, broken=0.0, merged=0.0, nudged=0.0, one_sided=0.0
)


def rng(seed=5):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("ranges", [TRAINING, HELD_OUT], ids=["training", "held out"])
def test_states_are_balanced_and_draws_repeat(ranges):
    pictures, states = draw_examples(rng(), 6, ranges)
    again, same = draw_examples(rng(), 6, ranges)
    assert pictures.shape == (18, 128, 128, 3)
    assert np.bincount(states).tolist() == [6, 6, 6]
    assert np.array_equal(pictures, again)
    assert np.array_equal(states, same)


def test_corpses_are_whiter_than_immobile_worms_than_healthy_ones():
    pictures, states = draw_examples(rng(), 25, CALM)
    before, own, after = (pictures[..., channel] > 0 for channel in range(3))
    kept = (own & (before | after)).sum(axis=(1, 2)) / own.sum(axis=(1, 2))
    healthy, immobile, dead = (np.median(kept[states == state]) for state in range(3))
    assert healthy < 0.1
    assert 0.2 < immobile < 0.75
    assert dead > 0.85


@pytest.mark.parametrize("state", [HEALTHY, IMMOBILE, DEAD])
def test_courses_are_in_the_state_that_was_asked_for(state):
    size = Worm(0, 0, 0, np.zeros(7), 110, 8)
    generator = rng()
    courses = [draw_course(generator, state, 12.0, 0.5, size, 0.3) for _ in range(50)]
    assert {one.state(12.0) for one in courses} == {state}
    assert {one.state(11.5) for one in courses} | {one.state(12.5) for one in courses} > {state}


def test_a_bent_head_leaves_the_other_end_in_place():
    worm = Worm(50, 50, 0.3, np.zeros(7), 110, 8)
    moved = np.linalg.norm(midline(bend_end(rng(), worm)) - midline(worm), axis=1)
    assert max(moved[0], moved[-1]) > 5
    assert min(moved[0], moved[-1]) < 2.5


def test_a_rough_outline_moves_by_about_its_bias():
    mask = np.zeros((30, 80), dtype=bool)
    mask[10:20, 10:70] = True
    grown = rough(rng(), mask, 0.0, 1.2)
    shrunk = rough(rng(), mask, 0.0, -1.2)
    assert shrunk.sum() < mask.sum() < grown.sum()
    assert not (mask & ~grown).any()
    assert (rough(rng(), mask, 1.0, 0.0) != mask).sum() > 40


def test_coarse_pixels_keep_the_place():
    mask = np.zeros((40, 90), dtype=bool)
    mask[12:22, 10:70] = True
    seen = coarse(mask, 3.0)
    assert seen.shape == mask.shape
    assert (seen & mask).sum() / (seen | mask).sum() > 0.7


def square(left, identifier):
    return Instance(0, identifier, 0, left, np.ones((10, 10), dtype=bool), 1.0)


def test_only_worms_that_touch_are_drawn_as_one():
    found = [square(0, 0), square(5, 1), square(40, 2)]
    kept, merged = merge_touching(rng(), found, 1.0)
    assert [(one.identifier, one.area) for one in kept] == [(0, 150), (2, 100)]
    assert merged == {0}
    assert merge_touching(rng(), found, 0.0) == (found, set())


def test_worms_drawn_as_one_have_no_state():
    crowded = replace(CALM, worms=(20, 20), radius_px=(60.0, 60.0), merged=1.0)
    frames, states = draw_scene(rng(), crowded)
    assert len(frames[1]) == len(states)
    assert -1 in states
