"""Seeded watershed."""

import numpy as np

from snakescope.neurites.fragments.flooding import flood


def test_a_seed_on_a_bump_has_its_surroundings() -> None:
    # A valley of one height between walls; the second seed lies on a bump in it.
    heights = np.full((1, 3, 21), 255, np.uint8)
    heights[0, 1] = 10
    heights[0, 1, 15] = 90
    seeds = np.zeros(heights.shape, np.int32)
    seeds[0, 1, 2] = 1
    seeds[0, 1, 15] = 2
    valley = flood(heights, seeds, False)[0, 1]
    assert valley.tolist() == [1] * 9 + [2] * 12


def test_water_goes_around_before_it_goes_over() -> None:
    heights = np.zeros((1, 5, 5), np.uint8)
    heights[0, :4, 2] = 200
    seeds = np.zeros(heights.shape, np.int32)
    seeds[0, 0, 0] = 1
    assert (flood(heights, seeds.copy(), False) == 1).all()
    seeds[0, 0, 4] = 2
    left, right = np.split(flood(heights, seeds, False)[0], [2], axis=1)
    assert (left == 1).all()
    assert (right[:, 1:] == 2).all()


def test_sections_are_flooded_each_for_itself_or_together() -> None:
    heights = np.zeros((2, 3, 3), np.uint8)
    seeds = np.zeros(heights.shape, np.int32)
    seeds[0, 1, 1] = 5
    assert not flood(heights, seeds.copy(), False)[1].any()
    assert (flood(heights, seeds, True) == 5).all()
