"""Videos of every format give the same grey frames and times; bad ones a sentence."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from snakescope.imaging.videos.video import Video, check_rate, sampled, write_video
from snakescope.step.errors import StepError


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:64, :80]
    made = []
    for time in range(24):
        blob = 120 * np.exp(-((y - 32) ** 2 + (x - 10 - 2 * time) ** 2) / 60)
        made.append(np.clip(60 + blob + rng.normal(0, 2, blob.shape), 0, 255).astype(np.uint8))
    return made


@pytest.mark.parametrize("name", ["a.avi", "a.mkv", "a.mp4", "a.mov", "a.tif", "a.npy", "folder"])
def test_every_format_gives_the_same_frames(name: str, frames, tmp_path: Path):
    path = tmp_path / name
    rate = 25.0
    if name in ("a.avi", "a.mkv"):
        write_video(path, frames, rate)
    elif name in ("a.mp4", "a.mov"):
        write_video(path, frames, rate, codec="libx264")
    elif name == "a.tif":
        tifffile.imwrite(path, np.stack(frames))
    elif name == "a.npy":
        np.save(path, np.stack(frames))
    else:
        path.mkdir()
        for number, frame in enumerate(frames):
            cv2.imwrite(str(path / f"frame_{number}.png"), frame)
    video = Video(path, None if "." in name and name[2:] not in ("tif", "npy") else rate)
    found = list(video.frames())
    assert len(video) == len(found) == 24 and (video.height, video.width) == (64, 80)
    np.testing.assert_allclose(video.times_s, np.arange(24) / rate, atol=1e-3)
    worst = max(
        float(np.sqrt(np.mean((a * 1.0 - b) ** 2))) for a, b in zip(found, frames, strict=True)
    )
    assert worst <= (3 if "m" in name[2:] and "mkv" not in name else 0)
    assert [one.tolist() for one in video.frames(5, 7)] == [one.tolist() for one in found[5:7]]


def test_equal_frames_give_equal_files(frames, tmp_path: Path):
    for name in ("a.avi", "b.avi"):
        write_video(tmp_path / name, frames, 25)
    assert (tmp_path / "a.avi").read_bytes() == (tmp_path / "b.avi").read_bytes()


@pytest.mark.parametrize("fps", [16, 25, 30, 50, 60])
def test_the_frames_nearest_in_time_are_taken(fps: int):
    times = np.arange(2 * fps) / fps
    chosen = sampled(times, 0.5, 16, 16)
    assert len(chosen) == 16
    wanted = 0.5 + np.arange(16) / 16
    assert np.abs(times[chosen] - wanted).max() <= 0.5 / fps + 1e-9
    assert len(sampled(times, 1.5, 16, 16)) == 8 + (fps == 16) * 0


def test_a_video_that_breaks_off_gives_the_frames_before_the_fault(frames, tmp_path: Path):
    write_video(tmp_path / "whole.avi", frames, 25)
    data = (tmp_path / "whole.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(data[: int(0.6 * len(data))])
    video = Video(tmp_path / "cut.avi")
    found = list(video.frames())
    assert 8 < len(found) < 20
    assert [one.tolist() for one in found] == [one.tolist() for one in frames[: len(found)]]
    assert any("up to the fault" in note for note in video.notes)


def test_a_video_with_fewer_frames_than_its_header_states_is_noted(frames, tmp_path: Path):
    write_video(tmp_path / "whole.avi", frames, 25)
    whole = (tmp_path / "whole.avi").read_bytes()
    assert Video(tmp_path / "whole.avi").notes == []
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    video = Video(tmp_path / "cut.avi")
    assert 0 < len(video) < len(frames)
    assert f"the {len(frames)} frames that its header states" in video.notes[0]


def test_bad_videos_give_one_sentence(frames, tmp_path: Path):
    (tmp_path / "text.avi").write_text("no video")
    (tmp_path / "a.gif").write_text("")
    (tmp_path / "empty").mkdir()
    np.save(tmp_path / "stack.npy", np.stack(frames))
    for path, words in (
        ("none.avi", "found no such file"),
        ("text.avi", "found something else"),
        ("a.gif", "found .gif; convert it"),
        ("empty", "expected frames"),
        ("stack.npy", "give the frames per second in the column fps"),
    ):
        with pytest.raises(StepError, match=words):
            Video(tmp_path / path)
    np.save(tmp_path / "flat.npy", frames[0])
    with pytest.raises(StepError, match="expected frames"):
        Video(tmp_path / "flat.npy", 16)


def test_slow_and_uneven_videos_are_refused(frames, tmp_path: Path):
    np.save(tmp_path / "a.npy", np.stack(frames))
    check_rate(Video(tmp_path / "a.npy", 14.5), 16)
    with pytest.raises(StepError, match=r"expected at least 14 frames per second, found 10"):
        check_rate(Video(tmp_path / "a.npy", 10), 16)
    uneven = Video(tmp_path / "a.npy", 30)
    uneven.times_s = np.cumsum(np.where(np.arange(24) % 3 == 0, 0.06, 0.03))
    with pytest.raises(StepError, match="variable frame rate"):
        check_rate(uneven, 16)


def test_a_rate_in_place_of_varying_timestamps_is_told(frames, tmp_path: Path, monkeypatch):
    """A rate of the sheet does not mend frames that were dropped."""
    times = np.delete(np.arange(36) / 50, np.arange(2, 36, 3))
    (tmp_path / "a.mkv").touch()
    monkeypatch.setattr(Video, "_open_container", lambda self: (24, times))
    (note,) = Video(tmp_path / "a.mkv", 50).notes
    assert "where frames were dropped, all speeds are wrong" in note
    monkeypatch.setattr(Video, "_open_container", lambda self: (24, np.arange(24) / 30))
    assert not Video(tmp_path / "a.mkv", 50).notes


def test_colour_and_deep_grey_values_are_noted(frames, tmp_path: Path):
    colour = [np.dstack([one, one // 2, one // 3]) for one in frames]
    write_video(tmp_path / "a.avi", colour, 25)
    video = Video(tmp_path / "a.avi")
    assert next(iter(video.frames())).ndim == 2
    list(video.frames())
    assert any("a colour video" in note for note in video.notes)
    tifffile.imwrite(tmp_path / "deep.tif", np.stack(frames).astype(np.uint16) * 16)
    deep = Video(tmp_path / "deep.tif", 25)
    first = next(iter(deep.frames()))
    assert first.dtype == np.uint8 and first.max() == 255
    assert any("uint16" in note for note in deep.notes)
