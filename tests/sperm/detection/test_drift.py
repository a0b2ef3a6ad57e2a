"""The drift of a field, followed while its frames are read."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from snakescope.sperm.detection.drift import EVERY, Drift, read_drift, read_seen
from snakescope.step.tables import write_table


def moving(count: int, step: float) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    whole = cv2.GaussianBlur(rng.normal(120, 60, (160, 260)).astype(np.float32), (0, 0), 1.5)
    made = []
    for at in range(count):
        matrix = np.array([[1, 0, 20 + at * step], [0, 1, 10]])
        frame = cv2.warpAffine(whole, matrix, (200, 140), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)  # fmt: skip # noqa: E501
        made.append(np.clip(frame, 0, 255).astype(np.uint8))
    return made


def test_the_field_is_followed_and_frames_pass(tmp_path: Path) -> None:
    frames, drift = moving(3 * EVERY + 1, -0.2), Drift()
    assert all(a is b for a, b in zip(drift.at(iter(frames)), frames, strict=True))
    write_table(tmp_path / "drift.tsv", drift.table())
    found = read_drift(tmp_path / "drift.tsv", len(frames))
    assert np.allclose(found[:, 0], 0.2 * np.arange(len(frames)), atol=1.4)
    assert np.abs(found[:, 1]).max() < 0.2


def test_a_field_that_stands_does_not_drift_by_noise(tmp_path: Path) -> None:
    drift = Drift()
    list(drift.at(iter(moving(2 * EVERY + 1, 0.0))))
    assert not drift.table()[["x_px", "y_px"]].to_numpy().any()


def test_a_head_that_swims_does_not_move_a_field_of_noise(tmp_path: Path) -> None:
    y, x = np.mgrid[:420, :600]
    rng, drift, frames = np.random.default_rng(4), Drift(), []
    for at in range(2 * EVERY + 1):
        head = 120 * np.exp(-((x - 40 - 2 * at) ** 2 + (y - 70) ** 2) / 30)
        frames.append(np.clip(90 + head + rng.normal(0, 2, x.shape), 0, 255).astype(np.uint8))
    list(drift.at(iter(frames)))
    assert not drift.table()[["x_px", "y_px"]].to_numpy().any()
    write_table(tmp_path / "drift.tsv", drift.table())
    assert not read_seen(tmp_path / "drift.tsv", len(frames))[1:].any()
    still = Drift()
    list(still.at(iter(moving(2 * EVERY + 1, 0.0))))
    write_table(tmp_path / "drift.tsv", still.table())
    assert read_seen(tmp_path / "drift.tsv", len(frames)).all()


def test_a_video_of_one_frame_has_no_drift(tmp_path: Path) -> None:
    write_table(tmp_path / "drift.tsv", Drift().table())
    assert read_drift(tmp_path / "drift.tsv", 1).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("dark", [(0,), (EVERY,), (EVERY, 2 * EVERY), (4 * EVERY,)])
def test_a_frame_without_light_is_no_jump(tmp_path: Path, dark: tuple[int, ...]) -> None:
    frames, drift = moving(4 * EVERY + 1, -0.2), Drift()
    noise = np.random.default_rng(2).integers(0, 3, (2, *frames[0].shape), np.uint8)
    for at in dark:
        frames[at] = noise[at // EVERY % 2] * (at != EVERY)
    list(drift.at(iter(frames)))
    write_table(tmp_path / "drift.tsv", drift.table())
    found = read_drift(tmp_path / "drift.tsv", len(frames))
    # What moved while nothing was seen before and after is not known.
    missed = 0.2 * EVERY if dark[0] == 0 else 0.0
    if dark[0] < 4 * EVERY:
        assert abs(found[-1, 0] - (0.2 * 4 * EVERY - missed)) < 1.6
    assert np.abs(found).max() < 0.2 * 4 * EVERY + 0.5
