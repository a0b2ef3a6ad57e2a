"""Quality control warns of what deserves it, and shows it."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from snakescope.healthspan.report import quality
from snakescope.healthspan.report.quality import chosen, followed, mask_pictures, page
from snakescope.healthspan.report.quality_measures import (
    Measures,
    confidence,
    drops,
    judge,
    measure,
)
from snakescope.healthspan.report.settings import QualitySettings
from snakescope.healthspan.states.states import STATE_COLOURS
from snakescope.imaging.overlays import rgb
from snakescope.step.command import call
from snakescope.step.tables import read_table
from tests.healthspan.drawn_plate import DrawnPlate, draw_plate

SETTINGS = QualitySettings.model_validate({"picture_px": 800})

GOOD = Measures(
    frames=50,
    usable=50,
    missing=0,
    unreadable=0,
    unregistered=0,
    median_score=0.9,
    median_agreement=float("nan"),
    largest_shift_px=40.0,
    largest_rotation_deg=1.0,
    worms=100,
    deaths=90,
    dead_at_start=0,
    static=0,
    censored_share=0.1,
    lost_share=0.05,
    put_on=100,
    first_count=97.0,
    mean_confidence=0.95,
    unknown_share=0.01,
    found=5000,
    dropped=100,
)


@pytest.fixture(scope="module")
def plate(tmp_path_factory: pytest.TempPathFactory) -> DrawnPlate:
    return draw_plate(tmp_path_factory.mktemp("drawn"))


def counted(totals: list[float | None]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "timepoint": range(len(totals)),
            "day": np.arange(len(totals)) / 2,
            "usable": [int(total is not None) for total in totals],
            "total": totals,
        }
    )


STEADY = counted([100, 98, 99, 97])


def test_a_good_plate_has_no_warning() -> None:
    verdict = judge(GOOD, STEADY, SETTINGS)
    assert (verdict.status, verdict.warnings) == ("ok", ())


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        ({"missing": 3, "usable": 47}, "frames missing: 3 of 50"),
        ({"unreadable": 1, "usable": 49}, "frames unreadable: 1 of 50"),
        ({"unregistered": 2, "usable": 48}, "frames unregistered: 2 of 50"),
        ({"median_score": 0.2}, "low registration score: median 0.20"),
        ({"median_agreement": 0.08}, "little of the plate found in place: median 8%"),
        ({"largest_shift_px": 180.0}, "a frame is shifted by 180 px"),
        ({"largest_rotation_deg": 5.0}, "a frame is turned by 5.0 degrees"),
        ({"unknown_share": 0.25}, "unknown states: 25%"),
        ({"mean_confidence": 0.6}, "unsure states: mean probability 0.60"),
        ({"first_count": 60.0}, "60 worms found at first, 100 put on"),
        ({"first_count": 140.0}, "140 worms found at first, 100 put on"),
        ({"worms": 104}, "104 worms stopped, 100 put on (debris among them?)"),
        ({"lost_share": 0.4}, "lost from view: 40% of the worms"),
        ({"dropped": 6000}, "dropped 6000 of 11000 objects found"),
    ],
)
def test_each_flaw_has_its_warning(change: dict[str, float], warning: str) -> None:
    verdict = judge(replace(GOOD, **change), STEADY, SETTINGS)  # type: ignore[arg-type]
    assert verdict.status == "warning"
    assert verdict.warnings == (warning,)


@pytest.mark.parametrize("change", [{"usable": 0}, {"found": 0}])
def test_a_plate_without_frames_or_worms_has_failed(change: dict[str, int]) -> None:
    assert judge(replace(GOOD, **change), STEADY, SETTINGS).status == "failed"


def test_a_sudden_drop_of_the_counts_is_told_as_fogging() -> None:
    counts = counted([100, 98, None, 60, 61, 95])
    assert drops(counts, 0.3, 10) == [(3, 98, 60)]
    verdict = judge(GOOD, counts, SETTINGS)
    assert verdict.warnings == ("worms found drop from 98 to 60 at t003 (fogging?)",)


def test_few_worms_and_small_drops_are_no_fogging() -> None:
    assert drops(counted([6, 2]), 0.3, 10) == []
    assert drops(counted([100, 71]), 0.3, 10) == []
    assert drops(counted([100, 69]), 0.3, 10) == [(1, 100, 69)]


def test_a_gap_in_the_series_is_told() -> None:
    gap = STEADY.assign(day=[0.0, 0.5, 1.0, 2.5])
    assert judge(GOOD, gap, SETTINGS).warnings == ("no frame for 36 h after t002, 12 h are usual",)
    uneven = STEADY.assign(day=[0.0, 0.5, 1.2, 1.7])
    assert judge(GOOD, uneven, SETTINGS).warnings == ()


def test_unknown_worms_put_on_are_not_compared() -> None:
    assert judge(replace(GOOD, put_on=None, first_count=5.0), STEADY, SETTINGS).status == "ok"


def test_confidence_is_of_the_state_and_missing_where_it_is_unknown() -> None:
    states = pd.DataFrame(
        {
            "p_healthy": [0.7, None],
            "p_immobile": [0.2, None],
            "p_dead": [0.1, None],
            "state": ["healthy", "unknown"],
        }
    )
    sure = confidence(states)
    assert sure[0] == 0.7 and np.isnan(sure[1])


def test_measures_of_the_drawn_plate(plate: DrawnPlate) -> None:
    frames = read_table(plate.folder / "frames.tsv")
    dropped = quality.read_dropped(plate.masks)
    got = measure(frames, plate.counts, plate.states, plate.summary, dropped, plate.tracks, 6)
    assert (got.frames, got.usable, got.missing, got.unregistered) == (12, 10, 1, 1)
    assert (got.worms, got.deaths, got.found, got.dropped) == (6, 5, 59, 6)
    assert got.mean_confidence == pytest.approx(0.9)
    assert got.largest_shift_px == pytest.approx(4, abs=0.1)
    assert got.censored_share == pytest.approx(1 / 6)


def test_scores_are_judged_by_the_way_of_registration(plate: DrawnPlate) -> None:
    frames = read_table(plate.folder / "frames.tsv")
    dropped = quality.read_dropped(plate.masks)
    # A good share of texture found in place, but no good correlation of a mark.
    frames = frames.assign(score=0.24, method=frames["method"].replace("mark", "plate"))
    got = measure(frames, plate.counts, plate.states, plate.summary, dropped, plate.tracks, 6)
    assert got.median_agreement == pytest.approx(0.24) and np.isnan(got.median_score)
    unmarked = replace(GOOD, median_score=got.median_score, median_agreement=got.median_agreement)
    assert judge(unmarked, STEADY, SETTINGS).status == "ok"


def test_a_plate_without_detections_can_be_measured(plate: DrawnPlate) -> None:
    counts = plate.counts.assign(healthy=0, immobile=0, dead=0, total=0)
    none = pd.DataFrame({"reason": []})
    got = measure(
        plate.frames,
        counts,
        plate.states.iloc[:0],
        plate.summary,
        none,
        plate.tracks.iloc[:0],
        None,
    )
    assert judge(got, counts, SETTINGS).warnings == ("no worm found in any of 10 usable frames",)


def test_shown_frames_are_usable_ones_from_first_to_last() -> None:
    frames = pd.DataFrame(
        {
            "timepoint": range(6),
            "page": [None, 0, 1, None, 2, 3],
            "status": ["missing", *["registered"] * 2, "unreadable", *["registered"] * 2],
        }
    )
    assert chosen(frames, 3) == [1, 4, 5]
    assert chosen(frames, 99) == [1, 2, 4, 5]
    assert chosen(frames.iloc[:1], 3) == []


def test_masks_are_outlined_in_the_colour_of_their_state(plate: DrawnPlate) -> None:
    frames = read_table(plate.folder / "frames.tsv")
    frames["day"] = frames["time_h"] / 24
    pictures = mask_pictures(
        frames, plate.states, plate.counts, plate.masks, plate.registered, SETTINGS
    )
    headings = [one.heading for one in pictures]
    assert [text.split("(")[1][:4] for text in headings] == ["t000", "t005", "t011"]
    last = pictures[-1]
    assert last.heading.endswith("6 worms, 6 outlined") and last.pixels.shape == (800, 800, 3)
    near = {
        state: int((np.abs(last.pixels - rgb(STATE_COLOURS[state])).max(axis=2) < 12).sum())
        for state in ("healthy", "immobile", "dead")
    }
    assert near["dead"] > 2 * near["healthy"] > 0
    assert near["immobile"] == 0


def test_a_tracked_worm_is_drawn_as_it_is_counted() -> None:
    states = pd.DataFrame({"instance": [7, 8, 9], "state": ["immobile", "immobile", "healthy"]})
    tracks = pd.DataFrame(
        {
            "instance": [7, 8],
            "consistent_state": ["dead", "dead"],
            "counted": [1, 0],
            "reason": ["", "moved on"],
        }
    )
    assert followed(states, tracks)["state"].tolist() == ["dead", "immobile", "healthy"]


def test_what_is_static_is_outlined_grey_and_not_among_the_worms_of_the_heading(
    plate: DrawnPlate,
) -> None:
    """The heading of the last picture says what its bar shows."""
    last = plate.tracks["timepoint"].max()
    one = plate.tracks["track"] == plate.tracks["track"].iloc[0]
    tracks = plate.tracks.assign(
        counted=1 - one.astype(int), reason=np.where(one, "static from the start", "")
    )
    frames = plate.frames.assign(day=plate.frames["time_h"] / 24)
    states = followed(plate.states, tracks)
    counts = plate.counts.assign(total=5)
    pictures = mask_pictures(frames, states, counts, plate.masks, plate.registered, SETTINGS)
    assert pictures[-1].heading.endswith(f"(t{last:03d}): 5 worms, 6 outlined (1 static)")
    as_drawn = mask_pictures(frames, plate.states, counts, plate.masks, plate.registered, SETTINGS)
    red, grey = (rgb(STATE_COLOURS[name]) for name in ("dead", "unknown"))
    for colour, more in ((red, as_drawn[-1]), (grey, pictures[-1])):
        less = pictures[-1] if more is as_drawn[-1] else as_drawn[-1]
        near = [int((np.abs(p.pixels - colour).max(axis=2) < 12).sum()) for p in (less, more)]
        assert near[0] < near[1]


def test_worms_dead_at_the_first_picture_are_told_and_not_seen_to_die(plate: DrawnPlate) -> None:
    reasons = ["dead from the start", "dead from the start", "static from the start", ""]
    tracks = pd.DataFrame({"track": [1, 2, 3, 4], "reason": reasons})
    dropped = quality.read_dropped(plate.masks)
    got = measure(plate.frames, plate.counts, plate.states, plate.summary, dropped, tracks, 6)
    assert (got.dead_at_start, got.static) == (2, 1)
    told = "2 of 6 worms put on were dead at the first picture; not counted as worms: 1"
    assert any(text.startswith(told) for text in judge(got, plate.counts, SETTINGS).warnings)
    assert "<td>seen to die</td><td>3</td>" in page("p", got, judge(GOOD, STEADY, SETTINGS), [], {})


def command(plate: DrawnPlate, out: Path) -> list[str]:
    words = ["quality", "--plate", "drawn", "--worms", "6", "--settings", "{}"]
    for name in ("frames", "counts", "states", "tracks", "summary"):
        words += [f"--{name}", str(plate.folder / f"{name}.tsv")]
    for name in ("masks", "registered"):
        words += [f"--{name}", *map(str, getattr(plate, name))]
    for name, file in (("page", "quality.html"), ("image", "quality.png"), ("row", "quality.tsv")):
        words += [f"--{name}", str(out / file)]
    return words


def test_the_command_writes_page_picture_and_row(
    plate: DrawnPlate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", command(plate, tmp_path))
    call(quality)
    row = read_table(tmp_path / "quality.tsv")
    assert row["status"].tolist() == ["warning"]
    assert row["warnings"][0] == "frames missing: 1 of 12; frames unregistered: 1 of 12"
    page = (tmp_path / "quality.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg") == 3 and page.count("data:image/svg+xml") == 5
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert "frames missing: 1 of 12" in page
    listed = page.partition("<h2>Frames without use</h2>")[2].partition("</ul>")[0]
    frames = read_table(plate.folder / "frames.tsv")
    lost = frames[frames["status"] != "registered"]
    assert listed.count("<li>") == len(lost) == 2
    for row in lost.itertuples():
        assert f"<li>t{row.timepoint:03d} {row.status}" in listed and str(row.reason) in listed
    assert (tmp_path / "quality.png").stat().st_size > 50_000


def test_an_empty_plate_still_gets_its_page(
    plate: DrawnPlate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("frames", "counts", "states", "tracks", "summary"):
        table = read_table(plate.folder / f"{name}.tsv")
        if name in ("states", "tracks"):
            table = table.iloc[:0]
        if name == "counts":
            table[["healthy", "immobile", "dead", "alive", "total"]] = 0
        if name == "summary":
            table[["worms", "deaths"]] = 0
        table.to_csv(tmp_path / f"{name}.tsv", sep="\t", index=False)
    empty = replace(plate, folder=tmp_path)
    monkeypatch.setattr(sys, "argv", command(empty, tmp_path))
    call(quality)
    assert read_table(tmp_path / "quality.tsv")["status"].tolist() == ["failed"]
    assert "no worm found" in (tmp_path / "quality.html").read_text()
