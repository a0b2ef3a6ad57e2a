"""Chromium, driven through a pipe: pages opened, keys pressed as a person presses them, pictures.

The protocol is that of the browser's own tools
(https://chromedevtools.github.io/devtools-protocol/), one JSON message after the other, each ended
by a zero byte. Of the standard library, so that no driver has to be installed.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from snakescope.step.errors import StepError

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
"""Path of the browser; None without one."""

SECONDS = 60
FIRST_OWN = 10
NAMED_KEYS = {
    "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Enter": 13, "Escape": 27,
    "Home": 36, "End": 35, "Tab": 9, " ": 32,
}  # fmt: skip
"""Keys without a letter, with their code on Windows, which the protocol wants."""


class Browser:
    """A browser without a window, with one page; a context manager.

    Attributes:
        pressed: how many keys were pressed, a key with Shift as one.
    """

    def __init__(self, width: int = 1440, height: int = 900):
        """Start it with a window of ``width`` x ``height`` px.

        Raises:
            StepError: there is no Chromium, or it does not answer.
        """
        if CHROMIUM is None:
            raise StepError("expected Chromium, found none; install the package chromium")
        # Processes of the browser may write there for a moment after it was ended.
        self.profile = tempfile.TemporaryDirectory(
            prefix="snakescope-browser-", ignore_cleanup_errors=True
        )
        # The browser reads from descriptor 3 and writes to 4.
        ours, theirs = os.pipe(), os.pipe()
        reads, writes = (fcntl.fcntl(one, fcntl.F_DUPFD, FIRST_OWN) for one in (ours[0], theirs[1]))

        def place() -> None:
            os.dup2(reads, 3)
            os.dup2(writes, 4)

        self.process = subprocess.Popen(
            [
                CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--remote-debugging-pipe", f"--user-data-dir={self.profile.name}",
                f"--window-size={width},{height}", "about:blank",
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=place, pass_fds=(3, 4),
        )  # fmt: skip
        for one in (ours[0], theirs[1], reads, writes):
            os.close(one)
        self.to, self.of = ours[1], theirs[0]
        self.waiting = b""
        self.asked = 0
        self.events: list[dict[str, Any]] = []
        self.session = ""
        self.pressed = 0
        pages = self.ask("Target.getTargets")["targetInfos"]
        target = next(one["targetId"] for one in pages if one["type"] == "page")
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Page.enable")
        self.ask("Runtime.enable")
        self.resize(width, height)

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.of)
        self.profile.cleanup()

    def _message(self) -> dict[str, Any]:
        """The next message of the browser."""
        end = time.monotonic() + SECONDS
        while b"\0" not in self.waiting:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.of], [], [], left)[0]:
                raise StepError(f"Chromium: expected an answer within {SECONDS} s, found none")
            got = os.read(self.of, 1 << 20)
            if not got:
                raise StepError("Chromium: expected it to run, found it ended")
            self.waiting += got
        text, _, self.waiting = self.waiting.partition(b"\0")
        return dict(json.loads(text))

    def _send(self, method: str, given: dict[str, Any]) -> int:
        self.asked += 1
        message: dict[str, Any] = {"id": self.asked, "method": method, "params": given}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data) :]
        return self.asked

    def _event(self, got: dict[str, Any]) -> None:
        self.events.append(got)
        if got.get("method") == "Page.javascriptDialogOpening":
            # Whatever it asks, as whether a page may be left. The answer to this is not waited for.
            self._send("Page.handleJavaScriptDialog", {"accept": True})

    def ask(self, method: str, **given: Any) -> dict[str, Any]:
        """Send a command of the protocol and return its result.

        Raises:
            StepError: the browser refuses it, or does not answer.
        """
        number = self._send(method, given)
        while True:
            got = self._message()
            if got.get("id") == number:
                if "error" in got:
                    raise StepError(f"Chromium: {method}: {got['error']['message']}")
                return dict(got["result"])
            self._event(got)

    def open(self, url: str) -> None:
        """Open a page and wait until it and its pictures are loaded.

        A page that asks whether it may be left is left, as every dialog is answered with yes.
        """
        self.begin(url)
        # Not the event, which may be that of a page before whose end was not waited for.
        self.until("document.readyState === 'complete'", SECONDS)

    def begin(self, url: str) -> None:
        """Open a page and do not wait until all of it is loaded."""
        self.events.clear()
        self.ask("Page.navigate", url=url)

    def reload(self) -> None:
        """Load the page again."""
        self.value("window.loadedBefore = true")
        self.events.clear()
        self.ask("Page.reload")
        self.until("!window.loadedBefore && document.readyState === 'complete'", SECONDS)

    def value(self, expression: str) -> Any:
        """The value of an expression in the page; of a promise, what it becomes.

        Raises:
            StepError: the page throws.
        """
        got = self.ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in got:
            thrown = got["exceptionDetails"].get("exception", {})
            raise StepError(f"the page threw {thrown.get('description', got)}")
        return got["result"].get("value")

    def until(self, expression: str, seconds: float = 10.0) -> Any:
        """The value of an expression once it is true.

        Raises:
            StepError: it is not within ``seconds``.
        """
        end = time.monotonic() + seconds
        found: Any = None
        while not found:
            try:
                found = self.value(expression)
            except StepError as error:
                # The page that was asked is left just now.
                if "Runtime.evaluate" not in str(error):
                    raise
            if not found and time.monotonic() > end:
                raise StepError(f"expected {expression} within {seconds:g} s, found {found!r}")
            time.sleep(0.02)
        return found

    def thrown(self) -> list[str]:
        """What scripts of the page threw since it was opened and nobody caught."""
        return [
            str(one["params"]["exceptionDetails"])
            for one in self.events
            if one.get("method") == "Runtime.exceptionThrown"
        ]

    def press(self, *keys: str) -> None:
        """Press keys, as ``ArrowLeft``, ``d`` or ``Shift+ArrowLeft``."""
        for key in keys:
            name = key.removeprefix("Shift+")
            shift = name != key or (len(name) == 1 and name.isupper())
            code = NAMED_KEYS.get(name) or ord(name.upper())
            own = {"key": name, "modifiers": 8 if shift else 0, "windowsVirtualKeyCode": code}
            text = "\r" if name == "Enter" else name if len(name) == 1 else ""
            kind = "keyDown" if text else "rawKeyDown"
            self.ask("Input.dispatchKeyEvent", type=kind, **own, **({"text": text} if text else {}))
            self.ask("Input.dispatchKeyEvent", type="keyUp", **own)
            self.pressed += 1

    def click(self, selector: str) -> None:
        """Click into the middle of the first element of a CSS selector."""
        x, y = self.value(
            f"(() => {{ const box = document.querySelector({json.dumps(selector)})"
            ".getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def write(self, selector: str, text: str) -> None:
        """Type text into an input, in place of what it holds, and press Enter."""
        self.value(f"document.querySelector({json.dumps(selector)}).select()")
        self.value(f"document.querySelector({json.dumps(selector)}).focus()")
        self.ask("Input.insertText", text=text)
        self.press("Enter")

    def resize(self, width: int, height: int) -> None:
        """Give the page another size (px)."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    def picture(self, path: Path) -> None:
        """Save what the page shows as PNG."""
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot")["data"]))
