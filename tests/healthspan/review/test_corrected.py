"""Corrections on the tables of a plate: what changes, and that nothing else does."""

import argparse
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.healthspan.drawn_tracks import simulated_plate
from snakescope.healthspan.report.quality import corrections_of, page
from snakescope.healthspan.report.quality_measures import Measures, Verdict
from snakescope.healthspan.review.association import associate, retimed
from snakescope.healthspan.review.changes import (
    CHANGES_COLUMNS,
    corrected_worms,
    minutes_spent,
)
from snakescope.healthspan.review.corrected import add_arguments, digest_of_tracks, main
from snakescope.healthspan.review.corrected_tables import (
    LINES_COLUMNS,
    OF_COUNTS,
    OF_INDIVIDUALS,
    Corrected,
    corrected_tables,
)
from snakescope.healthspan.review.corrections import Correction, as_text
from snakescope.healthspan.review.settings import CorrectedSettings
from snakescope.healthspan.survival import curves
from snakescope.healthspan.survival.curves import plate_curves
from snakescope.healthspan.survival.experiment import SURVIVAL_COLUMNS, survival_table
from snakescope.healthspan.tracking.individuals import ALIVE, INDIVIDUALS_COLUMNS, corrected_heading
from snakescope.healthspan.tracking.settings import TrackSettings
from snakescope.healthspan.tracking.track import COUNTS_COLUMNS, TRACKS_COLUMNS, track_plate
from snakescope.step.tables import read_table, write_table
from tests.healthspan.review.lines import DIGEST, line

WORMS = 46
"""More than are ever seen, so that some are never followed."""


@cache
def plate(worms: int | None = WORMS) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    states, frames, _ = simulated_plate(3, worms=40, frames=36, missing_frames=(9,))
    found = track_plate(states, frames, 1.0, worms, TrackSettings())
    return found.tracks, found.individuals, found.counts


def corrected(*lines: Correction, worms: int | None = WORMS, digest: str = DIGEST) -> Corrected:
    tracks, individuals, counts = plate(worms)
    reviewed = associate(lines, tracks, digest, CorrectedSettings())
    return corrected_tables(
        tracks, individuals, counts, lines, [], reviewed, worms, TrackSettings()
    )


def of(action: str, track: int, timepoint: int, id: int = 1, **more: object) -> Correction:
    """A line on a track, anchored where the page does: at the nearest sighting."""
    seen = plate()[0].query("track == @track").set_index("timepoint")
    anchor = min(seen.index, key=lambda one: abs(one - timepoint))
    y, x = seen.loc[anchor, ["y_px", "x_px"]]
    place = {"anchor_timepoint": int(anchor), "y_px": float(y), "x_px": float(x)}
    return line(id, action, track=track, timepoint=timepoint, **{**place, **more})


def row(table: pd.DataFrame, track: int) -> pd.Series:
    (one,) = table.index[table["track"] == track]
    return table.loc[one]


def some_dead_track() -> int:
    _, individuals, _ = plate()
    dead = individuals[(individuals["death_censored"] == 0) & (individuals["seen_moving"] == 1)]
    return int(dead["track"].iloc[5])


def day(timepoint: int) -> float:
    return float(1.0 + timepoint * 0.5)


@pytest.mark.parametrize("worms", [WORMS, None])
def test_a_correction_without_effect_leaves_every_cell(worms: int | None) -> None:
    """And so does one that is applied and says what the machine says, through all tables."""
    tracks, individuals, counts = plate(worms)
    looked = corrected(of("checked", some_dead_track(), 20), worms=worms)
    for made, own, columns in (
        (looked.tracks, tracks, TRACKS_COLUMNS),
        (looked.individuals, individuals, list(INDIVIDUALS_COLUMNS)),
        (looked.counts, counts, COUNTS_COLUMNS),
    ):
        expected = own[columns].reset_index(drop=True)
        pd.testing.assert_frame_equal(made[columns].reset_index(drop=True), expected)


