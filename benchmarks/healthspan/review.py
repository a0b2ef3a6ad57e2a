"""How fast plates are reviewed, and what their corrections are worth.

    python -m benchmarks.healthspan.review

By keyboard in Chromium, as a person would who knows the truth: simulated plates with a tenth of
their calls made wrong are corrected through their real pages. Then how long a full page and the
list of a thousand plates take to answer, and how many corrections find their worm after another
search. Plates of the last part are kept, and are not searched again.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks import ROOT
from benchmarks.browser import CHROMIUM, Browser
from benchmarks.healthspan.drawn_masks import overlaps
from benchmarks.healthspan.drawn_tracks import STEP_D, made_wrong, simulated_plate
from benchmarks.healthspan.review_again import reassociated
from benchmarks.healthspan.reviewing import DIGEST, review, review_page_of, truth_of
from snakescope.healthspan.evaluation.scores import curve_distance
from snakescope.healthspan.review.association import associate
from snakescope.healthspan.review.corrected_tables import corrected_tables
from snakescope.healthspan.review.corrections import replay
from snakescope.healthspan.review.review_index import index_rows
from snakescope.healthspan.review.review_index import page as index_page
from snakescope.healthspan.review.review_page import page, review_data, strip_urls
from snakescope.healthspan.review.review_rows import review_rows
from snakescope.healthspan.review.settings import CorrectedSettings, ReviewPageSettings
from snakescope.healthspan.survival.curves import plate_curves
from snakescope.healthspan.tracking.settings import TrackSettings
from snakescope.healthspan.tracking.track import track_plate
from snakescope.report.pages import jpeg_url, markdown, write_text
from snakescope.step.command import parser_of, run_step
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table, write_table

COLUMNS = ("case", "metric", "value", "unit")
SHARE_WRONG = 0.1
WIDTHS_PX = (4, 6, 10)
LEARNING = "fine_tuned"
"""Case of the rows that :mod:`benchmarks.healthspan.review_learning` measures."""
FIRST = 20
"""Corrections of which the keys are counted."""

Row = tuple[str, str, float, str]


def distance(individuals: pd.DataFrame, counts: pd.DataFrame, truth: pd.DataFrame) -> float:
    """Greatest distance of the curves of a plate from the true shares."""
    curves, _, _ = plate_curves(individuals, counts, 0.95)
    return curve_distance(curves, truth)


def corrected_by_keyboard(
    browser: Browser, folder: Path, plates: int, worms: int, columns: int
) -> Iterator[Row]:
    """Plates with calls made wrong, before and after their review; keys of the first of them."""
    before, wrong, after = [], [], []
    keys: list[tuple[int, int]] = []
    checked: list[int] = []
    for seed in range(plates):
        states, frames, truth = simulated_plate(1900 + seed, worms=worms, frames=columns)
        settings = TrackSettings()
        right = track_plate(states, frames, 0.0, worms, settings)
        before.append(distance(right.individuals, right.counts, truth))
        changed, _ = made_wrong(states, truth, SHARE_WRONG, seed)
        found = track_plate(changed, frames, 0.0, worms, settings)
        wrong.append(distance(found.individuals, found.counts, truth))
        plate = f"plate{seed}"
        path = folder / f"{plate}.html"
        write_text(path, review_page_of(found, plate, columns))
        made = review(browser, path, plate, truth_of(found.tracks, changed, truth), columns)
        keys += list(zip(made.corrections, made.keys, strict=True))
        checked += made.checked_keys
        kept, undone = replay(made.lines)
        reviewed = associate(kept, found.tracks, DIGEST, CorrectedSettings())
        tables = corrected_tables(
            found.tracks, found.individuals, found.counts, kept, undone, reviewed, worms, settings
        )
        after.append(distance(tables.individuals, tables.counts, truth))
        stale = tables.lines[tables.lines["standing"] == "stale"]
        print(
            f"{plate}: {len(kept)} lines, {len(stale)} stale;"
            f" distance {before[-1]:.3f}, wrong {wrong[-1]:.3f}, corrected {after[-1]:.3f}",
            flush=True,
        )
    done = np.cumsum([one for one, _ in keys])
    last = int(np.searchsorted(done, FIRST)) + 1
    counted = keys[:last]
    yield (
        "keyboard",
        "keys_a_correction",
        sum(one for _, one in counted) / max(sum(one for one, _ in counted), 1),
        "keys",
    )
    yield "keyboard", "corrections", float(sum(one for one, _ in counted)), "count"
    yield "keyboard", "keys_a_right_worm", float(np.mean(checked)) if checked else np.nan, "keys"
    for case, values in (
        ("ten_percent_wrong", after),
        ("ten_percent_wrong_uncorrected", wrong),
        ("none_wrong_uncorrected", before),
    ):
        yield case, "curve_distance", float(np.max(values)), "share of the worms, largest of plates"


def seconds_of(times: int, work: Callable[[], None]) -> float:
    """Median seconds of some work."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return float(np.median(taken))


