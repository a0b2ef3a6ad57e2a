"""The server of pages of review: what it refuses, and that files are whole whatever is asked."""

import errno
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from snakescope.healthspan.review import server as review_server
from snakescope.healthspan.review.corrections import COLUMNS, as_text, read
from snakescope.healthspan.review.server import (
    API,
    LARGEST_BODY,
    PLACE_OF_TOKEN,
    ReviewServer,
    serve,
)
from snakescope.step.errors import StepError
from tests.healthspan.review.lines import line

NO_HTTP = "Invalid HTTP request received."
PAGE = f"<title>p</title>{PLACE_OF_TOKEN}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ReviewServer]:
    page = tmp_path / "results/p/review.html"
    page.parent.mkdir(parents=True)
    page.write_text(PAGE)
    (tmp_path / "secret.tsv").write_text("secret")
    made = ReviewServer(0, {"p": page}, tmp_path / "corrections")
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def ask(
    server: ReviewServer, method: str, path: str, body: Any = None, **changed: str | None
) -> tuple[int, str]:
    """Ask as the page does, but for some headers; None leaves one out."""
    own = f"127.0.0.1:{server.server_port}"
    headers: dict[str, str | None] = {
        "Host": own, "Origin": f"http://{own}", "Content-Type": "application/json",
        "X-Snakescope-Token": server.token,
    }  # fmt: skip
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    text = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in {"Content-Length": str(len(text)), **headers}.items():
        if value is not None:
            connection.putheader(name, value)
    connection.endheaders(text if len(text) <= LARGEST_BODY else None)
    answer = connection.getresponse()
    said = answer.read().decode()
    # What is no HTTP is refused before anybody looks at it, and has no header.
    assert said == NO_HTTP or answer.getheader("X-Content-Type-Options") == "nosniff"
    assert "uvicorn" not in str(answer.headers).lower()
    connection.close()
    return answer.status, said


def cells(id: int = 1, action: str = "dead", **given: Any) -> dict[str, Any]:
    return dict(zip(COLUMNS, line(id, action).cells(), strict=True)) | {"id": id} | given


def body(*lines: dict[str, Any], **given: Any) -> dict[str, Any]:
    return {"plate": "p", "scorer": "anna", "lines": list(lines)} | given


def test_it_listens_on_this_machine_alone(server: ReviewServer) -> None:
    assert server.server_address[0] == "127.0.0.1"


def test_pages_beside_the_page_are_served_without_scripts(server: ReviewServer) -> None:
    assert ask(server, "GET", "/plate/p/quality.html")[0] == 404
    (server.pages["p"].parent / "quality.html").write_text("<p>quality")
    (server.pages["p"].parent / "tracks.tsv").write_text("secret")
    assert ask(server, "GET", "/plate/p/quality.html") == (200, "<p>quality")
    for path in ("tracks.tsv", "review.html", "..%2f..%2fsecret.tsv", "quality.html?x"):
        assert ask(server, "GET", f"/plate/p/{path}")[0] == 404


def test_scorers_of_a_plate_are_told_with_the_token(server: ReviewServer) -> None:
    server.append(body(cells()))
    assert ask(server, "GET", "/api/scorers?plate=p") == (200, '["anna"]')
    assert ask(server, "GET", "/api/scorers?plate=q")[0] == 404
    assert ask(server, "GET", "/api/scorers?plate=p", X_Snakescope_Token=None)[0] == 403


def test_a_page_has_its_token_and_lines_are_saved_and_read(server: ReviewServer) -> None:
    status, text = ask(server, "GET", "/plate/p", X_Snakescope_Token=None, Origin=None)
    assert status == 200 and server.token in text
    assert ask(server, "GET", "/", X_Snakescope_Token=None)[0] == 200
    assert ask(server, "POST", API, body(cells(1))) == (200, '{"lines":1}')
    again = body(cells(2, "undo", value=1))
    host = f"localhost:{server.server_port}"
    assert ask(server, "POST", API, again, Host=host, Origin=f"http://{host}")[0] == 200
    path = server.folder / "p.anna.tsv"
    expected = [line(1, "dead"), line(2, "undo", value=1)]
    assert read(path) == expected
    assert ask(server, "GET", f"{API}?plate=p&scorer=anna") == (200, as_text(expected))
    assert ask(server, "GET", f"{API}?plate=p&scorer=ben") == (200, as_text([]))
    assert [one.name for one in server.folder.glob("*.tsv")] == ["p.anna.tsv"]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1", "127.0.0.1.evil.example:{port}", "localhost:1", "[::1]:{port}",
     "127.0.0.1:{port}.evil.example", "", None],
)  # fmt: skip
@pytest.mark.parametrize(("method", "path"), [("GET", "/plate/p"), ("POST", API)])
def test_another_host_is_refused(
    server: ReviewServer, method: str, path: str, host: str | None
) -> None:
    named = host and host.format(port=server.server_port)
    # A connection that is closed at once takes no body.
    status, text = ask(
        server, method, path, body(cells(1)) if host is not None else None, Host=named
    )
    assert server.token not in text
    assert status == 403 or (host is None and (status, text) == (400, NO_HTTP))
    assert not server.folder.exists()


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1", ""]
)
def test_a_page_of_another_origin_is_refused(server: ReviewServer, origin: str) -> None:
    named = origin.format(port=server.server_port)
    assert ask(server, "POST", API, body(cells(1)), Origin=named)[0] == 403
    assert ask(server, "GET", "/plate/p", Origin=named)[0] == 403
    assert not server.folder.exists()


