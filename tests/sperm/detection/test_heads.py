"""Heads as peaks and blobs, and how they are matched with the truth."""

import numpy as np
import pytest

from snakescope.sperm.detection.heads import ByBlobs, bright, f_score, matched, peaks
from snakescope.sperm.detection.settings import DetectSettings


def test_peaks_have_subpixel_places_and_keep_their_distance():
    y, x = np.mgrid[:40, :40]
    bump = np.exp(-((x - 10.3) ** 2 + (y - 20.2) ** 2) / 4).astype(np.float32)
    found = peaks(np.maximum(bump, 0.4 * np.roll(bump, 3, 1)), 0.1, 8)
    assert found.shape == (1, 3) and np.hypot(found[0, 0] - 10.3, found[0, 1] - 20.2) < 0.5


def test_heads_are_matched_one_to_one_within_the_gate():
    found = np.array([[10.0, 10, 1], [11, 10, 1], [50, 50, 1]])
    truth = np.array([[10.0, 12], [90, 90]])
    assert matched(found, truth, 10) == (1, 2, 1)
    assert matched(np.zeros((0, 3)), truth, 10) == (0, 0, 2)
    assert f_score([(1, 2, 1), (3, 0, 0)]) == pytest.approx(8 / 11)


def test_blobs_find_bright_heads():
    y, x = np.mgrid[:80, :80]
    frame = 90 + 120 * np.exp(-((x - 30) ** 2 + (y - 40) ** 2) / 18)
    found = ByBlobs(DetectSettings(weights=""), 0.46)(frame.astype(np.uint8))
    assert len(found) == 1 and np.hypot(found[0, 0] - 30, found[0, 1] - 40) < 1


def test_faint_peaks_go_whatever_the_gain_of_the_camera():
    y, x = np.mgrid[:60, :120]
    spots = ((20, 100), (60, 90), (100, 30))
    light = sum(top * np.exp(-((x - at) ** 2 + (y - 30) ** 2) / 18) for at, top in spots)
    heads = np.array([[20.0, 30, 0.9], [60, 30, 0.5], [100, 30, 0.3]])
    for gain in (0.5, 1.4):
        frame = (80 + gain * light).astype(np.uint8)
        assert list(bright(heads, frame, 0.55)[:, 0]) == [20, 60]
        assert len(bright(heads, frame, 0)) == 3
    unsure = heads * np.array([1, 1, 0.3])
    assert len(bright(unsure, frame, 0.55)) == 3