def full_page(worms: int, columns: int) -> str:
    """A page of review with pictures as large as those of frames: a dark worm on uneven ground."""
    states, frames, _ = simulated_plate(19, worms=worms, frames=columns, scale_d=columns * 0.15)
    found = track_plate(states, frames, 0.0, worms, TrackSettings())
    settings = ReviewPageSettings()
    day = np.arange(columns) * STEP_D
    timepoints = list(range(columns))
    rows = review_rows(found.individuals, found.tracks, timepoints, set(timepoints), day)
    rows = (rows * (worms // max(len(rows), 1) + 1))[:worms]
    rows.sort(key=lambda one: (one.individual == 0, one.confidence))
    data = review_data(
        "full", DIGEST, rows, found.individuals, timepoints, day, set(timepoints), settings.cell_px,
        (24 * day).tolist(),
    )  # fmt: skip
    rng = np.random.default_rng(0)
    urls = []
    for worm in data["worms"]:
        cells = pictures(rng, columns, settings.cell_px)
        urls.append(strip_urls(cells, settings.jpeg_quality))
        angle = np.linspace(0, 2 * np.pi, 30)
        ring = 36 + np.stack([24 * np.cos(angle), 8 * np.sin(angle)], axis=1)
        outline = [int(one) for one in ring.ravel()]
        worm["outlines"] = dict.fromkeys(range(columns), outline)
    data["height_px"] = data["width_px"] = 3080.0
    whole = pictures(rng, 1, settings.plate_px)[0]
    return page(data, urls, jpeg_url(whole, settings.jpeg_quality))


def pictures(rng: np.random.Generator, number: int, side: int) -> NDArray[np.uint8]:
    """Grey pictures (number, side, side) with the noise of a camera and a dark worm."""
    made = np.empty((number, side, side), np.uint8)
    for place in range(number):
        ground = cv2.GaussianBlur(rng.normal(150, 60, (side, side)), (0, 0), 4)
        corners = np.cumsum(rng.normal(0, side / 10, (8, 2)), axis=0) + side / 2
        cv2.polylines(ground, [corners.astype(np.int32)], False, 70.0, max(side // 14, 1))
        made[place] = np.clip(ground + rng.normal(0, 5, ground.shape), 0, 255)
    return made


def pages_answer(
    browser: Browser, folder: Path, worms: int, columns: int, plates: int, times: int
) -> Iterator[Row]:
    """How long a full page and a long list take until they answered a person."""
    path = folder / "full.html"
    write_text(path, full_page(worms, columns))
    print(f"page of {worms} worms at {columns} timepoints: {path.stat().st_size / 1e6:.1f} MB")

    def open_and_press() -> None:
        # Nothing of an earlier opening must be there.
        browser.open("about:blank")
        browser.begin(path.as_uri())
        browser.until("Boolean(document.querySelector('.worm.current'))")
        browser.press("ArrowDown")
        browser.until(CURRENT_DRAWN)
        browser.value(FRAME_DRAWN)

    browser.open(path.as_uri())
    browser.write("#scorer", "anna")
    yield (
        "page_112_worms",
        "seconds",
        seconds_of(times, open_and_press),
        "s until a key is answered",
    )
    yield (
        "page_112_worms",
        "seconds_a_key",
        seconds_of(times, lambda: (browser.press("D", "n"), browser.value(FRAME_DRAWN), None)[-1])
        / 2,
        "s until a correction is drawn",
    )
    names = [f"plate{number}" for number in range(plates)]
    status = pd.DataFrame({"plate": names, "experiment": "one", "condition": "N2"})
    status = status.assign(status="included", reason="")
    figures = {"worms": 60, "deaths": 51, "last_day": 30.5, "median_lifespan_d": 13.25}
    figures |= {"alive_at_last_frame": 3}
    index = folder / "index.html"
    rows = index_rows(status, [pd.DataFrame([{"plate": name, **figures}]) for name in names])
    write_text(index, index_page(rows))

    def open_sort_and_filter() -> None:
        browser.open(index.as_uri())
        browser.click("th:nth-child(5) button")
        browser.write("#filter", "plate99")
        browser.value(FRAME_DRAWN)

    yield (
        "index_1000_plates",
        "seconds",
        seconds_of(times, open_sort_and_filter),
        "s until sorted and filtered",
    )


CURRENT_DRAWN = "document.querySelector('.worm.current img')?.naturalWidth > 0"
"""The row that the arrow chose, with its pictures."""

FRAME_DRAWN = (
    "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the benchmark."""
    parser.add_argument("--plates", type=int, default=6, help="simulated plates to correct (6)")
    parser.add_argument("--worms", type=int, default=60, help="on each of them (60)")
    parser.add_argument("--timepoints", type=int, default=40, help="of each of them (40)")
    parser.add_argument("--full", type=int, nargs=2, default=(112, 84), metavar=("WORMS", "TIMES"))
    parser.add_argument("--listed", type=int, default=1000, help="plates of the list (1000)")
    parser.add_argument("--times", type=int, default=5, help="that each page is opened (5)")
    parser.add_argument("--bent", type=int, default=200, help="worms of each width (200)")
    parser.add_argument("--again", type=int, default=2, help="plates to search twice (2)")
    parser.add_argument("--frame-px", type=int, default=880, help="side of their frames (880)")
    parser.add_argument("--frames", type=int, default=24, help="of each of them (24)")
    parser.add_argument("--other-weights", help="of the second search; else other settings")
    parser.add_argument("--folder", type=Path, default=Path("review"), help="of plates kept")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/benchmarks/healthspan-review.md")
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/healthspan-review.tsv")


def main(given: argparse.Namespace) -> None:
    """Run the benchmark and write its table."""
    if CHROMIUM is None:
        raise StepError("expected Chromium, found none; install the package chromium")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name, Browser() as browser:
        folder = Path(name)
        rows += corrected_by_keyboard(browser, folder, given.plates, given.worms, given.timepoints)
        rows += pages_answer(browser, folder, *given.full, given.listed, given.times)
    shared = [one for width in WIDTHS_PX for one in overlaps(width, given.bent)]
    rows.append(("round_trip", "least_iou", min(shared), "of worms 4, 6 and 10 px wide"))
    rows.append(("round_trip", "median_iou", float(np.median(shared)), "of the same worms"))
    if given.again:
        shape = given.frame_px, given.frames
        rows += reassociated(given.folder, given.again, *shape, given.other_weights)
    table = pd.DataFrame(rows, columns=list(COLUMNS)).round({"value": 4})
    if given.table.exists():
        earlier = read_table(given.table, COLUMNS)
        table = pd.concat([table, earlier[earlier["case"] == LEARNING]], ignore_index=True)
    write_table(given.table, table)
    write_text(given.page, in_words(table))
    print(table.to_string(index=False))


def in_words(table: pd.DataFrame) -> str:
    """The page with the table and how it was made."""
    return f"""# Review of plates

```
.venv/bin/python -m benchmarks.healthspan.review
```

Measured in Chromium with keys pressed as a person presses them. Seconds are of two cores that other
programs shared, this one at a raised priority; beside another browser that was tested at the same
time, the full page took 2.3 s once, over the two that are allowed.

{markdown(table, {})}

- `keyboard`: simulated plates without images, of which a tenth of the worms that die is called
  wrong in a whole run of frames. Somebody who knows the truth goes through every worm in the
  page's order, moves with as few keys as it takes, and goes on to the next with Shift, which
  counts as one key with the other. Of the first corrections, {FIRST} or a few more. To find out
  what is right is not in it: a person looks, which takes no key where the strip shows it, and
  some arrows where it does not.
- `ten_percent_wrong`: greatest distance of the curves of these plates from the true shares at any
  timepoint, corrected by the lines that the page kept; beside it without corrections, and of the
  tracks of which none was made wrong.
- `page_112_worms`: median of several openings until an arrow key was answered and the worm that it
  chose was drawn with its pictures. Those of other rows follow; a browser reads all of it in two
  seconds of a slow processor.
- `index_1000_plates`: opened, sorted by a column and filtered.
- `reassociated`: corrections of every worm and object of simulated plates with images, after a
  search with the weights that shipped before (`--other-weights`); `reassociated_other_settings`:
  with other thresholds of the same weights. `right`: masks of both runs overlap at the timepoint
  of the correction. The rest is listed in `corrected/corrections.tsv` as stale.
- `fine_tuned` (`.venv/bin/python -m benchmarks.healthspan.review_learning`): the detector trained
  further on annotated frames of three simulated plates of a look that it does not know, faint worms
  with a bright core in bright field alone, and two other plates of that look searched before and
  after. In the F of states a missed worm is a missed state. `both_state`: the classifier too, on
  the true states of the worms that were followed on the three plates. Intervals are over frames of
  the two plates: they say nothing of plates of other looks.
- `round_trip`: masks of simulated worms, written as polygons and read again; the least overlap of
  all.
"""


if __name__ == "__main__":
    module = sys.modules[__name__]
    given = parser_of(module, ".venv/bin/python -m benchmarks.healthspan.review").parse_args()
    run_step(lambda: main(given))
