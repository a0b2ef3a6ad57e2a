"""Heads as peaks and blobs, and how they are matched with the truth."""

import numpy as np
import pytest

from snakescope.sperm.detection.heads import ByBlobs, f_score, matched, peaks, plausible
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


def spots(*found: tuple[float, float, float], shape: tuple[int, int] = (60, 160)):
    """Light (Y, X): Gaussians of height, place along x, and SD (px)."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return sum(
        top * np.exp(-((x - at) ** 2 + (y - 30) ** 2) / (2 * sd**2)) for top, at, sd in found
    )


EVERY = DetectSettings(least_brightness=0, least_size_um2=0, most_size_um2=1e6, most_darkness=1e6)


def test_faint_peaks_go_whatever_the_gain_of_the_camera():
    light = spots((100, 20, 3), (90, 60, 3), (30, 100, 3))
    heads = np.array([[20.0, 30, 0.9], [60, 30, 0.5], [100, 30, 0.3]])
    wanted = EVERY.model_copy(update={"least_brightness": 0.55})
    for gain in (0.5, 1.4):
        frame = (80 + gain * light).astype(np.uint8)
        assert list(plausible(heads, frame, wanted)[:, 0]) == [20, 60]
        assert len(plausible(heads, frame, EVERY)) == 3
    unsure = heads * np.array([1, 1, 0.3])
    assert len(plausible(unsure, frame, wanted)) == 3


def test_grains_lumps_and_dark_debris_are_no_heads():
    # A head, a grain of 2 um2, a lump of 35 um2, and a bright spot in a dark ring.
    light = spots((100, 20, 3), (220, 60, 0.8), (90, 100, 6.5), (150, 140, 3), (-110, 140, 4))
    heads = np.array([[20.0, 30, 0.9], [60, 30, 0.8], [100, 30, 0.7], [140, 30, 0.6]])
    frame = np.clip(110 + light, 0, 255).astype(np.uint8)
    ring = frame.copy()
    y, x = np.mgrid[: frame.shape[0], : frame.shape[1]]
    ring[(abs(np.hypot(x - 140, y - 30) - 4) < 1.2)] = 30
    kept = {
        name: set(plausible(heads, ring, EVERY.model_copy(update={name: value}))[:, 0].tolist())
        for name, value in (
            ("least_size_um2", 4.2), ("most_size_um2", 21.0), ("most_darkness", 0.35),
        )
    }  # fmt: skip
    assert 60 not in kept["least_size_um2"] and 20 in kept["least_size_um2"]
    assert 100 not in kept["most_size_um2"] and 20 in kept["most_size_um2"]
    assert 140 not in kept["most_darkness"] and 20 in kept["most_darkness"]
    assert plausible(heads, ring, DetectSettings())[:, 0].tolist() == [20]
