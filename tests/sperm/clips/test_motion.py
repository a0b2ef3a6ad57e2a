"""Speeds from the background of clips that follow a head."""

import numpy as np
import pytest

from snakescope.sperm.clips.motion import FEATURES, drift, features, motion
from snakescope.sperm.simulation.drawing import draw_optics
from snakescope.sperm.simulation.settings import SimulateSettings
from snakescope.sperm.simulation.simulate import follow, followed

UM, FPS = 0.15, 16.0


@pytest.fixture(scope="module")
def swimmers() -> list[tuple[float, np.ndarray]]:
    made = []
    for number in range(10):
        one = followed(f"m{number}", "d", number, SimulateSettings())
        rng = np.random.default_rng(number)
        frames = follow(one, 1.0, FPS, draw_optics(rng, "icsi_pvp"), rng)
        made.append((one.sperm.speed, np.stack([frame.grey for frame in frames])))
    return made


def test_speeds_are_those_of_the_simulated_sperm(swimmers):
    true = np.array([speed for speed, _ in swimmers])
    found = np.array([motion(drift(clip), UM, FPS).vsl for _, clip in swimmers])
    moving = true > 2
    assert np.median(np.abs(found[moving] / true[moving] - 1)) < 0.1
    assert (found[true == 0] < 2).all()


def test_a_clip_that_does_not_move_has_no_speed():
    rng = np.random.default_rng(0)
    still = rng.integers(80, 160, (64, 64))
    clip = np.clip(still + rng.normal(0, 3, (16, 64, 64)), 0, 255).astype(np.uint8)
    found = motion(drift(clip), UM, FPS)
    assert found.vsl < 0.5 and found.vcl < 1.5


def test_a_path_there_and_back_has_a_vcl_and_no_vsl():
    shifts = np.array([[2.0, 0]] * 8 + [[-2.0, 0]] * 8)
    found = motion(shifts, 0.5, 16)
    assert found.vsl == pytest.approx(0) and found.vcl == pytest.approx(16)
    assert found.lin == pytest.approx(0)


def test_features_do_not_depend_on_the_direction(swimmers):
    _, clip = max(swimmers, key=lambda one: one[0])
    found = features(clip, UM, FPS)
    assert found.shape == (FEATURES,) and np.isfinite(found).all()
    np.testing.assert_allclose(features(np.rot90(clip, 1, (1, 2)), UM, FPS), found, atol=0.05)
