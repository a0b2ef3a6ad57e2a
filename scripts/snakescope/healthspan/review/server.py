"""A server of pages of review, for this machine only, that saves corrections beside the results.

Of the standard library, so that nothing more has to be installed. What it takes from a browser is
checked one by one: which host it was asked as, since a page elsewhere may have its own name point
to this machine; whose page asks; the token, which only a page served here knows; and every cell of
a line. Paths are never made from what a browser sends: a plate is looked up among those served.
"""

import fcntl
import hmac
import json
import secrets
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from snakescope.healthspan.review.corrections import COLUMNS, SCORER, as_text, parse
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write

LOOPBACK = "127.0.0.1"
LARGEST_BODY = 64 * 1024
SECONDS_TO_SEND = 30
PORTS_TRIED = 20
PLACE_OF_TOKEN = "<!-- token -->"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
API = "/api/corrections"


class Refused(Exception):
    """A request that is not answered, with its status and a sentence."""

    def __init__(self, status: HTTPStatus, reason: str):
        super().__init__(reason)
        self.status = status


class ReviewServer(ThreadingHTTPServer):
    """Serves the pages of plates, and takes corrections of them.

    Attributes:
        pages: the page of every plate, by name.
        folder: of the corrections.
        token: known to pages that were served.
    """

    daemon_threads = True
    # A server that is started again has the port of before, at which the browser keeps what the
    # one before did not save. Two cannot have it at once.
    allow_reuse_address = True

    def __init__(self, port: int, pages: Mapping[str, Path], folder: Path):
        """Listen on a port of this machine; 0 for any that is free."""
        super().__init__((LOOPBACK, port), Handler)
        self.pages = dict(pages)
        self.folder = folder
        self.token = secrets.token_hex(32)
        self.saving = threading.Lock()

    @property
    def hosts(self) -> tuple[str, str]:
        """The names and port by which this server may be asked."""
        return f"{LOOPBACK}:{self.server_port}", f"localhost:{self.server_port}"

    def file_of(self, plate: object, scorer: object) -> tuple[Path, str, str]:
        """Return the file of a scorer of a plate that is served, and both names.

        Raises:
            Refused: there is no such plate, or the scorer's name is not legal.
        """
        if not isinstance(plate, str) or plate not in self.pages:
            raise Refused(HTTPStatus.NOT_FOUND, "no such plate is served here")
        if not isinstance(scorer, str) or not SCORER.fullmatch(scorer):
            raise Refused(HTTPStatus.BAD_REQUEST, "expected a scorer of letters, digits, - and _")
        return self.folder / f"{plate}.{scorer}.tsv", plate, scorer

    def append(self, given: object) -> int:
        """Append lines to a file, whole or not at all; return how many it has.

        Raises:
            Refused: the lines, or those in the file, cannot be used. The file stays as it was.
        """
        if not isinstance(given, dict) or set(given) != {"plate", "scorer", "lines"}:
            raise Refused(HTTPStatus.BAD_REQUEST, "expected plate, scorer and lines")
        path, plate, scorer = self.file_of(given["plate"], given["scorer"])
        added = [_row(one) for one in _list(given["lines"])]
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.saving, _alone(path):
            before = path.read_text(encoding="utf-8-sig") if path.exists() else as_text(())
            try:
                there = parse(before, plate, scorer)
            except ValueError as error:
                raise Refused(HTTPStatus.CONFLICT, f"{path.name}: {error}") from None
            last = there[-1].id if there else 0
            try:
                lines = parse(as_text(there) + "".join(added), plate, scorer)
            except ValueError as error:
                known = any(int(row.split("\t")[0] or 0) <= last for row in added)
                status = HTTPStatus.CONFLICT if known else HTTPStatus.BAD_REQUEST
                why = f"{path.name} has other lines by now, up to {last}: reload; " if known else ""
                raise Refused(status, f"{why}{error}") from None
            with atomic_write(path) as partial:
                partial.write_text(as_text(lines), encoding="utf-8")
            return len(lines)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a file of corrections against other servers in the same folder."""
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _list(given: object) -> list[Any]:
    if not isinstance(given, list) or not given:
        raise Refused(HTTPStatus.BAD_REQUEST, "expected a list of lines")
    return given


def _row(given: object) -> str:
    """Return the row of a line; what is in its cells is checked with those of the file."""
    if not isinstance(given, dict) or set(given) != set(COLUMNS):
        raise Refused(HTTPStatus.BAD_REQUEST, f"expected a line of {', '.join(COLUMNS)}")
    cells = [given[name] for name in COLUMNS]
    if not all(isinstance(cell, (str, int, float)) for cell in cells):
        raise Refused(HTTPStatus.BAD_REQUEST, "expected text and numbers in a line")
    if not isinstance(given["id"], int):
        raise Refused(HTTPStatus.BAD_REQUEST, "expected id as a whole number")
    texts = [str(int(cell)) if isinstance(cell, bool) else str(cell) for cell in cells]
    if any(len(text.splitlines()) > 1 or set(text) & set("\t\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029")
           for text in texts):  # fmt: skip
        raise Refused(HTTPStatus.BAD_REQUEST, "expected no tab and no end of line in a cell")
    return "\t".join(texts) + "\n"


class Handler(BaseHTTPRequestHandler):
    """Answers a request; everything that is not expected is refused with a sentence."""

    server: ReviewServer
    server_version = "snakescope"
    sys_version = ""
    timeout = SECONDS_TO_SEND

    def do_GET(self) -> None:
        """Answer with a page, the list of pages, or the lines of a scorer."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Take lines of a scorer."""
        self._answer(self._post)

    def _answer(self, work: Any) -> None:
        try:
            self._same_host()
            work()
        except Refused as refused:
            self._send(refused.status, "text/plain", str(refused))

    def _same_host(self) -> None:
        hosts = self.headers.get_all("Host") or []
        if len(hosts) != 1 or hosts[0] not in self.server.hosts:
            raise Refused(HTTPStatus.FORBIDDEN, f"ask for {self.server.hosts[0]}")
        origin = self.headers.get("Origin")
        if origin is not None and origin not in [f"http://{one}" for one in self.server.hosts]:
            raise Refused(HTTPStatus.FORBIDDEN, "a page of another origin asks")

    def _with_token(self) -> None:
        given = self.headers.get("X-Snakescope-Token", "")
        if not hmac.compare_digest(given.encode(), self.server.token.encode()):
            raise Refused(HTTPStatus.FORBIDDEN, "the page is of another start: reload it")

    def _get(self) -> None:
        url = urlsplit(self.path)
        if url.path == API:
            self._with_token()
            asked = parse_qs(url.query)
            one = {name: (asked.get(name) or [""])[0] for name in ("plate", "scorer")}
            path, _, _ = self.server.file_of(one["plate"], one["scorer"])
            text = path.read_text(encoding="utf-8-sig") if path.exists() else as_text(())
            self._send(HTTPStatus.OK, "text/tab-separated-values", text)
            return
        if self.path == "/":
            names = [quote(one) for one in self.server.pages]
            links = "".join(f'<li><a href="/plate/{one}">{one}</a></li>' for one in names)
            self._send(HTTPStatus.OK, "text/html", f"<!doctype html><title>Review</title>{links}")
            return
        for plate, page in self.server.pages.items():
            if self.path == f"/plate/{quote(plate)}":
                token = f'<meta name="snakescope-token" content="{self.server.token}">'
                text = page.read_text(encoding="utf-8").replace(PLACE_OF_TOKEN, token, 1)
                self._send(HTTPStatus.OK, "text/html", text)
                return
        raise Refused(HTTPStatus.NOT_FOUND, "there is no such page")

    def _post(self) -> None:
        if self.path != API:
            raise Refused(HTTPStatus.NOT_FOUND, "there is no such page")
        self._with_token()
        if self.headers.get_content_type() != "application/json":
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected application/json")
        stated = self.headers.get("Content-Length", "")
        if not stated.isascii() or not stated.isdigit():
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "expected the length of the body")
        if int(stated) > LARGEST_BODY:
            self.close_connection = True
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "expected at most 64 kB")
        try:
            given = json.loads(self.rfile.read(int(stated)))
        except (ValueError, RecursionError):
            raise Refused(HTTPStatus.BAD_REQUEST, "expected JSON") from None
        lines = self.server.append(given)
        self._send(HTTPStatus.OK, "application/json", json.dumps({"lines": lines}))

    def _send(self, status: HTTPStatus, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of requests that went well."""


def serve(pages: Mapping[str, Path], folder: str, port: int) -> None:
    """Serve pages until interrupted.

    Args:
        pages: of every plate; folder: of the corrections.
        port: of this machine; the next free one if it is taken.

    Raises:
        StepError: a page is not there, or no port is free.
    """
    absent = [path for path in pages.values() if not path.exists()]
    if absent:
        raise StepError(
            f"{absent[0]}: expected a page of review, found none; make it with"
            f" `snakescope run --cores 2 {absent[0]}`"
        )
    server = None
    for tried in range(port, port + PORTS_TRIED):
        try:
            server = ReviewServer(tried, pages, Path(folder))
            break
        except OSError:
            continue
    if server is None:
        raise StepError(f"expected a free port from {port} on, found none; give another --port")
    for plate in pages:
        print(f"http://{LOOPBACK}:{server.server_port}/plate/{quote(plate)}")
    print(f"corrections are saved in {folder}/; end with Ctrl-C", file=sys.stderr, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("ended; run the workflow again to use what was saved", file=sys.stderr)
    finally:
        server.server_close()