@pytest.mark.parametrize("worms", [WORMS, None])
def test_only_the_corrected_worm_differs(worms: int | None) -> None:
    """The histories of all others, rebuilt from the tables, are those that tracking had."""
    track = some_dead_track()
    _, individuals, _ = plate(worms)
    machine = row(individuals, track)
    at = round((machine["death_before_d"] - 1.0) / 0.5) + 2
    made = corrected(of("dead", track, at), worms=worms)
    own = row(made.individuals, track)
    assert (own["death_after_d"], own["death_before_d"]) == (day(at - 1), day(at))
    assert own["death_before_d_machine"] == machine["death_before_d"]
    assert own["corrected_by"] == "anna"
    others = made.individuals[(made.individuals["track"] != track).fillna(True)]
    others = others.reset_index(drop=True)
    assert (others["corrected_by"] == "").all()
    expected = individuals[~(individuals["track"] == track).fillna(False)].reset_index(drop=True)
    for name in INDIVIDUALS_COLUMNS:
        assert list(others[name].astype(str)) == list(expected[name].astype(str)), name
    for name in OF_INDIVIDUALS:
        assert list(others[f"{name}_machine"].astype(str)) == list(expected[name].astype(str))


def test_counts_follow_a_later_death() -> None:
    track = some_dead_track()
    _, individuals, counts = plate()
    dead = round((row(individuals, track)["death_before_d"] - 1.0) / 0.5)
    made = corrected(of("dead", track, dead + 3)).counts
    change = (made["dead"] - counts["dead"].to_numpy()).fillna(0)
    between = made["timepoint"].between(dead, dead + 2) & (made["usable"] == 1)
    assert (change[between] == -1).all() and (change[~between] == 0).all()
    for name in OF_COUNTS:
        assert list(made[f"{name}_machine"].astype(str)) == list(counts[name].astype(str))


def test_a_later_stop_makes_it_a_mover_until_then() -> None:
    track = some_dead_track()
    tracks, individuals, counts = plate()
    stopped = round((row(individuals, track)["healthspan_end_before_d"] - 1.0) / 0.5)
    dead = round((row(individuals, track)["death_before_d"] - 1.0) / 0.5)
    last = min(stopped, dead - 1)
    made = corrected(of("last_healthy", track, last))
    own = row(made.individuals, track)
    assert own["healthspan_end_after_d"] == day(last)
    assert own["healthspan_end_before_d"] == day(last + 1)
    seen = tracks.query("track == @track")["timepoint"]
    expected = seen.between(stopped, last).sum()
    assert int((made.counts["healthy"] - counts["healthy"].to_numpy()).fillna(0).sum()) == expected
    states = made.tracks.query("track == @track").set_index("timepoint")["consistent_state"]
    assert (states[states.index <= last] == "healthy").all()
    assert "healthy" not in set(states[states.index > last])


def test_no_worm_goes_and_the_number_put_on_stays() -> None:
    track = some_dead_track()
    made = corrected(of("not_a_worm", track, 20))
    assert track not in set(made.individuals["track"].dropna())
    # One of those put on must then be among those that were not followed.
    assert len(made.individuals) == WORMS
    (gone,) = set(made.tracks.loc[made.tracks["track"] == track, "counted"])
    assert gone == 0
    assert set(made.tracks.loc[made.tracks["track"] == track, "counted_machine"]) == {1}
    numbers = made.individuals["individual"]
    assert numbers.is_unique and numbers.is_monotonic_increasing
    _, individuals, _ = plate()
    kept = made.individuals.dropna(subset="track").set_index("track")["individual"]
    before = individuals.dropna(subset="track").set_index("track")["individual"]
    assert (kept == before.reindex(kept.index)).all()


def test_several_worms_count_several_times() -> None:
    track = some_dead_track()
    made = corrected(of("several", track, 20, value=3))
    own = made.individuals[made.individuals["track"] == track]
    assert len(own) == 3 and own["death_before_d"].nunique() == 1
    assert len(made.individuals) == WORMS


def test_debris_that_is_a_worm_counts() -> None:
    """Of a plate whose number of worms is not known; else the machine looks for them itself."""
    tracks, individuals, _ = plate(None)
    static = int(tracks.loc[tracks["reason"] == "static from the start", "track"].iloc[0])
    made = corrected(of("dead", static, 10), worms=None)
    own = row(made.individuals, static)
    assert (own["death_after_d"], own["death_before_d"]) == (day(8), day(10))
    assert (own["seen_moving"], own["healthspan_end_after_d"]) == (0, 0.0)
    assert pd.isna(own["death_before_d_machine"])
    assert own["individual"] > individuals["individual"].max()
    assert made.individuals["track"].count() == individuals["track"].count() + 1


