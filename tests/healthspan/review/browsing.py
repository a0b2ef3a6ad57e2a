"""A page of review in a browser: what it keeps, and a server of it."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.browser import Browser
from snakescope.healthspan.review.corrections import Correction, parse
from snakescope.healthspan.review.server import ReviewServer
from tests.healthspan.review.test_review_page import DIGEST

SAVED = "document.getElementById('saved').textContent"


def kept(browser: Browser, scorer: str = "anna") -> list[Correction]:
    """The lines that the browser keeps."""
    text = browser.value(f"localStorage.getItem('snakescope:p:{DIGEST}:{scorer}')")
    return parse(text, "p", scorer) if text else []


class Served:
    """A server of the page that can be ended and started again at the same port."""

    def __init__(self, pages: dict[str, Path], folder: Path):
        self.start: Callable[[int], ReviewServer] = partial(
            ReviewServer, pages=pages, folder=folder
        )
        self.port = 0
        self.up()

    def up(self) -> None:
        self.server = self.start(self.port)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def down(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
