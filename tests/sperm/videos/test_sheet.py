"""Sheets of videos and clips: what is wrong with them is said in one sentence."""

from pathlib import Path

import numpy as np
import pytest

from snakescope.sperm.settings import SpermSettings
from snakescope.sperm.tree import Sperm
from snakescope.sperm.videos.sheet import FILES
from snakescope.step.errors import StepError

VIDEOS = "video\tpath\tdonor\tum_per_px\tfps\n"
CLIPS = "clip\tvideo\tfile\tdonor\tstart_s\tfps\tA\tB\tC\tD\tE\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "one"):
        np.save(f"{name}.npy", np.full((20, 24, 24), 90, np.uint8))
    return tmp_path


def opened(videos: str, clips: str = "", **settings: object) -> tuple[Sperm, list[str]]:
    Path("videos.tsv").write_text(VIDEOS + videos)
    given = {"sheet": "videos.tsv", **settings}
    if clips:
        Path("clips.tsv").write_text(CLIPS + clips)
        given["clips_sheet"] = "clips.tsv"
    said: list[str] = []
    tree = Sperm(SpermSettings.model_validate(given), scans=True, warn=said.append)
    tree.open()
    return tree, said


def test_clips_of_videos_and_files_become_items(folder):
    tree, said = opened(
        "v1\ta.npy\td1\t0.2\t16\nv2\tb.npy\td2\t\t16\n",
        "c1\tv1\t\t\t0\t\t30\t10\t0\t0\t0\nc2\tv2\t\t\t0\t\t20\t20\t0\t0\t0\n"
        "c3\t\tone.npy\td3\t0\t16\t0\t0\t0\t0\t40\nc4\tv1\t\t\t0\t\t\t\t\t\t\n",
        splits={"folds": 3},
    )
    assert not tree.problems
    items = (folder / "results/sperm/cross_validation/manifest/items.tsv").read_text().split("\n")
    assert items[0].split("\t") == ["item", "group", "class", "path", "truth", "device"]
    rows = {line.split("\t")[0]: line.split("\t") for line in items[1:-1]}
    assert rows["c3"][1:5] == ["d3", "D", f"results/sperm/{FILES}/clips/c3.tif", "0 0 0 0 40"] or (
        rows["c3"][2] in "BCD"
    )
    assert set(rows) == {"c1", "c2", "c3"}  # no one graded c4: it is cut, and not trained on
    plan = (folder / "results/sperm/v1/manifest/clips.tsv").read_text()
    assert "c4" in plan and "a.npy" in plan
    assert any("no um_per_px" in note for note in said)


def test_what_is_wrong_with_a_video_stops_that_video_only(folder):
    tree, _ = opened("v1\ta.npy\td1\t0.2\t16\nv2\tnone.avi\td2\t0.2\t\nv3\tb.npy\td3\t0.2\t5\n")
    assert list(tree.subjects) == ["v1"]
    assert "expected a video, found no such file" in tree.problems["v2"]
    assert "expected at least 14 frames per second, found 5" in tree.problems["v3"]


def test_a_video_of_two_donors_is_refused(folder):
    tree, _ = opened("v1\ta.npy\td1\t0.2\t16\nv2\ta.npy\td2\t0.2\t16\n")
    assert "expected one donor of a.npy, found d1 here, d2 for video v2" in tree.problems["v1"]


def test_a_video_without_times_needs_a_rate(folder):
    tree, _ = opened("v1\ta.npy\td1\t0.2\t\n")
    assert "give the frames per second in the column fps" in tree.problems["v1"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("c1\tv1\t\t\t0\t\t0\t0\t0\t0\t0\n", "votes that sum to 0"),
        ("c1\tv9\t\t\t0\t\t1\t0\t0\t0\t0\n", "expected a video of videos.tsv, found 'v9'"),
        ("c1\tv1\tone.npy\t\t0\t\t1\t0\t0\t0\t0\n", "either a video of the sheet or a file"),
        ("c1\t\tone.npy\t\t0\t16\t1\t0\t0\t0\t0\n", "a donor of a clip that is a file"),
        ("c1\tv1\t\t\t0\t\t-1\t0\t0\t0\t2\n", "column A"),
    ],
)
def test_bad_clips_give_one_sentence(folder, row: str, words: str):
    with pytest.raises(StepError, match=words) as found:
        opened("v1\ta.npy\td1\t0.2\t16\n", row)
    assert "clips.tsv" in str(found.value)


def test_fewer_donors_than_folds_is_said(folder):
    _, said = opened("v1\ta.npy\td1\t0.2\t16\n", "c1\tv1\t\t\t0\t\t1\t0\t0\t0\t0\n")
    assert any("graded clips of at least 5 donors, found 1" in note for note in said)


def test_votes_that_may_be_thousands_are_refused(folder: Path):
    row = "a.npy\td1\t0.15\t16\n"
    with pytest.raises(StepError, match=r"found '1\.000', which may be 1 or 1000"):
        opened(f"v\t{row}", "c\tv\t\t\t0\t\t1.000\t0\t0\t0\t1\n")