def same(track: int, other: int, id: int = 1) -> Correction:
    """A line that says that a track is the worm of another, where that was last seen."""
    seen = plate()[0].query("track == @other").iloc[-1]
    there = f"t{seen['timepoint']} y{seen['y_px']:.1f} x{seen['x_px']:.1f}"
    return of("same_as", track, 20, id=id, value=other, reason=there)


def test_two_tracks_of_one_worm_count_once() -> None:
    track, other = some_dead_track(), int(plate()[1]["track"].dropna().iloc[0])
    made = corrected(same(track, other), of("dead", other, 30, id=2))
    assert track not in set(made.individuals["track"].dropna())
    assert row(made.individuals, other)["death_before_d"] == day(30)
    assert len(made.individuals) == WORMS
    (reason,) = set(made.tracks.loc[made.tracks["track"] == track, "reason"])
    assert reason == f"the same worm as track {other}, as a person says"
    # One that the machine did not count counts for both.
    tracks = plate(None)[0]
    static = int(tracks.loc[tracks["reason"] == "static from the start", "track"].iloc[0])
    made = corrected(same(track, static), worms=None)
    assert row(made.individuals, static)["corrected_by"] == "anna"
    # After a run with other weights both are found by their places.
    made = corrected(same(track, other), digest="ffff")
    assert list(made.lines["standing"]) == ["applied"]
    assert track not in set(made.individuals["track"].dropna())


def test_worms_that_are_each_other_or_none_are_kept() -> None:
    track, other = some_dead_track(), int(plate()[1]["track"].dropna().iloc[0])
    made = corrected(same(track, other), same(other, track, id=2))
    assert list(made.lines["standing"]) == ["stale", "stale"]
    assert set(made.lines["note"]) == {"each of them is said to be the other"}
    made = corrected(same(track, other), of("not_a_worm", other, 20, id=2))
    assert list(made.lines["standing"]) == ["stale", "applied"]
    assert row(made.individuals, track)["corrected_by"] == ""


@pytest.mark.parametrize(
    ("action", "reason", "expected"),
    [("censored", "bagged", "bagged"), ("alive", "", "alive when last looked at")],
)
def test_a_worm_is_watched_no_longer(action: str, reason: str, expected: str) -> None:
    track = some_dead_track()
    _, individuals, _ = plate()
    dead = round((row(individuals, track)["death_before_d"] - 1.0) / 0.5)
    own = row(corrected(of(action, track, dead, reason=reason)).individuals, track)
    assert (own["death_after_d"], own["death_censored"]) == (day(dead), 1)
    assert np.isnan(own["death_before_d"]) and own["censor_reason"] == expected


def test_alive_to_the_end_and_alive_before_its_death() -> None:
    track = some_dead_track()
    _, individuals, _ = plate()
    own = row(corrected(of("alive", track, 35)).individuals, track)
    assert (own["death_after_d"], own["censor_reason"]) == (day(35), ALIVE)
    dead = round((row(individuals, track)["death_before_d"] - 1.0) / 0.5)
    same = corrected(of("alive", track, dead - 1))
    assert row(same.individuals, track)["corrected_by"] == ""
    assert list(same.lines["standing"]) == ["applied"]


def test_a_worm_that_never_stopped() -> None:
    track = some_dead_track()
    lines = (of("alive", track, 35), of("last_healthy", track, 35, id=2))
    made = corrected(*lines)
    own = row(made.individuals, track)
    assert (own["health_censored"], own["death_censored"]) == (1, 1)
    assert own["healthspan_end_after_d"] == own["death_after_d"] == day(35)
    assert len(made.individuals) == WORMS
    _, alive, healthy = plate_curves(made.individuals, made.counts, 0.95)
    assert np.isfinite([*alive.share, *healthy.share]).all()


