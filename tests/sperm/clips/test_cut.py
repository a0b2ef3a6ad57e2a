"""Clips: their frames in time and place, and what is flagged."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from snakescope.imaging.videos.video import Video
from snakescope.sperm.clips.cut import (
    Window,
    crop,
    cut,
    described,
    head_offset,
    padded,
    read_clip,
    speed_error,
    write_clip,
)
from snakescope.sperm.simulation.drawing import draw_optics
from snakescope.sperm.simulation.settings import SimulateSettings
from snakescope.sperm.simulation.simulate import follow, followed
from snakescope.sperm.videos.settings import CutSettings
from snakescope.step.errors import StepError

UM = 0.15
SETTINGS = CutSettings(um_per_px=UM, size_px=96)


@pytest.fixture(scope="module")
def swimmers() -> list[np.ndarray]:
    made = []
    for number in range(6):
        rng = np.random.default_rng(number)
        one = followed(f"m{number}", "d", number, SimulateSettings())
        frames = follow(one, 1.0, 16, draw_optics(rng, "icsi_pvp"), rng)
        made.append(np.stack([frame.grey for frame in frames]))
    return made


def window(x: float = np.nan, um: float = UM, start: float = 0.0) -> Window:
    return Window("c", start, np.full(16, x), np.full(16, x), um)


def video_of(path: Path, frames: np.ndarray, fps: float = 50.0) -> Video:
    np.save(path, frames)
    return Video(path, fps)


def test_a_moving_crop_keeps_a_moving_spot_in_its_middle(tmp_path: Path):
    y, x = np.mgrid[:120, :160]
    places = 30 + 2 * np.arange(60)
    frames = np.stack(
        [40 + 180 * np.exp(-((x - place) ** 2 + (y - 60) ** 2) / 20) for place in places]
    ).astype(np.uint8)
    times = np.arange(16) / 16
    one = Window("c", 0.0, 30 + 100 * times, np.full(16, 60.0), UM)
    (made,) = cut(video_of(tmp_path / "a.npy", frames), [one], SETTINGS)
    assert made.frames.shape == (16, 96, 96)
    for frame in made.frames:
        top = np.unravel_index(frame.argmax(), frame.shape)
        assert np.abs(np.array(top) - 47.5).max() <= 1.6


def test_clips_have_the_scale_of_the_networks(tmp_path: Path):
    y, x = np.mgrid[:200, :200]
    disc = (np.hypot(y - 99.5, x - 99.5) < 20).astype(np.uint8) * 200
    video = video_of(tmp_path / "a.npy", np.repeat(disc[None], 60, 0))
    (same,) = cut(video, [window()], SETTINGS)
    (half,) = cut(video, [window(um=UM / 2)], SETTINGS)
    assert (half.frames[0] > 100).sum() == pytest.approx((same.frames[0] > 100).sum() / 4, rel=0.1)


def test_a_video_that_ends_gives_fewer_frames_and_a_flag(tmp_path: Path):
    video = video_of(tmp_path / "a.npy", np.zeros((40, 120, 120), np.uint8))
    (made,) = cut(video, [window(start=0.3)], SETTINGS)
    assert len(made.frames) < 14
    row = described(window(start=0.3), made.frames, SETTINGS)
    assert f"{len(made.frames)} frames of 16" in row["flags"]
    assert len(padded(made.frames)) == 16


def test_a_crop_that_does_not_follow_its_head_has_no_speed(swimmers):
    followed_well = [head_offset(clip, UM) * UM for clip in swimmers]
    assert max(followed_well) < SETTINGS.max_off_um
    row = described(window(), swimmers[0], SETTINGS)
    assert np.isfinite(row["vsl_um_s"]) and "follow" not in row["flags"]
    left = np.stack([np.roll(frame, 3 * at, 1) for at, frame in enumerate(swimmers[0])])
    row = described(window(), left, SETTINGS)
    assert np.isnan(row["vsl_um_s"]) and "does not follow the head" in row["flags"]


def test_without_a_pixel_size_there_is_no_speed(swimmers):
    row = described(window(um=np.nan), swimmers[0], SETTINGS)
    assert np.isnan(row["vsl_um_s"]) and "no um_per_px" in row["flags"]


def test_clips_are_read_as_they_were_written(tmp_path: Path, swimmers):
    write_clip(tmp_path / "a.tif", swimmers[0], UM)
    assert (read_clip(tmp_path / "a.tif") == swimmers[0]).all()
    write_clip(tmp_path / "b.tif", swimmers[0][:5], UM)
    with pytest.raises(StepError, match="expected 16 frames, found 5"):
        read_clip(tmp_path / "b.tif")
    with pytest.raises(StepError, match=r"remove clips.tsv of its video"):
        read_clip(tmp_path / "c.tif")


def test_a_sperm_slower_than_the_error_of_its_speed_stands():
    # Two pixels within 15 intervals of 1/16 s at 0.15 um: 0.32 um/s.
    assert speed_error(UM, 16, 16) == pytest.approx(0.32)
    still = []
    for number, speed in ((0, 0.0), (1, 0.0), (2, 0.0), (3, 0.0), (4, 0.0), (5, 8.0)):
        rng = np.random.default_rng(number)
        one = followed(f"still{number}", "d", 0, SimulateSettings())
        sperm = replace(one.sperm, speed=speed, amplitude=0.0, beat=0.0, lateral=0.0)
        frames = follow(replace(one, sperm=sperm), 1.0, 16, draw_optics(rng, "icsi_pvp"), rng)
        clip = np.stack([frame.grey for frame in frames])
        row = described(window(), clip, CutSettings(um_per_px=UM, size_px=150))
        # The crop wanders about the head by half a pixel each frame, and a few of them by more.
        assert speed - 0.6 < row["vsl_um_s"] < speed + 0.6
        still.append("stands" in row["flags"].split("; "))
    assert sum(still[:5]) >= 4 and not still[5]


def test_sperm_in_focus_are_graded_at_the_scale_of_the_paper_too(swimmers):
    rng = np.random.default_rng(1)
    for um, side in ((0.15, 150), (0.234375, 96)):
        settings = CutSettings(um_per_px=um, size_px=side)
        for clip in swimmers:
            scale = 150 / side
            seen = np.stack([crop(frame, 74.5, 74.5, scale, side) for frame in clip])
            assert "focus" not in described(window(), seen, settings)["flags"]
            blurred = np.stack([cv2.GaussianBlur(one, (0, 0), 1.0 / um) for one in seen])
            noisy = blurred + rng.normal(0, 3.5, blurred.shape)
            flags = described(window(), np.clip(noisy, 0, 255).astype(np.uint8), settings)["flags"]
            assert "out of focus" in flags
