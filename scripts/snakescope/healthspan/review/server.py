"""A server of pages of review, for this machine only, that saves corrections beside the results.

What it takes from a browser is checked one by one: which host it was asked as, since a page
elsewhere may have its own name point to this machine; whose page asks; the token, which only a page
served here knows; and every cell of a line. Paths are never made from what a browser sends: a plate
is looked up among those served.
"""

import asyncio
import fcntl
import hmac
import json
import secrets
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from snakescope.healthspan.review.corrections import (
    COLUMNS,
    OLDER,
    SCORER,
    as_text,
    files_of,
    parse,
)
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write

LOOPBACK = "127.0.0.1"
LARGEST_BODY = 64 * 1024
SECONDS_TO_SEND = 30
SECONDS_TO_END = 2
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
SCORERS = "/api/scorers"
BESIDE = ("contact_sheet.html", "quality.html")
"""Pages of a plate, beside its page of review, that are served as well."""
NO_SCRIPT = {
    "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
}


def refused(status: HTTPStatus, reason: str) -> HTTPException:
    """A request that is not answered, with its status and a sentence."""
    return HTTPException(status, reason)


class ReviewServer:
    """Serves the pages of plates, and takes corrections of them.

    Attributes:
        pages: the page of every plate, by name.
        folder: of the corrections.
        token: known to pages that were served.
    """

    def __init__(self, port: int, pages: Mapping[str, Path], folder: Path):
        """Listen on a port of this machine; 0 for any that is free.

        Raises:
            OSError: the port is taken.
        """
        self.pages = dict(pages)
        self.folder = folder
        self.token = secrets.token_hex(32)
        self.saving = threading.Lock()
        self.ended = threading.Event()
        self.ended.set()
        # A server that is started again has the port of before, at which the browser keeps what the
        # one before did not save. Two cannot have it at once.
        self.socket = socket.create_server((LOOPBACK, port))
        self.server = uvicorn.Server(
            uvicorn.Config(
                Guard(_application(self), self.hosts),
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=SECONDS_TO_END,
            )
        )

    @property
    def server_address(self) -> tuple[str, int]:
        """Address and port."""
        host, port = self.socket.getsockname()
        return host, port

    @property
    def server_port(self) -> int:
        """The port."""
        return self.server_address[1]

    @property
    def hosts(self) -> tuple[str, str]:
        """The names and port by which this server may be asked."""
        return f"{LOOPBACK}:{self.server_port}", f"localhost:{self.server_port}"

    def serve_forever(self) -> None:
        """Answer until :meth:`shutdown`, or Ctrl-C in the main thread."""
        self.ended.clear()
        try:
            self.server.run(sockets=[self.socket])
        finally:
            self.ended.set()

    def shutdown(self) -> None:
        """Have :meth:`serve_forever`, in another thread, end, and wait for it."""
        self.server.should_exit = True
        self.ended.wait()

    def server_close(self) -> None:
        """Give the port back."""
        self.socket.close()

    def file_of(self, plate: object, scorer: object) -> tuple[Path, str, str]:
        """Return the file of a scorer of a plate that is served, and both names.

        Raises:
            HTTPException: there is no such plate, or the scorer's name is not legal.
        """
        if not isinstance(plate, str) or plate not in self.pages:
            raise refused(HTTPStatus.NOT_FOUND, "no such plate is served here")
        if not isinstance(scorer, str) or not SCORER.fullmatch(scorer):
            raise refused(HTTPStatus.BAD_REQUEST, "expected a scorer of letters, digits, - and _")
        return self.folder / f"{plate}.{scorer}.tsv", plate, scorer

    def append(self, given: object) -> int:
        """Append lines to a file, whole or not at all; return how many it has.

        Raises:
            HTTPException: the lines, or those in the file, cannot be used. The file stays as it
                was.
        """
        if not isinstance(given, dict) or set(given) != {"plate", "scorer", "lines"}:
            raise refused(HTTPStatus.BAD_REQUEST, "expected plate, scorer and lines")
        path, plate, scorer = self.file_of(given["plate"], given["scorer"])
        added = [_row(one) for one in _list(given["lines"])]
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.saving, _alone(path):
            before = _text_of(path)
            try:
                there = parse(before, plate, scorer)
            except ValueError as error:
                raise refused(HTTPStatus.CONFLICT, f"{path.name}: {error}") from None
            last = there[-1].id if there else 0
            try:
                lines = parse(as_text(there) + "".join(added), plate, scorer)
            except ValueError as error:
                known = any(int(row.split("\t")[0] or 0) <= last for row in added)
                status = HTTPStatus.CONFLICT if known else HTTPStatus.BAD_REQUEST
                why = f"{path.name} has other lines by now, up to {last}: reload; " if known else ""
                raise refused(status, f"{why}{error}") from None
            with atomic_write(path) as partial:
                partial.write_text(as_text(lines), encoding="utf-8")
            return len(lines)