def test_a_contradiction_is_listed_and_not_applied() -> None:
    track = some_dead_track()
    made = corrected(of("dead", track, 12), of("last_healthy", track, 20, id=2))
    own = row(made.individuals, track)
    assert own["death_before_d"] == day(12)
    assert list(made.lines["standing"]) == ["applied", "stale"]
    assert "it moves at or after its death at timepoint 12" in made.lines["note"].iloc[1]


def test_scorers_that_disagree_leave_the_machine_until_one_decides() -> None:
    track = some_dead_track()
    _, individuals, _ = plate()
    anna = of("dead", track, 12)
    ben = of("dead", track, 13, scorer="ben")
    made = corrected(anna, ben)
    assert row(made.individuals, track)["corrected_by"] == ""
    assert (
        row(made.individuals, track)["death_before_d"] == row(individuals, track)["death_before_d"]
    )
    assert list(made.lines["standing"]) == ["stale", "stale"]
    assert "anna: dead at timepoint 12; ben: dead at timepoint 13" in made.lines["note"].iloc[0]
    decided = corrected(anna, ben, of("dead", track, 13, scorer="adjudicated"))
    assert row(decided.individuals, track)["death_before_d"] == day(13)
    assert dict(decided.lines.set_index("scorer")["standing"]) == {
        "adjudicated": "applied",
        "anna": "replaced",
        "ben": "applied",
    }
    # Who looked and changed nothing disagrees as well.
    looked = corrected(anna, of("checked", track, 12, scorer="ben"))
    assert row(looked.individuals, track)["corrected_by"] == ""
    # But not with who says, without seeing it, what the machine says.
    blind = of("dead", track, 12, scorer="cleo", machine_value="12", blind=True)
    agreed = corrected(blind, of("checked", track, 12, scorer="ben"))
    assert list(agreed.lines["standing"]) == ["checked", "applied"]


def test_the_latest_of_a_scorer_counts() -> None:
    track = some_dead_track()
    made = corrected(of("dead", track, 12), of("dead", track, 14, id=2))
    assert row(made.individuals, track)["death_before_d"] == day(14)
    assert list(made.lines["standing"]) == ["replaced", "applied"]


