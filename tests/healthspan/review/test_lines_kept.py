"""Lines that browsers keep, in a real browser: none is lost, and none comes back by itself."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.browser import CHROMIUM, Browser
from snakescope.healthspan.review.corrections import as_text, read
from tests.healthspan.review.browsing import SAVED, Served, kept
from tests.healthspan.review.lines import line
from tests.healthspan.review.test_review_page import DIGEST, the_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


def test_two_that_write_to_one_file_lose_nothing(
    browser: Browser, path: Path, tmp_path: Path
) -> None:
    served = Served({"p": path}, tmp_path)
    file = tmp_path / "p.anna.tsv"
    try:
        browser.open(f"http://127.0.0.1:{served.port}/plate/p")
        browser.write("#scorer", "anna")
        browser.until(f"{SAVED} === '0 lines read'")
        browser.press("d")
        browser.until(f"{SAVED}.startsWith('saved ')")
        # The same scorer in another browser.
        (first,) = read(file)
        elsewhere = replace(first, id=2, action="checked", machine_value="")
        file.write_text(as_text([first, elsewhere]))
        browser.press("z", "x", "ArrowDown", "2")
        browser.until(f"{SAVED}.includes('up to 2: reload')")
        browser.reload()
        browser.until(f"{SAVED}.startsWith('saved ')")
        lines = read(file)
        assert [(one.id, one.action, one.value) for one in lines[2:]] == [
            (3, "undo", 1), (4, "not_a_worm", 0), (5, "several", 2),
        ]  # fmt: skip
        assert lines[:2] == [first, elsewhere]
        # A line that somebody took out of the file by hand does not come back.
        file.write_text(as_text([first, *lines[2:]]))
        browser.reload()
        browser.until(f"{SAVED}.includes('those of the file are shown')")
        assert read(file) == [first, *lines[2:]] and not browser.thrown()
    finally:
        served.down()


@pytest.mark.parametrize("answer", [True, False])
def test_lines_on_an_earlier_page_of_the_plate_are_not_lost(opened: Browser, answer: bool) -> None:
    then = [line(1, "dead", digest="abcd", timepoint=3), line(2, "undo", digest="abcd", value=1)]
    for key, text in (
        ("p:abcd:anna", as_text(then)),
        ("p:ef01:anna", as_text(then[:1])),
        ("p:abcd:anna:saved", "0"),
        ("q:abcd:anna", "of another plate"),
        ("p:abcd:ben", "of another person"),
    ):
        opened.value(f"localStorage.setItem('snakescope:{key}', {json.dumps(text)})")
    said = json.dumps(answer)
    opened.value(
        f"(() => {{ window.confirm = (asked) => {{ window.asked = asked; return {said}; }}; }})()"
    )
    opened.write("#scorer", "anna")
    opened.until("window.asked")
    assert "keeps 2 lines of anna" in opened.value("window.asked")
    assert kept(opened) == (then if answer else [])
    opened.press("x")
    lines = kept(opened)
    assert [(one.id, one.digest) for one in lines][-1] == (3 if answer else 1, DIGEST)
    # And nobody is asked again.
    opened.reload()
    opened.press("x")
    assert len(kept(opened)) == len(lines) + 1 and not opened.thrown()


def test_a_file_that_is_opened_adds_what_is_not_here(opened: Browser) -> None:
    opened.write("#scorer", "anna")
    opened.press("d", "ArrowDown", "x")
    own = kept(opened)
    away = "2026-11-29T09:00:00Z"
    other = [replace(own[0], action="alive", time_utc=away), replace(own[1], time_utc=away, id=3)]
    other.append(replace(own[1], id=4, action="undo", value=3, time_utc=away, machine_value=""))
    for said in ("3 lines opened", "0 lines opened"):
        opened.value(
            "(() => { const given = new DataTransfer();"
            f" given.items.add(new File([{json.dumps(as_text(other))}], 'p.anna.tsv'));"
            " const box = document.getElementById('open'); box.files = given.files;"
            " box.dispatchEvent(new Event('change')); })()"
        )
        opened.until(f"{SAVED}.startsWith('{said}')")
    lines = kept(opened)
    assert lines[:2] == own and [(one.id, one.action, one.value) for one in lines[2:]] == [
        (3, "alive", 0), (4, "not_a_worm", 0), (5, "undo", 4),
    ]  # fmt: skip
    assert not opened.thrown()


def test_a_plate_without_a_worm_is_left_out(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "review.html").write_text(the_page(worms=0), encoding="utf-8")
    browser.open((tmp_path / "review.html").as_uri())
    browser.value("localStorage.clear()")
    browser.reload()
    browser.write("#scorer", "anna")
    browser.press("d", "ArrowDown", "E", "1")
    (said,) = kept(browser)
    assert (said.action, said.track, said.reason) == ("exclude_plate", 0, "contaminated")
    browser.press("z", "Z")
    assert [one.action for one in kept(browser)] == ["exclude_plate", "undo", "redo"]
    assert not browser.thrown()
