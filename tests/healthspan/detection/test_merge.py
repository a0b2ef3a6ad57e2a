import numpy as np

from snakescope.healthspan.detection.detections import TileDetection
from snakescope.healthspan.detection.merge import keep_distinct
from snakescope.healthspan.detection.size_prior import SizePrior


def bar(
    top: int, left: int, length: int, score: float = 0.9, width: int = 8, cut: bool = False
) -> TileDetection:
    return TileDetection(0, 0, top, left, np.ones((width, length), bool), score, cut)


def test_the_fuller_view_of_a_worm_on_a_seam_is_kept() -> None:
    whole, cut = bar(10, 100, 110, 0.8), bar(10, 150, 60, 0.99)
    result = keep_distinct([cut, whole], 0.5)
    assert result.kept == [whole]
    assert result.duplicates == [cut]


def test_a_view_that_cuts_a_worm_gives_way_even_if_its_part_is_as_large_as_a_worm() -> None:
    long, part = bar(10, 100, 170, 0.8), bar(10, 150, 110, 0.99, cut=True)
    usual = SizePrior(contrast=150.0, area=880.0, width=8.0)
    assert keep_distinct([part, long], 0.6, usual).kept == [long]
    shorter = bar(10, 160, 90, 0.99, cut=True)
    assert keep_distinct([shorter, part], 0.6, usual).kept == [part]


def test_crossing_worms_stay_two() -> None:
    lying = bar(100, 50, 110)
    standing = TileDetection(0, 0, 50, 100, np.ones((110, 8), bool), 0.7)
    assert len(keep_distinct([lying, standing], 0.5).kept) == 2


def test_two_worms_in_one_mask_do_not_take_the_place_of_each() -> None:
    lying = bar(100, 50, 110, 0.8)
    standing = TileDetection(0, 0, 50, 100, np.ones((110, 8), bool), 0.7)
    both = np.zeros((110, 110), bool)
    both[50:58], both[:, 50:58] = True, True
    union = TileDetection(0, 0, 50, 50, both, 0.99)
    usual = SizePrior(contrast=150.0, area=900.0, width=8.0)
    assert keep_distinct([union, lying, standing], 0.6, usual).kept == [lying, standing]
    # Without knowing how large a worm is, the fuller mask wins.
    assert keep_distinct([union, lying, standing], 0.6).kept == [union]


def test_order_does_not_matter() -> None:
    objects = [bar(10, 10 * k, 100, 0.5 + 0.04 * k) for k in range(8)]
    forth = keep_distinct(objects, 0.5).kept
    back = keep_distinct(objects[::-1], 0.5).kept
    assert forth == back


def test_a_mask_of_halves_of_two_worms_that_cross_is_none_of_its_own() -> None:
    usual = SizePrior(contrast=150.0, area=880.0, width=8.0)
    lying = TileDetection(0, 0, 150, 100, np.ones((8, 110), bool), 0.98)
    standing = TileDetection(0, 0, 100, 150, np.ones((110, 8), bool), 0.97)
    corner = np.zeros((58, 58), bool)
    corner[50:, :], corner[:, 50:] = True, True
    halves = TileDetection(0, 0, 100, 100, corner, 0.9)
    beside = TileDetection(0, 0, 159, 100, np.ones((8, 110), bool), 0.9)
    distinct = keep_distinct([lying, standing, halves, beside], 0.6, usual)
    assert distinct.kept == [lying, standing, beside]
    assert distinct.duplicates == [halves]