@pytest.mark.parametrize("token", [None, "", "0" * 64, "é"])
def test_without_the_token_nothing_is_read_or_saved(
    server: ReviewServer, token: str | None
) -> None:
    assert ask(server, "POST", API, body(cells(1)), X_Snakescope_Token=token)[0] == 403
    asked = ask(server, "GET", f"{API}?plate=p&scorer=anna", X_Snakescope_Token=token)
    assert asked[0] == 403
    assert not server.folder.exists()


@pytest.mark.parametrize(
    "path",
    ["/plate/../secret.tsv", "/plate/..%2fsecret.tsv", "/plate/%2e%2e/%2e%2e/secret.tsv",
     "/plate/q", "/plate/p/", "/plate/p?x", "/results/p/review.html", "/plate/",
     "/favicon.ico", "http://evil.example/plate/p"],
)  # fmt: skip
def test_there_is_nothing_but_the_pages(server: ReviewServer, path: str) -> None:
    status, text = ask(server, "GET", path)
    assert status == 404 and "secret" not in text


@pytest.mark.parametrize(
    "given",
    [{"plate": "../p"}, {"plate": "q"}, {"plate": "p/../../secret"}, {"plate": ["p"]},
     {"plate": None}, {"scorer": "../../x"}, {"scorer": "a.b"}, {"scorer": ""}, {"scorer": 3},
     {"scorer": "a" * 41}, {"lines": []}, {"lines": {}}, {"more": 1}],
)  # fmt: skip
def test_names_that_are_not_served_make_no_file(
    server: ReviewServer, tmp_path: Path, given: dict[str, Any]
) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert ask(server, "POST", API, body(cells(1), **given))[0] in (400, 404)
    assert [one for one in sorted(tmp_path.rglob("*")) if one.name != "corrections"] == before


@pytest.mark.parametrize(
    "changed",
    [{"action": "kill"}, {"reason": "=HYPERLINK(1)"}, {"reason": "a\tb"}, {"reason": "a\nb"},
     {"reason": "a\u2028b"}, {"reason": "x" * 101}, {"reason": "\ud800"}, {"timepoint": -1},
     {"y_px": "nan"}, {"plate": "q"}, {"scorer": "ben"}, {"id": "1"}, {"id": 0}, {"blind": None},
     {"digest": "../.."}, {"value": [1]}, {"time_utc": "now"}, {"extra": 1}],
)  # fmt: skip
def test_a_line_that_cannot_be_used_leaves_the_file(
    server: ReviewServer, changed: dict[str, Any]
) -> None:
    assert ask(server, "POST", API, body(cells(1)))[0] == 200
    path = server.folder / "p.anna.tsv"
    before = path.read_bytes()
    status, said = ask(server, "POST", API, body(cells(2), cells(3) | changed))
    assert status in (400, 409) and said
    assert path.read_bytes() == before


def test_a_file_that_went_on_elsewhere_is_told(server: ReviewServer) -> None:
    assert ask(server, "POST", API, body(cells(1), cells(2)))[0] == 200
    status, said = ask(server, "POST", API, body(cells(2)))
    assert status == 409 and "has other lines by now, up to 2: reload" in said
    path = server.folder / "p.anna.tsv"
    path.write_text("broken")
    status, said = ask(server, "POST", API, body(cells(3)))
    assert status == 409 and "expected the columns" in said
    assert path.read_text() == "broken"


def test_a_page_that_was_made_before_lines_had_their_time_is_taken(server: ReviewServer) -> None:
    older = cells(1)
    del older["time_h"]
    assert ask(server, "POST", API, body(older, cells(2, time_h=36.25))) == (200, '{"lines":2}')
    found = read(server.folder / "p.anna.tsv")
    assert [one.time_h for one in found] == [None, 36.25]


def test_a_file_of_other_bytes_is_told_and_stays(server: ReviewServer) -> None:
    server.folder.mkdir()
    path = server.folder / "p.anna.tsv"
    path.write_bytes("\xfc".encode("latin-1"))
    for answer in (
        ask(server, "GET", f"{API}?plate=p&scorer=anna"),
        ask(server, "POST", API, body(cells(1))),
    ):
        assert answer[0] == 409 and "p.anna.tsv: expected text in UTF-8" in answer[1]
    assert path.read_bytes() == b"\xfc"


