"""A person at a page of review, who knows the truth and has a keyboard, and pages to try."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.browser import Browser
from benchmarks.healthspan.drawn_tracks import STEP_D
from snakescope.healthspan.review.corrections import Correction, parse
from snakescope.healthspan.review.review_page import page, review_data, strip_urls
from snakescope.healthspan.review.review_rows import review_rows
from snakescope.healthspan.tracking.track import PlateTracks
from snakescope.report.pages import jpeg_url

DIGEST = "0" * 16
SCORER = "anna"
FAR = 10
"""Timepoints that an arrow moves with Shift."""

FEW = 2
"""Sightings that a track needs before somebody says whose it is."""


@dataclass(frozen=True)
class Truth:
    """What becomes of a track: of which worm it is, and when that stopped and died.

    Attributes:
        worm: its number; negative of none.
        stopped, dead: the first column at which it is so; the number of columns if never.
        main: whether it is the longest track of its worm.
    """

    worm: int
    stopped: int
    dead: int
    main: bool


def truth_of(tracks: pd.DataFrame, states: pd.DataFrame, worms: pd.DataFrame) -> dict[int, Truth]:
    """Return what becomes of every track of a simulated plate.

    Args:
        tracks: the table of tracks.
        states: detections, with ``worm`` (:mod:`benchmarks.healthspan.drawn_tracks`).
        worms: when each worm stopped and died (d).
    """
    day = np.arange(int(states["timepoint"].max()) + 1) * STEP_D
    of_instance = dict(zip(states["instance"], states["worm"], strict=True))
    own = tracks.assign(worm=tracks["instance"].map(of_instance))
    length: dict[int, list[tuple[int, int]]] = {}
    whose = {}
    for track, seen in own.groupby("track"):
        worm, count = next(iter(seen["worm"].value_counts().items()))
        whose[int(str(track))] = int(str(worm))
        length.setdefault(int(str(worm)), []).append((-int(count), int(str(track))))
    found = {}
    for track, worm in whose.items():
        if worm < 0:
            found[track] = Truth(worm, len(day), len(day), False)
            continue
        row = worms.iloc[worm]
        stopped, dead = (
            int(np.searchsorted(day, float(row[name]))) for name in ("healthspan_end_d", "death_d")
        )
        found[track] = Truth(worm, stopped, dead, min(length[worm])[1] == track)
    return found


def review_page_of(found: PlateTracks, plate: str, columns: int, cell: int = 24) -> str:
    """Return the page of review of a simulated plate; its pictures are grey."""
    day = np.arange(columns) * STEP_D
    usable = set(found.counts.loc[found.counts["usable"] == 1, "timepoint"])
    timepoints = list(range(columns))
    rows = review_rows(found.individuals, found.tracks, timepoints, usable, day)
    data = review_data(
        plate, DIGEST, rows, found.individuals, timepoints, day, usable, cell, (24 * day).tolist()
    )  # fmt: skip
    for worm in data["worms"]:
        worm["outlines"] = {}
    data["height_px"] = data["width_px"] = 3080.0
    grey: NDArray[np.uint8] = np.full((columns, cell, cell), 150, np.uint8)
    urls = strip_urls(grey, 60)
    return page(data, [urls for _ in rows], jpeg_url(grey[0]))


def way(at: int, to: int, count: int, changes: Sequence[int]) -> list[str]:
    """Return the fewest keys that move the cursor from a column to another."""
    if at == to:
        return []
    ways: dict[int, list[str]] = {at: []}
    edge = [at]
    while edge:
        following = []
        for here in edge:
            after = [one for one in changes if one > here]
            before = [one for one in changes if one < here]
            moves = {
                "ArrowRight": here + 1, "ArrowLeft": here - 1, "Shift+ArrowRight": here + FAR,
                "Shift+ArrowLeft": here - FAR, "Home": 0, "End": count - 1,
                ".": after[0] if after else here, ",": before[-1] if before else here,
            }  # fmt: skip
            for key, place in moves.items():
                there = min(max(place, 0), count - 1)
                if there not in ways:
                    ways[there] = [*ways[here], key]
                    following.append(there)
        if to in ways:
            return ways[to]
        edge = following
    raise AssertionError("every column can be reached")


@dataclass(frozen=True)
class Review:
    """What a person did: the lines of the file, and keys of each worm that was corrected.

    Attributes:
        corrections, keys: of each worm that was corrected, in order.
        checked_keys: of each worm that was right.
    """

    lines: list[Correction]
    corrections: list[int]
    keys: list[int]
    checked_keys: list[int]


def review(
    browser: Browser, path: Path, plate: str, truth: Mapping[int, Truth], columns: int
) -> Review:
    """Go through every worm of a page by keyboard, and correct what is not as in truth.

    The page's own order is kept. The cursor is moved with as few keys as it takes, and Shift goes
    on to the next worm.
    """
    browser.open(path.as_uri())
    browser.write("#scorer", SCORER)
    worms = browser.value("JSON.parse(document.getElementById('data').textContent).worms")
    main = {one.worm: track for track, one in truth.items() if one.main}
    by_track = {int(worm["track"]): worm for worm in worms}
    corrections, keys, checked = [], [], []
    for _ in worms:
        index = int(browser.value("document.querySelector('.worm.current').dataset.index"))
        worm = worms[index]
        own = truth[int(worm["track"])]
        wanted = actions(worm, own, by_track[main[own.worm]] if own.worm in main else None, columns)
        before = browser.pressed
        if not wanted:
            browser.press("Enter")
            checked.append(browser.pressed - before)
            continue
        changes = browser.value(
            "Corrections.changes(JSON.parse(document.getElementById('data').textContent)"
            f".worms[{index}], 0)"
        )
        at = int(worm["dead"] if worm["dead"] >= 0 else max(worm["stopped"], 0))
        for number, (key, column) in enumerate(wanted, start=1):
            browser.press(*way(at, column, columns, changes) if column >= 0 else ())
            at = column if column >= 0 else at
            browser.press(key.upper() if number == len(wanted) else key)
        corrections.append(len(wanted))
        keys.append(browser.pressed - before)
    stored = browser.value(f"localStorage.getItem('snakescope:{plate}:{DIGEST}:{SCORER}')")
    return Review(parse(stored, plate, SCORER), corrections, keys, checked)


def actions(
    worm: Mapping[str, object], own: Truth, main: Mapping[str, object] | None, columns: int
) -> list[tuple[str, int]]:
    """Return the keys that a worm needs, each with the column at which it is pressed; -1 for any.

    A death is said before the end of health, which must not lie after it.

    Args:
        worm: as the page has it.
        own: its truth.
        main: the longest track of the same worm, as the page has it.
    """
    counted = bool(worm["individual"])
    places = worm["seen"]
    if own.worm < 0 or (not own.main and main is not None):
        # What is no worm, and the shorter of two tracks of a worm.
        return [("x", -1)] if counted else []
    if len(places) < FEW and not counted:  # type: ignore[arg-type]
        return []
    wanted = []
    dead = int(str(worm["dead"]))
    if own.dead < columns and (dead != own.dead or not counted):
        wanted.append(("d", own.dead))
    elif own.dead >= columns and dead >= 0:
        wanted.append(("a", columns - 1))
    stopped = int(str(worm["stopped"]))
    stopped = columns if stopped < 0 else stopped
    # Who says that it died earlier says that it stopped by then.
    stopped = min(stopped, own.dead) if wanted else stopped
    if 0 < min(own.stopped, columns) != min(stopped, columns):
        wanted.append(("h", min(own.stopped, columns) - 1))
    return wanted
