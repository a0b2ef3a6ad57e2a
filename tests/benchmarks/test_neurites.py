"""The benchmarks of the neurites tree measure what they say."""

import numpy as np
import pytest

from benchmarks.neurites_evaluation import METHODS, affinities_of_outlines, tuned_scores
from benchmarks.neurites_segmentation import METHODS as MEASURED
from benchmarks.neurites_segmentation import measure
from benchmarks.neurites_volume import SyntheticVolume


def test_windows_of_the_synthetic_volume_agree() -> None:
    volume = SyntheticVolume()
    whole = volume.affinities(((0, 6), (0, 90), (0, 100)))
    part = volume.affinities(((2, 5), (33, 80), (17, 90)))
    assert np.array_equal(part, whole[:, 2:5, 33:80, 17:90])
    labels = volume.labels(((0, 6), (0, 90), (0, 100)))
    assert np.array_equal(volume.labels(((1, 3), (5, 9), (40, 77))), labels[1:3, 5:9, 40:77])
    assert 6 <= len(np.unique(labels)) <= 30


@pytest.mark.parametrize("method", MEASURED)
def test_every_method_segments_the_synthetic_volume(method: str) -> None:
    found = measure(method, (8, 96, 96), 2)
    assert found["voxels"] == 8 * 96 * 96
    assert found["arand"] < 0.3
    assert found["cpu_seconds"] > 0


def test_affinities_of_outlines_are_those_of_the_surer_voxel() -> None:
    outlines = np.zeros((2, 2, 3), np.uint8)
    outlines[1, 0, 1] = 200
    affinities = affinities_of_outlines(outlines)
    assert affinities[0, 1, 0].tolist() == [255, 55, 255]
    assert affinities[2, 1, 0].tolist() == [0, 55, 55]
    assert affinities[1, 1, 1].tolist() == [255, 55, 255]
    assert not affinities[0, 0].any() and not affinities[1, :, 0].any()


def test_the_threshold_is_chosen_on_the_training_part() -> None:
    volume = SyntheticVolume(noise=0.8)
    boxes = ((0, 8), (0, 80), (0, 80)), ((8, 16), (0, 80), (0, 80))
    train, test = ((volume.affinities(box), volume.labels(box)) for box in boxes)
    threshold, scores = tuned_scores(METHODS["distance transform, mean"], train, test)
    other = tuned_scores(METHODS["distance transform, mean"], train, (test[0], test[1] * 0 + 1))
    # What the test part is does not move the threshold.
    assert other[0] == threshold and other[1].arand > scores.arand
    assert scores.arand < 0.2
