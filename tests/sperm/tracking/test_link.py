"""Heads linked to tracks; speeds of known paths; windows that follow a track."""

import numpy as np
import pytest

from snakescope.sperm.clips.movement import UNSEEN
from snakescope.sperm.tracking.link import kinematics, link, path
from snakescope.sperm.tracking.settings import TrackSettings
from snakescope.sperm.tracking.track import windows_of

FPS, UM = 50.0, 0.5
SETTINGS = TrackSettings()


def swimmers(frames: int = 60) -> list[np.ndarray]:
    """Two that cross and one that stands; the first is not found for four frames."""
    found = []
    for time in range(frames):
        places = [(10 + 2 * time, 100.0), (130 - 2 * time, 110.0), (60.0, 200.0)]
        found.append(np.array(places[1:] if 20 <= time < 24 else places))
    return found


def test_heads_that_cross_and_are_not_found_for_a_while_keep_their_track():
    tracks = link(swimmers(), FPS, UM, SETTINGS)
    assert len(tracks) == 3
    first = next(one for one in tracks if one.places[0] == (10.0, 100.0))
    frames, places = path(first)
    assert len(first.frames) == 56 and len(frames) == 60
    np.testing.assert_allclose(places[:, 0], 10 + 2 * frames)


def test_heads_that_meet_unseen_are_not_swapped():
    """Head-on at 40 um/s each, both lost for a fifth of a second."""
    for fps in (50.0, 100.0):
        step, count = 40 / fps / UM, int(2 * fps)
        time = np.arange(count)
        right, left = 100 + step * time, 100 + step * (count - time)
        heads = [np.array([[one, 80.0], [other, 83.0]])
                 for one, other in zip(right, left, strict=True)]  # fmt: skip
        middle = range(count // 2 - int(0.1 * fps), count // 2 + int(0.1 * fps))
        heads = [np.zeros((0, 2)) if at in middle else one for at, one in enumerate(heads)]
        tracks = link(heads, fps, UM, SETTINGS)
        assert len(tracks) == 2
        for one in tracks:
            assert kinematics(path(one)[1], fps, UM, 0.1).vsl == pytest.approx(40, rel=0.07)


@pytest.mark.parametrize(("gone", "tracks"), [(15, 1), (17, 2)])
def test_a_head_may_be_lost_for_three_tenths_of_a_second(gone: int, tracks: int):
    heads = [np.array([[10.0 + 0.1 * time, 50.0]]) for time in range(80)]
    heads[40 : 40 + gone - 1] = [np.zeros((0, 2))] * (gone - 1)
    assert len(link(heads, FPS, UM, TrackSettings(min_track_s=0.4))) == tracks


def test_a_head_does_not_jump_farther_than_the_fastest_sperm():
    heads = [np.array([[10.0, 10.0]])] * 30 + [np.array([[90.0, 90.0]])] * 30
    tracks = link(heads, FPS, UM, SETTINGS)
    assert [one.frames[0] for one in tracks] == [0, 30]


def test_speeds_of_known_paths():
    time = np.arange(51) / 50
    straight = np.column_stack([20 * time, np.zeros(51)]) / UM
    found = kinematics(straight, FPS, UM, 0.1)
    assert found.vsl == pytest.approx(20, rel=0.06) and found.lin == pytest.approx(1, abs=0.02)
    circle = np.column_stack([np.cos(2 * np.pi * time), np.sin(2 * np.pi * time)]) * 10 / UM
    found = kinematics(circle, FPS, UM, 0.1)
    assert found.vsl < 3 and found.vcl == pytest.approx(2 * np.pi * 10, rel=0.05)


def test_windows_follow_their_track_and_tell_of_another_head():
    tracks = link(swimmers(), FPS, UM, SETTINGS)
    names = [f"v_{at}" for at in range(3)]
    drift = np.column_stack([np.arange(200.0), np.zeros(200)])
    seen = np.ones(200, bool)
    table = windows_of(tracks, names, "v.avi", FPS, "", UM, SETTINGS, drift, seen)
    by_clip = table.set_index("clip")
    still = by_clip[by_clip["x_px"].str.startswith("60.00 60.00")]
    assert len(table) == 3 and len(still) == 1 and still["flags"].item() == ""
    assert (by_clip.drop(still.index)["flags"] == "two heads").all()
    x = np.array(by_clip.drop(still.index)["x_px"].iloc[0].split(), float)
    assert len(x) == 16 and np.allclose(np.abs(np.diff(x)), 2 * FPS / 16, atol=0.6)
    # What stands in the picture moves against a background that drifts by a pixel a frame.
    moved = np.array(still["moved_px"].item().split(), float).reshape(16, 2)
    assert np.allclose(np.diff(moved, axis=0), [-FPS / 16, 0], atol=0.01)
    seen[10] = False
    table = windows_of(tracks, names, "v.avi", FPS, "", UM, SETTINGS, drift, seen)
    assert table["flags"].str.contains(UNSEEN).all()
