"""The sperm of a dish: their order, how sure it is, and what is not graded."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from snakescope.sperm.clips.cut import CUT_OFF, LEAVES, TABLE, write_clip
from snakescope.sperm.clips.movement import DISAGREE, NO_TEXTURE, UNSEEN
from snakescope.sperm.results import dish as step
from snakescope.sperm.results.columns import GRADED
from snakescope.sperm.results.dish import COLUMNS, probability_best, ranked, reasons
from snakescope.sperm.results.gallery import Shown, gallery, letter, lines, words
from snakescope.sperm.results.settings import DishSettings
from snakescope.sperm.videos.sheet import GRADES
from snakescope.step.command import call

SETTINGS = DishSettings(draws=500)
GOOD, MIDDLE, BAD = (
    [0.7, 0.2, 0.1, 0, 0], [0.1, 0.2, 0.4, 0.2, 0.1], [0, 0, 0.1, 0.2, 0.7],
)  # fmt: skip


def clips(**flags: str) -> pd.DataFrame:
    """Three clips, the second the best, with flags by name."""
    rows = []
    for name, shares in (("a", MIDDLE), ("b", GOOD), ("c", BAD)):
        row = dict.fromkeys(TABLE, np.nan) | {
            "clip": name, "path": f"{name}.tif", "frames": 16, "flags": flags.get(name, ""),
            "vsl_um_s": 4.0, "head_length_um": 4.4, "head_width_um": 2.9, "video": "v",
        }  # fmt: skip
        shared = dict(zip([f"p{grade}" for grade in GRADES], shares, strict=True))
        rows.append(row | shared | {"grader": "x", "low": -0.8, "high": 0.9, "sd": 0.5})
    return pd.DataFrame(rows)


def test_the_best_comes_first_with_its_interval():
    table = ranked(clips(), "d", SETTINGS)
    assert list(table.columns) == COLUMNS
    assert list(table["clip"]) == ["b", "a", "c"] and list(table["rank"]) == ["1", "2", "3"]
    assert list(table["grade"]) == ["A", "C", "E"]
    first = table.iloc[0]
    assert first["mean_grade"] == pytest.approx(0.4)
    assert (first["low_90"], first["high_90"]) == (0, pytest.approx(1.3))
    assert first["sd"] == pytest.approx(np.sqrt(0.2 + 0.4 - 0.16))
    assert table["p_best"].sum() == pytest.approx(1) and first["p_best"] > 0.9
    assert (table["bcf_hz"] == "").all() and (table["alh_um"] == "").all()


@pytest.mark.parametrize("flag", ["out of focus", "two heads", "the crop does not follow the head: no speed", LEAVES, NO_TEXTURE, UNSEEN, f"{DISAGREE}: 20.0 um/s by the track"])  # fmt: skip # noqa: E501
def test_a_clip_that_cannot_be_trusted_has_no_rank(flag: str):
    table = ranked(clips(b=f"no um_per_px: no speed; {flag}"), "d", SETTINGS)
    assert list(table["clip"]) == ["a", "c", "b"] and list(table["rank"]) == ["1", "2", ""]
    last = table.iloc[-1]
    assert last["not_graded"] == flag and last["grade"] == "" and np.isnan(last["p_best"])
    assert last["flags"].startswith("no um_per_px")


def test_too_few_frames_no_network_and_doubt_are_reasons():
    table = clips().assign(entropy_nats=[1.5, 0.8, 0.8])
    table.loc[1, "frames"] = 12
    table.loc[2, ["pA", "grader"]] = [np.nan, ""]
    found = reasons(table, DishSettings(doubt=0.9))
    assert found == ["too doubtful", "12 frames, 14 are needed", "no network grades"]
    assert reasons(clips().assign(entropy_nats=1.6), SETTINGS) == ["", "", ""]


def test_the_probability_to_be_best_is_that_of_normal_errors():
    means, sd = np.array([1.0, 1.5]), np.array([0.5, 0.5])
    found = probability_best(means, sd, DishSettings(draws=20000))
    assert found[0] == pytest.approx(0.760, abs=0.01)  # Phi(0.5 / (0.5 sqrt 2))
    assert (found == probability_best(means, sd, DishSettings(draws=20000))).all()
    assert probability_best(np.zeros(0), np.zeros(0), SETTINGS).shape == (0,)


def test_a_dish_has_a_table_a_gallery_and_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    table = clips(c="two heads")
    for name in "abc":
        write_clip(f"{name}.tif", rng.integers(0, 255, (16, 32, 32), np.uint8), 0.15)
    table[TABLE].to_csv("clips.tsv", sep="\t", index=False)
    table[GRADED].to_csv("grades.tsv", sep="\t", index=False)
    call(step, ["--dish", "d", "--videos", "v", "--clips", "clips.tsv", "--grades", "grades.tsv",
                "--files", "[]", "--origin", json.dumps({"grader": "ours", "simulated": True}),
                "--settings", "{}", "--table", "d.tsv", "--gallery", "d.png",
                "--page", "d.html"])  # fmt: skip
    page = Path("d.html").read_text()
    assert "saw simulated clips only" in page and "Not graded" in page and "1 (two heads)" in page
    assert "Beat frequency (BCF): not measured" in page and "Research use only" in page
    assert page.count('alt="frames"') == 3
    assert list(pd.read_csv("d.tsv", sep="\t")["clip"]) == ["b", "a", "c"]


def test_a_page_tells_of_files_cut_off_and_of_videos_without_a_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    clips().iloc[:0][TABLE].to_csv("clips.tsv", sep="\t", index=False)
    clips().iloc[:0][GRADED].to_csv("grades.tsv", sep="\t", index=False)
    lengths = {"v": {"cut_off": True, "duration_s": 0.5}}
    call(step, ["--dish", "d", "--videos", "v", "--clips", "clips.tsv", "--grades", "grades.tsv",
                "--files", "[]", "--origin", json.dumps({"grader": "", "simulated": False}),
                "--lengths", json.dumps(lengths), "--settings", "{}", "--table", "d.tsv",
                "--gallery", "d.png", "--page", "d.html"])  # fmt: skip
    page = Path("d.html").read_text()
    assert "The file of video v is cut off" in page
    assert "No clip came of video v: it lasts 0.50 s, and a clip takes 0.94 s" in page
    some = step.notes_of(clips(b=CUT_OFF), ["v"], {})
    assert len(some) == 1 and "cut off" in some[0]
    assert step.notes_of(clips(), ["v"], {"v": {"cut_off": False}}) == []


def test_files_of_other_dishes_are_left_out(tmp_path: Path):
    table = clips()
    table[TABLE].to_csv(tmp_path / "clips.tsv", sep="\t", index=False)
    table[GRADED].to_csv(tmp_path / "grades.tsv", sep="\t", index=False)
    paths = [tmp_path / "clips.tsv"], [tmp_path / "grades.tsv"]
    assert list(step.read_dish(["clip_files"], *paths, {"b"})["clip"]) == ["b"]
    assert len(step.read_dish(["v"], *paths, set())) == 3


def test_words_fit_beside_a_strip():
    row = ranked(clips(), "d", SETTINGS).iloc[0].to_dict()
    assert words(row)[0] == "1.  b" and "VSL 4.0 um/s, head 4.4 x 2.9 um" in words(row)
    without = words(row | {"not_graded": "two heads"})
    assert without == ["b", "not graded: two heads", "VSL 4.0 um/s, head 4.4 x 2.9 um"]
    assert [letter(one) for one in (0, 1.3, 1.98, 4.2)] == ["A", "B+0.3", "C", "E+0.2"]
    assert lines("one two three", 60, 14) == ["one two", "three"]
    shown = Shown(np.zeros((8, 96, 96), np.uint8), np.full(5, 0.2), row)
    assert gallery("d", [shown, shown]).height > gallery("d", [shown]).height