def shifted(tracks: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The tracks as other weights would find them: renumbered, shifted, with sightings missed."""
    rng = np.random.default_rng(seed)
    numbers = tracks["track"].unique()
    renumbered = dict(zip(numbers, rng.permutation(len(numbers)) + 1, strict=True))
    kept = tracks[rng.random(len(tracks)) > 0.1].copy()
    kept["track"] = kept["track"].map(renumbered)
    kept[["y_px", "x_px"]] += rng.normal(0, 3, (len(kept), 2))
    kept["was"] = kept["track"].map({new: old for old, new in renumbered.items()})
    return kept


def test_corrections_find_their_worms_after_a_run_with_other_weights() -> None:
    tracks = plate()[0]
    counted = sorted(tracks.loc[tracks["counted"] == 1, "track"].unique())
    lines = [of("dead", int(one), 20, id=n + 1) for n, one in enumerate(counted)]
    again = shifted(tracks, 1)
    reviewed = associate(lines, again, "ffff", CorrectedSettings())
    was = again.groupby("track")["was"].first()
    found = {number: reviewed.track[key] for key, number in
             zip([(one.scorer, one.id) for one in lines], counted, strict=True)
             if key in reviewed.track}  # fmt: skip
    assert all(was[now] == then for then, now in found.items())
    assert len(found) >= 0.95 * len(counted)
    # What is not found is listed.
    stale = [one for one in lines if reviewed.standing[one.scorer, one.id][0] == "stale"]
    assert len(stale) + sum("death" in calls for calls in reviewed.calls.values()) == len(lines)


def test_numbers_of_timepoints_are_found_again_by_their_times() -> None:
    hours = np.array([0.0, 12, 24, 36, 48, 60])
    other = "t3 y1.0 x2.0"
    lines = [
        line(1, "dead", timepoint=3, time_h=36.0),
        line(2, "same_as", timepoint=3, time_h=36.0, value=2, reason=other),
        line(3, "alive", timepoint=3),
        line(4, "dead", timepoint=5, time_h=60.0),
        line(5, "alive", timepoint=0, time_h=0.0),
    ]

    def now(hours: np.ndarray) -> list[int]:
        return [one.timepoint for one in retimed(lines, np.arange(len(hours)), hours)]

    assert retimed(lines, np.arange(6), hours) == lines
    added = np.insert(hours, 2, 18.0)
    assert now(added) == [4, 4, 3, 6, 0]
    moved = retimed(lines, np.arange(7), added)[1]
    assert (moved.anchor_timepoint, moved.reason) == (4, "t4 y1.0 x2.0")
    # Added at the end, nothing changes; a death is seen in the next frame, all else in the one
    # before, and what lies out of all frames stays out.
    assert now(np.append(hours, 72.0)) == [3, 3, 3, 5, 0]
    assert now(np.delete(hours, 3)) == [3, 2, 3, 4, 0]
    assert now(hours[1:5]) == [2, 2, 3, 4, -1]
    # Numbers may have gaps, and times in tables are rounded.
    assert [one.timepoint for one in retimed(lines, 2 * np.arange(6), hours + 0.004)] == [
        6, 6, 3, 10, 0,
    ]  # fmt: skip


def two_tracks(*places: float) -> pd.DataFrame:
    rows = [(n, t, 100.0, x) for n, x in enumerate(places, start=1) for t in range(10)]
    return pd.DataFrame(rows, columns=["track", "timepoint", "y_px", "x_px"])


@pytest.mark.parametrize(
    ("places", "given", "said"),
    [
        ((300.0,), {}, "no worm that stopped lies there now"),
        ((95.0, 106.0), {}, "several worms lie there now: tracks 1 and 2"),
        ((100.0,), {"anchor_timepoint": 40}, "no worm that stopped lies there now"),
        ((100.0,), {"digest": "aa", "track": 9}, "no track 9 in tracks.tsv"),
        ((300.0,), {"digest": "aa"}, "track 1 does not lie where the line says"),
    ],
)
def test_stale_corrections_say_why(
    places: tuple[float, ...], given: dict[str, object], said: str
) -> None:
    one = line(1, "dead", timepoint=5, y_px=100.0, x_px=100.0, **given)
    reviewed = associate([one], two_tracks(*places), "aa", CorrectedSettings())
    standing, note = reviewed.standing["anna", 1]
    assert standing == "stale" and said in note
    assert reviewed.calls == {}


def test_two_worms_that_are_one_now_are_not_applied() -> None:
    lines = [
        line(1, "dead", track=1, timepoint=5, y_px=100.0, x_px=98.0),
        line(2, "dead", track=2, timepoint=7, y_px=100.0, x_px=102.0),
    ]
    reviewed = associate(lines, two_tracks(100.0), "aa", CorrectedSettings())
    assert reviewed.calls == {}
    assert "tracks 1 and 2 of that review are one now, track 1" in reviewed.standing["anna", 2][1]


def test_the_experiment_has_what_counts_beside_what_the_machine_says() -> None:
    track = some_dead_track()
    made = corrected(of("dead", track, 12)).individuals
    _, individuals, _ = plate()
    survival = survival_table({"p": made, "q": individuals}, {"p": "N2", "q": "N2"})
    own = survival.query("outcome == 'lifespan' and corrected_by == 'anna'")
    assert list(own["before_d"]) == [day(12)]
    assert list(own["before_d_machine"]) == [row(individuals, track)["death_before_d"]]
    others = survival[survival["corrected_by"] == ""]
    np.testing.assert_array_equal(others["before_d"], others["before_d_machine"])
    np.testing.assert_array_equal(others["event"], others["event_machine"])
    without = survival_table({"q": individuals}, {"q": "N2"})
    assert list(without.columns) == SURVIVAL_COLUMNS


def test_headings_of_pictures_say_that_people_corrected() -> None:
    _, individuals, _ = plate()
    assert "corrected" in corrected_heading(
        corrected(of("dead", some_dead_track(), 12)).individuals
    )
    assert corrected_heading(individuals) == ""


def test_worms_that_people_took_out_are_corrected_worms() -> None:
    """Though they are no individuals any longer; those that nobody changed are none."""
    tracks, _, _ = plate()
    first = some_dead_track()
    counted = [int(one) for one in tracks.loc[tracks["counted"] == 1, "track"].unique()]
    other, several = [one for one in counted if one != first][:2]
    debris = int(tracks.loc[tracks["counted"] == 0, "track"].iloc[0])
    made = corrected(
        of("not_a_worm", first, 12),
        of("not_a_worm", other, 12, 2),
        of("several", several, 12, 3, value=3),
        of("not_a_worm", debris, 12, 4),
    )
    by = made.individuals["corrected_by"]
    assert set(made.individuals.loc[by != "", "track"]) == {several}
    assert corrected_worms(made.tracks) == 3
    assert corrected_worms(corrected(of("not_a_worm", debris, 12)).tracks) == 0


def test_time_is_that_between_lines_but_for_pauses() -> None:
    times = ("09:00:00", "09:00:30", "09:30:00", "09:31:00", "09:30:50")
    lines = [line(n, "checked", time_utc=f"2026-11-29T{one}Z") for n, one in enumerate(times, 1)]
    assert minutes_spent(lines) == 1.5
    assert minutes_spent(lines[:1]) == 0


def test_the_step_reads_files_and_tells_what_is_stale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, table in zip(("tracks", "individuals", "counts"), plate(), strict=True):
        write_table(tmp_path / f"{name}.tsv", table)
    track = some_dead_track()
    digest = digest_of_tracks(str(tmp_path / "tracks.tsv"))
    lines = [
        of("dead", track, 12, digest=digest),
        line(2, "dead", digest="ab", timepoint=3, y_px=-900.0),
        line(3, "not_a_worm", track=track, digest=digest),
        line(4, "undo", value=3),
    ]
    (tmp_path / "p.anna.tsv").write_text(as_text(lines))
    out = tmp_path / "out"
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    words = [f"--{name}={tmp_path}/{name}.tsv" for name in ("tracks", "individuals", "counts")]
    for name in ("tracks", "individuals", "counts"):
        words.append(f"--corrected-{name}={out}/{name}.tsv")
    words += [
        f"--corrections={tmp_path}/p.anna.tsv",
        f"--lines={out}/corrections.tsv",
        f"--worms={WORMS}",
    ]
    words += [f"--agreement={out}/agreement.tsv", f"--changes={out}/changes.tsv"]
    words += [f"--scorers={out}/scorers.tsv"]
    words += ["--figures", f"{out}/agreement.svg", f"{out}/agreement.png"]
    main(parser.parse_args(words))
    found = read_table(out / "corrections.tsv", LINES_COLUMNS)
    assert list(found["standing"]) == ["applied", "stale", "undone"]
    told = capsys.readouterr().err
    assert "line 2 of anna, dead at timepoint 3, is not applied: no worm that stopped" in told
    # The page of quality lists it, and a plate without corrections has none.
    (stale,) = corrections_of(out / "tracks.tsv")
    assert (stale["id"], stale["scorer"], stale["action"]) == (2, "anna", "dead")
    drawn = Measures(*[0] * len(fields(Measures)))
    text = page("p", drawn, Verdict("ok", []), [], {}, stale=[stale])
    assert "line 2 of anna, dead at timepoint 3" in text and "no worm that stopped lies" in text
    assert corrections_of(tmp_path / "tracks.tsv") == []
    (changed,) = read_table(out / "changes.tsv", CHANGES_COLUMNS).to_dict("records")
    assert (changed["plate"], changed["scorers"], changed["dead"], changed["stale"]) == (
        "p", "anna", 1, 1,
    )  # fmt: skip
    assert changed["corrected_worms"] == 1 and 0 < changed["alive_distance"] < 0.1
    # The summary of the plate has it too; one without corrections does not.
    table = str(out / "individuals.tsv")
    assert curves.corrected_worms(table) == {"corrected_worms": 1}
    assert curves.corrected_worms(str(tmp_path / "individuals.tsv")) == {}
    own = read_table(out / "individuals.tsv").set_index("track")
    assert own.loc[track, "death_before_d"] == day(12)
    # Cells that nobody corrected are written as tracking wrote them.
    machine = (tmp_path / "individuals.tsv").read_text().splitlines()
    wide = len(machine[0].split("\t"))
    rows = [one.split("\t") for one in (out / "individuals.tsv").read_text().splitlines()]
    made = ["\t".join(cells[:wide]) for cells in rows]
    assert len(set(made) - set(machine)) == 1
