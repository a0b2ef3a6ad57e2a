"""Dishes of a sheet, who grades their sperm, and what a run makes of them."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from snakescope.imaging.videos.video import write_video
from snakescope.sperm.settings import SpermSettings
from snakescope.sperm.tree import Sperm
from snakescope.sperm.videos.sheet import FILES
from snakescope.step.errors import StepError

VIDEOS = "video\tpath\tdonor\tdish\tfps\n"
CLIPS = "clip\tvideo\tfile\tdonor\tdish\tfps\tA\tE\n"
BOTH = "v1\ta.npy\td1\tmonday\t16\nv2\tb.npy\td1\tmonday\t16\nv3\tc.npy\td2\t\t16\n"


def opened(videos: str, clips: str = "", **settings: object) -> Sperm:
    for name in ("a", "b", "c", "one"):
        np.save(f"{name}.npy", np.full((20, 24, 24), 90, np.uint8))
    Path("videos.tsv").write_text(VIDEOS + videos)
    given = {"sheet": "videos.tsv", **settings}
    if clips:
        Path("clips.tsv").write_text(CLIPS + clips)
        given["clips_sheet"] = "clips.tsv"
    tree = Sperm(SpermSettings.model_validate(given), scans=True, warn=lambda text: None)
    tree.open()
    return tree


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_videos_of_a_dish_are_ranked_together():
    tree = opened(BOTH, "c1\t\tone.npy\td3\ttuesday\t16\t1\t1\nc2\t\tone.npy\td3\t\t16\t\t\n")
    assert tree.dishes == {
        "monday": ["v1", "v2"], "v3": ["v3"], "tuesday": [FILES], FILES: [FILES],
    }  # fmt: skip
    assert json.loads(tree.files_of_dish(SimpleNamespace(dish="tuesday"))) == ["c1"]
    assert json.loads(tree.files_of_dish(SimpleNamespace(dish=FILES))) == ["c2"]
    monday = SimpleNamespace(dish="monday")
    assert tree.of_dish("grades.tsv")(monday) == [
        f"results/sperm/{video}/grades.tsv" for video in ("v1", "v2")
    ]
    assert tree.table_of_dish(SimpleNamespace(video="v3")) == "results/sperm/dishes/v3/clips.tsv"


def test_one_file_is_of_one_donor_however_it_is_spelt():
    told: list[str] = []
    opened("v1\ta.npy\td1\t\t16\n")
    Path("link.npy").symlink_to("a.npy")
    rows = "v1\ta.npy\td1\t\t16\nv2\t./a.npy\td2\t\t16\nv3\tlink.npy\td3\t\t16\n"
    tree = opened(rows)
    assert set(tree.problems) == {"v1", "v2", "v3"}
    assert "expected one donor of a.npy" in tree.problems["v1"]
    with pytest.raises(StepError, match=r"expected one donor of \./one\.npy, found d3"):
        opened(BOTH, "c1\t\tone.npy\td3\t\t16\t1\t1\nc2\t\t./one.npy\td4\t\t16\t1\t1\n")
    sheet = {"sheet": "videos.tsv"}
    Path("videos.tsv").write_text(VIDEOS + BOTH.replace("d2", "D1"))
    Sperm(SpermSettings.model_validate(sheet), scans=True, warn=told.append).open()
    assert any("the donors 'd1' and 'D1' are taken for different ones" in one for one in told)


def test_a_video_in_two_rows_is_told_and_its_scale_is_one():
    told: list[str] = []
    settings = SpermSettings.model_validate({"sheet": "videos.tsv"})
    for name, seed in (("a", 1), ("b", 2)):
        values = np.random.default_rng(seed).integers(9, 200, (20, 24, 24)).astype(np.uint8)
        np.save(f"{name}.npy", values)
    Path("copy.npy").write_bytes(Path("a.npy").read_bytes())
    rows = "v1\ta.npy\td1\tx\t16\nv2\tb.npy\td1\tX\t16\nv3\tcopy.npy\td1\tx\t16\n"
    Path("videos.tsv").write_text(VIDEOS + rows)
    Sperm(settings, scans=True, warn=told.append).open()
    assert next(one for one in told if "once more" in one).startswith(
        "videos.tsv, video v3: copy.npy is the video v1 once more"
    )
    assert any("the dishes 'x' and 'X' are ranked apart" in one for one in told)
    tree = opened("v1\ta.npy\td1\t\t16\nv2\t./a.npy\td1\t\t20\n")
    assert "expected one um_per_px and one fps" in tree.problems["v2"]


def test_words_of_refusal_exclude_no_video():
    header, rows = VIDEOS.strip() + "\texclusion\n", BOTH.replace("\n", "\tno\n")
    Path("videos.tsv").write_text(header + rows)
    tree = Sperm(SpermSettings.model_validate({"sheet": "videos.tsv"}), warn=lambda text: None)
    assert tree.excluded == {}


def test_a_run_makes_pages_of_dishes_and_overlays_of_fields():
    wanted = opened(BOTH).wanted()
    assert {"results/sperm/clips.tsv", "results/sperm/dishes/monday/page.html"} <= set(wanted)
    assert [one for one in wanted if one.endswith("mp4")] == [
        f"results/sperm/{video}/overlay.mp4" for video in ("v1", "v2", "v3")
    ]


def test_networks_of_the_cross_validation_grade_where_there_are_votes():
    tree = opened(BOTH, "c1\t\tone.npy\td3\t\t16\t1\t1\n", models=["ours"], splits={"folds": 2})
    weights = [f"{tree.folder}/ours/fold_{at}/weights.safetensors" for at in range(2)]
    assert tree.grader_weights(None) == weights
    assert tree.grader_splits(None) == [f"{tree.folder}/splits.tsv"]
    assert json.loads(tree.origin(None)) == {
        "grader": "ours, cross-validated by donor", "simulated": False,
    }  # fmt: skip
    assert tree.explained_weights(SimpleNamespace(grader="ours")) == weights
    assert tree.explained_weights(SimpleNamespace(grader="vit")) == [
        "results/sperm/models/vit.safetensors"
    ]


def test_without_votes_nothing_grades_unless_weights_are_named():
    tree = opened(BOTH)
    assert tree.grader_weights(None) == [] and tree.grader_checksum(None) == ""
    assert json.loads(tree.origin(None)) == {"grader": "", "simulated": False}
    assert "grade" not in tree.models()
    Path("w.json").write_text(json.dumps({"sha256": "0", "model": {"origin": "simulated clips"}}))
    named = opened(BOTH, results={"grading": {"weights": "w.safetensors"}})
    assert named.grader_weights(None) == ["w.safetensors"] and "grade" in named.models()
    assert json.loads(named.origin(None)) == {"grader": "w.safetensors", "simulated": True}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("v2\ta.npy\td1\ttuesday\t16\n", "expected one dish of a.npy, found monday here, tuesday"),
        ("v2\tb.npy\td2\tmonday\t16\n", "expected one donor of dish monday, found d1 here, d2"),
    ],
)
def test_rows_that_contradict_one_another_are_refused(row: str, words: str):
    tree = opened("v1\ta.npy\td1\tmonday\t16\n" + row)
    assert words in tree.problems["v1"] and "v2" in tree.problems


def test_the_end_of_a_run_tells_what_is_wrong_with_videos():
    write_video("cut.avi", np.random.default_rng(0).integers(0, 255, (60, 64, 64), np.uint8), 30)
    whole = Path("cut.avi").read_bytes()
    Path("cut.avi").write_bytes(whole[: len(whole) // 3])
    tree = opened("v1\ta.npy\td1\t\t40\nv2\tcut.avi\td1\t\t\nv3\tc.npy\td2\t\t16\n")
    for name, row in (("v1", ""), ("v2", "v2_0\n"), ("v3", "")):
        Path(tree.results, name, "clips.tsv").write_text("clip\n" + row)
    told = tree.verdicts()
    assert list(told["with a file that is cut off"]) == ["v2"]
    assert told["without a clip"] == {
        "v1": "it lasts 0.50 s, and a clip takes 0.94 s",
        "v3": "no head was followed for 0.94 s, which a clip takes",
    }
    (lines,) = tree.standing()
    assert "v2 (copy it again" in lines and "2 without a clip: v1 (it lasts" in lines
    lengths = json.loads(tree.lengths_of_dish(SimpleNamespace(dish="v2")))
    assert lengths["v2"]["cut_off"]


def test_the_end_of_a_run_says_that_nothing_was_graded():
    (line, *_) = opened(BOTH).summary()
    assert line.startswith("no sperm was graded, as no network was trained on grades: give votes")
    Path("w.json").write_text(json.dumps({"sha256": "0", "model": {}}))
    for tree in (
        opened(BOTH, results={"grading": {"weights": "w.safetensors"}}),
        opened(BOTH, "c1\t\tone.npy\td3\t\t16\t1\t1\n", splits={"folds": 2}),
    ):
        assert not any("graded" in one for one in tree.summary())
