"""Videos that show nothing, or stand still."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from snakescope.imaging.videos.video import Video
from snakescope.sperm.detection.detect import found_in
from snakescope.sperm.detection.settings import DetectSettings
from snakescope.step.errors import StepError


def looked_at(path: Path, frames: NDArray[np.uint8]) -> list[str]:
    np.save(path, frames)
    video = Video(path, 50)
    found_in(video, DetectSettings(weights=""), 0.46)
    return video.notes


def noise(count: int = 8) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(80, 100, (count, 64, 80)).astype(np.uint8)


def test_a_video_that_shows_something_is_taken_without_a_word(tmp_path: Path) -> None:
    assert looked_at(tmp_path / "v.npy", noise()) == []


@pytest.mark.parametrize("values", [np.full(8, 7), np.arange(8)])
def test_frames_of_one_value_each_are_refused(tmp_path: Path, values: NDArray[np.integer]) -> None:
    frames = np.zeros((8, 64, 80), np.uint8) + values.astype(np.uint8)[:, None, None]
    with pytest.raises(StepError, match=r"v\.npy: .*with contrast.*each of 8; export"):
        looked_at(tmp_path / "v.npy", frames)


def test_one_picture_over_and_over_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"v\.npy: .*the first one 8 times; export"):
        looked_at(tmp_path / "v.npy", noise(1).repeat(8, 0))


def test_some_frames_of_one_value_and_copies_are_told(tmp_path: Path) -> None:
    frames = noise()
    frames[2] = 5
    frames[4:6] = frames[3]
    blank, copies = looked_at(tmp_path / "v.npy", frames)
    assert "1 of 8 frames hold one grey value" in blank
    assert "2 of 8 frames are the one before again" in copies
