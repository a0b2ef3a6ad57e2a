"""Speeds of clips by their background, by a track of a field, and where neither can be trusted."""

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from snakescope.imaging.videos.video import write_video
from snakescope.sperm.clips import cut
from snakescope.sperm.clips.cut import CUT_OFF, LEAVES, STANDS, Window, described
from snakescope.sperm.clips.movement import DISAGREE, NO_TEXTURE, UNSEEN, movement
from snakescope.sperm.detection import detect
from snakescope.sperm.tracking import track
from snakescope.sperm.training.data import FPS, load
from snakescope.sperm.videos.settings import CutSettings
from snakescope.step.command import call

SETTINGS, UM = CutSettings(), 0.46
STEP_PX = 4.0
"""Drift of the background of a clip (px a frame): 9.6 um/s."""
SPEEDS = {60: 27.0, 200: 16.0, 340: 7.0}
"""Of three heads (um/s), by the row that they swim along (px)."""


def clip(texture: float) -> np.ndarray:
    """A head in the middle of a background that drifts, under noise."""
    rng = np.random.default_rng(1)
    scene = cv2.GaussianBlur(rng.normal(0, 1, (150, 260)).astype(np.float32), (0, 0), 2)
    y, x = np.mgrid[:150, :150]
    head = 100 * np.exp(-((x - 74.5) ** 2 + (y - 74.5) ** 2) / 200)
    frames = []
    for at in range(16):
        matrix = np.array([[1, 0, at * STEP_PX], [0, 1, 0]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(scene / scene.std(), matrix, (150, 150), flags=flags)
        frames.append(90 + texture * seen + head + rng.normal(0, 3, head.shape))
    return np.clip(frames, 0, 255).astype(np.uint8)


def along(um_s: float) -> np.ndarray:
    return np.column_stack([np.arange(16) / FPS * um_s, np.zeros(16)])


def test_a_background_of_noise_gives_no_speed():
    found, steps, flags = movement(clip(0), None, False, SETTINGS)
    assert found is None and steps == "" and flags == [NO_TEXTURE]
    row = described(Window("c", 0, np.full(16, 60.0), np.full(16, 60.0), UM), clip(0), SETTINGS)
    assert np.isnan(row["vsl_um_s"]) and NO_TEXTURE in row["flags"] and STANDS not in row["flags"]
    found, _, flags = movement(clip(20), None, False, SETTINGS)
    assert found is not None and found.vsl == pytest.approx(9.6, rel=0.05) and not flags


def test_a_track_tells_the_speed_where_the_background_says_nothing():
    found, steps, flags = movement(clip(0), along(20), False, SETTINGS)
    assert found is not None and found.vsl == pytest.approx(20) and not flags
    assert [float(one) for one in steps.split()] == pytest.approx([20 / FPS] * 15)
    assert movement(clip(0), along(20), True, SETTINGS)[2] == [UNSEEN]
    # Without a pixel size no speed is used, and nothing is asked of the field.
    places = np.full(16, 60.0), np.full(16, 60.0)
    row = described(Window("c", 0, *places, np.nan, UNSEEN), clip(0), SETTINGS)
    assert UNSEEN not in row["flags"] and "no speed" in row["flags"]


def test_two_speeds_that_disagree_are_both_told_and_none_is_given():
    found, steps, flags = movement(clip(20), along(20), False, SETTINGS)
    assert found is None and steps == ""
    assert flags == [f"{DISAGREE}: 20.0 um/s by the track and 9.4 by the background of the clip"]
    # The background of the clip confirms a field of which little is seen.
    found, _, flags = movement(clip(20), along(10), True, SETTINGS)
    assert found is not None and found.vsl == pytest.approx(10) and not flags


def test_a_network_is_told_the_movement_of_the_track(tmp_path: Path):
    cut.write_clip(tmp_path / "a.tif", clip(20), 0.15)
    items = pd.DataFrame({"path": [str(tmp_path / "a.tif")]})
    known = items.assign(steps_um=" ".join(["1.25"] * 15), vsl_um_s=20.0)
    measured, told = (load(one, 64).motion[0] for one in (items, known))
    assert measured[15] == pytest.approx(9.6 / 20, rel=0.05)
    assert told[:17] == pytest.approx(1.0) and told[17] == pytest.approx(1.0)


def test_a_head_at_the_edge_leaves_the_picture():
    x = np.linspace(60, 96, 16)
    inside = Window("c", 0, x - 30, np.full(16, 50.0), UM)
    assert not inside.leaves(100, 100)
    assert Window("c", 0, x, np.full(16, 50.0), UM).leaves(100, 100)
    assert Window("c", 0, np.full(16, 50.0), 100 - x, UM).leaves(100, 100)
    assert not Window("c", 0, np.full(16, np.nan), np.full(16, np.nan), UM).leaves(100, 100)
    assert not Window("c", 0, x, np.full(16, 50.0), np.nan).leaves(100, 100)


def field() -> list[np.ndarray]:
    """Heads that swim to the right on a faint, smooth background."""
    rng = np.random.default_rng(2)
    ground = cv2.GaussianBlur(rng.normal(0, 1, (400, 480)).astype(np.float32), (0, 0), 25)
    ground = 90 + 4 * ground / ground.std()
    y, x = np.mgrid[:400, :480]
    frames = []
    for at in range(45):
        seen = ground + rng.normal(0, 2, ground.shape)
        for row, speed in SPEEDS.items():
            place = 60 + speed * at / 30 / UM
            seen += 120 * np.exp(-((x - place) ** 2) / 40 - (y - row) ** 2 / 18)
        frames.append(np.clip(seen, 0, 255).astype(np.uint8))
    return frames


def cut_off(path: Path) -> None:
    """Break a video off after two thirds of its bytes."""
    whole = path.read_bytes()
    path.write_bytes(whole[: 2 * len(whole) // 3])


@pytest.mark.parametrize("broken", [False, True])
def test_clips_of_a_field_swim_as_their_tracks_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: bool
):
    frames = field() * (2 if broken else 1)
    monkeypatch.chdir(tmp_path)
    write_video("a.avi", frames, 30)
    if broken:
        cut_off(Path("a.avi"))
    settings = json.dumps({"weights": ""})
    call(detect, ["--video", "a.avi", "--scale", f"{UM}:", "--heads", "heads.tsv", "--drift",
                  "drift.tsv", "--settings", settings])  # fmt: skip
    call(track, ["--heads", "heads.tsv", "--drift", "drift.tsv", "--video", "a.avi", "--scale",
                 f"{UM}:", "--name", "a", "--settings", "{}", "--tracks", "tracks.tsv",
                 "--windows", "windows.tsv"])  # fmt: skip
    call(cut, ["--plan", "windows.tsv", "--folder", "clips", "--settings", "{}", "--table",
               "clips.tsv"])  # fmt: skip
    clips = pd.read_csv("clips.tsv", sep="\t", keep_default_na=False)
    assert len(clips) >= 3
    assert clips["flags"].str.contains(CUT_OFF).all() == broken
    if broken:
        return
    for row in clips.to_dict("records"):
        true = SPEEDS[min(SPEEDS, key=lambda one: abs(one - row["y_px"]))]
        assert float(row["vsl_um_s"]) == pytest.approx(true, rel=0.1, abs=0.5)
        assert STANDS not in row["flags"]


def test_a_clip_whose_head_swims_out_of_the_frame_is_flagged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.stack(field()))
    rows = [
        {"clip": name, "path": "a.npy", "start_s": 0, "x_px": x, "y_px": 60, "um_per_px": UM,
         "fps": 30, "flags": "", "moved_px": ""}
        for name, x in (("in", 100), ("out", 477))
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv("plan.tsv", sep="\t", index=False)
    call(cut, ["--plan", "plan.tsv", "--folder", "clips", "--settings", "{}", "--table",
               "clips.tsv"])  # fmt: skip
    flags = pd.read_csv("clips.tsv", sep="\t").set_index("clip")["flags"]
    assert LEAVES in flags["out"] and LEAVES not in flags["in"]
