"""Heads of all frames of a video, by several threads."""

from pathlib import Path

import numpy as np
import pandas as pd

from snakescope import REPOSITORY
from snakescope.imaging.videos.video import Video
from snakescope.sperm.detection.detect import found_in
from snakescope.sperm.detection.settings import DetectSettings


def test_threads_change_neither_heads_nor_their_order(tmp_path: Path):
    y, x = np.mgrid[:96, :128]
    frames = [90 + 140 * np.exp(-((x - 20 - 4 * at) ** 2 + (y - 40) ** 2) / 18) for at in range(20)]
    np.save(tmp_path / "a.npy", np.array(frames).astype(np.uint8))
    weights = str(REPOSITORY / "resources/models/sperm/heads.safetensors")
    one, three = (
        found_in(Video(tmp_path / "a.npy", 50), DetectSettings(weights=weights, threads=n), 0.46)
        for n in (1, 3)
    )
    pd.testing.assert_frame_equal(one, three)
    assert sorted(set(one["frame"])) == list(one["frame"]) and len(one) >= 18
    assert np.abs(one["x_px"] - (20 + 4 * one["frame"])).max() < 2
