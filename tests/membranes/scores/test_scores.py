"""V_Rand, V_Info and pixel scores, on partitions whose scores are known."""

import warnings

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from snakescope.learning.partition_scores import scores_of_table
from snakescope.membranes.scores.partitions import (
    basins,
    partition_scores,
    section_scores,
    true_cells,
)
from snakescope.membranes.scores.pixels import best_iou_threshold, counts_of, level_of, pixel_scores
from snakescope.membranes.scores.stack_scores import (
    HEIGHTS,
    Thresholds,
    best_height,
    choose_thresholds,
    means_of,
    score_sections,
)
from snakescope.membranes.simulation.settings import SimulateSettings
from snakescope.membranes.simulation.simulate import simulate


@pytest.fixture(scope="module")
def membrane() -> NDArray[np.bool_]:
    """A section of 96 x 96 px."""
    return simulate(SimulateSettings(shape=(1, 96, 96), cell_px=20), 3)[1][0] > 0


def as_bytes(membrane: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(membrane, 255, 0).astype(np.uint8)


def test_truth_against_itself_is_one(membrane: NDArray[np.bool_]) -> None:
    assert section_scores(as_bytes(membrane), true_cells(membrane), 0.5) == (1.0, 1.0)


def test_joined_basins_survive_a_gap(membrane: NDArray[np.bool_]) -> None:
    blurred = ndimage.gaussian_filter(as_bytes(membrane).astype(np.float32), 1.0)
    whole = np.rint(blurred * 255 / blurred.max()).astype(np.uint8)
    gaps = whole.copy()
    gaps[::24] = 0  # every membrane that a row crosses is open there
    pairs = [(gaps, membrane)]
    found = score_sections(pairs, choose_thresholds(pairs)).iloc[0]
    assert found["v_rand_joined"] > 0.9 > found["v_rand"] + 0.1


def test_names_of_segments_do_not_matter(membrane: NDArray[np.bool_]) -> None:
    cells = true_cells(membrane)
    blurred = ndimage.gaussian_filter(as_bytes(membrane).astype(float), 1.5) > 110
    segments = basins(~blurred)
    names = np.random.default_rng(1).permutation(segments.max()) + 1
    renamed = np.where(segments > 0, names[segments - 1], 0)
    found = partition_scores(segments, cells)
    assert partition_scores(renamed, cells) == pytest.approx(found)
    assert 0.3 < found.v_rand < 0.999


def test_one_segment_for_all() -> None:
    """Two equal cells in one segment: AB2 = A2 = 1/2, B2 = 1."""
    cells = np.repeat([[1, 2]], 8, axis=1).reshape(2, 8)
    assert partition_scores(np.ones((2, 8), int), cells) == pytest.approx((2 * 0.5 / 1.5, 0))


def test_every_pixel_for_itself() -> None:
    """A2 = 1/2, AB2 = B2 = 1/n; mutual information is that of the truth, 1 bit of 1 + log2 n."""
    cells = np.repeat([[1, 2]], 8, axis=1).reshape(2, 8)
    found = partition_scores(np.zeros((2, 8), int), cells)
    assert found == pytest.approx((2 / 16 / (0.5 + 1 / 16), 2 / (1 + 4)))


def test_lines_are_segments_of_one_pixel() -> None:
    """By hand: cell 1 is segment 5, of cell 2 three pixels are 6 and two are on a line."""
    found = scores_of_table(
        np.array([5, 6, 0]), np.array([1, 2, 2]), np.array([5, 3, 2]), singletons=0
    )
    shares = np.array([0.5, 0.3, 0.1, 0.1])
    squares = float(shares @ shares)
    assert found.v_rand == pytest.approx(2 * squares / (squares + 0.5))
    entropy = -(shares * np.log2(shares)).sum()
    assert found.v_info == pytest.approx(2 * (1 + entropy - entropy) / (1 + entropy))
    assert found.voxels == 10 and found.segments == 4
    with_zero = scores_of_table(np.array([5, 6, 0]), np.array([1, 2, 2]), np.array([5, 3, 2]))
    assert with_zero.segments == 3 and with_zero.v_rand > found.v_rand


def test_membranes_are_thinned_to_lines_of_one_pixel() -> None:
    interior = np.ones((5, 9), bool)
    interior[:, 3:6] = False
    found = basins(interior)
    assert (found[:, 4] == 0).all() and (found[:, :4] == 1).all() and (found[:, 5:] == 2).all()


def test_a_golden_section() -> None:
    """Values of an own port of the flooding of Fiji's code, to 5e-4."""
    y, x = np.mgrid[:64, :64]
    membrane = (y % 21 < 2) | (x % 17 < 2)
    probability = ndimage.gaussian_filter(membrane.astype(float), 2.0)
    probability[20:30, 30:36] *= 0.4
    found = section_scores(
        np.rint(255 * probability / probability.max()).astype(np.uint8), true_cells(membrane), 0.35
    )
    assert found == pytest.approx(GOLDEN, abs=5e-4)


GOLDEN = (0.778088, 0.935035)


def test_a_section_that_is_all_membrane_scores_nothing_without_a_warning(
    membrane: NDArray[np.bool_],
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert section_scores(as_bytes(membrane), true_cells(membrane), 0.0) == (0, 0)


def test_pixel_scores_by_hand() -> None:
    probability = np.array([[0, 51, 153, 255]], np.uint8)
    truth = np.array([[False, True, False, True]])
    counts = counts_of(probability, truth)
    assert pixel_scores(counts, 0.5) == pytest.approx((1 / 3, 0.5, 1.0))
    assert pixel_scores(counts, 0.2) == pytest.approx((2 / 3, 0.25, 1.5))
    assert pixel_scores(counts, 0.9) == pytest.approx((1 / 2, 0.25, 0.5))
    assert best_iou_threshold([counts], (0.1, 0.2, 0.5, 0.9)) == 0.1
    assert [level_of(one) for one in (0, 0.2, 0.5, 0.6, 1)] == [0, 51, 128, 153, 255]


def test_thresholds_come_from_tuning_sections(membrane: NDArray[np.bool_]) -> None:
    soft = ndimage.gaussian_filter(as_bytes(membrane).astype(float), 1.0)
    low, high = (np.rint(soft * factor).clip(0, 255).astype(np.uint8) for factor in (0.3, 1.3))
    one, other = choose_thresholds([(low, membrane)]), choose_thresholds([(high, membrane)])
    assert one.tuned and one.cells < other.cells and one.pixels < other.pixels
    assert choose_thresholds([]) == Thresholds(0.5, 0.5, 0.5, False)
    at_one = score_sections([(low, membrane)] * 2, one)
    at_other = score_sections([(low, membrane)] * 2, other)
    assert at_one["v_rand"].mean() > at_other["v_rand"].mean()
    # The official maximum does not depend on the tuning.
    assert at_one["v_rand_max"].equals(at_other["v_rand_max"])
    means = means_of(at_one)
    assert means["iou"].low <= means["iou"].value <= means["iou"].high


def test_a_height_next_to_a_loss_is_not_chosen() -> None:
    """The best height is one step from where two large cells become one."""
    means = np.full(len(HEIGHTS), 0.5)
    means[4:8] = 0.96, 0.97, 0.97, 0.98
    curve = np.repeat(means[None, :, None], 2, axis=2)
    assert best_height(curve) == HEIGHTS[6]
