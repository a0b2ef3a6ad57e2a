"""A browser, and a page of review in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.browser import Browser
from tests.healthspan.review.test_review_page import the_page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as started:
        yield started


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("page") / "review.html"
    made.write_text(the_page(), encoding="utf-8")
    return made


@pytest.fixture
def opened(browser: Browser, path: Path) -> Browser:
    """The page, in a browser that kept nothing of an earlier test."""
    browser.resize(1440, 900)
    browser.open(path.as_uri())
    browser.value("localStorage.clear()")
    browser.reload()
    return browser
