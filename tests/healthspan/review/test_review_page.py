"""The page of review: its rows, its script, and both in a browser where there is one."""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from snakescope.healthspan.review.association import associate
from snakescope.healthspan.review.corrected_tables import corrected_tables
from snakescope.healthspan.review.corrections import parse, replay
from snakescope.healthspan.review.review_page import page, review_data, strip_urls
from snakescope.healthspan.review.review_rows import ReviewRow, review_rows
from snakescope.healthspan.review.settings import CorrectedSettings
from snakescope.healthspan.tracking.settings import TrackSettings
from snakescope.report.pages import TEMPLATES, jpeg_url
from tests.healthspan.review.test_corrected import WORMS, day, plate, row, some_dead_track

CELL, FRAMES, DIGEST = 24, 36, "0123456789abcdef"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
NODE = shutil.which("node")
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
HOSTILE = "<img src=x onerror=document.title='taken'>\"'</script><script>document.title='taken'"


@cache
def rows() -> list[ReviewRow]:
    tracks, individuals, counts = plate()
    usable = set(counts.loc[counts["usable"] == 1, "timepoint"])
    return review_rows(
        individuals, tracks, list(range(FRAMES)), usable, counts["day"].to_numpy(float)
    )


def the_page(name: str = "p", worms: int | None = None) -> str:
    _, individuals, counts = plate()
    usable = set(counts.loc[counts["usable"] == 1, "timepoint"])
    shown = rows() * (1 if worms is None else -(-worms // len(rows())))
    data = review_data(
        name,
        DIGEST,
        shown,
        individuals,
        list(range(FRAMES)),
        counts["day"].to_numpy(),
        usable,
        CELL,
    )
    for worm in data["worms"]:
        worm["outlines"] = {}
    data["height_px"] = data["width_px"] = 3080.0
    cells = np.random.default_rng(0).integers(0, 255, (FRAMES, CELL, CELL), np.uint8)
    urls = [strip_urls(cells, 60) for _ in data["worms"]]
    return page(data, urls, jpeg_url(cells[0]))


def test_every_worm_has_a_row_and_what_the_machine_says_of_it() -> None:
    tracks, individuals, _ = plate()
    assert {one.track for one in rows()} == set(tracks["track"])
    counted = {one.individual for one in rows()} - {0}
    assert counted == set(individuals.loc[individuals["track"].notna(), "individual"])
    track = some_dead_track()
    (one,) = [one for one in rows() if one.track == track]
    machine = row(individuals, track)
    assert day(one.dead) == machine["death_before_d"]
    assert day(one.stopped) == machine["healthspan_end_before_d"]
    assert one.seen == list(tracks.query("track == @track")["timepoint"])
    assert 0.3 < one.confidence <= 1
    for other in rows():
        assert (other.individual == 0) == other.fate.startswith("not counted: ")
    text = the_page()
    movers = individuals.loc[individuals["track"].isna(), "individual"]
    assert len(movers) and all(f"worm {n}: never stopped in view" in text for n in movers)


def test_a_strip_is_cut_where_a_picture_would_be_too_wide() -> None:
    assert len(strip_urls(np.zeros((130, 24, 24), np.uint8), 60)) == 3


def test_names_are_text_and_end_no_script() -> None:
    text = the_page(HOSTILE)
    assert "<img src=x" not in text and "</script><script>document" not in text
    begin = text.index('id="data">') + len('id="data">')
    assert json.loads(text[begin : text.index("</script>", begin)])["plate"] == HOSTILE


def pressing(text: str, keys: str) -> str:
    """The page with a script that stands in for a person; its policy takes its own alone."""
    policy = text[text.index("<meta http-equiv") :]
    text = text.replace(policy[: policy.index(">") + 1], "")
    return text.replace("</body>", f"<script>{keys}</script></body>")


def opened(tmp_path: Path, url: str) -> str:
    """The document that a page ends as, in a browser."""
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={tmp_path}/profile", "--virtual-time-budget=3000", url]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def in_chromium(tmp_path: Path, text: str, keys: str = "") -> str:
    """The document that a page on the disk ends as, after a script pressed keys."""
    path = tmp_path / "page.html"
    path.write_text(pressing(text, keys) if keys else text, encoding="utf-8")
    return opened(tmp_path, path.as_uri())


PRESS = """
const press = (...keys) => keys.forEach((key) => document.getElementById("rows").dispatchEvent(
  new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true, shiftKey: key === "Z"})));
const scorer = (name) => { const box = document.getElementById("scorer"); box.value = name;
  box.dispatchEvent(new Event("change")); };
const sort = (how) => { const box = document.getElementById("sort"); box.value = how;
  box.dispatchEvent(new Event("change")); };
const kept = () => localStorage.getItem("snakescope:p:0123456789abcdef:anna");
const done = () => { const out = document.createElement("pre"); out.id = "out";
  out.textContent = kept(); document.body.append(out); };
"""


def kept_file(document: str) -> str:
    begin = document.index('<pre id="out">') + len('<pre id="out">')
    return document[begin : document.index("</pre>", begin)]


@in_a_browser
def test_keys_become_the_file_that_the_workflow_applies(tmp_path: Path) -> None:
    track = some_dead_track()
    at = [one.individual for one in rows()].index(
        next(one.individual for one in rows() if one.track == track)
    )
    keys = (
        PRESS
        + f"""
scorer("anna"); sort("number");
press("Home"); for (let n = 0; n < 60; n += 1) press("ArrowUp");
for (let n = 0; n < {at}; n += 1) press("ArrowDown");
press("ArrowRight", "ArrowRight", "d", "z", "Z", "x", "z", "ArrowDown", "3", "ArrowDown", "c", "2");
done();"""
    )
    lines = parse(kept_file(in_chromium(tmp_path, the_page(), keys)), "p", "anna")
    assert [one.action for one in lines] == [
        "dead", "undo", "redo", "not_a_worm", "undo", "several", "censored",
    ]  # fmt: skip
    kept, undone = replay(lines)
    assert [one.action for one in kept] == ["dead", "several", "censored"]
    (first, several, censored) = kept
    (worm,) = [one for one in rows() if one.track == track]
    assert (first.track, first.timepoint) == (track, worm.dead + 2)
    assert first.machine_value == str(worm.dead)
    assert (several.value, censored.reason) == (3, "bagged")
    tracks, individuals, counts = plate()
    reviewed = associate(kept, tracks, DIGEST, CorrectedSettings())
    made = corrected_tables(
        tracks, individuals, counts, kept, undone, reviewed, WORMS, TrackSettings()
    )
    assert set(made.lines["standing"]) == {"applied", "undone"}
    assert row(made.individuals, track)["death_before_d"] == day(worm.dead + 2)


@in_a_browser
def test_what_was_kept_is_there_when_the_page_is_opened_again(tmp_path: Path) -> None:
    in_chromium(tmp_path, the_page(), PRESS + 'scorer("anna"); press("d"); done();')
    again = in_chromium(tmp_path, the_page())
    assert f"looked at 1 of {len(rows())}" in again


@in_a_browser
def test_the_policy_lets_the_page_run_and_names_are_harmless(tmp_path: Path) -> None:
    document = in_chromium(tmp_path, the_page(HOSTILE))
    assert f"looked at 0 of {len(rows())}" in document
    assert "<title>taken" not in document


@in_a_browser
def test_nothing_is_said_without_a_name(tmp_path: Path) -> None:
    document = in_chromium(tmp_path, the_page(), PRESS + 'press("d"); done();')
    assert "type your name first" in document and kept_file(document) == ""


@in_a_browser
def test_a_blind_page_shows_neither_plate_nor_machine(tmp_path: Path) -> None:
    keys = PRESS + 'scorer("anna"); press("b"); press("d"); done();'
    document = in_chromium(tmp_path, the_page(), keys)
    assert "<title>Review, blind</title>" in document
    assert parse(kept_file(document), "p", "anna")[0].blind


@pytest.mark.skipif(NODE is None, reason="no Node.js on this machine")
def test_what_the_page_shows_is_what_the_workflow_makes() -> None:
    """States along a track, by the script and by the tables, for each action at any timepoint."""
    tracks, individuals, counts = plate()
    cases = []
    chosen = [one for one in rows() if one.individual][:6]
    for worm in chosen:
        for action in ("dead", "last_healthy", "alive", "censored"):
            for at in range(3, FRAMES, 5):
                if at != 9:
                    cases.append((worm, action, at))
    script = """
const C = require(process.argv[1]), given = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(given.cases.map(([index, action, at]) => {
  const worm = given.data.worms[index], more = action === "censored" ? {reason: "lost"} : {};
  const line = C.line(given.data, [], "anna", worm, action, at, more, new Date(0));
  const own = C.calls(given.data, [line])[worm.track];
  return [C.states(given.data, worm, own), C.contradiction(given.data, worm, own),
    C.text(given.data, [line])];
})));"""
    usable = set(counts.loc[counts["usable"] == 1, "timepoint"])
    data = review_data(
        "p",
        DIGEST,
        chosen,
        individuals,
        list(range(FRAMES)),
        counts["day"].to_numpy(),
        usable,
        CELL,
    )
    given = {"data": data, "cases": [(chosen.index(w), action, at) for w, action, at in cases]}
    model = str(TEMPLATES / "review_model.js")
    ended = subprocess.run(
        [str(NODE), "-e", script, model], input=json.dumps(given), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    for (worm, action, at), (letters, wrong, text) in zip(
        cases, json.loads(ended.stdout), strict=True
    ):
        kept, _ = replay(parse(text, "p", "anna"))
        reviewed = associate(kept, tracks, DIGEST, CorrectedSettings())
        made = corrected_tables(
            tracks, individuals, counts, kept, [], reviewed, WORMS, TrackSettings()
        )
        standing = made.lines["standing"].iloc[0]
        assert (standing == "stale") == bool(wrong), (worm.track, action, at, wrong)
        own = made.tracks[made.tracks["track"] == worm.track]
        for timepoint, state in zip(own["timepoint"], own["consistent_state"], strict=True):
            # Once it is watched no longer, its states are of no worm that counts.
            if letters[timepoint] != "c":
                assert letters[timepoint] == state[0], (worm.track, action, at, timepoint)