def _text_of(path: Path) -> str:
    """Return what a file of corrections holds, or would if it were there.

    Raises:
        HTTPException: it is no text in UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig") if path.exists() else as_text(())
    except UnicodeDecodeError:
        why = f"{path.name}: expected text in UTF-8, found other bytes; save it again as it was"
        raise refused(HTTPStatus.CONFLICT, why) from None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a file of corrections against other servers in the same folder."""
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _list(given: object) -> list[Any]:
    if not isinstance(given, list) or not given:
        raise refused(HTTPStatus.BAD_REQUEST, "expected a list of lines")
    return given


def _row(given: object) -> str:
    """Return the row of a line; what is in its cells is checked with those of the file."""
    # A page that was made before lines had their time sends none.
    if isinstance(given, dict) and set(given) == set(OLDER):
        given = {**given, COLUMNS[-1]: ""}
    if not isinstance(given, dict) or set(given) != set(COLUMNS):
        raise refused(HTTPStatus.BAD_REQUEST, f"expected a line of {', '.join(COLUMNS)}")
    cells = [given[name] for name in COLUMNS]
    if not all(isinstance(cell, (str, int, float)) for cell in cells):
        raise refused(HTTPStatus.BAD_REQUEST, "expected text and numbers in a line")
    if not isinstance(given["id"], int):
        raise refused(HTTPStatus.BAD_REQUEST, "expected id as a whole number")
    texts = [str(int(cell)) if isinstance(cell, bool) else str(cell) for cell in cells]
    if any(len(text.splitlines()) > 1 or set(text) & set("\t\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029")
           for text in texts):  # fmt: skip
        raise refused(HTTPStatus.BAD_REQUEST, "expected no tab and no end of line in a cell")
    return "\t".join(texts) + "\n"


class Guard:
    """Lets requests through that are of pages served here, and puts headers on every answer."""

    def __init__(self, app: ASGIApp, hosts: tuple[str, str]):
        """Take what answers, and the names and port by which it may be asked."""
        self.app = app
        self.hosts = hosts
        self.headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self.headers]
            await send(message)

        app: ASGIApp = self.app
        if scope["type"] != "http":
            return
        if scope["method"] not in ("GET", "POST"):
            app = PlainTextResponse("expected GET or POST", HTTPStatus.METHOD_NOT_ALLOWED)
        elif why := self._stranger(scope):
            app = PlainTextResponse(why, HTTPStatus.FORBIDDEN)
        await app(scope, receive, with_headers)

    def _stranger(self, scope: Scope) -> str:
        """Why a request is none of a page served here; empty if it is one."""
        hosts, origins = (
            [value.decode("latin-1") for key, value in scope["headers"] if key == name]
            for name in (b"host", b"origin")
        )
        # Compared whole, with the port: Starlette's TrustedHostMiddleware leaves the port out.
        if len(hosts) != 1 or hosts[0] not in self.hosts:
            return f"ask for {self.hosts[0]}"
        if any(one not in [f"http://{host}" for host in self.hosts] for one in origins):
            return "a page of another origin asks"
        return ""


