"""The page of review: its rows and its script."""

import json
import shutil
import subprocess
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from snakescope.healthspan.review.association import associate
from snakescope.healthspan.review.corrected_tables import corrected_tables
from snakescope.healthspan.review.corrections import parse, replay
from snakescope.healthspan.review.review_page import (
    SCRIPTS,
    near_in_words,
    page,
    review_data,
    strip_urls,
)
from snakescope.healthspan.review.review_rows import ReviewRow, review_rows, same_place
from snakescope.healthspan.review.settings import CorrectedSettings
from snakescope.healthspan.tracking.settings import TrackSettings
from snakescope.report.pages import TEMPLATES, jpeg_url
from tests.healthspan.review.test_corrected import WORMS, day, plate, row, some_dead_track

CELL, FRAMES, DIGEST = 24, 36, "0123456789abcdef"
NODE = shutil.which("node")
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
        counts["time_h"].tolist(),
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
    assert one.looks == list(tracks.query("track == @track")["state"])
    assert one.seen == list(tracks.query("track == @track")["timepoint"])
    assert 0.3 < one.confidence <= 1
    for other in rows():
        assert (other.individual == 0) == other.fate.startswith("not counted: ")
    text = the_page()
    movers = individuals.loc[individuals["track"].isna(), "individual"]
    assert len(movers) and all(f"worm {n}: never stopped in view" in text for n in movers)


def test_worms_that_may_have_been_found_twice_are_asked_about() -> None:
    one = rows()[0]

    def at(track: int, seen: list[int], y: float, individual: int = 1) -> ReviewRow:
        places = np.full((FRAMES, 2), np.nan)
        places[seen] = (y, 100.0)
        return replace(
            one, row=replace(one.row, places=places), track=track, seen=seen, individual=individual
        )

    first, goes_on = at(1, [3, 4, 5], 50.0, 7), at(2, [8, 9], 58.0, 0)
    too_late, beside = at(3, [20, 21], 50.0), at(4, [4, 5, 9], 55.0)
    # Of the same place, but each was there while the other was seen elsewhere.
    crossing = at(5, [4, 5], 300.0)
    shown = [first, goes_on, too_late, beside, crossing]
    found = same_place(shown, 12.0)
    assert found == {1: [4, 2], 2: [4, 1], 4: [2, 1]}
    assert same_place(shown, 1.0) == {} and same_place([], 12.0) == {}
    worms = [{**each.as_json(), "near": found.get(each.track, [])} for each in shown]
    assert near_in_words(worms[1], worms)[1] == "lies where worm 7 does: the same (m)?"
    assert near_in_words(worms[4], worms) == []


def test_a_strip_is_cut_where_a_picture_would_be_too_wide() -> None:
    assert len(strip_urls(np.zeros((130, 24, 24), np.uint8), 60)) == 3


def test_names_are_text_and_end_no_script() -> None:
    text = the_page(HOSTILE)
    assert "<img src=x" not in text and "</script><script>document" not in text
    begin = text.index('id="data">') + len('id="data">')
    assert json.loads(text[begin : text.index("</script>", begin)])["plate"] == HOSTILE


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
        counts["time_h"].tolist(),
    )
    given = {"data": data, "cases": [(chosen.index(w), action, at) for w, action, at in cases]}
    model = str(TEMPLATES / SCRIPTS[0])
    ended = subprocess.run(
        [str(NODE), "-e", script, model], input=json.dumps(given), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    for (worm, action, at), (letters, wrong, text) in zip(
        cases, json.loads(ended.stdout), strict=True
    ):
        kept, _ = replay(parse(text, "p", "anna"))
        assert kept[0].time_h == counts["time_h"].iloc[at]
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