def test_what_the_system_does_not_let_be_written_is_told(
    server: ReviewServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(server, "POST", API, body(cells(1)))[0] == 200
    path = server.folder / "p.anna.tsv"
    before = path.read_bytes()

    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(review_server, "atomic_write", full)
        status, said = ask(server, "POST", API, body(cells(2)))
    assert status == 503 and said == f"{path}: No space left on device"
    assert path.read_bytes() == before
    # The page tries again.
    assert ask(server, "POST", API, body(cells(2))) == (200, '{"lines":2}')
    server.pages["p"].unlink()
    status, said = ask(server, "GET", "/plate/p")
    assert status == 503 and "review.html: No such file" in said


@pytest.mark.parametrize(
    ("given", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"[" * 5000, {}, 400),
        (b"\xff", {}, 400),
        (b"[]", {}, 400),
        (b"{}", {"Content_Type": "text/plain"}, 415),
        (b"{}", {"Content_Type": None}, 415),
        (b"{}", {"Content_Length": None}, 411),
        (b"", {"Content_Length": "-1"}, 400),
        (b"", {"Content_Length": "9" * 30}, 400),
        (b"{}", {"Content_Length": "9" * 15}, 413),
        (b"2\r\n{}\r\n0\r\n\r\n", {"Content_Length": None, "Transfer_Encoding": "chunked"}, 411),
        (b" " * (LARGEST_BODY + 1), {}, 413),
    ],
)
def test_a_body_that_is_no_small_json_is_refused(
    server: ReviewServer, given: bytes, headers: dict[str, str | None], status: int
) -> None:
    assert ask(server, "POST", API, given, **headers)[0] == status
    assert not server.folder.exists()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "HEAD"])
def test_other_methods_are_refused(server: ReviewServer, method: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    for path in ("/", "/plate/p", API):
        connection.request(method, path, headers={"X-Snakescope-Token": server.token})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 405 and answer.getheader("X-Content-Type-Options") == "nosniff"
    connection.close()


def test_a_body_that_does_not_come_keeps_nobody_waiting(
    server: ReviewServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_server, "SECONDS_TO_SEND", 0.2)
    assert ask(server, "POST", API, b"{", Content_Length="60")[0] == 408
    assert ask(server, "GET", "/plate/p")[0] == 200


def test_a_connection_that_asks_for_more_than_pages_gets_nothing(server: ReviewServer) -> None:
    own = f"127.0.0.1:{server.server_port}"
    asked = f"GET /plate/p HTTP/1.1\r\nHost: {own}\r\nHost: evil.example\r\n\r\n"
    upgrade = (
        f"GET /plate/q HTTP/1.1\r\nHost: {own}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    for text, status in ((asked, b"400"), (upgrade, b"404"), ("nonsense\r\n\r\n", b"400")):
        with socket.create_connection(server.server_address, timeout=10) as connection:
            connection.sendall(text.encode())
            said = connection.recv(65536)
        assert said.split()[1] == status and server.token.encode() not in said


def test_two_servers_have_two_ports(server: ReviewServer, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="in use"):
        ReviewServer(server.server_port, server.pages, tmp_path)


@pytest.mark.subprocess
def test_it_ends_with_ctrl_c_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "p.html").write_text(PAGE)
    code = (
        "from pathlib import Path; from snakescope.healthspan.review.server import serve;"
        f"serve({{'p': Path('{tmp_path}/p.html')}}, '{tmp_path}', 18500)"
    )
    started = subprocess.Popen(
        [sys.executable, "-u", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert started.stdout and "/plate/p" in started.stdout.readline()
    assert started.stderr and "end with Ctrl-C" in started.stderr.readline()
    time.sleep(1)
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert said == "ended; run the workflow again to use what was saved\n"
    assert started.returncode == 0


def test_two_that_save_at_once_lose_nothing(server: ReviewServer) -> None:
    """Each of its own scorer; and of one scorer, one is told to read the file again."""
    made: list[int] = []

    def save(scorer: str) -> None:
        for number in range(1, 6):
            given = body(cells(number, scorer=scorer), scorer=scorer)
            made.append(ask(server, "POST", API, given)[0])

    threads = [threading.Thread(target=save, args=(name,)) for name in ("anna", "ben", "ben")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert set(made) <= {200, 409} and made.count(200) == 10
    for name in ("anna", "ben"):
        assert [one.id for one in read(server.folder / f"p.{name}.tsv")] == [1, 2, 3, 4, 5]


def test_a_page_that_was_not_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="expected a page of review, found none; make it with"):
        serve({"p": tmp_path / "review.html"}, str(tmp_path), 0)
