"""Pages of review in a real browser, with keys as a person presses them."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.browser import CHROMIUM, Browser
from snakescope.healthspan.report.plates_table import page as plates_page
from snakescope.healthspan.report.plates_table import plates_table
from snakescope.healthspan.review.association import associate
from snakescope.healthspan.review.corrected_tables import corrected_tables
from snakescope.healthspan.review.corrections import parse, read, replay
from snakescope.healthspan.review.review_index import index_rows
from snakescope.healthspan.review.review_index import page as index_page
from snakescope.healthspan.review.settings import CorrectedSettings
from snakescope.healthspan.tracking.settings import TrackSettings
from tests.healthspan.review.browsing import SAVED, Served, kept
from tests.healthspan.review.test_corrected import WORMS, day, plate, row, some_dead_track
from tests.healthspan.review.test_review_page import DIGEST, FRAMES, HOSTILE, rows, the_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
CURRENT = "document.querySelector('.worm.current')"


def go_to(browser: Browser, track: int) -> None:
    """With the arrows, to the row of a track, in the order of numbers."""
    browser.value("(() => { const box = document.getElementById('sort'); box.value = 'number';"
                  " box.dispatchEvent(new Event('change')); })()")  # fmt: skip
    wanted = [one.track for one in rows()].index(track)
    for key in ("ArrowUp", "ArrowDown"):
        for _ in rows():
            if int(browser.value(f"{CURRENT}.dataset.index")) == wanted:
                return
            browser.press(key)


def test_keys_become_the_file_that_the_workflow_applies(opened: Browser) -> None:
    track = some_dead_track()
    (worm,) = [one for one in rows() if one.track == track]
    opened.write("#scorer", "anna")
    go_to(opened, track)
    opened.press("ArrowRight", "ArrowRight", "d", "z", "Z", "x", "z")
    opened.press("ArrowDown", "3", "ArrowDown", "c", "2")
    lines = kept(opened)
    assert [one.action for one in lines] == [
        "dead", "undo", "redo", "not_a_worm", "undo", "several", "censored",
    ]  # fmt: skip
    counting, undone = replay(lines)
    (first, several, censored) = counting
    assert (first.track, first.timepoint) == (track, worm.dead + 2)
    assert first.machine_value == str(worm.dead)
    assert (several.value, censored.reason) == (3, "bagged")
    tracks, individuals, counts = plate()
    reviewed = associate(counting, tracks, DIGEST, CorrectedSettings())
    made = corrected_tables(
        tracks, individuals, counts, counting, undone, reviewed, WORMS, TrackSettings()
    )
    assert set(made.lines["standing"]) == {"applied", "undone"}
    assert row(made.individuals, track)["death_before_d"] == day(worm.dead + 2)
    # And all of it is there when the page is opened again.
    opened.reload()
    assert opened.value("document.getElementById('progress').textContent").startswith(
        f"looked at 3 of {len(rows())}"
    )
    assert kept(opened) == lines and not opened.thrown()


def test_two_tracks_are_one_worm_and_a_plate_is_left_out(opened: Browser) -> None:
    track = some_dead_track()
    other = next(one for one in rows() if one.individual and one.track > track)
    opened.write("#scorer", "anna")
    go_to(opened, track)
    opened.press("m", "ArrowDown", "Enter", "E", "2")
    same, out = kept(opened)
    assert (same.action, same.track, same.value) == ("same_as", track, other.track)
    last = other.seen[-1]
    y, x = other.row.places[last]
    assert same.reason == f"t{last} y{y:.1f} x{x:.1f}"
    assert (out.action, out.track, out.reason) == ("exclude_plate", 0, "fog")
    assert opened.value("document.getElementById('excluded').textContent") == "plate excluded: fog"
    opened.press("z")
    assert opened.value("document.getElementById('excluded').textContent") == ""
    # Who thinks better of it leaves it with Escape.
    opened.press("m", "ArrowDown", "Escape", "m", "Enter")
    assert len(kept(opened)) == 3


def test_shift_goes_on_to_the_next_and_stops_to_where_it_looks_otherwise(opened: Browser) -> None:
    opened.write("#scorer", "anna")
    first = int(opened.value(f"{CURRENT}.dataset.index"))
    opened.press("D")
    second = int(opened.value(f"{CURRENT}.dataset.index"))
    assert first != second and kept(opened)[0].track == rows()[first].track
    track = some_dead_track()
    (worm,) = [one for one in rows() if one.track == track]
    go_to(opened, track)
    left = f"parseInt({CURRENT}.querySelector('.cursor').style.left) / 24"
    changes = {worm.stopped, worm.dead}
    pairs = zip(worm.looks, worm.looks[1:], worm.seen[1:], strict=False)
    changes |= {at for before, after, at in pairs if before != after}
    opened.press("Home")
    met = []
    for _ in changes:
        opened.press(".")
        met.append(int(opened.value(left)))
    assert met == sorted(changes - {0}) + [max(changes)] * (0 in changes)
    opened.press(",")
    assert int(opened.value(left)) == sorted(changes)[-2]


@pytest.mark.parametrize("width", [800, 1440])
def test_names_stay_in_view_and_nothing_is_wider_than_the_window(
    opened: Browser, width: int
) -> None:
    opened.resize(width, 800)
    opened.press("End")
    box = opened.value(
        f"(() => {{ const one = {CURRENT}.querySelector('.name').getBoundingClientRect(),"
        f" cursor = {CURRENT}.querySelector('.cursor').getBoundingClientRect();"
        " return [one.left, cursor.left - one.right, cursor.right,"
        " document.documentElement.scrollWidth, document.querySelector('aside').scrollWidth -"
        " document.querySelector('aside').clientWidth]; })()"
    )
    assert box[0] == 0 and box[1] >= 0 and box[2] <= width
    assert box[3] <= width and box[4] <= 0


LARGE = "document.getElementById('large-plate')"


def click_on_plate(browser: Browser, track: int) -> None:
    """Where the worm of a track lies on the large picture, at the timepoint that is shown."""
    (one,) = [one for one in rows() if one.track == track]
    column = int(browser.value("Number(document.querySelector('.worm.current .cursor').style.left"
                               ".replace('px', '')) / JSON.parse(document.getElementById('data')"
                               ".textContent).cell"))  # fmt: skip
    y, x = one.row.places[min(one.seen, key=lambda seen: (abs(seen - column), seen))] / 3080.0
    browser.value(
        f"(() => {{ const canvas = {LARGE}.querySelector('canvas'),"
        " box = canvas.getBoundingClientRect(); canvas.dispatchEvent(new MouseEvent('click',"
        f" {{clientX: box.left + {x} * box.width, clientY: box.top + {y} * box.height,"
        " bubbles: true})); })()"
    )


def test_the_plate_has_the_numbers_and_takes_clicks(opened: Browser) -> None:
    track = some_dead_track()
    opened.press("p")
    assert not opened.value(f"{LARGE}.hidden")
    drawn = (
        f"(() => {{ const one = {LARGE}.querySelector('canvas'); return one.getContext('2d')"
        ".getImageData(0, 0, one.width, one.height).data.some((level) => level) })()"
    )
    assert opened.value(drawn)
    click_on_plate(opened, track)
    assert opened.value(f"{LARGE}.hidden")
    assert rows()[int(opened.value(f"{CURRENT}.dataset.index"))].track == track
    opened.press("p", "Escape")
    assert opened.value(f"{LARGE}.hidden")
    # Keys still act on the worm; the picture at the side opens it too.
    opened.value("document.getElementById('plate').click()")
    assert not opened.value(f"{LARGE}.hidden") and not opened.thrown()
    opened.press("p")


def test_a_folder_that_was_picked_has_every_action(opened: Browser) -> None:
    """What is in its file comes first; a file of other lines is left as it is."""
    opened.value(
        "window.files = {}; window.showDirectoryPicker = async () => ({name: 'corrections',"
        " getFileHandle: async (name) => ({getFile: async () => ({text: async () =>"
        " window.files[name] || ''}), createWritable: async () => { let made = ''; return {write:"
        " async (text) => { made = text; }, close: async () => { window.files[name] = made; }}; }"
        "})}); 0"
    )
    opened.value("document.getElementById('beside').hidden = false; 0")
    opened.write("#scorer", "anna")
    opened.press("d")
    opened.click("#beside")
    opened.until(f"{SAVED}.startsWith('saved in corrections/')")
    opened.press("ArrowDown", "x")
    file = "window.files['p.anna.tsv']"
    opened.until(f"{file}.split('\\n').length === 4")
    assert [one.action for one in parse(opened.value(file), "p", "anna")] == ["dead", "not_a_worm"]
    assert parse(opened.value(file), "p", "anna") == kept(opened)
    # Another scorer has another file; one that says something else is shown, not written over.
    opened.value(f"window.files['p.ben.tsv'] = {file}.replaceAll('anna', 'ben')"
                 ".replace('not_a_worm', 'worm'); 0")  # fmt: skip
    before = opened.value("window.files['p.ben.tsv']")
    opened.write("#scorer", "ben")
    opened.until(f"{SAVED} === '2 lines read'")
    assert [one.action for one in kept(opened, "ben")] == ["dead", "worm"]
    assert opened.value("window.files['p.ben.tsv']") == before
    opened.value("window.files['p.cleo.tsv'] = 'something else'; 0")
    opened.write("#scorer", "cleo")
    opened.until(f"{SAVED}.includes('nothing was written to it')")
    opened.press("d")
    assert opened.value("window.files['p.cleo.tsv']") == "something else"
    assert not opened.thrown()


def test_everything_is_reached_by_tab_in_order_and_has_a_name(opened: Browser) -> None:
    name = (
        "(() => { const one = document.activeElement; return [one.id || one.dataset.action ||"
        " one.href || one.tagName,"
        " (one.ariaLabel || one.labels?.[0]?.textContent || one.textContent).trim(),"
        " getComputedStyle(one.closest('.file') || one).outlineStyle]; })()"
    )
    opened.value("document.activeElement.blur(); document.body.focus(); 0")
    reached = []
    for _ in range(40):
        opened.press("Tab")
        reached.append(opened.value(name))
        if reached[-1][0] == "exclude_plate":
            break
    ids = [one[0].rpartition("/")[2] for one in reached]
    begin = ids.index("scorer")
    assert [one for one in ids[begin:] if one != "beside"] == [
        "scorer", "sort", "blind", "outlines", "review.html", "contact_sheet.html", "quality.html",
        "download", "open", "rows", "plate", "dead", "last_healthy", "immobile", "alive",
        "censored", "not_a_worm", "worm", "several", "same_as", "checked", "undo", "redo",
        "exclude_plate",
    ]  # fmt: skip
    assert all(label for _, label, _ in reached[begin:])
    # Where one is can be seen, but for the list, whose chosen worm is marked.
    assert {one for one, _, ring in reached[begin:] if ring == "none"} <= {"rows"}


def test_only_rows_in_view_have_pictures(opened: Browser) -> None:
    opened.resize(1440, 300)
    opened.reload()
    filled = "document.querySelectorAll('.worm[data-filled]').length"
    few = opened.value(filled)
    assert 0 < few < len(rows())
    for _ in rows():
        opened.press("ArrowDown")
    opened.until(f"{filled} > {few}")
    opened.until(f"{CURRENT}.querySelector('img').naturalWidth > 0")
    assert not opened.thrown()


def test_names_are_harmless_and_nothing_is_said_without_one(
    browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "hostile.html"
    path.write_text(the_page(HOSTILE), encoding="utf-8")
    browser.open(path.as_uri())
    browser.value("localStorage.clear()")
    browser.reload()
    assert browser.value("document.title") == f"Review of {HOSTILE}"
    browser.press("d")
    assert browser.value(SAVED).startswith("type your name first")
    browser.write("#scorer", "<b>")
    assert browser.value(SAVED) == "a name of letters, digits, - and _"
    assert browser.value("localStorage.length") == 0
    # The policy of the page takes no script but its own.
    browser.value("document.body.append(Object.assign(document.createElement('script'),"
                  " {textContent: 'document.title = 1'}))")  # fmt: skip
    assert browser.value("document.title") == f"Review of {HOSTILE}"


def test_a_blind_page_shows_neither_plate_nor_machine(opened: Browser) -> None:
    opened.write("#scorer", "anna")
    opened.press("b", "ArrowRight", "d")
    assert opened.value("document.title") == "Review, blind"
    assert kept(opened)[0].blind
    shown = opened.value("document.getElementById('rows').innerText")
    assert not any(one.fate in shown for one in rows())
    assert opened.value("document.getElementById('title').textContent") == "Review, blind"


def test_a_blind_page_tells_nothing_after_a_call_and_none_when_opened_again(
    opened: Browser,
) -> None:
    opened.write("#scorer", "anna")
    track = some_dead_track()
    (worm,) = [one for one in rows() if one.track == track]
    go_to(opened, track)
    opened.press("b", "Enter")
    # Who does not see the machine's call cannot agree with it.
    assert kept(opened) == [] and opened.value(SAVED).startswith("blind: say what you see")
    opened.press("End", "d")
    colour = (
        f"(() => {{ const bar = {CURRENT}.querySelector('.bar'); return [...bar.getContext('2d')"
        f".getImageData({worm.stopped} * 24 + 2, 15, 1, 1).data].slice(0, 3); }})()"
    )
    assert worm.stopped < FRAMES - 1 and opened.value(colour) == [0xE6, 0xE8, 0xEA]
    opened.press("b")
    assert opened.value(colour) != [0xE6, 0xE8, 0xEA]
    opened.press("b", "h", "z")
    opened.reload()
    assert opened.value("document.title") == "Review, blind"
    assert opened.value("document.getElementById('sort').disabled")
    opened.value("localStorage.clear()")


def test_immobile_from_here_is_healthy_in_the_picture_before(opened: Browser) -> None:
    opened.write("#scorer", "anna")
    track = some_dead_track()
    go_to(opened, track)
    opened.press("Home", "i")
    assert kept(opened) == [] and opened.value(SAVED).startswith("no picture before")
    opened.press("ArrowRight", "ArrowRight", "ArrowRight", "i")
    (one,) = kept(opened)
    usable = [at for at in range(3) if opened.value(
        f"JSON.parse(document.getElementById('data').textContent).usable[{at}]")]  # fmt: skip
    assert (one.action, one.timepoint) == ("last_healthy", usable[-1])


def test_who_decides_sees_where_scorers_disagree_and_they_do_not(
    browser: Browser, path: Path, tmp_path: Path
) -> None:
    served = Served({"p": path}, tmp_path)
    try:
        browser.open(f"http://127.0.0.1:{served.port}/plate/p")
        track = some_dead_track()
        for scorer, keys in (("anna", "d"), ("ben", "x")):
            browser.write("#scorer", scorer)
            browser.until(f"{SAVED} === '0 lines read'")
            go_to(browser, track)
            browser.press("End", keys)
            browser.until(f"{SAVED}.startsWith('saved ')")
        told = f"{CURRENT}.querySelector('.others').textContent"
        assert browser.value(told) == ""
        browser.write("#scorer", "adjudicated")
        browser.until(f"{told} !== ''")
        assert browser.value(told).startswith("scorers disagree: anna: dead day ")
        assert browser.value(told).endswith(" · ben: not a worm")
        browser.press("b")
        assert browser.value(told) == ""
        browser.press("b")
        links = "[...document.querySelectorAll('#links a')].map((one) => one.pathname)"
        assert browser.value(links) == [
            "/", "/plate/p/contact_sheet.html", "/plate/p/quality.html",
        ]  # fmt: skip
        assert not browser.thrown()
    finally:
        served.down()


def test_a_server_that_was_killed_costs_nothing(
    browser: Browser, path: Path, tmp_path: Path
) -> None:
    served = Served({"p": path}, tmp_path)
    browser.open(f"http://127.0.0.1:{served.port}/plate/p")
    browser.write("#scorer", "anna")
    browser.until(f"{SAVED} === '0 lines read'")
    browser.press("d", "z", "Z")
    browser.until(f"{SAVED}.startsWith('saved ')")
    file = tmp_path / "p.anna.tsv"
    browser.until(f"{SAVED}.startsWith('saved ')")
    assert [one.action for one in read(file)] == ["dead", "undo", "redo"]
    served.down()
    browser.press("x", "ArrowDown", "2")
    browser.until(f"{SAVED}.startsWith('not saved')")
    assert len(read(file)) == 3
    served.up()
    try:
        # The new start has another token, so the page must be read again.
        browser.reload()
        browser.until(f"{SAVED}.startsWith('saved ')")
        assert [one.action for one in read(file)][3:] == ["not_a_worm", "several"]
        assert not browser.thrown()
    finally:
        served.down()


def test_the_table_of_plates_is_sorted_and_links_nothing_in_a_report(
    browser: Browser, tmp_path: Path
) -> None:
    status = pd.DataFrame({"plate": ["b10", "b9", "a1"], "experiment": "one", "condition": "N2"})
    rows = [
        pd.DataFrame([{"plate": name, "status": "ok", "warnings": "", "worms": worms, "frames": 9}])
        for name, worms in (("b10", 60), ("b9", 112))
    ]
    text = plates_page(plates_table(status.assign(status="included", reason=""), rows))
    for name, links in (("plates.html", 6), ("copy.html", 0)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        browser.open((tmp_path / name).as_uri())
        assert browser.value("document.querySelectorAll('a[href]').length") == links
        first = "[...document.querySelectorAll('tbody tr')].map((one) => one.cells[1].textContent)"
        browser.click("th:nth-child(2) button")
        assert browser.value(first) == ["a1", "b9", "b10"]
        browser.click("th:nth-child(7) button")
        assert browser.value(first) == ["b10", "b9", "a1"]
        assert not browser.thrown()
        for width in (800, 1440):
            browser.resize(width, 800)
            assert browser.value("document.documentElement.scrollWidth") <= width


def test_the_list_of_plates_is_sorted_and_filtered(browser: Browser, tmp_path: Path) -> None:
    names = ["b10", "b9", "a1", HOSTILE]
    status = pd.DataFrame({"plate": names, "experiment": "one", "condition": "N2"})
    status = status.assign(status="included", reason="")
    row = {"worms": 60, "deaths": 51, "last_day": 30.5, "median_lifespan_d": None}
    row |= {"alive_at_last_frame": 3}
    figures = [pd.DataFrame([{**row, "plate": name, "worms": 60 + k}]) for k, name in
               enumerate(names[:3])]  # fmt: skip
    path = tmp_path / "index.html"
    path.write_text(index_page(index_rows(status, figures)), encoding="utf-8")
    browser.open(path.as_uri())
    rows = "[...document.querySelectorAll('tbody tr:not([hidden])')]"
    first = f"{rows}.map((one) => one.querySelector('b').textContent)"
    browser.click("th:nth-child(1) button")
    assert browser.value(first) == [
        HOSTILE, "a1", "b9", "b10",
    ]  # fmt: skip
    browser.click("th:nth-child(5) button")
    browser.click("th:nth-child(5) button")
    assert browser.value(first) == ["a1", "b9", "b10", HOSTILE]
    browser.write("#filter", "B1")
    assert browser.value(first) == ["b10"]
    assert browser.value("document.title") == "Plates to review"