def _application(server: ReviewServer) -> Starlette:
    def with_token(request: Request) -> None:
        given = request.headers.get("X-Snakescope-Token", "")
        if not hmac.compare_digest(given.encode(), server.token.encode()):
            raise refused(HTTPStatus.FORBIDDEN, "the page is of another start: reload it")

    def plates(request: Request) -> Response:
        names = [quote(one) for one in server.pages]
        links = "".join(f'<li><a href="/plate/{one}">{one}</a></li>' for one in names)
        return HTMLResponse(f"<!doctype html><title>Review</title>{links}")

    def page(request: Request) -> Response:
        path = server.pages.get(request.path_params["plate"])
        if path is None or request.url.query:
            raise refused(HTTPStatus.NOT_FOUND, "there is no such page")
        token = f'<meta name="snakescope-token" content="{server.token}">'
        return HTMLResponse(path.read_text(encoding="utf-8").replace(PLACE_OF_TOKEN, token, 1))

    def beside(request: Request) -> Response:
        path, name = server.pages.get(request.path_params["plate"]), request.path_params["name"]
        if path is None or request.url.query or name not in BESIDE:
            raise refused(HTTPStatus.NOT_FOUND, "there is no such page")
        if not (path := path.with_name(name)).exists():
            raise refused(HTTPStatus.NOT_FOUND, f"{name} was not made yet: run the workflow")
        return HTMLResponse(path.read_text(encoding="utf-8"), headers=NO_SCRIPT)

    def scorers(request: Request) -> Response:
        with_token(request)
        plate = request.query_params.get("plate")
        if plate not in server.pages:
            raise refused(HTTPStatus.NOT_FOUND, "no such plate is served here")
        return JSONResponse([one.scorer for one in files_of(server.folder)[0].get(plate, ())])

    def lines(request: Request) -> Response:
        with_token(request)
        asked = request.query_params
        path, _, _ = server.file_of(asked.get("plate"), asked.get("scorer"))
        return Response(_text_of(path), media_type="text/tab-separated-values; charset=utf-8")

    async def append(request: Request) -> Response:
        with_token(request)
        given = await _json_of(request)
        return JSONResponse({"lines": await run_in_threadpool(server.append, given)})

    def told(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return PlainTextResponse(error.detail, error.status_code)

    def failed(request: Request, error: Exception) -> Response:
        # A full disk, a folder that may not be written, a page that is being made again.
        assert isinstance(error, OSError)
        why = f"{error.filename or server.folder}: {error.strerror or error}"
        return PlainTextResponse(why, HTTPStatus.SERVICE_UNAVAILABLE)

    routes = [
        Route("/", plates),
        Route("/plate/{plate}", page),
        Route("/plate/{plate}/{name}", beside),
        Route(SCORERS, scorers),
        Route(API, lines),
        Route(API, append, methods=["POST"]),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: told, OSError: failed})
    app.router.redirect_slashes = False
    return app


async def _json_of(request: Request) -> Any:
    """Return what the body of a request says, of at most ``LARGEST_BODY`` bytes."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected application/json")
    stated = request.headers.get("Content-Length", "")
    if not stated.isascii() or not stated.isdigit():
        raise refused(HTTPStatus.LENGTH_REQUIRED, "expected the length of the body")
    if int(stated) > LARGEST_BODY:
        raise refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "expected at most 64 kB")
    try:
        # No more comes than was stated: h11 sees to it.
        async with asyncio.timeout(SECONDS_TO_SEND):
            return json.loads(await request.body())
    except TimeoutError:
        raise refused(HTTPStatus.REQUEST_TIMEOUT, "the body did not come") from None
    except (ValueError, RecursionError, ClientDisconnect):
        raise refused(HTTPStatus.BAD_REQUEST, "expected JSON") from None


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
    except KeyboardInterrupt:  # not raised where a shell began this in the background
        pass
    finally:
        server.server_close()
    print("ended; run the workflow again to use what was saved", file=sys.stderr)
